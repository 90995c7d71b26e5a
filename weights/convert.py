"""python -m weights convert: a model file into another format.

The numbers stay what they are, bit for bit; their shapes too, except where a
net says otherwise (--net: fc6 as 4096 x 25088 becomes 4096 x 512 x 7 x 7, in
the same order) and in files of before Caffe 1.0, whose blobs all have four
axes. torchvision's checkpoints are renamed and take Caffe's images afterwards.
"""

import numpy as np

import caffe
from caffe.proto import caffe_pb2 as pb
from nets.module import definition
from surgery.transplant import plan, shapes_of
from weights import formats
from weights.load import refuse_strangers
from weights.torchvision import from_torchvision


def convert(source, target, net=None):
    """Takes: source, target: paths; net: network directory, prototxt, or
        NetParameter, whose layers alone are written, in its shapes
    Gives: lines to tell
    Raises: ValueError or RuntimeError that names the file and the layer
    """
    kind = formats.kind_to_write(target)
    held = formats.read(source)
    lines = [f'{source}: {held.kind}, {counted(held.layers)}', *held.notes]
    layers, defined = held.layers, held.net
    renamed = from_torchvision(layers, source)
    if renamed:
        layers, notes = renamed
        lines += notes
    refuse_strangers(held._replace(layers=layers), source)
    if net is not None:
        layers, defined, report = shaped(
            layers, caffe.Net(definition(net), caffe.TEST), source
        )
        lines.append(str(report))
    if not layers:
        raise ValueError(f'{source}: there is no parameter to write')
    lines += rounded(layers, kind)
    formats.write(target, layers, defined)
    lines.append(f'{target}: {kind}, {counted(layers)}')
    return lines


def shaped(layers, net, source):
    """The layers that a net has, in its shapes.

    Gives: layers, the net's definition, surgery's Report
    """
    try:
        report = plan(
            {
                name: [array.shape for array in arrays.values()]
                for name, arrays in layers.items()
            },
            shapes_of(net),
        )
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from None
    out = {}
    for move in report.moves:
        if move.old and move.new:
            layer, index, shape = move.new
            array = layers[layer][index].reshape(shape)
            out.setdefault(layer, {})[index] = array
    defined = pb.NetParameter(name=net.name)
    defined.layer.extend(node.op.param for node in net.nodes)
    return out, defined, report


def rounded(layers, kind):
    """HDF5 models hold float32 only."""
    names = [
        name
        for name, arrays in layers.items()
        if any(array.dtype == np.float64 for array in arrays.values())
    ]
    if kind != formats.HDF5 or not names:
        return []
    return [f'{", ".join(names)}: float64, rounded to float32 in HDF5']


def counted(layers):
    arrays = [a for blobs in layers.values() for a in blobs.values()]
    numbers = sum(array.size for array in arrays)
    return f'{len(layers)} layers, {numbers:,} parameters'
