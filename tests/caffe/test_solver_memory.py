"""Updates in place: memory order, pieces, and what the diffs read after."""

import math

import numpy as np
import pytest
import torch
from solver_oracle import assert_agree, parameters, run, settings

from caffe import pieces
from caffe.updates import RULES


@pytest.mark.parametrize('kind', RULES)
def test_pieces_of_any_size_give_the_same(kind, monkeypatch):
    whole, _ = run(kind, (0.1, 0.2))
    monkeypatch.setitem(pieces.BATCH, 'cpu', 13)
    param = settings(kind, regularization_type='L1')
    assert_agree(*run(kind, (0.1, 0.2), param))
    pieced, _ = run(kind, (0.1, 0.2))
    for a, b in zip(whole.learnable, pieced.learnable):
        assert torch.equal(a.blob.tensor, b.blob.tensor), a.name


def test_lr_mult_0_costs_nothing_and_changes_nothing():
    for kind in ('SGD', 'Nesterov'):
        items = parameters(np.random.default_rng(2), [(5, 3)], [(0, 1)])
        before = items[0].blob.tensor.clone()
        items[0].blob.grad = torch.ones(5, 3)
        rule = RULES[kind](settings(kind), items)
        rule.step(0.1, 0)
        assert torch.equal(items[0].blob.tensor, before), kind
        assert rule.history == [[None]], f'{kind} made a history'
        assert not items[0].blob.grad.any(), f'{kind}: the update is 0'


def test_writing_to_the_diff_after_a_step_leaves_the_momentum_alone():
    rule, _ = run('SGD', (0.1,))
    history = [h.clone() for h in rule.history[0]]
    for item in rule.learnable:
        item.blob.diff[...] = 1e6
        item.blob.grad = None
    for k, item in enumerate(rule.learnable):
        assert torch.equal(rule.history[0][k], history[k]), item.name


def test_a_second_update_takes_the_first_one_as_its_gradient():
    """Nobody zeroes a diff between two apply_update(), as in Caffe."""
    rule, loops = run('SGD', (0.1,))
    rule.step(np.float32(0.1), 1)
    loops.step(0.1, loops.updates)
    assert_agree(rule, loops)


def test_a_numpy_view_of_the_diff_shows_the_update():
    items = parameters(np.random.default_rng(3), [(4, 3)], [(1, 0)])
    view = items[0].blob.diff
    view[...] = 2
    RULES['SGD'](settings('SGD'), items).step(0.25, 0)
    assert view.tolist() == [[0.5] * 3] * 4


@pytest.mark.parametrize('kind', RULES)
def test_memory_format_does_not_matter(kind):
    plain, loops = run(kind, (0.1, 0.3))
    items = parameters(np.random.default_rng(7))
    weight = items[0].blob.tensor
    items[0].blob.tensor = weight.to(memory_format=torch.channels_last)
    items[2].blob.tensor = items[2].blob.tensor.t().contiguous().t()
    rng = np.random.default_rng(7)
    parameters(rng)
    rule, _ = run(kind, (0.1, 0.3), rng=rng, items=items)
    for a, b in zip(plain.learnable, rule.learnable):
        assert torch.equal(a.blob.tensor, b.blob.tensor), a.name
    assert_agree(rule, loops)


@pytest.mark.parametrize('kind', RULES)
def test_a_gradient_in_another_order_leaves_its_update_in_the_diff(kind):
    items = parameters(np.random.default_rng(3), [(3, 11)], [(1, 0)])
    blob, rule = items[0].blob, RULES[kind](settings(kind), items)
    for view in (None, blob.diff):  # also when numpy looks at the diff
        before = blob.tensor.clone()
        blob.grad = torch.randn(11, 3).t()
        rule.step(0.1, 0)
        update = blob.grad if view is None else torch.from_numpy(view)
        gap = (before - update - blob.tensor).abs().max()
        assert gap < 1e-6, f'{kind}, view: {view is not None}'


def test_weights_with_gaps_are_refused_by_name():
    items = parameters(np.random.default_rng(3), [(3, 11)], [(1, 0)])
    items[0].blob.tensor = torch.zeros(3, 22)[:, ::2]
    with pytest.raises(RuntimeError, match=r'p0\[0\]: its tensor has gaps'):
        RULES['SGD'](settings('SGD'), items).step(0.1, 0)


def test_the_norm_of_many_numbers_does_not_lose_the_later_ones():
    many = torch.full((20 << 20,), 0.1)  # in one go 1 % would be missing
    expected = math.sqrt(20 << 20) * np.float32(0.1)
    norm = pieces.l2_norm([many, torch.zeros(2)])
    assert norm == pytest.approx(expected, rel=3e-5)
