"""PReLU, ELU, AbsVal, Exp, Log, BNLL, Threshold, Clip, Swish."""

import math

import numpy as np
import oracles_more
import pytest
import torch
from check_op import check_op, make_op, random_arrays
from oracles import each

SHAPE = (2, 3, 4, 5)


def f32(value):
    return float(np.float32(value))


@pytest.mark.parametrize('shape', [SHAPE, (3, 2), (2, 4, 3)])
def test_prelu_has_a_slope_for_each_channel(shape):
    op = check_op('PReLU', '', [shape], oracles_more.prelu)
    assert [blob.shape for blob in op.blobs] == [shape[1:2]]


def test_prelu_may_share_one_slope():
    op = check_op(
        'PReLU',
        'prelu_param { channel_shared: true }',
        [SHAPE],
        oracles_more.prelu,
    )
    assert [blob.shape for blob in op.blobs] == [()]


@pytest.mark.parametrize(
    'text, value',
    [
        ('', 0.25),
        ('prelu_param { channel_shared: true }', 0.25),
        ('prelu_param { filler { value: 0.5 } }', 0.5),
        ('prelu_param { filler { } }', 0),
    ],
)
def test_prelu_slopes_start_at_a_quarter_unless_a_filler_is_given(text, value):
    (blob,) = make_op('PReLU', text, [SHAPE]).blobs
    assert (blob.data == value).all()


def test_prelu_at_zero_has_the_gradient_of_the_negative_side():
    op = make_op('PReLU', '', [(1, 1)])
    x = torch.zeros(1, 1, requires_grad=True)
    op.forward([x], [torch.tensor([0.25])])[0].sum().backward()
    assert x.grad.item() == 0.25


def test_prelu_refuses_too_few_axes_and_other_channels():
    with pytest.raises(
        RuntimeError,
        match=r'Number of axes of bottom blob must be >=2\. \(1: 3 \(3\)\)',
    ):
        make_op('PReLU', '', [(3,)])
    op = make_op('PReLU', '', [SHAPE])
    with pytest.raises(RuntimeError, match='slopes for 3 channels, not for'):
        op.top_shapes([(2, 4, 4, 5)])
    shared = make_op('PReLU', 'prelu_param { channel_shared: true }', [SHAPE])
    assert shared.top_shapes([(2, 4, 4, 5)]) == [(2, 4, 4, 5)]


@pytest.mark.parametrize('alpha', [1, 0.5])
def test_elu_is_what_the_loops_say(alpha):
    check_op(
        'ELU',
        '' if alpha == 1 else f'elu_param {{ alpha: {alpha} }}',
        [SHAPE],
        lambda x: each(lambda v: v if v > 0 else alpha * math.expm1(v), x),
    )


def test_absval_is_what_the_loops_say_and_flat_at_zero():
    op = check_op('AbsVal', '', [SHAPE], lambda x: each(abs, x))
    assert op.in_place == 'AbsVal Layer does not allow in-place computation.'
    x = torch.tensor([-2.0, 0.0, 3.0], requires_grad=True)
    op.forward([x], [])[0].sum().backward()
    assert x.grad.tolist() == [-1, 0, 1]


@pytest.mark.parametrize(
    'text, base, scale, shift',
    [
        ('', math.e, 1, 0),
        ('base: -1 shift: 0.5', math.e, 1, 0.5),
        ('base: 2', 2, 1, 0),
        ('base: 0.5 scale: -2 shift: 3', 0.5, -2, 3),
    ],
)
def test_exp_and_log_take_a_base_or_else_e(text, base, scale, shift):
    check_op(
        'Exp',
        f'exp_param {{ {text} }}',
        [SHAPE],
        lambda x: each(lambda v: base ** (shift + scale * v), x),
    )
    # an argument of the logarithm between 0.5 and 4
    x = np.abs(random_arrays([SHAPE])[0]) + 0.5
    x = (x - shift) / scale
    check_op(
        'Log',
        f'log_param {{ {text} }}',
        [SHAPE],
        lambda x: each(lambda v: math.log(shift + scale * v) / log(base), x),
        inputs={0: x},
        learn=[0],
    )


def log(base):
    return 1 if base == math.e else math.log(base)


@pytest.mark.parametrize('base', [0, -2, 'inf', 'nan'])
@pytest.mark.parametrize('kind', ['Exp', 'Log'])
def test_a_base_that_is_none_is_refused(kind, base):
    with pytest.raises(RuntimeError, match='base must be strictly positive'):
        make_op(kind, f'{kind.lower()}_param {{ base: {base} }}', [SHAPE])


def test_a_logarithm_to_base_one_is_refused():
    with pytest.raises(RuntimeError, match='base must not be 1'):
        make_op('Log', 'log_param { base: 1 }', [SHAPE])


def test_bnll_is_what_the_loops_say_also_far_out():
    def bnll(x):
        return each(lambda v: max(v, 0) + math.log1p(math.exp(-abs(v))), x)

    check_op('BNLL', '', [SHAPE], bnll)
    x = random_arrays([SHAPE])[0] * 60
    check_op('BNLL', '', [SHAPE], bnll, inputs={0: x}, learn=[0])


@pytest.mark.parametrize('threshold', [0, 0.5])
def test_threshold_is_one_only_above_it(threshold):
    x = np.concatenate([random_arrays([(3, 4)])[0], [[threshold] * 4]])
    text = f'threshold_param {{ threshold: {threshold} }}' if threshold else ''
    op = make_op('Threshold', text, [x.shape])
    (y,) = op.forward([torch.from_numpy(x)], [])
    assert y.dtype == torch.float64
    assert np.array_equal(y.numpy(), each(lambda v: v > threshold, x))
    with pytest.raises(RuntimeError, match='Not Implemented Yet'):
        op.backward()


def test_clip_is_what_the_loops_say_and_passes_gradients_at_its_bounds():
    op = check_op(
        'Clip',
        'clip_param { min: -0.5 max: 0.75 }',
        [SHAPE],
        lambda x: each(lambda v: min(max(v, -0.5), 0.75), x),
    )
    x = torch.tensor([-0.6, -0.5, 0.1, 0.75, 0.8], requires_grad=True)
    op.forward([x], [])[0].sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    'text, message',
    [
        ('clip_param { min: 1 max: 0.5 }', 'min 1 is above max 0.5'),
        ('', 'needs both min and max'),
        ('clip_param { max: 1 }', 'needs both min and max'),
    ],
)
def test_a_clip_without_sane_bounds_is_refused(text, message):
    with pytest.raises(RuntimeError, match=message):
        make_op('Clip', text, [SHAPE])


@pytest.mark.parametrize('beta', [1, 0.3, -2])
def test_swish_is_what_the_loops_say(beta):
    b = f32(beta)
    check_op(
        'Swish',
        '' if beta == 1 else f'swish_param {{ beta: {beta} }}',
        [SHAPE],
        lambda x: each(lambda v: v / (1 + math.exp(-b * v)), x),
    )
