"""Net surgery: makes a classifier fully convolutional.

    python examples/net_surgery.py deploy.prototxt weights.caffemodel full

An inner product over a C x H x W blob is a convolution whose kernel covers
all of it. So every InnerProduct layer becomes a Convolution that holds the
same numbers in the same order, under another name (`fc6-conv`), as Caffe
copies by name and would refuse the new shape. Written are full.prototxt and
full.caffemodel, which take images of any size from the classifier's upwards
and give a map of scores. pycaffe only: runs under BVLC Caffe as well.
"""

import sys

import numpy as np
from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2


def fully_convolutional(definition, classifier):
    """Takes: definition: path; classifier: the net of it, for the sizes
    Gives: NetParameter; pairs (layer of the classifier, layer of ours)
    """
    net = caffe_pb2.NetParameter()
    with open(definition) as file:
        text_format.Merge(file.read(), net)
    pairs = []
    for layer in net.layer:
        if layer.type != 'InnerProduct':
            continue
        shape = classifier.blobs[layer.bottom[0]].data.shape
        height, width = shape[2:] if len(shape) == 4 else (1, 1)
        old = layer.inner_product_param
        new = layer.convolution_param
        new.num_output = old.num_output
        new.bias_term = old.bias_term
        new.kernel_h, new.kernel_w = height, width
        layer.ClearField('inner_product_param')
        layer.type = 'Convolution'
        pairs.append((layer.name, layer.name + '-conv'))
        layer.name += '-conv'
    return net, pairs


def transplant(new, old, pairs):
    """Copies the numbers; a weight and its bias each keep their order."""
    for theirs, ours in pairs:
        for target, source in zip(new.params[ours], old.params[theirs]):
            target.data.flat = source.data.flat
        shapes = [
            net.params[name][0].data.shape
            for net, name in ((old, theirs), (new, ours))
        ]
        print(f'{theirs} {shapes[0]} -> {ours} {shapes[1]}')


def agree(new, old):
    """The largest difference between both nets on one random image."""
    name = old.inputs[0]
    image = np.random.RandomState(0).randn(*old.blobs[name].data.shape)
    scores = []
    for net in (new, old):
        net.blobs[name].data[...] = image
        scores.append(net.forward()[net.outputs[0]].squeeze())
    return abs(scores[0] - scores[1]).max()


def main(definition, weights, out):
    old = caffe.Net(definition, weights, caffe.TEST)
    param, pairs = fully_convolutional(definition, old)
    with open(out + '.prototxt', 'w') as file:
        file.write(text_format.MessageToString(param))
    # layers that kept their names are copied by name
    new = caffe.Net(out + '.prototxt', weights, caffe.TEST)
    transplant(new, old, pairs)
    new.save(out + '.caffemodel')
    print(f'they differ by at most {agree(new, old):g}')


if __name__ == '__main__':
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
