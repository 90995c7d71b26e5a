"""Blob: an N-d float32 array with a same-shaped diff; the only border between
numpy and torch, CPU and GPU (Caffe: blob.hpp, syncedmem.hpp).

numpy sees `data` and `diff`, views that work both ways: what a script writes,
the next pass reads. The engine sees `tensor` and `grad`. Memory comes into
being when somebody first looks, so an unread blob costs nothing.
"""

import math
import weakref

import torch

from caffe.device import device


class Memory:
    """One buffer, possibly shared by several blobs: a tensor on the current
    device and, once asked for, numpy's view of it.

    On the CPU the view is the tensor. On a GPU it is a pinned host copy:
    reading `array` brings it up to date and hands it to the reader, who may
    write; the next use on the GPU takes it back.
    """

    def __init__(self, shape):
        self.shape = tuple(shape)
        self._tensor = None     # None: zeros that nobody has looked at yet
        self._view = None       # weak reference to the numpy view handed out
        self._host = None       # pinned copy of a GPU tensor
        self._host_ahead = False
        self._copied = None     # CUDA event: the host copy has been read
        self._lent = False      # the tensor is somebody else's: clone first

    @property
    def untouched(self):
        return self._tensor is None

    @property
    def tensor(self):
        on = device()
        if self._tensor is None:
            self._tensor = torch.zeros(self.shape, device=on)
        elif self._lent:
            self._tensor, self._lent = self._tensor.clone(), False
        if self._tensor.device != on:
            self._tensor, self._host = self._tensor.to(on), None
            self._host_ahead = False
        if self._host_ahead:
            self._tensor.copy_(self._host, non_blocking=True)
            self._copied = torch.cuda.Event()
            self._copied.record()
            self._host_ahead = False
        return self._tensor

    def set(self, tensor):
        """Takes the tensor's memory, or its values, if somebody on the CPU
        still looks at ours: a numpy view stays true from pass to pass."""
        same = self._tensor is not None and self.shape == tensor.shape
        if same and self._view is not None and self._view() is not None:
            if self._tensor.data_ptr() != tensor.data_ptr():
                self._tensor.copy_(tensor)
            return
        self.shape = tuple(tensor.shape)
        self._tensor, self._lent, self._view = tensor, False, None
        self._host_ahead = False

    def lend(self, tensor):
        """Shows values that belong to somebody else; whoever looks at them
        gets a copy."""
        self.set(tensor)
        self._lent = self._tensor is tensor

    def clear(self):
        """All zeros."""
        if self._view is not None and self._view() is not None:
            self._tensor.zero_()
        else:
            self._tensor, self._lent, self._host_ahead = None, False, False

    def array(self):
        """numpy's view, of the memory's shape."""
        if self._host_ahead and self._tensor.device == device():
            return self._host.numpy()
        tensor = self.tensor
        if tensor.device.type == 'cpu':
            view = tensor.numpy()
            self._view = weakref.ref(view)
            return view
        if self._copied is not None:
            self._copied.synchronize()
        if self._host is None or self._host.shape != tensor.shape:
            self._host = torch.empty(tensor.shape, pin_memory=True)
        self._host.copy_(tensor)
        self._host_ahead = True
        return self._host.numpy()

    def reshape(self, shape):
        """Keeps memory and contents, in flat order, unless they must grow."""
        shape = tuple(shape)
        if shape == self.shape:
            return
        if self._tensor is not None:
            old = self.tensor.contiguous()
            room = old.untyped_storage().nbytes() // old.element_size()
            if math.prod(shape) <= room and old.storage_offset() == 0:
                steps = torch.empty(shape, device='meta').stride()
                self._tensor = torch.as_strided(old, shape, steps)
            else:
                self._tensor = None
            self._view = self._host = None
        self.shape = shape


class Blob:
    """Takes: shape: a tuple of dims; () is a scalar."""

    def __init__(self, shape=()):
        self._data = Memory(shape)
        self._diff = Memory(shape)

    # numpy's side -----------------------------------------------------------

    @property
    def data(self):
        return self._data.array()

    @property
    def diff(self):
        return self._diff.array()

    @property
    def shape(self):
        return self._data.shape

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

    def _legacy(self, index):
        """One of the four dims that blobs had before they were N-d."""
        if len(self.shape) > 4:
            raise RuntimeError(
                'Cannot use legacy accessors on Blobs with > 4 axes.')
        return self.shape[index] if index < len(self.shape) else 1

    num = property(lambda self: self._legacy(0))
    channels = property(lambda self: self._legacy(1))
    height = property(lambda self: self._legacy(2))
    width = property(lambda self: self._legacy(3))

    # torch's side -----------------------------------------------------------

    @property
    def tensor(self):
        return self._data.tensor

    @tensor.setter
    def tensor(self, value):
        self._data.set(value)
        if self._diff.shape != self._data.shape:
            self._diff.reshape(self._data.shape)

    @property
    def grad(self):
        """The diff as a tensor; zeros if nobody has set it."""
        return self._diff.tensor

    @grad.setter
    def grad(self, value):
        if value is None:
            self._diff.clear()
        else:
            self._diff.set(value)

    def add_grad(self, value):
        """diff += value, without touching memory the first time."""
        if self._diff.untouched:
            self._diff.set(value)
        else:
            self._diff.tensor.add_(value)

    def lend_grad(self, value):
        """Lets the diff read as `value` without copying it: the caller goes on
        using the memory, a reader gets a copy. Call again or set `grad` before
        the value changes."""
        self._diff.lend(value)

    def share_data(self, other):
        """Both blobs have one and the same data from now on."""
        self._data = other._data

    def share(self, other):
        """Both blobs have one data and one diff from now on."""
        self._data, self._diff = other._data, other._diff

    def free(self):
        """Gives the data's memory back; it reads as zeros."""
        self._data.clear()
