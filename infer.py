"""Segments images: label map, overlay, and the classes that are in it.

    python infer.py voc-fcn8s --weights W image.jpg ... [folder] [-o DIR]
    python infer.py nyud-fcn32s-color-hha --weights W room.jpg

Every image goes through the directory's deploy.prototxt at its own size, made
ready as the data layer of its val.prototxt or test.prototxt does for its
dataset. Written are DIR/<name>.png, a palette PNG of labels, and
DIR/<name>_overlay.jpg; for nets with two tasks <name>_sem.png, <name>_geo.png
and so on. Depth (16-bit PNG, millimetres) and HHA of room.jpg are
room_depth.png and room_hha.png beside it, else ../depth/room.png and
../hha/room.png; or room.png in the folders that --depth and --hha name. A net
that sees nothing but HHA is given the HHA files themselves.
Berkeley: infer.py. As a viewer shows an image, so it is segmented: turned by
its EXIF orientation, transparent pixels on white.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

import caffe
import networks
from data.classes import VOC
from data.palette import COLOURS, colours_of, label_image
from data.pictures import (
    companion,
    output_files,
    picture_files,
    read_picture,
)
from data.read import check_size
from data.seg_layer import bgr_minus_mean
from score.hist import argmax
from score.palette import overlay
from score.seg import progress
from weights.load import choose_device, load, must_exist

MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)  # ILSVRC, 0..255
BAD_IMAGE = (
    OSError,
    ValueError,
    SyntaxError,  # Pillow, on a broken PNG
    RuntimeError,  # torch, when memory runs out
    MemoryError,
    Image.DecompressionBombError,
)


def main(argv=None):
    try:
        return run(arguments(argv))
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        print(f'infer: {error}', file=sys.stderr)
        return 1


def arguments(argv):
    parser = argparse.ArgumentParser(
        'python infer.py',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('net', help='network directory, as voc-fcn8s, or a deploy prototxt')
    add('--weights', required=True, metavar='W', help='caffemodel')
    add('images', nargs='+', metavar='IMAGE', help='image files or folders')
    add('-o', '--out', default='segmented', metavar='DIR', help='%(default)s')
    add('--depth', metavar='DIR', help='depth images, named as the images')
    add('--hha', metavar='DIR', help='HHA images, named as the images')
    add('--gpu', metavar='N', help='GPU number, or cpu (default: 0 if any)')
    return parser.parse_args(argv)


def run(args):
    """Gives: exit code, 1 if an image failed."""
    prototxt = networks.deploy_file(args.net)
    must_exist(args.weights, prototxt.parent.name)
    param = networks.read_deploy(prototxt)
    source, tasks = networks.deploy_tasks(param, prototxt)
    source = source or plain(prototxt)
    files = picture_files(args.images, [*source.inputs.values()][1:])
    jobs = output_files(files, Path(args.out), [task.label for task in tasks])
    if Path(args.out).is_file():
        raise ValueError(f'-o {args.out}: a file; name a folder')
    choose_device(args.gpu)
    net = caffe.Net(param, caffe.TEST, root=prototxt.parent)
    must_take(net, source, prototxt)
    for notice in load(net, args.weights):
        print(notice, file=sys.stderr)
    heads = [head(net, task, source) for task in tasks]
    net.set_keep([task.score for task in tasks])
    Path(args.out).mkdir(parents=True, exist_ok=True)
    failed = 0
    for path, targets in progress(jobs, len(jobs), 'segmented'):
        try:
            picture = feed(net, source, path, vars(args))
            lines = segment(net, heads, picture, targets)
        except BAD_IMAGE as error:
            failed += 1
            tqdm.write(f'infer: {path}: {error}', file=sys.stderr)
        else:
            tqdm.write('\n'.join(lines))
    for each in heads:
        each.print_legend(f' of {each.task.label}' * bool(tasks[1:]))
    if failed:
        print(f'infer: {failed} of {len(jobs)} failed', file=sys.stderr)
    return int(failed > 0)


# in -----------------------------------------------------------------------


class Ilsvrc:
    """Stands in for a data layer: colour minus ImageNet's mean."""

    names = {}

    def prepare(self, kind, pixels):
        return bgr_minus_mean(pixels, np.array(MEAN_BGR))


