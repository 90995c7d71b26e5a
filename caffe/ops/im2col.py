"""Im2col: the patches that a convolution would multiply, laid out as channels.
Caffe: im2col_layer.cpp; the parameters are Convolution's."""

import math

from torch.nn import functional as F

from caffe.ops.base import Op
from caffe.ops.convolution import per_axis
from caffe.shape import canonical, shape_text


class Im2col(Op):
    """batch... x C x spatial... -> batch... x (C * kernel) x positions...; the
    taps of a channel lie side by side, in the order of the kernel."""

    overwritable = True
    in_place = 'Im2col Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.convolution_param
        self.axis = canonical(p.axis, shapes[0])
        self.rank = len(shapes[0])
        spatial = self.rank - self.axis - 1
        self.kernel = per_axis(p, 'kernel', spatial)
        self.geometry = list(
            zip(
                self.kernel,
                per_axis(p, 'stride', spatial),
                per_axis(p, 'pad', spatial),
                per_axis(p, 'dilation', spatial),
            )
        )

    def top_shapes(self, shapes):
        (shape,) = shapes
        if len(shape) != self.rank:
            raise RuntimeError(
                f'bottom num_axes may not change. ({self.rank} vs. '
                f'{len(shape)}: {shape_text(shape)})'
            )
        sizes = self.sizes(shape)
        if any(size < 1 for size in sizes):
            raise RuntimeError(
                f'a kernel of {self.kernel} does not fit into '
                f'{shape_text(shape)}'
            )
        columns = shape[self.axis] * math.prod(self.kernel)
        return [(*shape[: self.axis], columns, *sizes)]

    def sizes(self, shape):
        """Divides toward zero, as Convolution does."""
        return [
            int((i + 2 * p - (d * (k - 1) + 1)) / s) + 1
            for i, (k, s, p, d) in zip(shape[self.axis + 1 :], self.geometry)
        ]

    def forward(self, bottoms, params):
        (x,) = bottoms
        (top,) = self.top_shapes([tuple(x.shape)])
        x = F.pad(x, self.rims(x.shape))
        for axis, (k, s, _, d) in enumerate(self.geometry, self.axis + 1):
            # appends an axis of d * (k - 1) + 1; every d-th one is a tap
            x = x.unfold(axis, d * (k - 1) + 1, s)[..., ::d]
        taps = range(self.rank, x.dim())
        behind = range(self.axis + 1, self.axis + 1 + len(taps))
        return [x.movedim(tuple(taps), tuple(behind)).reshape(top)]

    def rims(self, shape):
        """Zeros before and after, as F.pad wants them: last axis first; after
        the last position, fewer (or less than none) or more than `pad`."""
        rims = []
        for i, o, (k, s, p, d) in zip(
            shape[self.axis + 1 :], self.sizes(shape), self.geometry
        ):
            rims = [p, (o - 1) * s + d * (k - 1) + 1 - i - p, *rims]
        return rims
