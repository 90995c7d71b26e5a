import math

import numpy as np
import oracles
import pytest
import torch
from check_op import check_op, forward, make_op, random_arrays, tensors

SHAPE = (2, 3, 4, 5)
MODES = ['FULL', 'VALID', 'BATCH_SIZE', 'NONE']


def labels(shape, classes, ignored=255):
    """Class numbers, some of them `ignored`."""
    rng = np.random.default_rng(1337)
    found = rng.integers(0, classes, shape).astype(np.float64)
    if ignored is not None:
        found[rng.random(shape) < 0.3] = ignored
    return found


@pytest.mark.parametrize(
    'shape, axis', [(SHAPE, 1), (SHAPE, -1), (SHAPE, 0), ((2, 7), 1), ((5,), 0)]
)
def test_softmax_is_what_the_loops_say(shape, axis):
    check_op(
        'Softmax',
        f'softmax_param {{ axis: {axis} engine: CAFFE }}',
        [shape],
        lambda x: oracles.softmax(x, axis % len(shape)),
        keeps_format=axis == 1,
    )


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('ignore', [None, 255, 0])
def test_the_loss_is_what_the_loops_say(mode, ignore):
    label = labels((2, 1, 4, 5), 3, ignore)
    text = f'loss_param {{ normalization: {mode} '
    text += '}' if ignore is None else f'ignore_label: {ignore} }}'
    check_op(
        'SoftmaxWithLoss',
        text,
        [SHAPE, label.shape],
        lambda x, t: oracles.softmax_loss(x, t, 1, ignore, mode),
        inputs={1: label},
    )


@pytest.mark.parametrize(
    'text, mode',
    [
        ('', 'VALID'),
        ('normalize: true', 'VALID'),
        ('normalize: false', 'BATCH_SIZE'),
        ('normalize: false normalization: FULL', 'FULL'),
    ],
)
def test_normalize_is_the_old_name_of_two_modes(text, mode):
    label = labels((2, 4, 5), 3)
    check_op(
        'SoftmaxWithLoss',
        f'loss_param {{ ignore_label: 255 {text} }}',
        [SHAPE, (2, 4, 5)],
        lambda x, t: oracles.softmax_loss(x, t, 1, 255, mode),
        inputs={1: label},
    )


@pytest.mark.parametrize(
    'shape, axis, label_shape',
    [
        ((6, 7), 1, (6,)),
        ((2, 3, 4), -1, (2, 3)),
        ((2, 3, 4), 2, (2, 3, 1)),
        ((5, 3, 2), 1, (5, 2, 1, 1)),
    ],
)
def test_classes_may_lie_along_any_axis(shape, axis, label_shape):
    label = labels(label_shape, shape[axis], None)
    check_op(
        'SoftmaxWithLoss',
        f'softmax_param {{ axis: {axis} }}',
        [shape, label_shape],
        lambda x, t: oracles.softmax_loss(x, t, axis % len(shape)),
        inputs={1: label},
    )


@pytest.mark.parametrize(
    'layout', [torch.contiguous_format, torch.channels_last]
)
def test_a_second_top_holds_the_probabilities(layout):
    label = labels((2, 1, 4, 5), 3, None)
    op = make_op('SoftmaxWithLoss', '', [SHAPE, label.shape], tops=2)
    assert op.top_shapes([SHAPE, label.shape]) == [(), SHAPE]
    x, t = tensors([*random_arrays([SHAPE]), label])
    loss, prob = op.forward([x.contiguous(memory_format=layout), t], [])
    np.testing.assert_allclose(prob, oracles.softmax(x.numpy()), 1e-12)
    np.testing.assert_allclose(loss, oracles.softmax_loss(x.numpy(), label))


def test_all_ignored_is_a_loss_of_zero_and_no_gradient():
    label = np.full((2, 1, 4, 5), 255.0)
    op = check_op(
        'SoftmaxWithLoss',
        'loss_param { ignore_label: 255 }',
        [SHAPE, label.shape],
        lambda x, t: 0.0,
        inputs={1: label},
    )
    assert forward(op, [*random_arrays([SHAPE]), label])[0] == 0


