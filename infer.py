"""Segments images: label map, overlay, and the classes that are in it.

    python infer.py voc-fcn8s --weights W image.jpg ... [folder] [-o DIR]

Every image goes through the directory's deploy.prototxt at its own size.
Written are DIR/<name>.png, a palette PNG of labels, and DIR/<name>_overlay.jpg.
Berkeley: infer.py (mean, channel order). As a viewer shows an image, so it is
segmented: turned by its EXIF orientation, transparent pixels on white.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

import caffe
from caffe.proto import text
from score.hist import argmax
from score.palette import VOC_CLASSES, label_image, overlay
from score.seg import progress
from weights.load import choose_device, load, must_exist

ROOT = Path(__file__).resolve().parent
MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)  # ILSVRC, 0..255
SUFFIXES = {'.jpg', '.jpeg', '.png', '.bmp', '.gif', '.ppm', '.tif', '.webp'}
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
    except (OSError, ValueError, RuntimeError) as error:
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
    add('--gpu', metavar='N', help='GPU number, or cpu (default: 0 if any)')
    return parser.parse_args(argv)


def run(args):
    """Gives: exit code, 1 if an image failed."""
    prototxt = deploy_file(args.net)
    must_exist(args.weights, prototxt.parent.name)
    jobs = output_files(image_files(args.images), Path(args.out))
    choose_device(args.gpu)
    net = deploy_net(prototxt)
    for notice in load(net, args.weights):
        print(notice, file=sys.stderr)
    net.set_keep(['score'])
    Path(args.out).mkdir(parents=True, exist_ok=True)
    failed = 0
    for path, *targets in progress(jobs, len(jobs), 'segmented'):
        try:
            line = segment_file(net, path, *targets)
        except BAD_IMAGE as error:
            failed += 1
            print(f'infer: {path}: {error}', file=sys.stderr)
        else:
            print(f'{targets[0]}: {line}', flush=True)
    if failed:
        print(f'infer: {failed} of {len(jobs)} failed', file=sys.stderr)
    return int(failed > 0)


def segment_file(net, path, label_file, overlay_file):
    """One image from file to files. Gives: its classes, as text."""
    image = read_image(path)
    label = segment(net, image)
    label_image(label).save(label_file)
    Image.fromarray(overlay(image, label)).save(
        overlay_file, quality=95, subsampling=0
    )
    return shares(label, net.blobs['score'].shape[1])


def segment(net, image):
    """Takes: image: H x W x 3 RGB uint8. Gives: H x W uint8 labels."""
    data = np.float32(image)[:, :, ::-1] - np.array(MEAN_BGR)
    blob = net.blobs['data']
    blob.reshape(1, 3, *image.shape[:2])
    blob.data[...] = data.transpose(2, 0, 1)
    with torch.no_grad():
        net.forward()
        label = argmax(net.blobs['score'].tensor[0])
    return label.to('cpu', torch.uint8).numpy()


def shares(label, classes):
    """'72.5% background, 27.5% cat': what is there, largest first."""
    names = VOC_CLASSES if classes == len(VOC_CLASSES) else range(classes)
    counts = np.bincount(label.ravel(), minlength=classes)
    order = np.argsort(-counts, kind='stable')
    percent = 100 * counts / label.size
    return ', '.join(
        f'{percent[i]:.1f}% {names[i]}' for i in order if counts[i]
    )


def read_image(path):
    """Any image as a viewer shows it. Gives: H x W x 3 RGB uint8."""
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith('I'):  # 16 bits a pixel
            deep = np.asarray(image).astype(np.int64)
            grey = (deep >> 8 if deep.max() > 255 else deep).astype(np.uint8)
            image = Image.fromarray(grey)
        if 'A' in image.mode or 'transparency' in image.info:
            image = image.convert('RGBA')
            white = Image.new('RGBA', image.size, 'white')
            image = Image.alpha_composite(white, image)
        return np.array(image.convert('RGB'))


def image_files(places):
    """The files named, and those with an image's suffix in folders named."""
    files = []
    for place in map(Path, places):
        if place.is_dir():
            found = sorted(
                p for p in place.iterdir() if p.suffix.lower() in SUFFIXES
            )
            if not found:
                raise FileNotFoundError(f'{place}: no image in this folder')
            files += found
        else:
            files.append(place)
    return list(dict.fromkeys(files))


def output_files(files, out):
    """(image, label map, overlay) for each image, none in another's place."""
    taken = {file.resolve(): file for file in files}
    jobs = []
    for file in files:
        job = file, out / f'{file.stem}.png', out / f'{file.stem}_overlay.jpg'
        for target in job[1:]:
            other = taken.setdefault(target.resolve(), file)
            if other is not file or target.resolve() == file.resolve():
                raise ValueError(
                    f'{target}, for {file}, would take the place of {other} '
                    'or of what is written for it; give -o another folder, '
                    'or images of one name one at a time'
                )
        jobs.append(job)
    return jobs


def deploy_file(name):
    """The prototxt that `net` on the command line means."""
    for place in (Path(name), ROOT / name):
        if place.is_file():
            return place
        if (place / 'deploy.prototxt').is_file():
            return place / 'deploy.prototxt'
    have = sorted(p.parent.name for p in ROOT.glob('*/deploy.prototxt'))
    raise FileNotFoundError(
        f'{name}: neither a prototxt nor a directory with a deploy.prototxt; '
        f'here are {", ".join(have) or "none"}'
    )


def deploy_net(path):
    """The net of a deploy prototxt: one image in, scores out."""
    advice = 'give the network directory, or its deploy.prototxt'
    try:
        param = text.read_net(str(path))
    except RuntimeError as error:
        if is_solver(path):
            raise ValueError(
                f'{path}: settings of a solver, not a net; {advice}'
            ) from error
        raise
    if any(layer.type == 'Python' for layer in param.layer):
        raise ValueError(
            f'{path}: a net that reads a dataset by itself; {advice}'
        )
    net = caffe.Net(param, caffe.TEST, root=path.parent)
    blob = net.blobs.get('data')
    if net.inputs != ['data'] or blob.shape[1:2] != (3,):
        raise ValueError(
            f'{path}: the inputs are {", ".join(net.inputs) or "none"}; here '
            "only nets with one input 'data' of three channels can be run"
        )
    if 'score' not in net.blobs:
        raise ValueError(f"{path}: no blob 'score' in it")
    return net


def is_solver(path):
    try:
        text.read_solver(str(path))
    except RuntimeError:
        return False
    return True


if __name__ == '__main__':
    sys.exit(main())
