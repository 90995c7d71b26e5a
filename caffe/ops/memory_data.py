"""MemoryData: batches out of two arrays that the caller hands over. Caffe:
memory_data_layer.cpp, _caffe.cpp; spec section C.9."""

import numpy as np
import torch

from caffe.device import device
from caffe.log import logger
from caffe.ops.base import Op


class MemoryData(Op):
    """Tops: data, batch_size x channels x height x width; label, batch_size.
    One batch after the other, and around again."""

    bottoms = (0, 0)
    tops = (2, 2)

    def setup(self, shapes):
        p = self.param.memory_data_param
        self.item = p.channels, p.height, p.width
        self.batch = p.batch_size
        if not (self.batch and all(self.item)):
            raise RuntimeError(
                'batch_size, channels, height, and width must be specified '
                'and positive in memory_data_param'
            )
        self.arrays, self.at = None, 0

    def top_shapes(self, shapes):
        return [(self.batch, *self.item), (self.batch,)]

    def reset(self, data, labels):
        """Begins anew with these arrays. What is later written into them is
        seen by the passes after that."""
        if self.param.HasField('transform_param'):
            logger.warning(
                'MemoryData does not transform array data on Reset()'
            )
        self.arrays, self.at = (data, labels.reshape(-1)), 0

    def forward(self, bottoms, params):
        if self.arrays is None:
            raise RuntimeError(
                'MemoryDataLayer needs to be initialized by calling Reset '
                '(from Python: net.set_input_arrays(data, labels))'
            )
        now = slice(self.at, self.at + self.batch)
        self.at = now.stop % len(self.arrays[0])
        return [
            torch.from_numpy(array[now].copy()).to(device())
            for array in self.arrays
        ]


def set_input_arrays(net, data, labels):
    """pycaffe's Net.set_input_arrays, for a net that begins with MemoryData.

    Takes: data: float32, C order, items x channels x height x width as the
        layer says, a multiple of its batch_size; labels: one for each item,
        float32, items or items x 1 x 1 x 1. They are read in every pass, not
        copied here.
    """
    op = net.nodes[0].op if net.nodes else None
    if not isinstance(op, MemoryData):
        raise RuntimeError(
            'set_input_arrays may only be called if the first layer is a '
            'MemoryDataLayer'
        )
    if labels.ndim == 1:
        labels = np.ascontiguousarray(labels)[:, None, None, None]
    check_array(data, 'data array', op.item)
    check_array(labels, 'labels array', (1, 1, 1))
    if len(data) != len(labels):
        raise RuntimeError(
            'data and labels must have the same first dimension '
            f'({len(data)} vs. {len(labels)})'
        )
    if not len(data) or len(data) % op.batch:
        raise RuntimeError(
            'first dimensions of input arrays must be a multiple of batch '
            f'size ({len(data)} items, batch size {op.batch})'
        )
    op.reset(data, labels)


def check_array(array, name, item):
    if not array.flags.c_contiguous:
        raise RuntimeError(f'{name} must be C contiguous')
    if array.ndim != 4:
        raise RuntimeError(f'{name} must be 4-d (it is {array.ndim}-d)')
    if array.dtype != np.float32:
        raise RuntimeError(f'{name} must be float32 (it is {array.dtype})')
    names = 'number of channels', 'height', 'width'
    for what, size, wanted in zip(names, array.shape[1:], item):
        if size != wanted:
            raise RuntimeError(f'{name} has wrong {what} ({size} vs. {wanted})')
