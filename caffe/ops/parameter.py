"""Parameter: a parameter blob as the top. Caffe: parameter_layer.hpp."""

from caffe.ops.base import Op


class Parameter(Op):
    """The top is the blob, in one memory, of the `shape` that is given; it
    starts at 0. Its gradient is added up over passes, as any other's (Caffe
    forgets all but the last)."""

    bottoms = (0, 0)

    def setup(self, shapes):
        self.add_blob(tuple(self.param.parameter_param.shape.dim))

    def top_shapes(self, shapes):
        return [self.blobs[0].shape]

    def forward(self, bottoms, params):
        return [params[0].view_as(params[0])]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        return [], [diffs[0]]
