"""InnerProduct: every output sees every input. Caffe: inner_product_layer.cpp;
spec A.6."""

import math

from torch.nn import functional as F

from caffe.ops.base import Op
from caffe.shape import canonical


class InnerProduct(Op):
    """top = bottom * weight^T + bias, over all that follows `axis` (K
    numbers). Blobs: weight (num_output, K), or (K, num_output) with
    `transpose`; bias (num_output,)."""

    overwritable = True
    in_place = 'InnerProduct Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.inner_product_param
        self.axis = canonical(p.axis, shapes[0])
        self.inputs = math.prod(shapes[0][self.axis :])
        shape = (p.num_output, self.inputs)
        self.add_blob(shape[::-1] if p.transpose else shape, p.weight_filler)
        if p.bias_term:
            self.add_blob((p.num_output,), p.bias_filler)

    def top_shapes(self, shapes):
        inputs = math.prod(shapes[0][self.axis :])
        if inputs != self.inputs:
            raise RuntimeError(
                'Input size incompatible with inner product '
                f'parameters. ({self.inputs} vs. {inputs})'
            )
        outputs = self.param.inner_product_param.num_output
        return [(*shapes[0][: self.axis], outputs)]

    def forward(self, bottoms, params):
        x = bottoms[0].reshape(*bottoms[0].shape[: self.axis], self.inputs)
        weight, bias = params[0], params[1] if len(params) > 1 else None
        if self.param.inner_product_param.transpose:
            weight = weight.t()
        return [F.linear(x, weight, bias)]
