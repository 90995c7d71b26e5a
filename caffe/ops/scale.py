"""Scale and Bias: multiply by, add a blob that is smaller than the bottom.
Caffe: scale_layer.cpp, bias_layer.cpp; spec A.19."""

from caffe.ops.base import Op
from caffe.proto import caffe_pb2 as pb
from caffe.shape import canonical, shape_text


class Scale(Op):
    """top = bottom * scale (+ bias). The scale is a second bottom, or else a
    parameter with the dims of the bottom from `axis` to axis + num_axes;
    either is laid along the bottom from `axis` on. Blobs: scale, bias."""

    bottoms = (1, 2)
    overwritable = True

    def setup(self, shapes):
        p = self.param.scale_param
        self.axis = 0
        if len(shapes) > 1:
            inner = shapes[1]
        else:
            inner = inner_shape(shapes[0], p.axis, p.num_axes)
            one = pb.FillerParameter(type='constant', value=1)
            self.add_blob(inner, p.filler if p.HasField('filler') else one)
        if inner:
            self.axis = canonical(p.axis, shapes[0])
        if p.bias_term:
            self.add_blob(inner, p.bias_filler)

    def top_shapes(self, shapes):
        inner = shapes[1] if len(shapes) > 1 else self.blobs[0].shape
        check_inner(shapes[0], inner, self.axis)
        return [shapes[0]]

    def forward(self, bottoms, params):
        x, scale, *bias = [*bottoms, *params]
        y = x * along(scale, x, self.axis)
        return [y.add_(along(bias[0], x, self.axis)) if bias else y]


class Bias(Op):
    """top = bottom + bias, laid along the bottom as in Scale. Blob: bias,
    unless it is a second bottom."""

    bottoms = (1, 2)
    overwritable = True

    def setup(self, shapes):
        p = self.param.bias_param
        inner = (
            shapes[1]
            if len(shapes) > 1
            else inner_shape(shapes[0], p.axis, p.num_axes)
        )
        self.axis = canonical(p.axis, shapes[0]) if inner else 0
        if len(shapes) == 1:
            self.add_blob(inner, p.filler)

    def top_shapes(self, shapes):
        inner = shapes[1] if len(shapes) > 1 else self.blobs[0].shape
        check_inner(shapes[0], inner, self.axis)
        return [shapes[0]]

    def forward(self, bottoms, params):
        x, bias = [*bottoms, *params]
        return [x + along(bias, x, self.axis)]


def inner_shape(shape, axis, num_axes):
    """The dims that the parameter takes from the bottom."""
    if num_axes == 0:
        return ()
    axis = canonical(axis, shape)
    end = len(shape) if num_axes == -1 else axis + num_axes
    if num_axes < -1 or end > len(shape):
        raise RuntimeError(
            f'num_axes {num_axes} from axis {axis} reaches '
            f'beyond {shape_text(shape)}'
        )
    return shape[axis:end]


def check_inner(shape, inner, axis):
    if tuple(shape[axis : axis + len(inner)]) != tuple(inner):
        raise RuntimeError(
            f'dimensions {shape_text(inner)} do not match those of '
            f'{shape_text(shape)} from axis {axis} on'
        )


def along(inner, x, axis):
    """The smaller tensor, ready to be broadcast over x from `axis` on."""
    after = x.dim() - axis - inner.dim()
    return inner.reshape(*inner.shape, *[1] * after)
