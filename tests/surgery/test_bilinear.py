"""Kernels that interpolate."""

from types import SimpleNamespace

import numpy as np
import pytest

from surgery import interp, upsample_filt


def net(*shape):
    weight = np.full(shape, 7, np.float32)
    return SimpleNamespace(params={'up': [SimpleNamespace(data=weight)]})


def kernel_by_loops(size):
    """Each tap: how near it is to the centre, in steps of the new grid."""
    factor = (size + 1) // 2
    centre = (size - 1) / 2
    if size % 2 == 1:
        assert centre == factor - 1
    taps = [1 - abs(i - centre) / factor for i in range(size)]
    return [[up * across for across in taps] for up in taps]


@pytest.mark.parametrize('size', [1, 3, 4, 16, 32, 63, 64])
def test_the_kernel_is_bilinear(size):
    np.testing.assert_allclose(upsample_filt(size), kernel_by_loops(size))


def test_the_smallest_kernels_are_known():
    row = np.array([1, 3, 3, 1]) / 4
    np.testing.assert_array_equal(upsample_filt(4), np.outer(row, row))
    row = np.array([1, 2, 1]) / 2
    np.testing.assert_array_equal(upsample_filt(3), np.outer(row, row))


@pytest.mark.parametrize('factor', [2, 8, 16, 32])
def test_a_flat_image_stays_flat(factor):
    taps = upsample_filt(2 * factor)
    overlapping = taps.reshape(2, factor, 2, factor).sum((0, 2))
    np.testing.assert_allclose(overlapping, 1)


def test_interp_sets_each_channel_for_itself_only():
    made = net(5, 5, 4, 4)
    interp(made, ['up'])
    weight = made.params['up'][0].data
    for i in range(5):
        for j in range(5):
            expected = upsample_filt(4) if i == j else 7
            np.testing.assert_array_equal(
                weight[i, j], np.broadcast_to(expected, (4, 4))
            )


def test_interp_fills_grouped_kernels():
    made = net(5, 1, 3, 3)
    interp(made, ['up'])
    for kernel in made.params['up'][0].data[:, 0]:
        np.testing.assert_array_equal(kernel, upsample_filt(3))


@pytest.mark.parametrize(
    ('shape', 'said'),
    [
        ((5, 3, 4, 4), 'up: .* turns 5 into 3'),
        ((1, 3, 4, 4), 'up: .* turns 1 into 3'),
        ((5, 5, 4, 6), 'up: .* square kernel; this one is 4 x 6'),
        ((5, 7), 'up: 5 x 7 is no kernel'),
    ],
)
def test_interp_refuses_by_name(shape, said):
    made = net(*shape)
    with pytest.raises(ValueError, match=said):
        interp(made, ['up'])
    assert made.params['up'][0].data.min() == 7


def test_interp_names_a_layer_the_net_lacks():
    with pytest.raises(ValueError, match='upscore: the net has no parameters'):
        interp(net(1, 1, 4, 4), ['upscore'])
