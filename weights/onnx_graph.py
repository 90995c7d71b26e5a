"""A net as an ONNX graph, straight from its layers.

onnx_nodes.py says which nodes a layer becomes. Height, width and batch stay
open. Not here: training.
"""

import numpy as np

from weights.onnx_nodes import NODES
from weights.tables import parameter_name

OPSET = 17  # and IR 8: what onnxruntime reads since 1.12
IR = 8


class Graph:
    """What nodes are added to, under the names of Caffe's layers and blobs."""

    def __init__(self):
        from onnx import helper, numpy_helper

        self.helper, self.numpy_helper = helper, numpy_helper
        self.nodes, self.constants = [], []
        self.values = {}  # blob -> name of its newest value
        self.taken = set()

    def name(self, wanted):
        """A name nobody has: the wanted one, if possible."""
        name, i = wanted, 1
        while name in self.taken:
            name, i = f'{wanted}_{i}', i + 1
        self.taken.add(name)
        return name

    def constant(self, wanted, values, dtype=np.float32):
        name = self.name(wanted)
        array = np.array(values, dtype)
        self.constants.append(self.numpy_helper.from_array(array, name))
        return name

    def add(self, kind, inputs, output, **options):
        """Adds one node. Gives: the name of its output"""
        output = self.name(output)
        node = self.helper.make_node(
            kind, inputs, [output], name=output, **options
        )
        self.nodes.append(node)
        return output


def onnx_model(net):
    """Takes: net: a caffe.Net in phase TEST that begins with Input layers
    Gives: onnx.ModelProto
    Raises: ValueError that names the layer ONNX cannot express
    """
    g = Graph()
    for name in net.inputs:
        g.values[name] = g.name(name)
    makers = {
        top: node.name for node in net.nodes for top in node.op.param.top
    }  # the last ones: in-place layers make a blob again
    for node in net.nodes:
        if node.type != 'Input':
            add_layer(g, node, makers)
    for name in net.outputs:
        if g.values[name] != name:
            g.values[name] = g.add('Identity', [g.values[name]], name)
    inputs = [
        value_info(g, net, n, ('batch', None, 'height', 'width'))
        for n in net.inputs
    ]
    outputs = [value_info(g, net, n, ('batch',)) for n in net.outputs]
    graph = g.helper.make_graph(
        g.nodes, net.name or 'net', inputs, outputs, g.constants
    )
    opset = g.helper.make_opsetid('', OPSET)
    return g.helper.make_model(
        graph, opset_imports=[opset], ir_version=IR, producer_name='fcn'
    )


def add_layer(g, node, makers):
    try:
        write = NODES[node.type]
    except KeyError:
        raise ValueError(
            f"layer '{node.name}': no ONNX for the type {node.type}; there is "
            f'for {", ".join(NODES)}'
        ) from None
    inputs = [g.values[name] for name in node.op.param.bottom]
    params = [
        g.constant(parameter_name(node.name, i), array)
        for i, array in enumerate(parameters(node))
    ]
    tops = list(node.op.param.top)
    output = tops[0] if tops else node.name
    if makers.get(output) != node.name:
        output = f'{output}.{node.name}'
    try:
        value = write(g, node, inputs, params, output)
    except ValueError as error:
        raise ValueError(
            f"layer '{node.name}' ({node.type}) in ONNX: {error}"
        ) from None
    g.values.update(dict.fromkeys(tops, value))


def parameters(node):
    """The arrays of a layer; those that are laid along a bottom get a 1 for
    each axis behind them."""
    arrays = [blob.tensor.detach().cpu().numpy() for blob in node.blobs]
    if node.type not in ('Scale', 'Bias'):
        return arrays
    rank = len(node.bottoms[0].shape)
    after = [rank - node.op.axis - array.ndim for array in arrays]
    return [a.reshape(*a.shape, *[1] * n) for a, n in zip(arrays, after)]


def value_info(g, net, blob, open_axes):
    """Declares an input or output. Axes past open_axes, or None in it, are as
    they are in the net if they are channels, else unknown."""
    shape = list(net.blobs[blob].shape)
    axes = [
        size if i == 1 else open_axes[i] if i < len(open_axes) else None
        for i, size in enumerate(shape)
    ]
    kind = g.helper.np_dtype_to_tensor_dtype(np.dtype('float32'))
    return g.helper.make_tensor_value_info(g.values[blob], kind, axes)
