"""Reduction and MVN: sums over the last axes, and values freed of their mean
and deviation. Caffe: reduction_layer.cpp, mvn_layer.cpp."""

import math

import torch

from caffe.ops.base import Op
from caffe.proto import caffe_pb2 as pb
from caffe.shape import canonical, shape_text

ASUM = pb.ReductionParameter.ASUM
SUMSQ = pb.ReductionParameter.SUMSQ
MEAN = pb.ReductionParameter.MEAN


class Reduction(Op):
    """`coeff` times the SUM, ASUM (of magnitudes), SUMSQ (of squares) or MEAN
    over `axis` and all axes after it."""

    overwritable = True
    in_place = 'Reduction Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.reduction_param
        self.axis = canonical(p.axis, shapes[0])
        self.operation = p.operation

    def top_shapes(self, shapes):
        canonical(self.axis, shapes[0])
        return [shapes[0][: self.axis]]

    def forward(self, bottoms, params):
        (x,) = bottoms
        terms = x
        if self.operation == ASUM:
            terms = x.abs()
        elif self.operation == SUMSQ:
            terms = x.square()
        axes = tuple(range(self.axis, x.dim()))
        return [terms.sum(axes) * self.factor(x)]

    def factor(self, x):
        coeff = self.param.reduction_param.coeff
        count = math.prod(x.shape[self.axis :])
        return coeff / count if self.operation == MEAN else coeff

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        """Writes every number out: what autograd gives for a sum is one
        number under many addresses, and a ReLU in place would write there."""
        (x,) = bottoms
        dy = diffs[0] * self.factor(x)
        dy = dy.reshape(*dy.shape, *[1] * (x.dim() - self.axis))
        if self.operation == ASUM:
            return [x.sign().mul_(dy)], []
        if self.operation == SUMSQ:
            return [(2 * x).mul_(dy)], []
        return [torch.empty_like(x).copy_(dy)], []


class MVN(Op):
    """Each channel of each image minus its mean, divided by its deviation
    (biased) plus eps unless `normalize_variance` is off; `across_channels`
    takes all channels of an image together."""

    def top_shapes(self, shapes):
        if len(shapes[0]) > 4:
            raise RuntimeError(
                'Cannot use legacy accessors on Blobs with > 4 axes. '
                f'({shape_text(shapes[0])})'
            )
        return shapes

    def forward(self, bottoms, params):
        (x,) = bottoms
        p = self.param.mvn_param
        axes = (1, 2, 3) if p.across_channels else (2, 3)
        four = x.reshape(*x.shape, *[1] * (4 - x.dim()))
        if p.normalize_variance:
            y = Normalized.apply(four, axes, p.eps)
        else:
            y = four - four.mean(axes, keepdim=True)
        return [y.reshape(x.shape)]


class Normalized(torch.autograd.Function):
    """Caffe's gradient treats eps as if it stood under the root: where all
    values are equal it is large, but no NaN."""

    @staticmethod
    def forward(ctx, x, axes, eps):
        var, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        scale = var.sqrt_().add_(eps)
        y = (x - mean).div_(scale)
        ctx.axes = axes
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    def backward(ctx, dy):
        y, scale = ctx.saved_tensors
        along = (dy * y).mean(ctx.axes, keepdim=True)
        dx = dy - dy.mean(ctx.axes, keepdim=True)
        return dx.sub_(y * along).div_(scale), None, None
