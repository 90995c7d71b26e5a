"""Weights as flat tables: a PyTorch state dict, safetensors, npz.

Blob 0 of a layer is <layer>.weight, blob 1 <layer>.bias, a further one
<layer>.<index>; arrays keep Caffe's layouts, which are torch's. Nothing is
unpickled but tensors.
"""

import contextlib
import os
import zipfile

import numpy as np
import torch

from caffe.proto import files

NAMES = {0: 'weight', 1: 'bias'}
WRAPPERS = ('state_dict', 'model_state_dict', 'model')  # in checkpoints


def parameter_name(layer, index):
    return f'{layer}.{NAMES.get(index, index)}'


def flat(layers):
    """{'conv1_1': {0: array}} -> {'conv1_1.weight': array}"""
    return {
        parameter_name(layer, index): np.ascontiguousarray(array)
        for layer, blobs in layers.items()
        for index, array in blobs.items()
    }


def nested(table, path):
    """{'conv1_1.weight': array} -> {'conv1_1': {0: array}}"""
    numbers = {name: index for index, name in NAMES.items()}
    layers = {}
    for key, array in table.items():
        layer, _, name = key.rpartition('.')
        index = numbers.get(name, int(name) if name.isdecimal() else None)
        if not layer or index is None:
            raise ValueError(
                f'{path}: {key!r} is neither a <layer>.weight nor a '
                '<layer>.bias'
            )
        layers.setdefault(layer, {})[index] = array
    return {name: dict(sorted(blobs.items())) for name, blobs in layers.items()}


@contextlib.contextmanager
def reading(path, what):
    """Whatever a library makes of damage becomes a ValueError."""
    try:
        yield
    except (FileNotFoundError, MemoryError):
        raise
    except Exception as error:
        raise ValueError(
            f'{path} is not {what}, or damaged: {first_line(error)}'
        ) from None


@contextlib.contextmanager
def writing(path):
    """A file to be written, as files.replacing; libraries that write by
    themselves have errors of their own."""
    with files.replacing(path) as temporary:
        try:
            yield temporary
        except (OSError, MemoryError):
            raise
        except Exception as error:
            raise OSError(first_line(error)) from None


def first_line(error):
    return str(error).split('\n')[0].split('. ')[0]


def read_pth(path):
    """Each read_...: gives {name: array} and lines to tell."""
    with reading(path, 'a state dict that can be read without running code'):
        found = torch.load(
            path,
            map_location='cpu',
            weights_only=True,
            mmap=zipfile.is_zipfile(path),
        )
    notes = []
    for key in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
            notes.append(f'{path} is a checkpoint; read is its {key!r}')
    if not isinstance(found, dict) or not found:
        what = type(found).__name__
        raise ValueError(f'{path} holds a {what}, not a table of weights')
    if all(str(key).startswith('module.') for key in found):
        found = {key[len('module.') :]: v for key, v in found.items()}
    table, more = from_tensors(path, found)
    return table, notes + more


def from_tensors(path, tensors):
    table, widened = {}, set()
    for key, tensor in tensors.items():
        kind = getattr(tensor, 'dtype', type(tensor).__name__)
        if not (
            isinstance(tensor, torch.Tensor) and tensor.is_floating_point()
        ):
            raise ValueError(f'{path}: {key!r} is {kind}, not weights')
        if kind not in (torch.float32, torch.float64):
            widened.add(str(kind))
            tensor = tensor.float()
        table[str(key)] = tensor.detach().numpy()
    return table, [f'{path}: {kind} widened to float32' for kind in widened]


def write_pth(path, table):
    with writing(path) as temporary:
        tensors = {k: torch.from_numpy(np.array(a)) for k, a in table.items()}
        torch.save(tensors, temporary)


def safetensors():
    try:
        import safetensors.numpy
    except ImportError:
        raise ValueError(
            '.safetensors files need a package: pip install safetensors'
        ) from None
    return safetensors


def read_safetensors(path):
    library = safetensors()
    with reading(path, 'a safetensors file'):
        with library.safe_open(path, framework='pt') as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
    return from_tensors(path, tensors)


def write_safetensors(path, table):
    library = safetensors()
    with writing(path) as temporary:
        mode = os.stat(temporary).st_mode
        library.numpy.save_file(table, temporary, {'format': 'pt'})
        os.chmod(temporary, mode)  # it makes a new file, for its owner only


def read_npz(path):
    with reading(path, 'an npz file'), open(path, 'rb') as file:
        with np.load(file) as archive:
            tensors = {k: torch.from_numpy(archive[k]) for k in archive.files}
    return from_tensors(path, tensors)


def write_npz(path, table):
    with writing(path) as temporary, open(temporary, 'wb') as out:
        np.savez(out, **table)
