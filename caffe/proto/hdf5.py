"""Weights and solver states in HDF5.

Caffe: net.cpp (ToHDF5, CopyTrainedLayersFromHDF5), sgd_solver.cpp (snapshot
and restore), hdf5.cpp. A model holds /data/<layer>/<index> and, when asked,
/diff/<layer>/<index>; a state iter, current_step, learned_net and
/history/<index>.
"""

import contextlib
import io
from typing import NamedTuple

import h5py
import numpy as np

from . import files
from .blobs import MOST_NUMBERS
from .explain import wrong


class State(NamedTuple):
    """A solver between two iterations.

    iter          iterations done
    learned_net   path of the model, as it was written
    current_step  learning-rate steps taken
    history       one array per parameter and slot, in Caffe's order
    """

    iter: int
    learned_net: str
    current_step: int
    history: list[np.ndarray]


@contextlib.contextmanager
def opened(path):
    """An HDF5 file for reading. Whatever the library makes of damage becomes
    a RuntimeError that names the file."""
    if not files.is_hdf5(path):
        raise wrong(path, 'an HDF5 file')
    try:
        with h5py.File(path, 'r') as file:
            yield file
    except Exception as error:
        raise RuntimeError(f'{path}: {error}') from error


class Sink(io.RawIOBase):
    """A new file for HDF5, which crashes the process when a write fails. Here
    none does: the first error is kept, to be raised once the library is done.
    """

    def __init__(self, path):
        super().__init__()
        self.file = open(path, 'w+b', buffering=0)
        self.error = None

    def seek(self, *where):
        return self.file.seek(*where)

    def readinto(self, buffer):
        return self.file.readinto(buffer)

    def write(self, data):
        left = memoryview(data).cast('B')
        size = len(left)
        while len(left) and not self.error:
            left = left[self.attempt(self.file.write, left) or 0 :]
        return size

    def truncate(self, size=None):
        self.attempt(self.file.truncate, size)
        return size

    def attempt(self, call, argument):
        try:
            return call(argument)
        except OSError as error:
            self.error = self.error or error


@contextlib.contextmanager
def created(path):
    with files.replacing(path) as temporary:
        sink = Sink(temporary)
        with sink.file:
            try:
                with h5py.File(sink, 'w') as file:
                    yield file
            finally:
                if sink.error:
                    raise sink.error


def only(file, group, kind, other):
    """The group that this kind of file has and the other has not."""
    if group not in file:
        raise RuntimeError(
            f'not a {kind}: it has {", ".join(sorted(file)) or "nothing"}, '
            f'but no {group!r}. Give the {other}'
        )
    return file[group]


def arrays(group):
    """Gives: {index: array} of a group, by ascending index. Floats keep their
    precision, integers become float32."""
    found = {}
    for name, item in group.items():
        where = f'{group.name}/{name}'
        if not name.isdecimal() or not isinstance(item, h5py.Dataset):
            raise RuntimeError(f'{where} is not a numbered dataset')
        if item.dtype.kind not in 'fiu':
            raise RuntimeError(f'{where}: unsupported datatype {item.dtype}')
        if (item.size or 0) > MOST_NUMBERS:
            raise RuntimeError(f'{where}: blob size exceeds INT_MAX')
        wide = item.dtype == np.float64
        found[int(name)] = item.astype(np.float64 if wide else np.float32)[()]
    return dict(sorted(found.items()))


def read_hdf5(path):
    """Gives: {layer: {index: array}}"""
    with opened(path) as file:
        layers = only(file, 'data', 'model', '.caffemodel.h5')
        return {name: arrays(layers[name]) for name in layers}


def write_hdf5(path, layers, diffs=False):
    """Takes: layers: [(name, {index: (data, diff)})], an entry for every
    layer, also for one without parameters; diffs: whether to write them"""
    with created(path) as file:
        for which, kind in enumerate(['data', 'diff'] if diffs else ['data']):
            group = file.create_group(kind)
            for name, blobs in layers:
                if '/' in name:
                    raise RuntimeError(f'layer {name!r}: no / in HDF5 names')
                layer = group.create_group(name)
                for index, pair in blobs.items():
                    values = np.asarray(pair[which], '<f4')
                    layer.create_dataset(str(index), data=values)


def read_state(path):
    with opened(path) as file:
        history = only(file, 'history', 'solver state', '.solverstate.h5')
        name = file['learned_net'][()]
        return State(
            int(file['iter'][0]),
            name.decode() if isinstance(name, bytes) else str(name),
            int(file['current_step'][0]),
            list(arrays(history).values()),
        )


def write_state(path, state):
    with created(path) as file:
        for key in ('iter', 'current_step'):
            value = np.array([getattr(state, key)], '<i4')
            file.create_dataset(key, data=value)
        # h5py pads strings with zeros, C ends them with one
        name = state.learned_net.encode() + b'\0'
        text = h5py.h5t.C_S1.copy()
        text.set_size(len(name))
        scalar = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5d.create(file.id, b'learned_net', text, scalar).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.array(name), text
        )
        history = file.create_group('history')
        for index, values in enumerate(state.history):
            values = np.asarray(values, '<f4')
            history.create_dataset(str(index), data=values)
