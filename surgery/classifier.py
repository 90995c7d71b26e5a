"""An ILSVRC classifier's weights, for the fully convolutional trunk: FCN,
section 4.1, the step between a downloaded classifier and the first training.

The numbers stay as they are: an inner product over C x H x W reads its input
in the order of an H x W filter over C channels.
"""

from surgery.transplant import plan, sized


def filter_shapes(net, channels=3):
    """The parameter shapes of a trunk.

    Takes: net: NetParameter, a chain of layers whose parameters are those of
        Convolutions; channels: of its input
    Gives: {layer: [shape of weights, shape of biases]}
    """
    shapes = {}
    for layer in net.layer:
        if layer.type == 'Convolution':
            conv = layer.convolution_param
            (kernel,) = conv.kernel_size
            inputs = channels // conv.group
            channels = conv.num_output
            shapes[layer.name] = [
                (channels, inputs, kernel, kernel),
                (channels,),
            ]
    return shapes


def outputs(shape):
    """The first size that says something: old files write 1 x 1 x 4096 x N."""
    return next((size for size in shape if size > 1), 1)


def check_complete(report):
    """Refuses a source that lacks a layer, or has another one in between."""
    for move in report.of('left as it was'):
        raise ValueError(
            f'{move.new}: the trunk needs {sized(move.new.shape)}, the '
            'source has no such layer'
        )
    for move in report.of('coerced'):
        if outputs(move.old.shape) != outputs(move.new.shape):
            raise ValueError(
                f'{move.new}: {sized(move.old.shape)} are not the weights '
                f'of {sized(move.new.shape)}, although as many'
            )
    last = max(i for i, move in enumerate(report.moves) if move.new)
    for move in report.moves[:last]:
        if move.fate == 'dropped':
            raise ValueError(
                f'{move.old}: the source has {sized(move.old.shape)} where '
                'the trunk has no layer; this is a deeper net'
            )


def check_order(found, wanted):
    """Refuses a source whose layers of the same names come in another order
    (AlexNet normalises before it pools, CaffeNet after)."""
    found = [name for name in dict.fromkeys(found) if name in wanted]
    for ours, theirs in zip((n for n in wanted if n in found), found):
        if ours != theirs:
            raise ValueError(
                f'{ours}: the source has {theirs} in its place; these are '
                'the weights of another net'
            )


def fully_convolutional(source, shapes):
    """Takes: source: {layer: [array, ...]} of the classifier, in its order;
        shapes: {layer: [shape, ...]} of the trunk
    Gives: {layer: [array, ...]}: the same numbers in the trunk's shapes,
        views where the source allows; and the Report
    Raises: ValueError naming the layer and both shapes
    """
    report = plan(
        {name: [a.shape for a in arrays] for name, arrays in source.items()},
        shapes,
    )
    check_complete(report)
    arrays = {
        layer: [
            array.reshape(shape) for array, shape in zip(source[layer], each)
        ]
        for layer, each in shapes.items()
    }
    return arrays, report
