"""Memory: one buffer of float32 numbers as torch and numpy see it, on the CPU
or a GPU (Caffe: syncedmem.hpp). Blobs that share a parameter share it.

It comes into being when somebody first looks, so unread numbers cost nothing.
"""

import math
import weakref

import torch

from caffe.device import device


class Memory:
    """A tensor on the current device and, once asked for, numpy's view of it.

    On the CPU the view is the tensor. On a GPU it is a pinned host copy:
    reading `array` brings it up to date and hands it to the reader, who may
    write; the next use on the GPU takes it back.
    """

    def __init__(self, shape):
        self.shape = tuple(shape)
        self._tensor = None  # None: zeros that nobody has looked at yet
        self._view = None  # weak reference to what numpy's views are based on
        self._host = None  # pinned copy of a GPU tensor
        self._host_ahead = False
        self._copied = None  # CUDA event: the host copy has been read
        self._lent = False  # the tensor is somebody else's: clone first
        self._freed = None  # after `free`: whose memory it was
        self._handed = 0  # how often numpy was given it, perhaps to write

    @property
    def untouched(self):
        return self._tensor is None

    @property
    def watched(self):
        """Does anybody hold a numpy view of the tensor?"""
        return self._view is not None and self._view() is not None

    @property
    def stamp(self):
        """Differs whenever the numbers may have changed; None: they may have
        at any time, because somebody holds a view."""
        if self.watched:
            return None
        return self.tensor.data_ptr(), self.tensor._version, self._handed

    @property
    def tensor(self):
        on = device()
        if self._tensor is None:
            self._must_be_there()
            self._tensor = torch.zeros(self.shape, device=on)
        elif self._lent:
            self._tensor, self._lent = self._tensor.clone(), False
        if self._host_ahead:
            # Past the version counter: what autograd kept of this tensor is
            # meant to follow what a script writes.
            self._tensor.data.copy_(self._host, non_blocking=True)
            self._copied = torch.cuda.Event()
            self._copied.record(torch.cuda.current_stream(self._tensor.device))
            self._host_ahead = False
        if self._tensor.device != on:
            self._tensor = self._tensor.to(on)
            self._host = self._view = None
        return self._tensor

    def _must_be_there(self):
        if self._freed is not None:
            raise RuntimeError(
                f"the data of blob '{self._freed}' was freed after its last "
                'use: name it in net.set_keep(names), or keep every blob with '
                'net.set_keep(None)'
            )

    def dense(self):
        """The tensor, in C order; it stays so."""
        if not self.tensor.is_contiguous():
            self._tensor, self._view = self._tensor.contiguous(), None
        return self._tensor

    def set(self, tensor):
        """Takes the tensor's memory, or its values, if somebody on the CPU
        still looks at ours: a numpy view stays true from pass to pass."""
        self._host_ahead, self._freed = False, None
        ours = self._tensor
        if (
            self.watched
            and ours.shape == tensor.shape
            and ours.device == tensor.device
        ):
            if ours.data_ptr() != tensor.data_ptr():
                ours.copy_(tensor)
            return
        self.shape = tuple(tensor.shape)
        self._tensor, self._lent, self._view = tensor, False, None

    def lend(self, tensor):
        """Shows values that belong to somebody else; whoever looks at them
        gets a copy."""
        self.set(tensor)
        self._lent = self._tensor is tensor

    def clear(self):
        """All zeros."""
        if self.watched:
            self._tensor.zero_()
        else:
            self._tensor, self._lent = None, False
        self._host_ahead = False

    def free(self, owner):
        """Gives the memory up. Until the next `set`, looking is an error."""
        self._tensor = self._view = self._host = None
        self._host_ahead = self._lent = False
        self._freed = owner

    def revive(self):
        """Undoes `free`: zeros for somebody to write into."""
        self._freed = None

    def array(self):
        """A numpy view, of the memory's shape and in C order."""
        self._handed += 1
        if self._host_ahead and self._tensor.device == device():
            return self._host.numpy()
        tensor = self.tensor
        if tensor.device.type == 'cpu':
            base = self._view() if self._view is not None else None
            if base is None:
                base = self.dense().numpy()
                self._view = weakref.ref(base)
            return base[...]  # keeps the base, and so `watched`, alive
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
            old = self.dense()
            room = old.untyped_storage().nbytes() // old.element_size()
            if math.prod(shape) <= room and old.storage_offset() == 0:
                steps = torch.empty(shape, device='meta').stride()
                self._tensor = torch.as_strided(old, shape, steps)
            else:
                self._tensor = None
            self._view = self._host = None
        self.shape = shape
