"""A model file of any kind into a net, with every parameter accounted for.

What real Caffe does silently is told here: layers the file lacks, a file of
another net, numbers that are none, layers that are all zero and make every
score the same.
"""

import contextlib
import logging
from pathlib import Path

import numpy as np
import torch

import caffe
import surgery
from caffe.log import logger
from caffe.model_io import Loaded
from weights import formats
from weights.published import BY_DIRECTORY

ROOT = Path(__file__).resolve().parents[1]


def choose_device(gpu=None):
    """Computes on a GPU from now on, or not.

    Takes: gpu: its number as text or int; cpu or -1 for none; without, GPU 0
           if there is one. Gives: its name
    """
    if gpu is None:
        gpu = 0 if torch.cuda.is_available() else 'cpu'
    if str(gpu) in ('cpu', '-1'):
        caffe.set_mode_cpu()
        return 'cpu'
    if not str(gpu).isdigit():
        raise ValueError(f'no device {gpu!r}: the number of a GPU, or cpu')
    caffe.set_device(int(gpu))
    caffe.set_mode_gpu()
    return torch.cuda.get_device_name(int(gpu))


def must_exist(path, directory):
    """Refuses a model file that is not there, with where to get it.

    Takes: directory: the network's, as in the table of published ones
    """
    if Path(path).is_file():
        return
    network, hint = BY_DIRECTORY.get(directory), ''
    if network and network.address:
        hint = (
            f'; the published ones were at {network.address}, '
            f'`python -m weights fetch {directory}` tries to get them'
        )
    if network:
        hint += f'; your own come from `python {directory}/solve.py`'
    raise FileNotFoundError(f'{path}: no such model file{hint}')


@contextlib.contextmanager
def quiet():
    """Without Caffe's log lines: who loads here says what matters."""
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def located(path, directory=None):
    """Where a model file is: as given, or by that name in weights/ or in the
    network's directory.

    Raises: FileNotFoundError with where to get it
    """
    places = [Path(path), ROOT / 'weights' / path]
    places += [ROOT / directory / path] if directory else []
    for place in places:
        if place.is_file():
            return place
    must_exist(path, directory)


def copy(net, path):
    """Copies the weights of layers whose names match, as net.copy_from does,
    from a model file of any kind. Gives: Loaded

    Raises: RuntimeError or ValueError that names file, layer and reason; then
        the net is as it was
    """
    held = formats.read(path)
    refuse_strangers(held, path)
    if held.kind in (formats.CAFFEMODEL, formats.HDF5):
        return net.copy_from(str(path))
    plan, copied, ignored = [], set(), []
    for name, arrays in held.layers.items():
        blobs = net.params.get(name)
        if blobs is None:
            ignored.append(name)
            continue
        if list(arrays) != list(range(len(blobs))):
            raise ValueError(
                f"{path}: layer '{name}' has {len(arrays)} parameters, the "
                f'net {len(blobs)}'
            )
        copied.add(name)
        plan += [
            (blobs[i], fitting(a, blobs[i], name, path))
            for i, a in arrays.items()
        ]
    for blob, array in plan:
        blob.tensor.copy_(torch.from_numpy(array))
    return Loaded(
        [name for name in net.params if name in copied],
        ignored,
        [name for name in net.params if name not in copied],
    )


def fitting(array, blob, layer, path):
    if array.shape != tuple(blob.shape):
        raise ValueError(
            f"{path}: layer '{layer}' has the shape {array.shape}, the net's "
            f'{tuple(blob.shape)}; if only the form differs, `python -m '
            'weights convert --net` changes it'
        )
    return array


def refuse_strangers(held, path):
    """Refuses weights that are no numbers, and names that are torchvision's.

    Takes: held: formats.Held
    """
    if any(name.startswith('features.') for name in held.layers):
        raise ValueError(
            f"{path} has torchvision's layer names: `python -m weights "
            'convert` turns them into those of the networks here'
        )
    for layer, blobs in held.layers.items():
        for index, array in blobs.items():
            if not finite(array):
                bad = array.size - int(np.isfinite(array).sum())
                raise ValueError(
                    f"{path}: layer '{layer}', parameter {index}: {bad} of "
                    f'{array.size} numbers are NaN or infinite'
                )


def finite(array):
    """Whether all numbers are. Their sum says so at the speed of memory,
    unless it overflows."""
    with np.errstate(all='ignore'):
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def interpolate(net, layers=None):
    """Makes upsampling layers bilinear: those given, or all that are zero.
    Gives: their names"""
    if layers is None:
        layers = [
            name
            for name, blobs in net.params.items()
            if net.layer_dict[name].type == 'Deconvolution'
            and not blobs[0].tensor.any()
        ]
    surgery.interp(net, layers)
    return layers


def load(net, path):
    """Copies a model file into a net that is to be run, not trained.

    Interpolation layers the file lacks become bilinear, since they are
    computed and not learned.

    Gives: notices, lines for the person at the terminal
    Raises: ValueError if the file lacks learned parameters of the net
    """
    loaded = copy(net, path)
    kinds = {name: layer.type for name, layer in net.layer_dict.items()}
    fixed = {id(x.blob) for x in net.learnable if x.lr_mult == 0}
    up = [n for n in loaded.untouched if kinds[n] == 'Deconvolution']
    filler = [
        name
        for name in loaded.untouched
        if name not in up and all(id(b) in fixed for b in net.params[name])
    ]
    lost = [n for n in loaded.untouched if n not in up + filler]
    if lost:
        foreign, common = _some(loaded.ignored), _some(loaded.copied)
        raise ValueError(
            f'{path} is of another net: it lacks {_some(lost)}'
            + f'; it has {foreign}, which this net has not' * bool(foreign)
            + f'; both have {common}' * bool(common)
        )
    notices = []
    if up:
        surgery.interp(net, up)
        notices.append(
            f'{path} lacks {", ".join(up)}: filled with bilinear interpolation'
        )
    if filler:
        notices.append(
            f'{path} lacks {", ".join(filler)}: left as the prototxt fills it'
        )
    return notices + zero_warnings(net)


def zero_warnings(net):
    """A line for each layer whose weights (not biases) are all zero."""
    kinds = {name: layer.type for name, layer in net.layer_dict.items()}
    remedy = {'Deconvolution': '; surgery.interp makes it interpolate'}
    return [
        f'WARNING: the weights of layer {name} are all zero '
        f'({blobs[0].count} numbers): what goes through it is lost'
        + remedy.get(kinds[name], '')
        for name, blobs in net.params.items()
        if kinds[name] not in ('Bias', 'BatchNorm')
        and not blobs[0].tensor.any()
    ]


def _some(names, most=6):
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(names[:most]) + more
