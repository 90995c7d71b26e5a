"""ArgMax: which values are largest. Caffe: argmax_layer.cpp; spec A.21."""

import math

import torch

from caffe.ops.base import Op
from caffe.shape import canonical, shape_text


class ArgMax(Op):
    """Indices of the `top_k` largest values in descending order; of equal
    ones the last comes first. With `axis`: along that, or the values instead
    (out_max_val). Without: over each item of the batch as a whole, N x 1 x
    top_k, or N x 2 x top_k with the values as second row."""

    in_place = 'ArgMax Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.argmax_param
        self.values = p.out_max_val
        self.axis = canonical(p.axis, shapes[0]) if p.HasField('axis') else None
        if p.top_k < 1:
            raise RuntimeError('top k must not be less than 1.')

    def top_shapes(self, shapes):
        shape, k = shapes[0], self.param.argmax_param.top_k
        choices = (
            math.prod(shape[1:]) if self.axis is None else shape[self.axis]
        )
        if k > choices:
            raise RuntimeError(
                f'top_k {k} is more than the {choices} values to choose from '
                f'in {shape_text(shape)}'
            )
        if self.axis is not None:
            return [(*shape[: self.axis], k, *shape[self.axis + 1 :])]
        rest = [1] * (max(3, len(shape)) - 3)
        return [(shape[0], 2 if self.values else 1, k, *rest)]

    def forward(self, bottoms, params):
        (x,) = bottoms
        k = self.param.argmax_param.top_k
        if self.axis is not None:
            values, index = largest(x, k, self.axis)
            return [values if self.values else index.to(x.dtype)]
        values, index = largest(x.flatten(1), k, 1)
        rows = [index.to(x.dtype), values][: 2 if self.values else 1]
        return [
            torch.stack(rows, 1).reshape(self.top_shapes([tuple(x.shape)])[0])
        ]

    def backward(self, *args):
        raise RuntimeError('Not Implemented Yet (ArgMax has no gradient)')


def largest(x, k, axis):
    """The k largest values and their indices, later ones first."""
    last = x.shape[axis] - 1
    x = x.flip(axis)
    if k == 1:  # four times as fast as argmax
        values, index = x.max(axis, keepdim=True)
        return values, last - index
    values, index = x.sort(dim=axis, descending=True, stable=True)
    return values.narrow(axis, 0, k), last - index.narrow(axis, 0, k)
