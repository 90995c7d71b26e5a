"""Slim copies of the real nets and what they need to learn in minutes: the
definitions that demo.py trains.

The nets are those of nets/ and of the network directories, with every width
divided by WIDTH. What else differs is here, in `eased` and SOLVER, and nowhere
else.
"""

import numpy as np

from ablations.variant import Variant
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text
from data import shapes
from nets import edits, vgg16
from networks import ROOT

WIDTH = 8  # 64 channels become 8, 4096 become 512
MEAN = (104.00699, 116.66877, 122.67892)
DROPOUT = 0.1  # half of so few units is too much, in so few steps
CLASSIFIER = """
base_lr: 0.01  lr_policy: "poly"  power: 1  max_iter: 250  momentum: 0.9
weight_decay: 0.0005  clip_gradients: 2  random_seed: 1337  display: 20
average_loss: 20  test_iter: 20  test_interval: 1000000
test_initialization: false
"""
# What a thousand iterations need instead of solver.prototxt's values, which
# are for a hundred thousand: Adam, whose steps do not depend on how large a
# loss summed over pixels is, and a rate that falls to zero.
SOLVER = """
type: "Adam"  momentum: 0.9  momentum2: 0.999  base_lr: 0.0003
lr_policy: "poly"  power: 1  random_seed: 1337
"""


def classifier(split, data):
    """VGG-16 with InnerProduct fc6 and fc7, slim, on the crops of single
    objects in the dataset's folder."""
    crops = dict(
        classify_dir=str(data / 'classify'),
        split=split,
        mean=MEAN,
        seed=1337,
        batch=10,
        size=224,
    )
    net = eased(edits.slim(vgg16.classifier(), WIDTH))
    net.layer[0].CopyFrom(
        pb.LayerParameter(
            name='data',
            type='Python',
            top=['data', 'label'],
            python_param=dict(
                module='shapes_layers',
                param_str=str(crops),
                layer='ShapesClassifyLayer',
            ),
        )
    )
    for layer in net.layer:
        for field in ('convolution_param', 'inner_product_param'):
            if layer.HasField(field):
                filler = getattr(layer, field).weight_filler
                filler.type = 'msra'
                if layer.name == 'conv1_1':  # as msra, for inputs of +-60
                    filler.type, filler.std = 'gaussian', 0.0045
        if layer.name == 'fc8':
            layer.inner_product_param.num_output = len(shapes.CLASSES)
            filler.type, filler.std = 'gaussian', 0.01
    del net.layer[-1]  # prob
    for kind, top in (('SoftmaxWithLoss', 'loss'), ('Accuracy', 'accuracy')):
        net.layer.add(name=top, type=kind, top=[top], bottom=['fc8', 'label'])
    return net


def eased(net):
    """Settings for a small net that has minutes to learn."""
    for layer in net.layer:
        if layer.type == 'Dropout':
            layer.dropout_param.dropout_ratio = DROPOUT
        if layer.name == 'conv1_1':  # its inputs are 60 times the others'
            for param in layer.param:
                param.lr_mult *= 0.02
    return net


def accuracy(net, passes):
    """A classifier's, over some passes of its data."""
    found = []
    for _ in range(passes):
        net.forward()
        found.append(float(net.blobs['accuracy'].data))
    return np.mean(found)


def shrink(nets, solver, end, snapshot):
    """Makes a network directory's messages slim, in place, and gives its
    solver settings for few iterations.

    Takes: nets: NetParameters; solver: SolverParameter; end: iterations;
        snapshot: of how many iterations each
    """
    for net in nets:
        eased(edits.slim(net, WIDTH))
    solver.MergeFrom(text.parse(SOLVER, pb.SolverParameter(), __file__))
    solver.max_iter, solver.snapshot = end, snapshot


def write_directory(folder, end, snapshot):
    """The files of a network directory, shrunk. Gives: their paths

    Takes: folder: named after the network; end, snapshot: see shrink
    """
    variant = Variant.read(ROOT / folder.name)
    shrink(variant.nets.values(), variant.solver, end, snapshot)
    return variant.write(folder)
