"""LRN: local response normalisation. Caffe: lrn_layer.cpp; spec A.9."""

import torch
from torch.nn import functional as F

from caffe.ops.base import Op
from caffe.ops.pooling import four
from caffe.proto import caffe_pb2 as pb


class LRN(Op):
    """x / (k + alpha * mean of x^2 in a window of local_size) ^ beta.

    The window runs over neighbouring channels, or WITHIN_CHANNEL over
    neighbouring pixels, where Caffe ignores k: it is 1.
    """

    overwritable = True

    def setup(self, shapes):
        p = self.param.lrn_param
        self.size, self.alpha = p.local_size, p.alpha
        self.beta, self.k = p.beta, p.k
        self.across = p.norm_region == pb.LRNParameter.ACROSS_CHANNELS
        if self.size % 2 == 0:
            raise RuntimeError(
                'LRN only supports odd values for local_size '
                f'({self.size} given)'
            )

    def top_shapes(self, shapes):
        return [four(shapes[0])]

    def forward(self, bottoms, params):
        (x,) = bottoms
        if self.across:
            mean = ChannelSum.apply(x.square(), self.size) / self.size
            return [x * (self.k + self.alpha * mean) ** -self.beta]
        mean = F.avg_pool2d(x.square(), self.size, 1, self.size // 2)
        return [x * (1 + self.alpha * mean) ** -self.beta]


class ChannelSum(torch.autograd.Function):
    """The sum over `size` channels around each; its own transpose."""

    @staticmethod
    def forward(ctx, x, size):
        ctx.size = size
        wide = F.pad(x, (0, 0, 0, 0, size // 2, size // 2))
        channels = x.shape[1]
        total = wide[:, :channels].clone()
        for i in range(1, size):
            total += wide[:, i : i + channels]
        return total

    @staticmethod
    def backward(ctx, dy):
        return ChannelSum.apply(dy, ctx.size), None
