"""Im2col, over any number of axes."""

import oracles
import oracles_more
import pytest
import torch
from check_op import check_op, make_op, random_arrays, tensors

SHAPE = (2, 3, 7, 5)


@pytest.mark.parametrize(
    'text, geometry',
    [
        ('kernel_size: 3', ((3, 3), (1, 1), (0, 0), (1, 1))),
        ('kernel_size: 3 pad: 1 stride: 2', ((3, 3), (2, 2), (1, 1), (1, 1))),
        (
            'kernel_h: 2 kernel_w: 3 stride_h: 3 stride_w: 1 pad_h: 0 pad_w: 2',
            ((2, 3), (3, 1), (0, 2), (1, 1)),
        ),
        (
            'kernel_size: 2 dilation: 3 dilation: 2 pad: 1',
            ((2, 2), (1, 1), (1, 1), (3, 2)),
        ),
    ],
)
def test_im2col_is_what_the_loops_say(text, geometry):
    check_op(
        'Im2col',
        f'convolution_param {{ {text} }}',
        [SHAPE],
        lambda x: oracles_more.im2col(x, *geometry),
        keeps_format=False,
    )


@pytest.mark.parametrize(
    'shape, axis, kernel',
    [
        ((2, 3, 5), 1, (2,)),
        ((2, 4, 3, 5), 2, (3,)),
        ((2, 3, 4, 5, 3), 1, (2, 3, 2)),
    ],
)
def test_im2col_takes_any_number_of_axes(shape, axis, kernel):
    ones = (1,) * len(kernel)
    sizes = ' '.join(f'kernel_size: {k}' for k in kernel)
    check_op(
        'Im2col',
        f'convolution_param {{ axis: {axis - len(shape)} {sizes} pad: 1 '
        'force_nd_im2col: true }',
        [shape],
        lambda x: oracles_more.im2col(x, kernel, ones, ones, ones, axis),
        keeps_format=False,
    )


def test_a_kernel_that_hangs_over_by_less_than_a_stride_reads_zeros():
    check_op(
        'Im2col',
        'convolution_param { kernel_size: 6 stride: 2 }',
        [SHAPE],
        lambda x: oracles_more.im2col(x, (6, 6), (2, 2), (0, 0), (1, 1)),
        keeps_format=False,
    )


def test_a_matrix_times_im2col_is_a_convolution():
    x, weight = random_arrays([SHAPE, (4, 3, 3, 3)])
    op = make_op('Im2col', 'convolution_param { kernel_size: 3 }', [SHAPE])
    (columns,) = op.forward(tensors([x]), [])
    flat = torch.from_numpy(weight).flatten(1)
    want = oracles.conv(x, weight, None, (1, 1), (0, 0), (1, 1), 1)
    torch.testing.assert_close(
        torch.einsum('ok,nkrs->nors', flat, columns), torch.from_numpy(want)
    )


@pytest.mark.parametrize(
    'text, message',
    [
        ('', r'kernel_size must be specified once.* \(kernel_size specified 0'),
        ('kernel_size: 0', 'Kernel dimensions must be nonzero'),
        ('kernel_size: 2 stride: 0', 'Stride dimensions must be nonzero'),
        ('kernel_size: 2 kernel_h: 2', 'Either kernel_size or kernel_h/w'),
    ],
)
def test_parameters_are_checked_as_a_convolutions(text, message):
    with pytest.raises(RuntimeError, match=message):
        make_op('Im2col', f'convolution_param {{ {text} }}', [SHAPE])


def test_shapes_that_do_not_fit_are_refused():
    op = make_op('Im2col', 'convolution_param { kernel_size: 6 }', [SHAPE])
    with pytest.raises(RuntimeError, match='does not fit into 2 3 7 4'):
        op.top_shapes([(2, 3, 7, 4)])
    with pytest.raises(RuntimeError, match=r'may not change\. \(4 vs\. 3'):
        op.top_shapes([(2, 3, 7)])
