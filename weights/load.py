"""A model file into a net, with every parameter accounted for.

What real Caffe does silently is told here: layers the file lacks, a file of
another net, layers that are all zero and make every score the same.
"""

from pathlib import Path

import torch

import caffe
import surgery
from weights.published import BY_DIRECTORY


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
        raise ValueError(f'--gpu {gpu}: a number, or cpu')
    caffe.set_device(int(gpu))
    caffe.set_mode_gpu()
    return torch.cuda.get_device_name(int(gpu))


def must_exist(path, directory):
    """Refuses a model file that is not there, with where to get it.

    Takes: directory: the network's, as in the table of published ones
    """
    if Path(path).is_file():
        return
    network = BY_DIRECTORY.get(directory)
    known = network.address if network else None
    raise FileNotFoundError(
        f'{path}: no such model file. '
        + (
            f'The published weights of {directory} were at {known}; '
            if known
            else f'No weights of {directory} were published; '
        )
        + f'your own come from `python {directory}/solve.py`'
    )


def load(net, path):
    """Copies a model file into a net that is to be run, not trained.

    Interpolation layers the file lacks become bilinear, since they are
    computed and not learned.

    Gives: notices, lines for the person at the terminal
    Raises: ValueError if the file lacks learned parameters of the net
    """
    loaded = net.copy_from(str(path))
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
        raise ValueError(
            f'{path}: weights of another net. '
            + _listing('not in the file', lost)
            + _listing('; in the file, but not in the net', loaded.ignored)
            + _listing('; in both', loaded.copied)
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
    return [
        f'WARNING: the weights of layer {name} are all zero '
        f'({blobs[0].count} numbers): nothing that goes through it counts'
        for name, blobs in net.params.items()
        if net.layer_dict[name].type not in ('Bias', 'BatchNorm')
        and not blobs[0].tensor.any()
    ]


def _listing(what, names, most=6):
    if not names:
        return ''
    more = f' and {len(names) - most} more' if len(names) > most else ''
    return f'{what}: {", ".join(names[:most])}{more}'
