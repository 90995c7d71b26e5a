"""Convolution and Deconvolution beside loops; their sizes, shapes, refusals."""

import numpy as np
import oracles
import pytest
from check_op import check_op

SHAPE = (2, 4, 5, 3)


def window(kernel, stride=1, pad=0, dilation=1, group=1):
    """The parameters as prototxt text, and as the loops take them."""
    pairs = [
        (side, side) if isinstance(side, int) else side
        for side in (kernel, stride, pad, dilation)
    ]
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pairs
    text = (
        f'kernel_h: {kh} kernel_w: {kw} stride_h: {sh} stride_w: {sw} '
        f'pad_h: {ph} pad_w: {pw} dilation: {dh} dilation: {dw} '
        f'group: {group} '
    )
    return text, (*pairs[1:], group)


@pytest.mark.parametrize('kind', ['Convolution', 'Deconvolution'])
@pytest.mark.parametrize(
    'options',
    [
        dict(kernel=1),
        dict(kernel=3, pad=1),
        dict(kernel=(3, 2), stride=(2, 1), pad=(1, 0)),
        dict(kernel=2, dilation=2, pad=1),
        dict(kernel=3, stride=2, pad=1, group=2),
        dict(kernel=(5, 3)),
        dict(kernel=4, stride=3, pad=4),
    ],
    ids=str,
)
@pytest.mark.parametrize('outputs', [2, 6])
def test_both_are_what_the_loops_say(kind, options, outputs):
    text, rest = window(**options)
    loops = oracles.conv if kind == 'Convolution' else oracles.deconv
    check_op(
        kind,
        f'convolution_param {{ num_output: {outputs} {text} }}',
        [SHAPE],
        lambda x, w, b: loops(x, w, b, *rest),
        keeps_format=False,
    )


def test_a_kernel_that_overhangs_by_less_than_a_stride_reads_zeros():
    text, rest = window(kernel=3, stride=2)
    check_op(
        'Convolution',
        f'convolution_param {{ num_output: 5 {text} bias_term: false }}',
        [(2, 3, 2, 4)],
        lambda x, w: oracles.conv(x, w, None, *rest),
        keeps_format=False,
    )


def test_several_bottoms_share_the_weights():
    text, rest = window(kernel=3, pad=1)
    check_op(
        'Convolution',
        f'convolution_param {{ num_output: 2 {text} }}',
        [SHAPE, SHAPE],
        lambda x, z, w, b: [
            oracles.conv(x, w, b, *rest),
            oracles.conv(z, w, b, *rest),
        ],
        tops=2,
        keeps_format=False,
    )


# any number of spatial axes ---------------------------------------------------


def any_conv(x, weight, bias, stride, pad, dilation, group):
    """Takes: x: N x C x any spatial axes; the rest one number for all"""
    outputs, per_group, *kernel = weight.shape
    sizes = [
        int((i + 2 * pad - dilation * (k - 1) - 1) / stride) + 1
        for i, k in zip(x.shape[2:], kernel)
    ]
    y = np.zeros((len(x), outputs, *sizes))
    for i, o, *at in np.ndindex(y.shape):
        first = o // (outputs // group) * per_group
        for j, *tap in np.ndindex(per_group, *kernel):
            place = [a * stride - pad + t * dilation for a, t in zip(at, tap)]
            if all(0 <= p < size for p, size in zip(place, x.shape[2:])):
                source = x[(i, first + j, *place)]
                y[(i, o, *at)] += weight[(o, j, *tap)] * source
        y[(i, o, *at)] += bias[o]
    return y


def any_deconv(x, weight, bias, stride, pad, dilation, group):
    channels, per_group, *kernel = weight.shape
    sizes = [
        stride * (i - 1) + dilation * (k - 1) + 1 - 2 * pad
        for i, k in zip(x.shape[2:], kernel)
    ]
    y = np.zeros((len(x), per_group * group, *sizes))
    for i, j, *at in np.ndindex(x.shape):
        first = j // (channels // group) * per_group
        for o, *tap in np.ndindex(per_group, *kernel):
            place = [a * stride - pad + t * dilation for a, t in zip(at, tap)]
            if all(0 <= p < size for p, size in zip(place, sizes)):
                term = weight[(j, o, *tap)] * x[(i, j, *at)]
                y[(i, first + o, *place)] += term
    return y + bias.reshape(-1, *[1] * len(sizes))


@pytest.mark.parametrize('kind', ['Convolution', 'Deconvolution'])
@pytest.mark.parametrize(
    'shape, axis, kernel, rest',
    [
        ((3, 4), 1, '', (1, 0, 1, 2)),
        ((3, 4, 9), 1, 'kernel_size: 3', (2, 1, 2, 1)),
        ((1, 4, 5, 3, 2), 1, 'kernel_size: [2, 3, 1]', (2, 1, 1, 2)),
        ((2, 1, 3, 5, 4), 2, 'kernel_size: [2, 3]', (1, 1, 1, 1)),
        ((2, 3, 4, 7), -2, 'kernel_size: 3', (2, 0, 1, 2)),
        ((4, 5, 6), 0, 'kernel_size: [3, 2]', (1, 1, 1, 2)),
        ((2, 3, 4), -1, '', (1, 0, 1, 1)),
    ],
    ids=str,
)
def test_any_axis_and_number_of_spatial_axes(kind, shape, axis, kernel, rest):
    stride, pad, dilation, group = rest
    loops = any_conv if kind == 'Convolution' else any_deconv
    channel = axis % len(shape)

    def oracle(x, w, b):
        y = loops(x.reshape(-1, *shape[channel:]), w, b, *rest)
        return y.reshape(*shape[:channel], *y.shape[1:])

    fields = (
        f'stride: {stride} pad: {pad} dilation: {dilation}' if kernel else ''
    )
    op = check_op(
        kind,
        f'convolution_param {{ num_output: 6 {kernel} axis: {axis} '
        f'group: {group} {fields if kernel else ""} }}',
        [shape],
        oracle,
        keeps_format=False,
    )
    channels = (6, shape[channel])
    if kind == 'Deconvolution':
        channels = channels[::-1]
    weight = op.blobs[0].shape
    assert weight[:2] == (channels[0], channels[1] // group)
    assert len(weight) == len(shape) - channel + 1
