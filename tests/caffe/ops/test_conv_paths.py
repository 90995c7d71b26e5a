"""Every way to compute a convolution gives the numbers of torch's conv2d (held
against loops in test_convolution.py), and each layer goes the way it should."""

import numpy as np
import pytest
import torch
from check_op import differentiate, make_op, random_arrays
from torch.nn import functional as F

from caffe.ops import conv_paths

LAYOUTS = {'NCHW': torch.contiguous_format, 'NHWC': torch.channels_last}
SHAPE = (2, 3, 6, 5)


def convolution(shape, **fields):
    text = ' '.join(f'{name}: {value}' for name, value in fields.items())
    return make_op('Convolution', f'convolution_param {{ {text} }}', [shape])


def way(shape, kind='Convolution', **fields):
    """How a layer of these fields goes with a bottom of this shape."""
    text = ' '.join(f'{name}: {value}' for name, value in fields.items())
    op = make_op(kind, f'convolution_param {{ {text} }}', [shape])
    return conv_paths.way(op, torch.empty(shape), None)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('images', [1, 2])
@pytest.mark.parametrize('how', ['direct', 'channels last', 'matrix'])
@pytest.mark.parametrize(
    'fields',
    [
        dict(num_output=4, kernel_size=1),
        dict(num_output=4, kernel_size=1, pad=1),
        dict(num_output=4, kernel_size=1, stride=2),
        dict(num_output=50, kernel_size=3),
        dict(num_output=7, kernel_h=3, kernel_w=2, stride_h=2, stride_w=1,
             pad_h=0, pad_w=2),
        dict(num_output=2, kernel_size=3, pad=1, bias_term='false'),
    ],
    ids=str,
)  # fmt: skip
def test_every_way_is_what_torch_says(how, fields, images, layout, monkeypatch):
    monkeypatch.setattr(conv_paths, 'way', lambda *args: how)
    compare((images, *SHAPE[1:]), fields, layout, [0])


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('images', [1, 2])
@pytest.mark.parametrize('bias', ['true', 'false'])
def test_a_first_layer_with_a_wide_rim_is_what_torch_says(
    images, layout, bias, monkeypatch
):
    def unexpected(*args):
        raise AssertionError('goes another way')

    monkeypatch.setattr(conv_paths, 'way', lambda *args: 'channels last')
    monkeypatch.setattr(
        torch.ops.aten, 'convolution_backward', unexpected, raising=False
    )
    for fields in (
        dict(num_output=4, kernel_size=3, pad=3),
        dict(num_output=4, kernel_size=3, pad=7),
        dict(num_output=2, kernel_h=3, kernel_w=2, pad_h=4, pad_w=5),
    ):
        fields['bias_term'] = bias
        compare((images, 3, 4, 6), fields, layout, [])


def compare(shape, fields, layout, learn):
    """Holds one layer against torch. Takes: learn: which bottoms to
    differentiate"""
    op = convolution(shape, **fields)
    values = [
        torch.from_numpy(array)
        for array in random_arrays([shape, *(b.shape for b in op.blobs)])
    ]
    x, *params = values
    leaves = [value.clone().requires_grad_() for value in values]
    expected = F.conv2d(*leaves, stride=op.stride, padding=op.pad)
    dy = torch.from_numpy(random_arrays([expected.shape], 5)[0])
    wanted = torch.autograd.grad(expected, leaves, dy)
    laid = [t.contiguous(memory_format=LAYOUTS[layout]) for t in (x, dy)]
    (top,), to_bottoms, to_params = differentiate(
        op, laid[:1], params, laid[1:], learn
    )
    near(top, expected)
    assert (to_bottoms[0] is None) == (not learn)
    for ours, theirs in zip([*to_bottoms, *to_params], wanted):
        if ours is not None:
            near(ours, theirs)
    assert len(to_params) == len(params)


def near(ours, theirs):
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs.detach(), 1e-9, 1e-9)


def test_no_gradient_is_computed_that_nobody_needs(monkeypatch):
    for how in ('direct', 'channels last', 'matrix'):
        monkeypatch.setattr(conv_paths, 'way', lambda *args, how=how: how)
        op = convolution(SHAPE, num_output=4, kernel_size=3, pad=1)
        x, dy = torch.randn(SHAPE), torch.randn(2, 4, 6, 5)
        params = [torch.randn(blob.shape) for blob in op.blobs]
        for need in ((True, False, False), (False, True, False)):
            (dx,), (dw, db) = op.backward(
                [dy], [], [x], params, [need[0]], list(need[1:])
            )
            found = [g is not None for g in (dx, dw, db)]
            assert found == list(need), how


# which way --------------------------------------------------------------------


def test_fully_connected_layers_go_by_matrix_product():
    assert way((1, 512, 12, 10), num_output=4096, kernel_size=7) == 'matrix'
    assert way((1, 64, 40, 30), num_output=21, kernel_size=1) == 'matrix'
    assert way((1, 64, 40, 30), num_output=21, kernel_size=1, stride=2) != (
        'matrix'
    )


def test_shallow_layers_go_channels_last():
    shallow = dict(num_output=64, kernel_size=3, pad=1)
    assert way((1, 64, 100, 120), **shallow) == 'channels last'
    assert way((1, 512, 30, 40), **shallow) == 'direct', 'deep ones do not'


def test_what_is_special_goes_directly():
    shape, usual = (1, 64, 100, 120), dict(num_output=64, kernel_size=3)
    assert way(shape, **usual) == 'channels last'
    assert way(shape, **usual, group=2) == 'direct'
    assert way(shape, **usual, dilation=2) == 'direct'
    assert way(shape, 'Deconvolution', **usual) == 'direct'
    assert way((1, 64, 100, 9, 8), **usual) == 'direct', '3 spatial axes'


@pytest.mark.gpu
def test_a_gpu_goes_directly():
    op = convolution((1, 3, 9, 8), num_output=64, kernel_size=1)
    assert conv_paths.way(op, torch.empty(1, 3, 9, 8).cuda(), None) == 'direct'
