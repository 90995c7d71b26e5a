import math

import numpy as np
import oracles
import pytest
import torch
from check_op import TEST, check_op, make_op, random_arrays, tensors

import caffe.device

SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize(
    'text, slope',
    [
        ('', 0.0),
        ('relu_param { negative_slope: 0.1 }', 0.1),
        ('relu_param { negative_slope: -0.5 engine: CAFFE }', -0.5),
    ],
)
def test_relu_is_what_the_loops_say(text, slope):
    slope = float(np.float32(slope))
    check_op(
        'ReLU',
        text,
        [SHAPE],
        lambda x: oracles.each(lambda v: max(v, 0) + slope * min(v, 0), x),
    )


@pytest.mark.parametrize('text', ['', 'relu_param { negative_slope: 0.1 }'])
def test_relu_in_place_overwrites_only_if_the_net_allows_it(text):
    op = make_op('ReLU', text, [SHAPE], in_place=True)
    x, dy = tensors(random_arrays([SHAPE, SHAPE]))
    before = x.clone()
    (y,) = op.forward([x], [])
    assert torch.equal(x, before) and y.data_ptr() != x.data_ptr()
    op.overwrite = True
    (z,) = op.forward([x], [])
    assert z.data_ptr() == x.data_ptr() and torch.equal(y, z)
    (dx,), _ = op.backward([dy.clone()], [z], [z], [], [True], [])
    want = torch.where(before > 0, dy, dy * op.slope)
    torch.testing.assert_close(dx, want)


def test_relu_in_place_reuses_its_tops_diff_and_else_leaves_it_alone():
    x, dy = tensors(random_arrays([SHAPE, SHAPE]))
    for in_place in (False, True):
        op = make_op('ReLU', '', [SHAPE], in_place=in_place)
        given = dy.clone()
        (dx,), _ = op.backward([given], [x.relu()], [x], [], [True], [])
        assert torch.equal(dx, dy * (x > 0))
        assert (dx.data_ptr() == given.data_ptr()) == in_place
        assert in_place or torch.equal(given, dy)


def test_the_gradient_at_zero_is_that_of_the_negative_side():
    op = make_op('ReLU', 'relu_param { negative_slope: 0.25 }', [(3,)])
    x = torch.tensor([-1.0, 0.0, 1.0])
    (dx,), _ = op.backward([torch.ones(3)], [x], [x], [], [True], [])
    assert dx.tolist() == [0.25, 0.25, 1.0]


def test_sigmoid_and_tanh_are_what_the_loops_say():
    check_op(
        'Sigmoid',
        'sigmoid_param { engine: CAFFE }',
        [SHAPE],
        lambda x: oracles.each(lambda v: 1 / (1 + math.exp(-v)), x),
    )
    check_op('TanH', '', [SHAPE], lambda x: oracles.each(math.tanh, x))


@pytest.mark.parametrize(
    'power, scale, shift',
    [
        (1, 1, 0),
        (1, -2, 3),
        (2, 0.5, 1.5),
        (3, 0.5, 1.5),
        (-1, 0.25, 2),
        (0.5, 0.25, 4),
        (2, 1, 0),
    ],
)
def test_power_is_what_the_loops_say(power, scale, shift):
    x = np.abs(random_arrays([SHAPE])[0]) + 0.1  # a positive base
    check_op(
        'Power',
        f'power_param {{ power: {power} scale: {scale} shift: {shift} }}',
        [SHAPE],
        inputs={0: x},
        learn=[0],
        oracle=lambda x: oracles.each(
            lambda v: (shift + scale * v) ** power, x
        ),
    )


@pytest.mark.parametrize(
    'text, value',
    [
        ('power: 0', 1),
        ('power: 0 scale: 3 shift: 7', 1),
        ('power: 2 scale: 0 shift: 3', 9),
        ('scale: 0 shift: -3', -3),
    ],
)
def test_a_constant_power_passes_no_gradient(text, value):
    check_op(
        'Power',
        f'power_param {{ {text} }}',
        [SHAPE],
        lambda x: np.full(x.shape, float(value)),
    )


def test_power_differentiates_zero_as_caffe_does():
    op = make_op('Power', 'power_param { power: 3 }', [(2,)])
    x = torch.tensor([0.0, 2.0], requires_grad=True)
    op.forward([x], [])[0].sum().backward()
    assert x.grad[0].isnan() and x.grad[1] == 12, '0 * 0 ^ 3 / 0 is NaN'


def test_dropout_in_test_phase_copies():
    op = check_op('Dropout', '', [SHAPE], lambda x: x, phase=TEST)
    x = torch.ones(SHAPE)
    assert op.forward([x], [])[0].data_ptr() != x.data_ptr()
    op = make_op('Dropout', '', [SHAPE], phase=TEST, in_place=True)
    assert op.forward([x], [])[0] is x, 'nothing to compute in place'


@pytest.mark.parametrize('ratio', [0.5, 0.2])
def test_dropout_drops_its_share_and_scales_the_rest(ratio):
    caffe.device.set_random_seed(1337)
    op = make_op(
        'Dropout',
        f'dropout_param {{ dropout_ratio: {ratio} }}',
        [(50, 40, 3, 7)],
    )
    x = (
        torch.rand(50, 40, 3, 7)
        .add_(1)
        .contiguous(memory_format=torch.channels_last)
    )
    (y,) = op.forward([x], [])
    gone = y == 0
    assert abs(gone.float().mean() - ratio) < 0.01
    torch.testing.assert_close(y[~gone], x[~gone] / (1 - ratio))
    assert y.is_contiguous(memory_format=torch.channels_last)
    (dx,), _ = op.backward([torch.ones_like(x)], [y], [x], [], [True], [])
    torch.testing.assert_close(dx, (~gone).float() / (1 - ratio))
    assert not torch.equal(y, op.forward([x], [])[0]), 'a mask for each pass'


def test_dropout_repeats_itself_for_a_seed():
    x, masks = torch.ones(6, 35), []
    for _ in range(2):
        caffe.device.set_random_seed(7)
        masks.append(make_op('Dropout', '', [x.shape]).forward([x], [])[0])
    assert torch.equal(*masks)


@pytest.mark.parametrize('ratio', [0, 1, 1.5, -0.1])
def test_dropout_refuses_a_ratio_that_is_none(ratio):
    with pytest.raises(RuntimeError, match='dropout_ratio must be above 0'):
        make_op(
            'Dropout', f'dropout_param {{ dropout_ratio: {ratio} }}', [SHAPE]
        )
