"""Convolution and Deconvolution over 0 to 3 spatial axes.

Caffe: base_conv_layer.cpp, conv_layer.cpp, deconv_layer.cpp; spec A.3, A.4.
How the product is computed is chosen in conv_paths.py; the numbers are the
same to rounding.
"""

from torch.nn import functional as F

from caffe.ops import conv_paths
from caffe.ops.base import Op
from caffe.shape import canonical, shape_text


class Convolution(Op):
    """top = weight * bottom + bias, cross-correlation with zero padding.
    Blobs: weight (num_output, C / group, k...), bias (num_output,)."""

    bottoms = (1, None)
    tops = (1, None)
    equal_counts = True
    overwritable = True
    in_place = 'a convolution cannot work in place'
    transposed = False
    stamp = own = None  # see conv_paths.diagonal

    def setup(self, shapes):
        p = self.param.convolution_param
        self.axis = canonical(p.axis, shapes[0])
        self.rank = len(shapes[0])
        spatial = self.rank - self.axis - 1
        if spatial > 3:
            raise RuntimeError(
                f'{spatial} spatial axes: only 0 to 3 are implemented'
            )
        self.kernel = per_axis(p, 'kernel', spatial)
        self.stride = per_axis(p, 'stride', spatial)
        self.pad = per_axis(p, 'pad', spatial)
        self.dilation = per_axis(p, 'dilation', spatial)
        self.group, self.outputs = p.group, p.num_output
        self.channels = shapes[0][self.axis]
        check_groups(self.channels, self.outputs, self.group)
        rows, columns = self.outputs, self.channels // self.group
        if self.transposed:
            rows, columns = self.channels, self.outputs // self.group
        self.add_blob((rows, columns, *self.kernel), p.weight_filler)
        if p.bias_term:
            self.add_blob((self.outputs,), p.bias_filler)

    def top_shapes(self, shapes):
        first = shapes[0]
        if len(first) != self.rank:
            raise RuntimeError(
                f'bottom num_axes may not change. ({self.rank} vs. '
                f'{len(first)}: {shape_text(first)})'
            )
        if first[self.axis] != self.channels:
            raise RuntimeError(
                'Input size incompatible with convolution kernel. '
                f'({first[self.axis]} channels vs. {self.channels})'
            )
        for i, shape in enumerate(shapes[1:], 1):
            if shape != first:
                raise RuntimeError(
                    'shape mismatch - bottom[0]: '
                    f'{shape_text(first)} vs. bottom[{i}]: {shape_text(shape)}'
                )
        sizes = [
            self.size(*sizes)
            for sizes in zip(
                first[self.axis + 1 :],
                self.kernel,
                self.stride,
                self.pad,
                self.dilation,
            )
        ]
        if any(size < 1 for size in sizes):
            raise RuntimeError(
                f'a kernel of {self.kernel} (pad {self.pad}, dilation '
                f'{self.dilation}) does not fit into {shape_text(first)}'
            )
        top = (*first[: self.axis], self.outputs, *sizes)
        return [top] * len(shapes)

    def size(self, i, k, s, p, d):
        """Divides toward zero, as C does: a kernel that hangs over by less
        than a stride still gives one output."""
        return int((i + 2 * p - (d * (k - 1) + 1)) / s) + 1

    def flat(self, x):
        """Batch axes merged into one: N x C x spatial..."""
        return x.reshape(-1, *x.shape[self.axis :]) if self.axis != 1 else x

    def overhang(self, shape):
        """Zeros to append per spatial axis where the kernel hangs over, as
        F.pad wants them: last axis first, (before, after)."""
        extra = [
            max(0, d * (k - 1) + 1 - 2 * p - i)
            for i, k, p, d in zip(
                shape[2:], self.kernel, self.pad, self.dilation
            )
        ]
        return [n for e in reversed(extra) for n in (0, e)]

    def forward(self, bottoms, params):
        weight, bias = params[0], params[1] if len(params) > 1 else None
        tops = []
        for bottom in bottoms:
            x = self.flat(bottom)
            if any(self.overhang(x.shape)):
                x = F.pad(x, self.overhang(x.shape))
            y = conv_paths.forward(self, x, weight, bias)
            tops.append(
                y
                if self.axis == 1
                else y.reshape(*bottom.shape[: self.axis], *y.shape[1:])
            )
        return tops

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        need_params = [*need_params, False][:2]
        to_bottoms, to_params = [], [None] * len(params)
        for diff, bottom, need in zip(diffs, bottoms, need_bottoms):
            x, dy = self.flat(bottom), self.flat(diff)
            extra = self.overhang(x.shape)
            padded = F.pad(x, extra) if any(extra) else x
            dx, *d_params = conv_paths.backward(
                self, dy, padded, params[0], need, *need_params
            )
            if dx is not None:
                if any(extra):
                    dx = F.pad(dx, [-n for n in extra])
                dx = dx.reshape(bottom.shape)
            to_bottoms.append(dx)
            for i in range(len(params)):
                if need_params[i]:
                    to_params[i] = (
                        d_params[i]
                        if to_params[i] is None
                        else to_params[i] + d_params[i]
                    )
        return to_bottoms, to_params


class Deconvolution(Convolution):
    """The transpose of Convolution: each input pixel adds weight * value to
    the output. Blobs: weight (C, num_output / group, k...), bias."""

    in_place = 'a deconvolution cannot work in place'
    transposed = True

    def size(self, i, k, s, p, d):
        return s * (i - 1) + d * (k - 1) + 1 - 2 * p

    def overhang(self, shape):
        return []


DEFAULTS = {'stride': 1, 'pad': 0, 'dilation': 1}


def per_axis(p, what, spatial):
    """kernel, stride, pad or dilation as one number per spatial axis."""
    field = 'kernel_size' if what == 'kernel' else what
    given = list(getattr(p, field))
    if what != 'dilation' and (
        p.HasField(f'{what}_h') or p.HasField(f'{what}_w')
    ):
        if spatial != 2:
            raise RuntimeError(
                f'{what}_h & {what}_w can only be used for 2D '
                f'convolution. ({spatial} spatial axes)'
            )
        if given:
            raise RuntimeError(
                f'Either {field} or {what}_h/w should be specified; not both.'
            )
        values = [getattr(p, f'{what}_h'), getattr(p, f'{what}_w')]
    elif len(given) in (1, spatial) and given:
        values = given if len(given) == spatial else given * spatial
    elif not given and (what != 'kernel' or not spatial):
        values = [DEFAULTS.get(what, 1)] * spatial
    else:
        raise RuntimeError(
            f'{field} must be specified once, or once per spatial dimension '
            f'({field} specified {len(given)} times; {spatial} spatial dims).'
        )
    if what in ('kernel', 'stride') and not all(values):
        raise RuntimeError(
            f'{what.capitalize()} dimensions must be nonzero. ({values})'
        )
    return tuple(values)


def check_groups(channels, outputs, group):
    if outputs < 1:
        raise RuntimeError('num_output must be positive')
    if group < 1 or channels % group:
        raise RuntimeError(
            f'channels % group: {channels} channels do not '
            f'divide into {group} groups'
        )
    if outputs % group:
        raise RuntimeError(
            'Number of output should be multiples of group. '
            f'({outputs} vs. {group})'
        )
