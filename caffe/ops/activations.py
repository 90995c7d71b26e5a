"""More neurons: PReLU, ELU, AbsVal, Exp, Log, BNLL, Threshold, Clip, Swish;
each value by itself. Caffe: prelu_layer.cpp and its siblings.

In place they have the gradient of what they read, also Log, BNLL and Clip,
whose gradient in Caffe reads the bottom after it was overwritten.
"""

import math

import torch
from torch.nn import functional as F

from caffe.ops.base import Op
from caffe.proto import caffe_pb2 as pb
from caffe.shape import shape_text


class PReLU(Op):
    """max(x, 0) + slope * min(x, 0). Blob: the slopes, one per channel (axis
    1), or a single one with `channel_shared`."""

    overwritable = True

    def setup(self, shapes):
        p = self.param.prelu_param
        self.channels = check_axes(shapes[0])[1]
        quarter = pb.FillerParameter(type='constant', value=0.25)
        self.add_blob(
            () if p.channel_shared else (self.channels,),
            p.filler if p.HasField('filler') else quarter,
        )

    def top_shapes(self, shapes):
        channels = check_axes(shapes[0])[1]
        if channels != self.channels and self.blobs[0].shape:
            raise RuntimeError(
                f'PReLU has slopes for {self.channels} channels, not for '
                f'those of {shape_text(shapes[0])}'
            )
        return [shapes[0]]

    def forward(self, bottoms, params):
        return [F.prelu(bottoms[0], params[0].reshape(-1))]


def check_axes(shape):
    if len(shape) < 2:
        raise RuntimeError(
            'Number of axes of bottom blob must be >=2. '
            f'({len(shape)}: {shape_text(shape)})'
        )
    return shape


class ELU(Op):
    """x where it is positive, else alpha * (exp(x) - 1)."""

    overwritable = True

    def forward(self, bottoms, params):
        return [F.elu(bottoms[0], self.param.elu_param.alpha)]


class AbsVal(Op):
    """|x|; the gradient at 0 is 0."""

    overwritable = True
    in_place = 'AbsVal Layer does not allow in-place computation.'

    def forward(self, bottoms, params):
        return [bottoms[0].abs()]


class Exp(Op):
    """base ^ (shift + scale * x)."""

    def setup(self, shapes):
        p = self.param.exp_param
        log_base = log_of_base(p.base)
        self.inner = log_base * p.scale
        self.outer = math.exp(log_base * p.shift)

    def forward(self, bottoms, params):
        y = torch.exp(bottoms[0] * self.inner)
        return [y if self.outer == 1 else y * self.outer]


class Log(Op):
    """log to the `base` of (shift + scale * x)."""

    def setup(self, shapes):
        p = self.param.log_param
        log_base = log_of_base(p.base)
        if not log_base:
            raise RuntimeError('base must not be 1: its logarithm is 0')
        self.outer = 1 / log_base

    def forward(self, bottoms, params):
        p = self.param.log_param
        y = torch.log(bottoms[0] * p.scale + p.shift)
        return [y if self.outer == 1 else y * self.outer]


def log_of_base(base):
    """Its natural logarithm; a base of -1, the default, stands for e."""
    if base == -1:
        return 1.0
    if not 0 < base < math.inf:
        raise RuntimeError(f'base must be strictly positive. ({base:g} vs. 0)')
    return math.log(base)


class BNLL(Op):
    """log(1 + exp(x)), which is x from 50 on."""

    overwritable = True

    def forward(self, bottoms, params):
        return [F.softplus(bottoms[0], threshold=50)]


class Threshold(Op):
    """1 where x is above the threshold, else 0."""

    def forward(self, bottoms, params):
        (x,) = bottoms
        return [(x > self.param.threshold_param.threshold).to(x.dtype)]

    def backward(self, *args):
        raise RuntimeError('Not Implemented Yet (Threshold has no gradient)')


class Clip(Op):
    """x, but no less than `min` and no more than `max`. The gradient passes
    where x lies between them or is one of them."""

    overwritable = True

    def setup(self, shapes):
        p = self.param.clip_param
        if not (p.HasField('min') and p.HasField('max')):
            raise RuntimeError('clip_param needs both min and max')
        if p.min > p.max:
            raise RuntimeError(
                f'clip_param: min {p.min:g} is above max {p.max:g}'
            )

    def forward(self, bottoms, params):
        p = self.param.clip_param
        return [bottoms[0].clamp(p.min, p.max)]


class Swish(Op):
    """x / (1 + exp(-beta * x))."""

    def forward(self, bottoms, params):
        (x,) = bottoms
        beta = self.param.swish_param.beta
        return [F.silu(x) if beta == 1 else x * torch.sigmoid(x * beta)]