def plain(prototxt):
    """What a deploy prototxt without its directory is taken for."""
    print(
        f'{prototxt}: no val.prototxt or test.prototxt beside it to say what '
        f"the net sees; it is given colour minus ImageNet's mean",
        file=sys.stderr,
    )
    return networks.Source(Ilsvrc(), {'data': 'data'})


def must_take(net, source, prototxt):
    """Refuses a net whose inputs are not what there is to feed."""
    have = ', '.join(net.inputs) or 'none'
    if isinstance(source.layer, Ilsvrc):
        if net.inputs != ['data'] or net.blobs['data'].shape[1:2] != (3,):
            raise ValueError(
                f'{prototxt}: the inputs are {have}; without a val.prototxt or '
                f"test.prototxt beside it only nets with one input 'data' of "
                f'three channels can be run'
            )
    elif set(net.inputs) != set(source.inputs):
        raise ValueError(
            f'{prototxt}: the inputs are {have}; the data layer of the '
            f'directory gives {", ".join(source.inputs)}'
        )


def feed(net, source, path, folders):
    """Puts an image, and what belongs to it, into the net's inputs.

    Takes: folders: {kind: folder or None} of what lies not beside the image
    Gives: the first input as a picture, H x W x 3 uint8
    """
    first = None
    for blob, kind in source.inputs.items():
        file = path
        if first is not None:
            file = companion(path, kind, folders.get(kind))
        if kind in ('data', 'color'):
            pixels = read_picture(file)
        else:
            pixels = source.layer.read(kind, file)
        first = pixels if first is None else first
        check_size(pixels, file, first, kind)
        data = source.layer.prepare(kind, pixels)  # C x H x W
        net.blobs[blob].reshape(1, *data.shape)
        net.blobs[blob].data[...] = data
    return first


# out ----------------------------------------------------------------------


class Head(NamedTuple):
    """One task of a net, and how its labels look."""

    task: networks.Task
    names: list  # of the classes, or their numbers
    colours: np.ndarray  # 256 x 3
    clear: int  # the label that is background, or None
    seen: set  # labels so far

    def print_legend(self, of=''):
        """Colours of labels that occurred, unless they are VOC's."""
        if self.colours is COLOURS or not self.seen:
            return
        print(f'colours{of}:')
        for label in sorted(self.seen):
            red, green, blue = self.colours[label].tolist()
            mark = f'#{red:02x}{green:02x}{blue:02x}'
            if sys.stdout.isatty():
                mark = f'\033[48;2;{red};{green};{blue}m    \033[0m {mark}'
            print(f'{mark} {label:3} {self.names[label]}')


def head(net, task, source):
    count = net.blobs[task.score].shape[1]
    names = source.names(task) or VOC
    if len(names) != count:  # a net of another dataset than it says
        return Head(task, range(count), COLOURS, 0, set())
    colours = COLOURS if names == VOC else colours_of(names)
    clear = 0 if names[0] == 'background' else None
    return Head(task, names, colours, clear, set())


def segment(net, heads, picture, targets):
    """Runs the net and writes the files of every task. Gives: a line each"""
    with torch.no_grad():
        net.forward()
    lines = []
    for each, (label_file, overlay_file) in zip(heads, targets):
        label = argmax(net.blobs[each.task.score].tensor[0].detach())
        label = label.to('cpu', torch.uint8).numpy()
        label_image(label, each.colours).save(label_file)
        mixed = overlay(picture, label, 0.5, each.colours, each.clear)
        Image.fromarray(mixed).save(overlay_file, quality=95, subsampling=0)
        each.seen.update(np.unique(label).tolist())
        lines.append(f'{label_file}: {shares(label, each.names)}')
    return lines


def shares(label, names):
    """'72.5% background, 27.5% cat': what is there, largest first."""
    counts = np.bincount(label.ravel(), minlength=len(names))
    order = np.argsort(-counts, kind='stable')
    percent = 100 * counts / label.size
    return ', '.join(
        f'{percent[i]:.1f}% {names[i]}' for i in order if counts[i]
    )


if __name__ == '__main__':
    sys.exit(main())
