"""A frozen, diagonal deconvolution runs channel by channel, unless it is not
diagonal (any more)."""

import numpy as np
import pytest
import torch
from net_text import net as net_of

import caffe

TEXT = """
layer { name: "x" type: "Input" top: "x"
  input_param { shape { dim: 1 dim: 3 dim: 4 dim: 5 } } }
layer { name: "up" type: "Deconvolution" bottom: "x" top: "y"
  param { lr_mult: %g }
  convolution_param { num_output: 3 kernel_size: 4 stride: 2
    bias_term: false weight_filler { type: "constant" } } }
"""


def built(lr_mult=0):
    net = net_of(TEXT % lr_mult, phase=caffe.TEST)
    net.blobs['x'].data[...] = np.random.default_rng(0).normal(
        size=(1, 3, 4, 5)
    )
    return net


def agrees(net):
    """Whether the net's output is that of the whole weight."""
    y = net.forward()['y']
    x, weight = net.blobs['x'].tensor, net.params['up'][0].tensor
    expected = torch.conv_transpose2d(x, weight, None, 2)
    np.testing.assert_allclose(y, expected.numpy(), rtol=0, atol=1e-5)


def depthwise(net):
    return net.layer_dict['up'].op.own is not None


def test_a_diagonal_weight_runs_depthwise():
    net = built()
    for i in range(3):
        net.params['up'][0].data[i, i] = np.arange(16).reshape(4, 4) + i
    agrees(net)
    assert depthwise(net)


@pytest.mark.parametrize('hold', [True, False])
def test_a_later_write_from_numpy_is_seen(hold):
    net = built()
    view = net.params['up'][0].data
    view[1, 1] = 2.0
    agrees(net)
    if hold:  # the very view that was handed out before
        view[0, 2] = 5.0
    else:
        del view
        net.params['up'][0].data[0, 2] = 5.0
    agrees(net)
    assert not depthwise(net)


def test_a_later_write_from_torch_or_a_file_is_seen(tmp_path):
    net, other = built(), built()
    net.params['up'][0].tensor[1, 1] = 2.0
    agrees(net)
    net.params['up'][0].tensor[0, 2] = 5.0
    agrees(net)
    other.params['up'][0].tensor[2, 1] = 7.0
    other.save(str(tmp_path / 'other.caffemodel'))
    net.params['up'][0].tensor.zero_()
    agrees(net)
    assert depthwise(net)
    net.copy_from(str(tmp_path / 'other.caffemodel'))
    agrees(net)
    assert not depthwise(net)


def test_a_shared_weight_is_looked_at_again():
    net, other = built(), built()
    agrees(net)
    other.params['up'][0].tensor[2, 1] = 7.0
    net.share_with(other)
    agrees(net)
    assert not depthwise(net)


def test_a_learned_deconvolution_never_runs_depthwise():
    net = built(lr_mult=1)
    agrees(net)
    assert not depthwise(net)


def test_the_bottom_diff_is_that_of_the_whole_weight():
    text = 'force_backward: false ' + TEXT % 0
    text = text.replace('name: "up"', 'name: "up" propagate_down: true')
    text = text.replace(
        'layer { name: "up"',
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
        'convolution_param { num_output: 3 kernel_size: 1 } } '
        'layer { name: "up"',
    ).replace('bottom: "x" top: "y"', 'bottom: "c" top: "y" loss_weight: 1')
    net = net_of(text)
    for i in range(3):
        net.params['up'][0].data[i, i] = np.arange(16).reshape(4, 4) + i
    net.forward()
    net.backward()
    weight = net.params['up'][0].tensor
    ones = torch.ones(net.blobs['y'].shape)
    expected = torch.conv2d(ones, weight, None, 2)
    assert depthwise(net)
    np.testing.assert_allclose(net.blobs['c'].diff, expected.numpy(), rtol=1e-5)
