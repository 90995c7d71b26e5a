"""Pooling, MAX and AVE, over the two last axes. Caffe: pooling_layer.cpp;
spec A.5.

The output size is rounded up. torch's kernels compute all that FCNs use; what
they refuse (windows that begin past the image's edge, padding above half a
kernel) goes through explicit padding. Not here: STOCHASTIC.
"""

import torch
from torch.nn import functional as F

from caffe.ops.base import Op
from caffe.ops.conv_paths import last
from caffe.proto import caffe_pb2 as pb
from caffe.shape import shape_text

MAX, AVE = pb.PoolingParameter.MAX, pb.PoolingParameter.AVE


class Pooling(Op):
    """The largest or the mean value of each window, N x C x H x W ->
    N x C x H' x W'. A second top of MAX: where it was, h * W + w, as float.
    """

    tops = (1, 2)
    overwritable = True
    in_place = 'Pooling Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.pooling_param
        if p.pool not in (MAX, AVE):
            raise RuntimeError(
                f'{pb.PoolingParameter.PoolMethod.Name(p.pool)} pooling is '
                'not implemented (Caffe has it on GPUs only): use MAX or AVE'
            )
        if p.pool == AVE and len(self.param.top) > 1:
            raise RuntimeError(
                'Pooling Layer produces at most 1 top blob(s) '
                'as output. (a mask needs MAX)'
            )
        self.kernel = kernel_size(p)
        self.pad = pair(p, 'pad', 0)
        self.stride = pair(p, 'stride', 1)
        self.up = p.round_mode == pb.PoolingParameter.CEIL
        if not all(self.stride):
            raise RuntimeError(f'stride must be positive: {self.stride}')
        if p.global_pooling:
            if any(self.pad) or self.stride != (1, 1):
                raise RuntimeError(
                    'global_pooling takes pad 0 and stride 1 only'
                )
        elif any(p >= k for p, k in zip(self.pad, self.kernel)):
            raise RuntimeError(
                f'pad {self.pad} must be smaller than the kernel {self.kernel}'
            )

    def top_shapes(self, shapes):
        n, c, *sizes = four(shapes[0])
        out = self.out(sizes)
        if min(out) < 1:
            raise RuntimeError(
                f'a pooling window of {self.window(sizes)} (pad {self.pad}) '
                f'does not fit into {shape_text(shapes[0])}'
            )
        return [(n, c, *out)] * len(self.param.top)

    def window(self, sizes):
        return self.kernel or tuple(sizes)

    def out(self, sizes):
        """H', W'. Only a padded pooling drops windows that would begin past
        the edge."""
        out = []
        for i, k, s, p in zip(sizes, self.window(sizes), self.stride, self.pad):
            o = (i + 2 * p - k + (s - 1 if self.up else 0)) // s + 1
            late = any(self.pad) and (o - 1) * s >= i + p
            out.append(o - 1 if late else o)
        return out

    def forward(self, bottoms, params):
        (x,) = bottoms
        sizes = x.shape[2:]
        out, kernel = self.out(sizes), self.window(sizes)
        usual = all(
            2 * p <= k and (o - 1) * s < i + p
            for i, o, k, s, p in zip(sizes, out, kernel, self.stride, self.pad)
        )
        if self.param.pooling_param.pool == AVE:
            pool = self.usual_mean if usual else self.mean
            return [LaidLikeTop.apply(pool(x, kernel, out))]
        y, mask = (self.usual_max if usual else self.max)(x, kernel, out)
        y = LaidLikeTop.apply(y)
        return [y] if len(self.param.top) < 2 else [y, mask.to(x.dtype)]

    def usual_mean(self, x, kernel, out):
        return F.avg_pool2d(x, kernel, self.stride, self.pad, self.up)

    def usual_max(self, x, kernel, out):
        return F.max_pool2d(
            x,
            kernel,
            self.stride,
            self.pad,
            ceil_mode=self.up,
            return_indices=True,
        )

    def mean(self, x, kernel, out):
        """The divisor counts the padding, but nothing beyond it; a window
        that begins right past the edge is 0 / 0."""
        lengths = []
        for i, o, k, s, p in zip(
            x.shape[2:], out, kernel, self.stride, self.pad
        ):
            starts = torch.arange(o, device=x.device) * s - p
            lengths.append((starts + k).clamp(max=i + p) - starts)
        x = self.padded(x, kernel, out, 0.0)
        sums = F.avg_pool2d(x, kernel, self.stride, divisor_override=1)
        return sums / (lengths[0][:, None] * lengths[1])

    def max(self, x, kernel, out):
        (height, width), (top, left) = x.shape[2:], self.pad
        x = self.padded(x, kernel, out, torch.finfo(x.dtype).min)
        y, place = F.max_pool2d(x, kernel, self.stride, return_indices=True)
        row = place.div(x.shape[3], rounding_mode='floor') - top
        column = place % x.shape[3] - left
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        return y, torch.where(inside, row * width + column, -1)

    def padded(self, x, kernel, out, value):
        """Exactly the pixels that the windows cover."""
        rims = []
        for i, o, k, s, p in zip(
            x.shape[2:], out, kernel, self.stride, self.pad
        ):
            rims = [p, (o - 1) * s + k - i - p, *rims]  # F.pad: W, then H
        return F.pad(x, rims, value=value)


class LaidLikeTop(torch.autograd.Function):
    """Does nothing, but brings the diff into the memory format of the top.
    If they differ, torch rearranges everything else to fit the diff: ten
    times the work."""

    @staticmethod
    def forward(ctx, y):
        ctx.last = not y.is_contiguous() and y.is_contiguous(
            memory_format=torch.channels_last
        )
        return y.view_as(y)

    @staticmethod
    def backward(ctx, dy):
        return last(dy) if ctx.last else dy.contiguous()


def kernel_size(p):
    """(height, width), or None for global pooling."""
    sides = p.HasField('kernel_h'), p.HasField('kernel_w')
    if p.global_pooling:
        if p.HasField('kernel_size') or any(sides):
            raise RuntimeError('global_pooling takes no kernel size')
        return None
    if p.HasField('kernel_size') == all(sides):
        raise RuntimeError('give kernel_size, or both kernel_h and kernel_w')
    kernel = (
        (p.kernel_h, p.kernel_w)
        if all(sides)
        else (p.kernel_size, p.kernel_size)
    )
    if not all(kernel):
        raise RuntimeError(f'the kernel must not be empty: {kernel}')
    return kernel


def pair(p, name, default):
    """pad or stride as (height, width)."""
    sides = p.HasField(f'{name}_h'), p.HasField(f'{name}_w')
    if p.HasField(name) and any(sides) or any(sides) != all(sides):
        raise RuntimeError(f'give {name}, or both {name}_h and {name}_w')
    if all(sides):
        return getattr(p, f'{name}_h'), getattr(p, f'{name}_w')
    return (getattr(p, name) if p.HasField(name) else default,) * 2


def four(shape):
    if len(shape) != 4:
        raise RuntimeError(
            'needs 4 axes (num, channels, height, width), not '
            f'{shape_text(shape)}'
        )
    return shape
