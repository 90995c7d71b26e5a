"""The FCN-AlexNet recipe with layers of one's own: fc6_my and fc7_my.

    python examples/alexnet_fc6_my.py voc-fcn-alexnet/train.prototxt \\
        bvlc_alexnet/deploy.prototxt bvlc_alexnet.caffemodel 100 out.caffemodel

The fully connected layers of a classifier are renamed in the training net, so
that Caffe does not copy them by name, where their shapes differ, and are
filled by hand through `.flat`: an inner product's numbers in their order are
a convolution's. Upsampling layers are made bilinear. pycaffe only: runs under
BVLC Caffe as well; give a GPU's number as a last argument to use it.
"""

import os
import sys

import numpy as np
from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2

RENAMED = {'fc6': 'fc6_my', 'fc7': 'fc7_my'}
SOLVER = """
train_net: "{net}"
base_lr: 1e-10  # the loss is a sum over all pixels
lr_policy: "fixed"
momentum: 0.99
weight_decay: 0.0005
display: 20
"""


def rename(path, target):
    """Writes a copy of a definition whose layers have their new names."""
    net = caffe_pb2.NetParameter()
    with open(path) as file:
        text_format.Merge(file.read(), net)
    for layer in net.layer:
        layer.name = RENAMED.get(layer.name, layer.name)
    with open(target, 'w') as file:
        file.write(text_format.MessageToString(net))


def transplant(net, classifier):
    for old, new in RENAMED.items():
        for i in (0, 1):
            net.params[new][i].data.flat = classifier.params[old][i].data.flat


def bilinear(size):
    """A kernel that interpolates. Gives: size x size"""
    factor = (size + 1) // 2
    centre = factor - 1 if size % 2 else factor - 0.5
    ramp = 1 - abs(np.arange(size) - centre) / factor
    return np.outer(ramp, ramp)


def interpolate(net):
    """Every channel of a layer called up... upsamples itself."""
    for name in net.params:
        if 'up' in name:
            weight = net.params[name][0].data
            for k in range(weight.shape[0]):
                weight[k, k] = bilinear(weight.shape[2])


def main(train, classifier, weights, iterations, out, gpu=None):
    if gpu is not None:
        caffe.set_device(int(gpu))
        caffe.set_mode_gpu()
    # beside the original, where its Python layers are found
    mine = os.path.splitext(train)[0] + '_my.prototxt'
    rename(train, mine)
    settings = os.path.join(os.path.dirname(train), 'solver_my.prototxt')
    with open(settings, 'w') as file:
        file.write(SOLVER.format(net=mine))
    solver = caffe.SGDSolver(settings)
    solver.net.copy_from(weights)  # all that kept its name and shape
    transplant(solver.net, caffe.Net(classifier, weights, caffe.TEST))
    interpolate(solver.net)
    solver.step(int(iterations))
    solver.net.save(out)
    print(f'loss {solver.net.blobs["loss"].data:g}')


if __name__ == '__main__':
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    main(*sys.argv[1:])
