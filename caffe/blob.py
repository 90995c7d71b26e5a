"""Blob: an N-d float32 array with a same-shaped diff; the only border between
numpy and torch, CPU and GPU (Caffe: blob.hpp).

numpy sees `data` and `diff`, views that work both ways: what a script writes,
the next pass reads. The engine sees `tensor` and `grad`. Both are views of
one Memory.
"""

import math

from caffe.memory import Memory


class Blob:
    """Takes: shape: a tuple of dims; () is a scalar."""

    def __init__(self, shape=()):
        self._data = Memory(shape)
        self._diff = Memory(shape)
        self._cast = None  # our shape, where it is not that of shared memory

    # numpy's side -----------------------------------------------------------

    @property
    def data(self):
        return self._data.array().reshape(self.shape)

    @property
    def diff(self):
        return self._diff.array().reshape(self.shape)

    @property
    def shape(self):
        return self._data.shape if self._cast is None else self._cast

    @property
    def count(self):
        return math.prod(self.shape)

    def reshape(self, *dims, **kwargs):
        if kwargs:
            raise RuntimeError('Blob.reshape takes no kwargs')
        dims = tuple(int(dim) for dim in dims)
        if any(dim < 0 for dim in dims):
            raise RuntimeError(f'Blob.reshape: negative dim in {dims}')
        self._data.reshape(dims)
        self._diff.reshape(dims)
        self._cast = None

    def _legacy(self, index):
        """One of the four dims that blobs had before they were N-d."""
        if len(self.shape) > 4:
            raise RuntimeError(
                'Cannot use legacy accessors on Blobs with > 4 axes.'
            )
        return self.shape[index] if index < len(self.shape) else 1

    num = property(lambda self: self._legacy(0))
    channels = property(lambda self: self._legacy(1))
    height = property(lambda self: self._legacy(2))
    width = property(lambda self: self._legacy(3))

    # torch's side -----------------------------------------------------------

    @property
    def tensor(self):
        return self._seen(self._data)

    @tensor.setter
    def tensor(self, value):
        self._put(self._data, value)
        if self._cast is None and self._diff.shape != self._data.shape:
            self._diff.reshape(self._data.shape)

    @property
    def grad(self):
        """The diff as a tensor; zeros if nobody has set it."""
        return self._seen(self._diff)

    @grad.setter
    def grad(self, value):
        if value is None:
            self._diff.clear()
        else:
            self._put(self._diff, value)

    def _seen(self, memory):
        if self._cast is None:
            return memory.tensor
        return memory.dense().view(self._cast)

    def _put(self, memory, value):
        cast = self._cast is not None
        memory.set(value.reshape(memory.shape) if cast else value)

    def add_grad(self, value):
        """diff += value, without touching memory the first time."""
        if self._diff.untouched:
            self.grad = value
        else:
            self.grad.add_(value)

    def lend_grad(self, value):
        """Lets the diff read as `value` without copying it: the caller goes on
        using the memory, a reader gets a copy. Call again or set `grad` before
        the value changes."""
        self._diff.lend(value)

    @property
    def watched(self):
        """Does somebody on the CPU hold a numpy view of the data?"""
        return self._data.watched

    @property
    def stamp(self):
        """Differs whenever the data may have changed; None: unknown."""
        return self._data.stamp

    @property
    def grad_watched(self):
        return self._diff.watched

    # sharing and freeing ----------------------------------------------------

    def share_data(self, other):
        """Both blobs, alike in shape, have one and the same data from now
        on."""
        shape, self._data = self.shape, other._data
        self._keep_shape(shape)

    def alias(self, other):
        """Has the data and shape of another blob, whatever becomes of it."""
        self._data, self._cast = other._data, None
        if self._diff.shape != self._data.shape:
            self._diff.reshape(self._data.shape)

    def part(self, other):
        """Undoes `alias`."""
        if self._data is other._data:
            self._data = Memory(self.shape)

    def share(self, other):
        """Both blobs have one data and one diff from now on; each keeps its
        shape."""
        shape = self.shape
        self._data, self._diff = other._data, other._diff
        self._keep_shape(shape)

    def _keep_shape(self, shape):
        same = shape == self._data.shape == self._diff.shape
        self._cast = None if same else shape

    def free(self, name):
        """Gives the data's memory back. Until the next pass fills it, whoever
        looks gets an error that calls the blob by this name."""
        self._data.free(name)

    def revive(self):
        """Lets a layer that writes with numpy fill freed data."""
        self._data.revive()