def test_an_impossible_label_costs_a_bounded_loss_and_keeps_its_gradient():
    x = torch.tensor([[200.0, 0.0, -100.0]])
    op = make_op('SoftmaxWithLoss', '', [(1, 3), (1,)])
    (loss,) = op.forward([x, torch.tensor([2.0])], [])
    assert math.isclose(loss, -math.log(1.17549435e-38), rel_tol=1e-6)
    (dx, _), _ = op.backward(
        [torch.ones(())],
        [loss],
        [x, torch.tensor([2.0])],
        [],
        [True, False],
        [],
    )
    assert dx.tolist() == [[1, 0, -1]]


def test_labels_are_truncated_as_c_does():
    op = make_op('SoftmaxWithLoss', '', [(3, 2), (3,)])
    (x,) = tensors(random_arrays([(3, 2)]))
    values = [
        op.forward([x, torch.tensor(t)], [])[0]
        for t in ([0.0, 1.0, 0.0], [0.9, 1.5, -0.5])
    ]
    assert torch.equal(*values)


@pytest.mark.parametrize(
    'label, ignore, message',
    [
        (
            [0, 3, 1, 3],
            None,
            r'label 3 at 2 of 4 pixels is not one of the 3 '
            r'classes \(0..2\); no ignore_label is set',
        ),
        (
            [0, 7, 255, -1],
            255,
            r'label -1, 7 at 2 of 4 pixels .*'
            'ignore_label is 255',
        ),
        ([float('nan'), 0, 0, 0], None, 'label nan at 1 of 4 pixels'),
    ],
)
def test_a_label_that_is_no_class_is_refused(label, ignore, message):
    text = f'loss_param {{ ignore_label: {ignore} }}' if ignore else ''
    op = make_op('SoftmaxWithLoss', text, [(4, 3), (4,)])
    with pytest.raises(RuntimeError, match=message):
        op.forward(
            [torch.zeros(4, 3), torch.tensor(label, dtype=torch.float32)], []
        )


def test_an_ignored_label_may_be_a_class():
    op = make_op(
        'SoftmaxWithLoss', 'loss_param { ignore_label: 1 }', [(2, 3), (2,)]
    )
    (loss,) = op.forward([torch.zeros(2, 3), torch.tensor([1.0, 2.0])], [])
    assert math.isclose(loss, math.log(3), rel_tol=1e-6)


def test_wrong_shapes_are_refused():
    op = make_op('SoftmaxWithLoss', '', [SHAPE, (2, 1, 4, 5)])
    with pytest.raises(
        RuntimeError,
        match='The data and label should have the same first dimension.',
    ):
        op.top_shapes([SHAPE, (1, 2, 4, 5)])
    with pytest.raises(
        RuntimeError,
        match='Number of labels must match '
        r'number of predictions: 2 1 4 4 \(32\) for 40',
    ):
        op.top_shapes([SHAPE, (2, 1, 4, 4)])


def test_the_first_loss_of_a_zero_net_is_the_logarithm_of_its_classes():
    shape = (1, 21, 100, 90)
    op = make_op(
        'SoftmaxWithLoss',
        'loss_param { normalize: false }',
        [shape, (1, 1, 100, 90)],
    )
    (loss,) = op.forward([torch.zeros(shape), torch.zeros(1, 1, 100, 90)], [])
    assert math.isclose(loss, 9000 * math.log(21), rel_tol=1e-6)


@pytest.mark.gpu
def test_on_a_gpu_a_wrong_label_is_nan_at_once_and_an_error_when_asked():
    op = make_op(
        'SoftmaxWithLoss',
        'loss_param { ignore_label: 255 }',
        [(1, 3, 2, 2), (1, 1, 2, 2)],
    )
    x = torch.randn(1, 3, 2, 2, device='cuda')
    good = torch.tensor([0.0, 1, 255, 2], device='cuda').view(1, 1, 2, 2)
    bad = torch.tensor([0.0, 9, 255, 9], device='cuda').view(1, 1, 2, 2)
    torch.cuda.set_sync_debug_mode('error')
    try:
        losses = [op.forward([x, t], [])[0] for t in (good, bad, good)]
        op.backward(
            [x.new_ones(())], losses[:1], [x, bad], [], [True, False], []
        )
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert [loss.isnan().item() for loss in losses] == [False, True, False]
    with pytest.raises(
        RuntimeError, match='label 9 at 2 pixels is not one of the 3 classes'
    ):
        op.check()
    op.check()
