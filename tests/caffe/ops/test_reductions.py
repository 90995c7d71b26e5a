"""Reduction and MVN."""

import numpy as np
import oracles_more
import pytest
import torch
from check_op import check_op, differentiate, make_op, random_arrays, tensors

SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize('operation', ['SUM', 'ASUM', 'SUMSQ', 'MEAN'])
@pytest.mark.parametrize('axis, coeff', [(0, 1), (2, -2.5), (-1, 0.5)])
def test_reductions_are_what_the_loops_say(operation, axis, coeff):
    check_op(
        'Reduction',
        f'reduction_param {{ operation: {operation} axis: {axis} '
        f'coeff: {coeff} }}',
        [SHAPE],
        lambda x: oracles_more.reduction(x, operation, axis % 4, coeff),
    )


def test_by_default_everything_is_summed():
    check_op('Reduction', '', [SHAPE], np.sum)


def test_a_sum_of_magnitudes_is_flat_at_zero():
    op = make_op('Reduction', 'reduction_param { operation: ASUM }', [(3,)])
    x = torch.tensor([-2.0, 0.0, 3.0])
    (dx,), _ = op.backward([torch.tensor(1.0)], [], [x], [], [True], [])
    assert dx.tolist() == [-1, 0, 1]


def test_a_reduction_over_an_axis_that_is_none_is_refused():
    with pytest.raises(
        RuntimeError, match=r'axis 4 out of range for 4-D Blob with shape 2 3'
    ):
        make_op('Reduction', 'reduction_param { axis: 4 }', [SHAPE])


@pytest.mark.parametrize('across', [False, True])
@pytest.mark.parametrize('divide', [False, True])
@pytest.mark.parametrize('shape', [SHAPE, (3, 2, 5)])
def test_mvn_is_what_the_loops_say(across, divide, shape):
    check_op(
        'MVN',
        f'mvn_param {{ across_channels: {str(across).lower()} '
        f'normalize_variance: {str(divide).lower()} }}',
        [shape],
        lambda x: oracles_more.mvn(x, 1e-9, across, divide),
    )


def test_mvn_normalizes_each_channel_by_its_biased_deviation():
    (x,) = random_arrays([SHAPE])
    op = check_op('MVN', '', [SHAPE], lambda x: oracles_more.mvn(x, 1e-9))
    y = op.forward(tensors([x]), [])[0].numpy()
    np.testing.assert_allclose(y.var((2, 3)), np.ones((2, 3)))


def test_mvn_adds_eps_to_the_deviation_and_differentiates_as_caffe_does():
    eps = 0.25
    op = make_op('MVN', f'mvn_param {{ eps: {eps} }}', [SHAPE])
    x, dy = random_arrays([SHAPE, SHAPE])
    (y,), (dx,), _ = differentiate(op, tensors([x]), [], tensors([dy]), [0])
    np.testing.assert_allclose(y.detach(), oracles_more.mvn(x, eps))
    np.testing.assert_allclose(dx, oracles_more.mvn_gradient(x, dy, eps))


def test_mvn_of_equal_values_is_zero_with_a_finite_gradient():
    op = make_op('MVN', '', [(1, 1, 2, 2)])
    x = torch.full((1, 1, 2, 2), 3.0, requires_grad=True)
    (y,) = op.forward([x], [])
    (y * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert not y.any() and x.grad.isfinite().all()
    assert x.grad[0, 0, 0, 0] == pytest.approx(-1.5e9)


def test_mvn_takes_no_more_than_four_axes():
    with pytest.raises(RuntimeError, match='legacy accessors .* > 4 axes'):
        make_op('MVN', '', [(1,) * 5]).top_shapes([(1, 2, 3, 4, 5)])
