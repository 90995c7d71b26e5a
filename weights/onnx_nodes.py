"""Which ONNX nodes compute what a layer computes: one row per Caffe type.

ONNX operators, opset 17. Caffe's rounding up of pooled sizes is ceil_mode, its
Crop a Slice at the size of the reference, which Shape reads when the graph
runs. A type without a row, or an option that ONNX has no word for, is refused
by name. Not here: a mask from Pooling, LRN within channels, Scale by a bottom.

A function takes (graph, node, inputs, params, output) and gives the name of
the value that is the top: `graph` is onnx_graph.Graph, `node` the net's,
`inputs` and `params` are names of values, `output` is the name the top has in
the net.
"""

import numpy as np

from caffe.proto import caffe_pb2 as pb

MAX_POOL = pb.PoolingParameter.MAX
SUM, MAX = pb.EltwiseParameter.SUM, pb.EltwiseParameter.MAX


def convolution(g, node, inputs, params, output):
    op = node.op
    if len(op.kernel) != 2 or op.axis != 1 or len(inputs) != 1:
        raise ValueError('only one bottom with two spatial axes')
    return g.add(
        'ConvTranspose' if op.transposed else 'Conv',
        [*inputs, *params],
        output,
        kernel_shape=op.kernel,
        strides=op.stride,
        pads=op.pad * 2,
        dilations=op.dilation,
        group=op.group,
    )


def pooling(g, node, inputs, params, output):
    op = node.op
    if len(node.tops) > 1:
        raise ValueError('the mask (a second top) has no equal')
    kind = (
        'Max'
        if op.param.pooling_param.pool == pb.PoolingParameter.MAX
        else ('Average')
    )
    if op.kernel is None:
        return g.add(f'Global{kind}Pool', inputs, output)
    for k, s, p in zip(op.kernel, op.stride, op.pad):
        if s > k or 2 * p > k:
            raise ValueError(f'kernel {k}, stride {s}, pad {p} has no equal')
    options = {'count_include_pad': 1} if kind == 'Average' else {}
    return g.add(
        f'{kind}Pool',
        inputs,
        output,
        kernel_shape=op.kernel,
        strides=op.stride,
        pads=op.pad * 2,
        ceil_mode=int(op.up),
        **options,
    )


def relu(g, node, inputs, params, output):
    if node.op.slope:
        return g.add('LeakyRelu', inputs, output, alpha=node.op.slope)
    return g.add('Relu', inputs, output)


def lrn(g, node, inputs, params, output):
    op = node.op
    if not op.across:
        raise ValueError('only ACROSS_CHANNELS')
    options = dict(size=op.size, alpha=op.alpha, beta=op.beta, bias=op.k)
    return g.add('LRN', inputs, output, **options)


def crop(g, node, inputs, params, output):
    op, (data, reference), name = node.op, inputs, node.name
    axes = range(op.axis, op.axis + len(op.offsets))
    start = g.constant(f'{name}.offset', op.offsets, np.int64)
    size = g.add('Shape', [reference], f'{name}.size', start=op.axis)
    stop = g.add('Add', [start, size], f'{name}.stop')
    axes = g.constant(f'{name}.axes', list(axes), np.int64)
    return g.add('Slice', [data, start, stop, axes], output)


def eltwise(g, node, inputs, params, output):
    operation = node.op.param.eltwise_param.operation
    if operation == SUM:
        terms = list(inputs)
        for i, c in enumerate(node.op.coeff):
            if c != 1:
                factor = g.constant(f'{node.name}.coeff', c)
                terms[i] = g.add('Mul', [terms[i], factor], f'{node.name}.term')
        return g.add('Sum', terms, output)
    if operation == MAX:
        return g.add('Max', inputs, output)
    return in_turn(
        g, node.name, [('Mul', x) for x in inputs[1:]], inputs[0], output
    )


def in_turn(g, name, steps, value, output):
    """Nodes of one more input each, one behind the other.

    Takes: steps: pairs of ONNX type and the name of that input
    """
    for i, (kind, other) in enumerate(steps, 1):
        last = i == len(steps)
        value = g.add(kind, [value, other], output if last else f'{name}.{i}')
    return value


def scale(g, node, inputs, params, output):
    if len(inputs) != 1:
        raise ValueError('only with the factors as parameters')
    steps = list(zip(('Mul', 'Add'), params))
    return in_turn(g, node.name, steps, inputs[0], output)


def bias(g, node, inputs, params, output):
    if len(inputs) != 1:
        raise ValueError('only with the summands as parameters')
    return g.add('Add', [*inputs, *params], output)


def power(g, node, inputs, params, output):
    p = node.op.param.power_param
    numbers = (('Mul', p.scale, 1), ('Add', p.shift, 0), ('Pow', p.power, 1))
    steps = [
        (kind, g.constant(f'{node.name}.{kind}', number))
        for kind, number, idle in numbers
        if number != idle
    ]
    return in_turn(g, node.name, steps, inputs[0], output)


def inner_product(g, node, inputs, params, output):
    if node.op.axis != 1:
        raise ValueError('only axis 1')
    transposed = not node.op.param.inner_product_param.transpose
    rows = g.add('Flatten', inputs, f'{node.name}.flat', axis=1)
    return g.add('Gemm', [rows, *params], output, transB=int(transposed))


def along_axis(kind):
    def nodes(g, node, inputs, params, output):
        return g.add(kind, inputs, output, axis=node.op.axis)

    return nodes


def plain(kind):
    def nodes(g, node, inputs, params, output):
        return g.add(kind, inputs, output)

    return nodes


def same(g, node, inputs, params, output):
    return inputs[0]


NODES = {
    'Bias': bias,
    'Concat': along_axis('Concat'),
    'Convolution': convolution,
    'Crop': crop,
    'Deconvolution': convolution,
    'Dropout': same,
    'Eltwise': eltwise,
    'InnerProduct': inner_product,
    'LRN': lrn,
    'Pooling': pooling,
    'Power': power,
    'ReLU': relu,
    'Scale': scale,
    'Sigmoid': plain('Sigmoid'),
    'Silence': same,
    'Softmax': along_axis('Softmax'),
    'Split': same,
    'TanH': plain('Tanh'),
}
