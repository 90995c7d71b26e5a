"""Slim Variants of the network directories, and what runs them on noise."""

from functools import cache

import numpy as np
from slim import NAMES

import caffe
import networks
import surgery
from ablations.studies import apply
from ablations.variant import Variant, copied
from nets import edits
from training.start import upsampling

__all__ = ['NAMES', 'edited', 'learner', 'slim', 'train_net']
CHANNELS = {'data': 3, 'color': 3, 'hha': 3}  # other tops have 1
SIZE = 33, 41  # padding=fc6 leaves FCN-AlexNet nothing of less than 29


def slim(name):
    return read(name).copy()


@cache
def read(name):
    variant = Variant.read(networks.ROOT / name)
    for net in variant.nets.values():
        edits.slim(net, 16 if 'alexnet' in name else 64)
    return variant


def edited(name, **values):
    """A slim network with edits; _ stands for - in their names."""
    wanted = {edit.replace('_', '-'): value for edit, value in values.items()}
    return apply(slim(name), wanted)


def train_net(variant):
    """The NetParameter for training, fed by hand."""
    net = copied(variant.train)
    tops = net.layer[0].top
    shapes = {top: (1, CHANNELS.get(top, 1), *SIZE) for top in tops}
    return edits.with_inputs(net, shapes)


def learner(variant, rate=1e-5):
    """A solver of random images whose weights are random, too; interpolation
    and scales are as at the start of a run."""
    param = copied(variant.solver)
    for field in ('train_net', 'test_net', 'test_iter', 'test_interval'):
        param.ClearField(field)
    param.train_net_param.CopyFrom(train_net(variant))
    param.base_lr, param.snapshot, param.display = rate, 0, 0
    solver = caffe.get_solver(param)
    rng = np.random.default_rng(2)
    for top in solver.net.inputs:
        blob = solver.net.blobs[top]
        few = rng.integers(0, 3, blob.shape)
        many = 60 * rng.standard_normal(blob.shape)
        blob.data[...] = many if top in CHANNELS else few
    for layer in solver.net.param.layer:
        if layer.type == 'Convolution':
            weight = solver.net.params[layer.name][0]
            size = np.sqrt(2 / np.prod(weight.shape[1:]))
            weight.data[...] = size * rng.standard_normal(weight.shape)
    surgery.interp(solver.net, upsampling(solver.net))
    return solver
