"""Eltwise: the sum, product or maximum of blobs of one shape.
Caffe: eltwise_layer.cpp; spec A.10."""

import torch

from caffe.ops.base import Op
from caffe.proto import caffe_pb2 as pb
from caffe.shape import shape_text

PROD, SUM = pb.EltwiseParameter.PROD, pb.EltwiseParameter.SUM


class Eltwise(Op):
    """SUM (each bottom times its `coeff`, 1 if there are none), PROD or MAX.
    Where two bottoms tie for the maximum, the gradient goes to bottom 1 if it
    is one of the first two, else to the earlier one."""

    bottoms = (2, None)
    overwritable = True

    def setup(self, shapes):
        p = self.param.eltwise_param
        if p.coeff and p.operation == PROD:
            raise RuntimeError(
                'Eltwise layer only takes coefficients for summation.'
            )
        if len(p.coeff) not in (0, len(shapes)):
            raise RuntimeError(
                'Eltwise takes one coefficient per bottom or none: '
                f'{len(p.coeff)} coefficients for {len(shapes)} bottoms'
            )
        self.coeff = list(p.coeff) or [1.0] * len(shapes)
        # Dividing the top by a bottom, its backward reads the top.
        self.divides = p.operation == PROD and not p.stable_prod_grad
        self.overwritable = not self.divides

    def top_shapes(self, shapes):
        for i, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise RuntimeError(
                    f'bottom[0]: {shape_text(shapes[0])}, bottom[{i}]: '
                    f'{shape_text(shape)}: all bottoms must have one shape'
                )
        return [shapes[0]]

    def forward(self, bottoms, params):
        if self.divides:
            return [DividedProduct.apply(*bottoms)]
        operation = self.param.eltwise_param.operation
        if operation == SUM:
            return [weighted_sum(bottoms, self.coeff)]
        y, *others = bottoms
        for i, x in enumerate(others):
            if operation == PROD:
                y = y * x
            else:
                y = torch.where(x > y if i else ~(y > x), x, y)
        return [y]


def weighted_sum(bottoms, coeff):
    y = bottoms[0] if coeff[0] == 1 else bottoms[0] * coeff[0]
    y = torch.add(y, bottoms[1], alpha=coeff[1])
    for x, c in zip(bottoms[2:], coeff[2:]):
        y.add_(x, alpha=c)
    return y


class DividedProduct(torch.autograd.Function):
    """A product whose gradient is top / bottom, as `stable_prod_grad: false`
    asks for: less work for many bottoms, NaN where one is 0."""

    @staticmethod
    def forward(ctx, *bottoms):
        y = torch.mul(*bottoms[:2])
        for x in bottoms[2:]:
            y.mul_(x)
        ctx.save_for_backward(y, *bottoms)
        return y

    @staticmethod
    def backward(ctx, dy):
        y, *bottoms = ctx.saved_tensors
        return tuple(y / x * dy for x in bottoms)
