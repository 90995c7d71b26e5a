import numpy as np
import oracles
import pytest
import torch
from check_op import TEST, check_op, forward, make_op, random_arrays

SHAPE = (2, 3, 4, 5)
EPS = float(np.float32(1e-5))


@pytest.mark.parametrize('shape', [SHAPE, (7, 3), (2, 3, 5)])
def test_training_normalizes_by_the_batch(shape):
    check_op(
        'BatchNorm',
        '',
        [shape],
        lambda x, *blobs: oracles.batch_norm(x, EPS),
        learn_params=False,
    )


@pytest.mark.parametrize(
    'text, phase',
    [('', TEST), ('batch_norm_param { use_global_stats: true }', 0)],
)
def test_testing_normalizes_by_what_was_accumulated(text, phase):
    (x,) = random_arrays([SHAPE])
    op = make_op('BatchNorm', text, [SHAPE], phase=phase)
    blobs = [np.array([3.0, -2, 1]), np.array([4.0, 9, 1]), np.array([2.0])]
    (y,) = forward(op, [x], blobs)
    np.testing.assert_allclose(
        y, oracles.batch_norm(x, EPS, blobs[0] / 2, blobs[1] / 2), 1e-6
    )
    inputs = [torch.tensor(b) for b in blobs]
    leaf = torch.tensor(x, requires_grad=True)
    dy = torch.tensor(random_arrays([SHAPE], 2)[0])
    op.forward([leaf], inputs)[0].backward(dy)
    np.testing.assert_allclose(
        leaf.grad, dy / (inputs[1] / 2 + EPS).sqrt()[:, None, None], 1e-6
    )


def test_without_any_statistics_only_eps_is_left():
    op = make_op('BatchNorm', '', [SHAPE], phase=TEST)
    (x,) = random_arrays([SHAPE])
    (y,) = forward(op, [x], [np.zeros(3), np.zeros(3), np.zeros(1)])
    np.testing.assert_allclose(y, x / EPS**0.5, 1e-6)


def test_every_pass_adds_to_the_statistics():
    op = make_op(
        'BatchNorm',
        'batch_norm_param { moving_average_fraction: 0.9 }',
        [SHAPE],
    )
    mean, var, terms = np.zeros(3), np.zeros(3), 0.0
    owned = [blob.tensor for blob in op.blobs]
    for x in random_arrays([SHAPE] * 3):
        forward(op, [x.astype(np.float32)])
        flat = x.transpose(1, 0, 2, 3).reshape(3, -1)
        mean = 0.9 * mean + flat.mean(1)
        var = 0.9 * var + flat.var(1, ddof=1)
        terms = 0.9 * terms + 1
    for blob, memory, want in zip(op.blobs, owned, (mean, var, [terms])):
        np.testing.assert_allclose(blob.data, want, 1e-5)
        assert blob.tensor.data_ptr() == memory.data_ptr(), 'shared by nets'


def test_one_value_per_channel_is_its_own_mean():
    op = make_op('BatchNorm', '', [(1, 3)])
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    (y,) = op.forward([x], [])
    y.sum().backward()
    assert not y.any() and not x.grad.any()
    assert [blob.data.tolist() for blob in op.blobs] == [
        [1, 2, 3],
        [0, 0, 0],
        [1],
    ]


def test_a_vector_is_one_channel():
    check_op(
        'BatchNorm',
        '',
        [(7,)],
        lambda x, *blobs: oracles.batch_norm(x[:, None], EPS)[:, 0],
        learn_params=False,
    )


def test_the_statistics_are_marked_as_not_learned():
    op = make_op('BatchNorm', '', [SHAPE])
    assert [spec.lr_mult for spec in op.param.param] == [0, 0, 0]
    make_op('BatchNorm', 'param { lr_mult: 0 }', [SHAPE])
    for spec in ('param { lr_mult: 1 }', 'param { decay_mult: 0 }'):
        with pytest.raises(
            RuntimeError,
            match='Cannot configure batch norma'
            'lization statistics as layer parameters.',
        ):
            make_op('BatchNorm', spec, [SHAPE])


def test_the_number_of_channels_may_not_change():
    op = make_op('BatchNorm', '', [SHAPE])
    with pytest.raises(RuntimeError, match='4 channels in 2 4 4 5'):
        op.top_shapes([(2, 4, 4, 5)])
