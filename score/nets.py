"""A network directory's net, the split it is scored on, and the run over it.

The net is the directory's val.prototxt or test.prototxt, which names the
split. Images that the net was trained on would flatter it: check_unseen.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

import caffe
import networks
from data.palette import colours_of
from score import protocols
from score.seg import Total, each_scored, progress
from weights.published import BY_DIRECTORY


class Test(NamedTuple):
    """What a net is scored on."""

    split: str
    ids: list  # in the order of the net's images
    tasks: list  # of networks.Task
    source: networks.Source


def test_net(folder, split=None, edit=None):
    """A directory's net for testing, on a split of choice. Gives: net, Test

    Takes: edit: a function that changes its NetParameter first, given that
           and the name of its file
    """
    path = networks.prototxt(folder, 'test')
    param = networks.read(path)
    if edit:
        edit(param, path.name)
    split = networks.with_split(param, path, split)
    net = caffe.Net(param, caffe.TEST, root=folder)
    layer = next((x for x in net.layers if hasattr(x, 'indices')), None)
    if layer is None:
        raise ValueError(
            f'{path}: its data layer has no list of ids, `indices`, as a '
            f'SegDataLayer has (data/seg_layer.py)'
        )
    source = networks.source_of(layer, networks.data_param(param, path))
    return net, Test(split, layer.indices, networks.tasks(param), source)


def scored(net, test, save=None, watch=None):
    """Runs over a split once. Gives: (hist, mean loss) of each task

    Takes: save: folder for the label maps, with one for each of several tasks
           watch: called with the list of Scored of every image
    """
    totals = []
    for task in test.tasks:
        place = Path(save, task.label) if save and test.tasks[1:] else save
        totals.append(Total(place, colours_of(test.source.names(task))))
    images = each_scored(net, test.ids, *test.tasks)
    for tasks in progress(images, len(test.ids)):
        for total, image in zip(totals, tasks):
            total.add(must_have_classes(image, test.source.layer))
        if watch:
            watch(tasks)
    return [total.result() for total in totals]


def must_have_classes(image, layer):
    if image.hist.any():
        return image
    path = getattr(layer, 'label_path', str)(image.name)
    raise ValueError(
        f'{path}: every pixel is void or no class (values '
        f'{image.true.min():g} to {image.true.max():g}): there is nothing to '
        'score; `python -m data check` lists such files'
    )


def check_unseen(folder, split, ids, given):
    """Refuses ids the net was trained on.

    Takes: given: whether the person chose the split; where training ids
           cannot be had, only the prototxt's own is trusted
    """
    try:
        seen = sorted(set(ids) & set(training_ids(folder)))
    except OSError as error:
        text = f'not known which images {folder.name} was trained on: {error}'
        if given:
            raise ValueError(f'{text}; or --allow-train to go on') from error
        print(text, file=sys.stderr)
        return
    if seen:
        raise ValueError(
            f'split {split}: {len(seen)} of {len(ids)} images are in the '
            f'training set of {folder.name} ({", ".join(seen[:3])} ...), so '
            'the scores would flatter it; give another --split, or '
            '--allow-train to score them all the same'
        )


def training_ids(folder):
    """The ids that the data layer of a directory's training net draws from."""
    path = networks.prototxt(folder, 'train')
    if path is None:
        raise FileNotFoundError(f'{folder} has no prototxt for training')
    return networks.source(path).layer.items()


def judged(name, test, task, hist, loss):
    """The scores of one task by each protocol of its dataset.

    Takes: name: of the network; hist, loss: as `scored` gives them
    Gives: [(protocol, Metrics, published row or None)]
    """
    rows = BY_DIRECTORY[name].scores if name in BY_DIRECTORY else ()
    rows = [row for row in rows if row.task == task.label]
    found = []
    for protocol in protocols.of_data_layer(test.source.layer):
        result = protocols.judge(hist, protocol)._replace(loss=loss)
        fits = [r for r in rows if r.protocol in (protocol.name, None)]
        found.append((protocol, result, fits[0] if fits else None))
    return found


def picture(net, source, name):
    """An image as it lies in the dataset; or, where the data layer does not
    say where that is, what the net saw of it, stretched to 0..255.

    Gives: H x W x 3 uint8
    """
    blob, kind = next(iter(source.inputs.items()))
    layer = source.layer
    if hasattr(layer, 'image_path') and hasattr(layer, 'read'):
        extra = [] if kind == 'data' else [kind]
        pixels = np.asarray(layer.read(kind, layer.image_path(name, *extra)))
    else:
        pixels = net.blobs[blob].data[0].transpose(1, 2, 0)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        pixels = 255 * (pixels[:, :, ::-1] - low) / (high - low or 1)
    pixels = pixels.round().astype(np.uint8)
    if pixels.shape[2] == 3:
        return pixels
    return np.repeat(pixels[:, :, :1], 3, axis=2)
