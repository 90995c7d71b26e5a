import numpy as np
import oracles
import pytest
import torch
from check_op import forward, make_op

SHAPE = (2, 5, 4, 3)


def labels(shape, classes):
    rng = np.random.default_rng(7)
    found = rng.integers(0, classes - 1, shape).astype(np.float64)
    found[rng.random(shape) < 0.2] = 255
    return found


@pytest.mark.parametrize('top_k', [1, 2, 5])
@pytest.mark.parametrize('tops', [1, 2])
def test_accuracy_is_what_the_loops_say(top_k, tops):
    label = labels((2, 1, 4, 3), 5)  # no pixel has the last class
    op = make_op(
        'Accuracy',
        f'accuracy_param {{ top_k: {top_k} ignore_label: 255 }}',
        [SHAPE, label.shape],
        tops,
    )
    x = np.random.default_rng(1337).standard_normal(SHAPE)
    assert op.top_shapes([SHAPE, label.shape]) == [(), (5,)][:tops]
    for got, want in zip(
        forward(op, [x, label]), oracles.accuracy(x, label, 1, top_k, 255)
    ):
        np.testing.assert_allclose(got, want, 1e-12)


def test_classes_may_lie_along_any_axis():
    x = np.random.default_rng(1337).standard_normal((4, 3, 6))
    label = np.random.default_rng(7).integers(0, 6, (4, 3)).astype(float)
    op = make_op(
        'Accuracy', 'accuracy_param { axis: -1 }', [x.shape, label.shape]
    )
    np.testing.assert_allclose(
        forward(op, [x, label])[0], oracles.accuracy(x, label, 2)[0]
    )


def test_a_tie_counts_as_wrong():
    op = make_op('Accuracy', '', [(3, 2), (3,)])
    x = torch.tensor([[1.0, 1.0], [2.0, 1.0], [0.0, 1.0]])
    (share,) = op.forward([x, torch.tensor([0.0, 0.0, 0.0])], [])
    assert share.item() == pytest.approx(1 / 3)


def test_nothing_counted_is_zero():
    op = make_op(
        'Accuracy', 'accuracy_param { ignore_label: 1 }', [(2, 3), (2,)], 2
    )
    share, each = op.forward([torch.ones(2, 3), torch.ones(2)], [])
    assert share == 0 and each.tolist() == [0, 0, 0]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(
        RuntimeError,
        match='top_k must be less than or equal '
        r'to the number of classes. \(6 vs. 5\)',
    ):
        make_op(
            'Accuracy', 'accuracy_param { top_k: 6 }', [SHAPE, (2, 1, 4, 3)]
        ).top_shapes([SHAPE, (2, 1, 4, 3)])
    op = make_op('Accuracy', '', [SHAPE, (2, 1, 4, 3)])
    with pytest.raises(RuntimeError, match='Number of labels must match'):
        op.top_shapes([SHAPE, (2, 1, 4, 4)])
    with pytest.raises(RuntimeError, match='label 9 at 24 of 24 pixels'):
        op.forward([torch.zeros(SHAPE), torch.full((2, 1, 4, 3), 9.0)], [])
    with pytest.raises(RuntimeError, match='Not Implemented Yet'):
        op.backward([], [], [], [], [True, False], [])
