"""Small nets for tests of model files: one with weights that are hard to keep,
one with a layer of every kind that FCNs have."""

from importlib.util import find_spec

import numpy as np
import pytest

import caffe
from caffe import layers as L
from caffe import params as P

TABLES = ['pth', 'npz']  # formats that are installed
if find_spec('safetensors'):
    TABLES.append('safetensors')
SUFFIXES = ['caffemodel', 'caffemodel.h5', *TABLES]
ALL = [  # the same for parametrize, which tells what is not
    *SUFFIXES[:4],
    pytest.param(
        'safetensors',
        marks=pytest.mark.skipif(
            'safetensors' not in TABLES, reason='needs safetensors'
        ),
    ),
]

AWKWARD = np.array(  # -0, subnormals, the largest, neighbours of one
    [-0.0, 1e-45, -1e-38, 3.4028235e38, 1.0000001, 0.99999994, 1 / 3], 'f4'
)


def small_param(outputs=4):
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 9, 7]))
    n.conv1 = L.Convolution(n.data, num_output=outputs, kernel_size=[3, 2])
    n.scale1 = L.Scale(n.conv1, bias_term=True)
    n.score = L.Convolution(
        n.scale1, num_output=5, kernel_size=1, bias_term=False
    )
    return n.to_proto()


def small_net(seed=0):
    """conv1 (weight, bias), scale1 (weight, bias), score (weight)."""
    net = caffe.Net(small_param(), caffe.TEST)
    rng = np.random.default_rng(seed)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = rng.standard_normal(blob.shape)
    net.params['conv1'][0].data.flat[: len(AWKWARD)] = AWKWARD
    return net


def arrays(net):
    """Copies of all parameters: {layer: {index: array}}"""
    return {
        name: {i: blob.data.copy() for i, blob in enumerate(blobs)}
        for name, blobs in net.params.items()
    }


def same(one, other):
    """Are these {layer: {index: array}} equal to the bit?"""
    if {k: list(v) for k, v in one.items()} != {
        k: list(v) for k, v in other.items()
    }:
        return False
    return all(
        a.dtype == other[layer][i].dtype
        and a.shape == other[layer][i].shape
        and a.tobytes() == other[layer][i].tobytes()
        for layer, blobs in one.items()
        for i, a in blobs.items()
    )


def little():
    """N x 3 x H x W -> N x 5 x H x W, with random weights."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 20, 24]))
    filler = dict(weight_filler=dict(type='msra'))
    filler.update(bias_filler=dict(type='constant', value=0.1))
    n.conv1 = L.Convolution(
        n.data, num_output=8, kernel_size=3, pad=9, **filler
    )
    n.relu1 = L.ReLU(n.conv1, in_place=True)
    n.pool1 = L.Pooling(n.relu1, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    n.norm1 = L.LRN(n.pool1, local_size=3)
    n.fc6 = L.Convolution(n.norm1, num_output=16, kernel_size=5, **filler)
    n.drop6 = L.Dropout(n.fc6, dropout_ratio=0.25, in_place=True)
    n.score_fr = L.Convolution(n.drop6, num_output=5, kernel_size=1, **filler)
    n.scaled = L.Scale(n.pool1, filler=dict(type='constant', value=0.5))
    n.score_pool = L.Convolution(
        n.scaled, num_output=5, kernel_size=5, **filler
    )
    n.fuse = L.Eltwise(n.score_fr, n.score_pool)
    options = dict(num_output=5, kernel_size=4, stride=2, bias_term=False)
    n.upscore = L.Deconvolution(
        n.fuse, convolution_param=options, param=dict(lr_mult=0)
    )
    n.score = L.Crop(n.upscore, n.data, axis=2, offset=4)
    return n.to_proto()
