"""Input: blobs that the caller fills. Caffe: input_layer.cpp."""

from caffe.ops.base import Op


class Input(Op):
    bottoms = (0, 0)
    tops = (1, None)

    def setup(self, shapes):
        given, tops = len(self.param.input_param.shape), len(self.param.top)
        if given not in (0, 1, tops):
            raise RuntimeError(
                "Must specify 'shape' once, once per top blob, or not at all: "
                f'{tops} tops vs. {given} shapes.'
            )

    def top_shapes(self, shapes):
        """None: leaves the tops as the caller reshaped them."""
        given = [tuple(s.dim) for s in self.param.input_param.shape]
        tops = len(self.param.top)
        return (given * tops if len(given) == 1 else given) or [()] * tops

    def forward(self, bottoms, params):
        return [None] * len(self.param.top)
