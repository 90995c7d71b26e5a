"""Edits of a NetParameter: how the demo, the tests and the ablations make a
variant of a net without a second definition. Each changes the message in
place and returns it.
"""

from caffe.proto import caffe_pb2 as pb

KEPT = ('score', 'upscore')  # layers whose width is the number of classes


def slim(param, divisor):
    """Divides the width of every feature layer; the layers that score keep
    one output per class.

    Raises: ValueError if a width does not divide
    """
    for layer in param.layer:
        if layer.name.startswith(KEPT):
            continue
        for field in ('convolution_param', 'inner_product_param'):
            options = getattr(layer, field)
            if not layer.HasField(field) or not options.num_output:
                continue
            if options.num_output % divisor:
                raise ValueError(
                    f"layer '{layer.name}': {options.num_output} outputs do "
                    f'not divide by {divisor}'
                )
            options.num_output //= divisor
    return param


def without(param, *types):
    """Removes layers of these types (Dropout, say), which have one bottom and
    one top: who read what they gave reads what they read."""
    instead, kept = {}, []
    for layer in param.layer:
        layer.bottom[:] = [instead.get(blob, blob) for blob in layer.bottom]
        if layer.type not in types:
            kept.append(pb.LayerParameter.FromString(layer.SerializeToString()))
        elif layer.top[0] != layer.bottom[0]:  # else it worked in place
            instead[layer.top[0]] = layer.bottom[0]
    del param.layer[:]
    param.layer.extend(kept)
    return param


def with_inputs(param, shapes):
    """Replaces the data layer, the first one, by an Input for each of its
    tops.

    Takes: shapes: {top name: tuple of dims}
    """
    data, rest = param.layer[0], list(param.layer[1:])
    first = []
    for top in data.top:
        layer = pb.LayerParameter(name=top, type='Input', top=[top])
        layer.input_param.shape.add(dim=shapes[top])
        first.append(layer)
    copies = [pb.LayerParameter.FromString(x.SerializeToString()) for x in rest]
    del param.layer[:]
    param.layer.extend(first + copies)
    return param
