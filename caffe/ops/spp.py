"""SPP: spatial pyramid pooling. Caffe: spp_layer.cpp, which runs Pooling,
Flatten and Concat inside, and so does this."""

import torch

from caffe.ops.base import Op
from caffe.ops.pooling import Pooling
from caffe.proto import caffe_pb2 as pb


class SPP(Op):
    """The image pooled into 1, 2 x 2, 4 x 4, ... bins, `pyramid_height` times;
    all of it side by side, N x (C * bins). A pyramid of height 1 stays
    N x C x 1 x 1."""

    in_place = 'SPP Layer does not allow in-place computation.'

    def setup(self, shapes):
        if not self.param.spp_param.pyramid_height:
            raise RuntimeError('spp_param: pyramid_height must be positive')

    def levels(self, shape):
        """A Pooling for each level, set up for bottoms of this shape."""
        if len(shape) != 4:
            raise RuntimeError(
                'Input must have 4 axes, corresponding to (num, channels, '
                f'height, width) ({len(shape)} given)'
            )
        if not all(shape[2:]):
            raise RuntimeError('Input dimensions cannot be zero.')
        ops = []
        for level in range(self.param.spp_param.pyramid_height):
            layer = pb.LayerParameter(name=self.param.name, top=['level'])
            p = layer.pooling_param
            p.pool = self.param.spp_param.pool
            p.kernel_h, p.pad_h = bin_size(shape[2], 2**level)
            p.kernel_w, p.pad_w = bin_size(shape[3], 2**level)
            p.stride_h, p.stride_w = p.kernel_h, p.kernel_w
            ops.append(Pooling(layer, self.phase))
            ops[-1].setup([shape])
        return ops

    def top_shapes(self, shapes):
        tops = [op.top_shapes(shapes)[0] for op in self.levels(shapes[0])]
        if len(tops) == 1:
            return tops
        return [(shapes[0][0], sum(c * h * w for _, c, h, w in tops))]

    def forward(self, bottoms, params):
        levels = self.levels(tuple(bottoms[0].shape))
        pooled = [op.forward(bottoms, [])[0] for op in levels]
        if len(pooled) == 1:
            return pooled
        return [torch.cat([x.flatten(1) for x in pooled], 1)]


def bin_size(size, bins):
    """Gives: kernel (and stride), padding, so that the bins cover the image
    and what is too much hangs over its edges, half on either side"""
    kernel = -(-size // bins)
    return kernel, (kernel * bins - size + 1) // 2
