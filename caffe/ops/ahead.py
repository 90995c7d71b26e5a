"""Ahead: the next batch is made while the net computes with this one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from caffe.device import device


class Ahead:
    """Takes: make: gives a batch, a list of numpy arrays; called in a thread
    of its own, once at a time. It must not refer to whoever owns this."""

    def __init__(self, make):
        self._make = make
        self._worker = None
        self._next = None

    def take(self):
        """The next batch as tensors on the device; raises what `make` raised,
        and calls it anew the next time."""
        if self._worker is None:
            # its thread ends when nothing refers to the pool any more
            self._worker = ThreadPoolExecutor(1, 'data layer')
        now = self._next or self._worker.submit(self._make)
        self._next = None
        batch = [to_device(array) for array in now.result()]
        self._next = self._worker.submit(self._make)
        return batch


def to_device(array):
    tensor = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    if device().type == 'cpu':
        return tensor
    return tensor.pin_memory().to(device(), non_blocking=True)
