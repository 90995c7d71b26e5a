"""Nets from a few lines of prototxt, for tests of the engine."""

import numpy as np

import caffe
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text

# pycaffe's own test net: conv without a spatial twin, all sizes different
TINY = """
name: 'tiny'
force_backward: true
layer { name: 'data' type: 'DummyData' top: 'data' top: 'label'
  dummy_data_param {
    shape { dim: 5 dim: 2 dim: 3 dim: 4 } shape { dim: 5 dim: 1 dim: 1 dim: 1 }
    data_filler { type: 'gaussian' std: 1 } data_filler { type: 'constant' } } }
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
  convolution_param { num_output: 11 kernel_size: 2 pad: 3
    weight_filler { type: 'gaussian' std: 1 }
    bias_filler { type: 'constant' value: 2 } }
  param { decay_mult: 1 } param { decay_mult: 0 } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'conv' top: 'ip_blob'
  inner_product_param { num_output: 13
    weight_filler { type: 'gaussian' std: 2.5 }
    bias_filler { type: 'constant' value: -3 } } }
layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip_blob' bottom: 'label'
  top: 'loss' }
"""
SHAPE = (2, 3, 7, 5)
FORCED = 'force_backward: true'
GAUSSIAN = "weight_filler { type: 'gaussian' std: 1 }"


def parse(definition):
    return text.parse(definition, pb.NetParameter(), 'the test')


def net(*definition, phase=caffe.TRAIN, **more):
    """A caffe.Net. Takes: prototxt, in any number of pieces"""
    return caffe.Net(parse('\n'.join(definition)), phase, **more)


def layer(kind, name, bottom='', top='', rest=''):
    """One layer as prototxt. Takes: bottom, top: names with spaces between;
    top: without, the layer's name; None for no top"""
    tops = [] if top is None else (top or name).split()
    return ' '.join(
        [
            f"layer {{ type: '{kind}' name: '{name}'",
            *(f"bottom: '{b}'" for b in bottom.split()),
            *(f"top: '{t}'" for t in tops),
            rest,
            '}',
        ]
    )


def inputs(**shapes):
    """An Input layer for each blob. Takes: name = (dims)"""
    return '\n'.join(
        layer('Input', name, rest=f'input_param {{ {dims(shape)} }}')
        for name, shape in shapes.items()
    )


def dims(shape):
    return f'shape {{ {" ".join(f"dim: {n}" for n in shape)} }}'


def conv(name, bottom, outputs, kernel, rest=''):
    return layer(
        'Convolution',
        name,
        bottom,
        rest=f'convolution_param {{ num_output: {outputs} '
        f'kernel_size: {kernel} {GAUSSIAN} }} {rest}',
    )


def ip(name, bottom, outputs, rest='', more=''):
    return layer(
        'InnerProduct',
        name,
        bottom,
        rest=f'inner_product_param {{ num_output: {outputs} {GAUSSIAN} {more} '
        f'}} {rest}',
    )


def python(name, kind, bottom='', top='', more='', rest=''):
    """A Python layer of the module that the fixture `module` writes."""
    return layer(
        'Python',
        name,
        bottom,
        top,
        f"python_param {{ module: 'written_layers' layer: '{kind}' {more} }} "
        + rest,
    )


def fill(built, seed=3):
    rng = np.random.default_rng(seed)
    for name in built.inputs:
        blob = built.blobs[name]
        blob.data[...] = rng.standard_normal(blob.shape)


def results(built):
    """Everything a pass leaves behind."""
    found = {}
    for name, blob in built.blobs.items():
        found[name], found['diff ' + name] = blob.data.copy(), blob.diff.copy()
    for item in built.learnable:
        found['grad ' + item.name] = item.blob.diff.copy()
    return found


def run(built, seed_diff=True):
    """Forward and backward, from a diff of its own at each output."""
    built.clear_param_diffs()
    built.forward()
    rng = np.random.default_rng(4)
    for name in built.outputs if seed_diff else []:
        blob = built.blobs[name]
        blob.diff[...] = rng.standard_normal(blob.shape)
    built.backward()
    return results(built)


def two(a=4, b=5, **more):
    """Two InnerProduct layers `a` and `b` of 3 inputs."""
    return net(inputs(x=(2, 3)), ip('a', 'x', a), ip('b', 'x', b), **more)


def params(built):
    return {
        (name, i): blob.data.copy()
        for name, blobs in built.params.items()
        for i, blob in enumerate(blobs)
    }


def assert_equal(ours, theirs):
    assert list(ours) == list(theirs)
    for key in ours:
        np.testing.assert_array_equal(ours[key], theirs[key], str(key))
