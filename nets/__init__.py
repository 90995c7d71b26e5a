"""The parts that network definitions are put together from.

`vgg16` and `caffenet` are trunks, tables of layers; `heads` turns features
into a score for every pixel; `datasets` names the data; `prototxt` writes the
files of a network directory, whose net.py says which parts in which order;
`edits` makes variants of a finished net. None of these needs torch; `load`
makes a torch module of a net.
"""


def load(net, weights=None):
    """A network as a torch.nn.Module, N x 3 x H x W -> N x classes x H x W.

        model = nets.load('voc-fcn8s', 'fcn8s-heavy-pascal.caffemodel')

    Takes: net: network directory, prototxt, or NetParameter; images go in as
        its data layer gives them (for VOC: BGR, 0..255, minus the mean)
        weights: model file of any kind that weights/ reads; without, layers
        are as the prototxt fills them (an FCN's are zero), upsampling bilinear
    Gives: the module in eval mode, with parameters `<layer>.weight` and
        `<layer>.bias`; those that the net does not learn need no gradient
    """
    from nets.module import load

    return load(net, weights)
