"""HingeLoss, ContrastiveLoss, MultinomialLogisticLoss."""

import numpy as np
import oracles_more
import pytest
import torch
from check_op import check_op, differentiate, make_op, random_arrays, tensors

LABELS = np.array([3, 0, 2, 3])


@pytest.mark.parametrize(
    'text, norm', [('', 1), ('norm: L1', 1), ('norm: L2', 2)]
)
@pytest.mark.parametrize('shape', [(4, 5), (4, 2, 3, 1)])
def test_hinge_loss_is_what_the_loops_say(text, norm, shape):
    op = check_op(
        'HingeLoss',
        f'hinge_loss_param {{ {text} }}',
        [shape, (4,)],
        lambda x, label: oracles_more.hinge(x, label, norm),
        inputs={1: LABELS},
    )
    assert op.fixed == (1,) and op.loss


def test_hinge_loss_is_flat_right_at_its_margin():
    op = make_op('HingeLoss', '', [(1, 2), (1,)])
    x = torch.tensor([[1.0, -1.0]], requires_grad=True)
    (loss,) = op.forward([x, torch.zeros(1)], [])
    loss.backward()
    assert loss.item() == 0 and not x.grad.any()


@pytest.mark.parametrize('shape', [(4, 5), (4, 2, 3, 1)])
def test_multinomial_logistic_loss_is_what_the_loops_say(shape):
    prob = np.random.default_rng(1337).uniform(0.1, 1, shape)
    check_op(
        'MultinomialLogisticLoss',
        '',
        [shape, (4, 1, 1, 1)],
        oracles_more.multinomial,
        inputs={0: prob, 1: LABELS.reshape(4, 1, 1, 1)},
        learn=[0],
    )


def test_a_probability_of_zero_costs_what_1e_20_costs_and_has_its_gradient():
    op = make_op('MultinomialLogisticLoss', '', [(2, 3), (2,)])
    prob = torch.tensor([[0.0, 1, 0], [0.5, 0.25, 0.25]]).double()
    label = torch.tensor([0.0, 2.0]).double()
    (loss,), (dx, none), _ = differentiate(
        op, [prob, label], [], [torch.tensor(1.0).double()], [0]
    )
    assert loss == oracles_more.multinomial(prob.numpy(), label.numpy())
    np.testing.assert_allclose(dx, [[-0.5e20, 0, 0], [0, 0, -2]])
    assert none is None


@pytest.mark.parametrize('kind', ['HingeLoss', 'MultinomialLogisticLoss'])
def test_labels_that_do_not_fit_are_refused(kind):
    op = make_op(kind, '', [(4, 5), (4,)])
    with pytest.raises(
        RuntimeError, match='data and label should have the same first dim'
    ):
        op.top_shapes([(4, 5), (3,)])
    with pytest.raises(RuntimeError, match='Number of labels must match'):
        op.top_shapes([(4, 5), (4, 2)])
    with pytest.raises(RuntimeError, match='label 5 at 1 of 4 .* 5 classes'):
        op.forward([torch.ones(4, 5), torch.tensor([0.0, 5, 1, 2])], [])


SIMILAR = np.array([1, 0, 0, 1, 0])


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('shape', [(5, 3), (5, 3, 1, 1)])
def test_contrastive_loss_is_what_the_loops_say(legacy, shape):
    # far apart, so that the 1e-4 in the gradient does not show
    a, b = (100 * x for x in random_arrays([shape, shape]))
    margin = 60000 if legacy else 300
    op = check_op(
        'ContrastiveLoss',
        f'contrastive_loss_param {{ margin: {margin} legacy_version: '
        f'{str(legacy).lower()} }}',
        [shape, shape, (5,)],
        lambda a, b, s: oracles_more.contrastive(a, b, s, margin, legacy),
        inputs={0: a, 1: b, 2: SIMILAR},
        learn=[0, 1],
    )
    assert op.loss and op.fixed == ()


def test_contrastive_loss_has_a_margin_of_one():
    a, b = np.zeros((2, 3)), np.array([[0.6, 0, 0], [1.2, 0, 0]])
    op = make_op('ContrastiveLoss', '', [(2, 3), (2, 3), (2,)])
    (loss,) = op.forward(tensors([a, b, np.zeros(2)]), [])
    assert loss.item() == pytest.approx(0.4**2 / 2 / 2)


def test_contrastive_loss_divides_by_the_distance_plus_1e_4_as_caffe_does():
    a, b = (1e-3 * x for x in random_arrays([(5, 3), (5, 3)]))
    b[2] = a[2]
    op = make_op('ContrastiveLoss', '', [(5, 3), (5, 3), (5,)])
    one = torch.tensor(1.0).double()
    bottoms = tensors([a, b, SIMILAR.astype(float)])
    _, (da, db, none), _ = differentiate(op, bottoms, [], [one], [0, 1])
    want = oracles_more.contrastive_gradient(a, b, SIMILAR)
    np.testing.assert_allclose(da, want, 1e-7, 1e-12)
    assert torch.equal(db, -da) and none is None
    assert not da[2].any(), 'no direction where there is no distance'


@pytest.mark.parametrize(
    'shapes, message',
    [
        ([(5, 3), (5, 4), (5,)], 'compares two blobs N x C x 1 x 1'),
        ([(5, 3, 2, 1), (5, 3, 2, 1), (5,)], 'compares two blobs'),
        ([(5, 3), (5, 3), (5, 2)], 'one similarity for each of 5 pairs'),
        ([(5, 3), (5, 3), (4,)], 'one similarity for each of 5 pairs'),
    ],
)
def test_contrastive_loss_refuses_blobs_that_do_not_fit(shapes, message):
    op = make_op('ContrastiveLoss', '', shapes)
    with pytest.raises(RuntimeError, match=message):
        op.top_shapes(shapes)
