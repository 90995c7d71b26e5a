"""The update rules of caffe/updates.py against one number at a time."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from caffe import pieces
from caffe.blob import Blob
from caffe.proto import caffe_pb2 as pb
from caffe.updates import RULES

SHAPES = (4, 3, 5, 2), (7,), (3, 11), (6,)
MULTS = (1, 1), (2, 0), (1, 1), (0.5, 3)  # lr_mult, decay_mult


def parameters(rng, shapes=SHAPES, mults=MULTS):
    items = []
    for k, (shape, (lr_mult, decay_mult)) in enumerate(zip(shapes, mults)):
        blob = Blob(shape)
        blob.tensor = torch.tensor(rng.normal(size=shape), dtype=torch.float32)
        items.append(
            SimpleNamespace(
                blob=blob,
                lr_mult=lr_mult,
                decay_mult=decay_mult,
                name=f'p{k}[0]',
            )
        )
    return items


def settings(kind, **more):
    fields = {'momentum': 0.9, 'weight_decay': 0.05, 'delta': 1e-3, **more}
    if kind in ('AdaGrad', 'RMSProp'):
        fields['momentum'] = 0
    return pb.SolverParameter(type=kind, **fields)


def one_number(kind, param, g, h, lr, t):
    """The table of spec E.3 for a single weight.

    Takes: h: its histories, a list that is changed
    Gives: the update
    """
    m, delta = param.momentum, param.delta
    if kind == 'SGD':
        h[0] = m * h[0] + lr * g
        return h[0]
    if kind == 'Nesterov':
        before = h[0]
        h[0] = m * before + lr * g
        return (1 + m) * h[0] - m * before
    if kind == 'AdaGrad':
        h[0] += g * g
        return lr * g / (math.sqrt(h[0]) + delta)
    if kind == 'RMSProp':
        h[0] = param.rms_decay * h[0] + (1 - param.rms_decay) * g * g
        return lr * g / (math.sqrt(h[0]) + delta)
    if kind == 'AdaDelta':
        h[0] = m * h[0] + (1 - m) * g * g
        u = g * math.sqrt((h[1] + delta) / (h[0] + delta))
        h[1] = m * h[1] + (1 - m) * u * u
        return lr * u
    b2 = param.momentum2
    h[0] = m * h[0] + (1 - m) * g
    h[1] = b2 * h[1] + (1 - b2) * g * g
    correction = math.sqrt(1 - b2**t) / (1 - m**t)
    return lr * correction * h[0] / (math.sqrt(h[1]) + delta)


class ByLoops:
    """What Caffe's solver does to flat lists of Python floats."""

    def __init__(self, kind, param, items):
        self.kind, self.param, self.items = kind, param, items
        self.weights = [i.blob.tensor.flatten().tolist() for i in items]
        self.history = [[[0.0, 0.0] for _ in w] for w in self.weights]
        self.t = 0

    def step(self, rate, grads):
        param = self.param
        self.t += 1
        norm = math.sqrt(sum(g * g for grad in grads for g in grad))
        scale = 1 / param.iter_size
        if 0 <= param.clip_gradients < norm:
            scale *= param.clip_gradients / norm
        self.updates = []
        for item, w, grad, h in zip(
            self.items, self.weights, grads, self.history
        ):
            self.updates.append([])
            for j, g in enumerate(grad):
                pull = w[j]
                if param.regularization_type == 'L1':
                    pull = (w[j] > 0) - (w[j] < 0)
                g = scale * g + param.weight_decay * item.decay_mult * pull
                lr = rate * item.lr_mult
                update = one_number(self.kind, param, g, h[j], lr, self.t)
                self.updates[-1].append(update)
                w[j] -= update


def run(kind, rates, param=None, rng=None, items=None):
    """Several steps by both. Gives: (rule, ByLoops)"""
    rng = rng or np.random.default_rng(7)
    items = items or parameters(rng)
    param = param or settings(kind)
    rule, loops = RULES[kind](param, items), ByLoops(kind, param, items)
    for t, rate in enumerate(rates):
        grads = [rng.normal(size=item.blob.shape) for item in items]
        for item, grad in zip(items, grads):
            item.blob.grad = torch.tensor(grad, dtype=torch.float32)
        rule.step(np.float32(rate), t)
        loops.step(rate, [grad.ravel().tolist() for grad in grads])
    return rule, loops


def assert_agree(rule, loops, rtol=3e-6):
    for k, item in enumerate(rule.learnable):
        rows = [(item.blob.tensor, loops.weights[k], 'weights')]
        rows += [(item.blob.grad, loops.updates[k], 'update')]
        for copy, histories in enumerate(rule.history):
            expected = [h[copy] for h in loops.history[k]]
            rows.append((histories[k], expected, f'history {copy}'))
        for ours, expected, what in rows:
            ours = ours.flatten().double().numpy()
            atol = rtol * max(map(abs, expected))
            np.testing.assert_allclose(
                ours, expected, rtol, atol, err_msg=f'{what} of {item.name}'
            )


@pytest.mark.parametrize('kind', RULES)
@pytest.mark.parametrize('pull', ['L1', 'L2'])
def test_every_rule_equals_the_loops_while_the_rate_changes(kind, pull):
    param = settings(kind, regularization_type=pull, iter_size=3)
    assert_agree(*run(kind, (0.1, 0.1, 0.02, 0.3), param))


@pytest.mark.parametrize('kind', RULES)
def test_clipping_looks_at_the_norm_before_iter_size_divides(kind):
    param = settings(kind, clip_gradients=2.5, iter_size=4)
    assert_agree(*run(kind, (0.1, 0.05), param))


@pytest.mark.parametrize('kind', RULES)
def test_pieces_of_any_size_give_the_same(kind, monkeypatch):
    whole, _ = run(kind, (0.1, 0.2))
    monkeypatch.setitem(pieces.BATCH, 'cpu', 13)
    param = settings(kind, regularization_type='L1')
    assert_agree(*run(kind, (0.1, 0.2), param))
    pieced, _ = run(kind, (0.1, 0.2))
    for a, b in zip(whole.learnable, pieced.learnable):
        assert torch.equal(a.blob.tensor, b.blob.tensor), a.name


@pytest.mark.parametrize('rate', [1e-10, 1e-14, 1e-20])
def test_sgd_keeps_all_digits_of_a_tiny_rate(rate):
    rule, loops = run('SGD', (rate, rate, rate / 10))
    for k in range(len(SHAPES)):
        ours = rule.history[0][k].flatten().double().numpy() / rate
        expected = np.array([h[0] for h in loops.history[k]]) / rate
        np.testing.assert_allclose(ours, expected, 1e-5, 1e-6)


def test_sgd_coasts_on_its_momentum_when_the_rate_is_zero():
    assert_agree(*run('SGD', (0.1, 0.0, 0.0)))


def test_momentum_is_not_rescaled_when_the_rate_falls():
    param = settings('SGD', weight_decay=0.0, momentum=0.5)
    items = parameters(np.random.default_rng(1), [(3,)], [(1, 1)])
    rule = RULES['SGD'](param, items)
    for rate in (1.0, 1e-6):
        items[0].blob.grad = torch.ones(3)
        rule.step(rate, 0)
    assert rule.history[0][0].tolist() == pytest.approx([0.500001] * 3)


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


def test_lr_mult_0_still_enters_the_history_of_adaptive_rules():
    for kind in ('AdaGrad', 'RMSProp', 'AdaDelta', 'Adam'):
        items = parameters(
            np.random.default_rng(2), [(5, 3), (2,)], [(0, 1), (1, 1)]
        )
        assert_agree(*run(kind, (0.1, 0.2), items=items))


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
    items[2].blob.tensor = torch.zeros(11, 6)[:, ::2].t().copy_(
        items[2].blob.tensor
    )  # neither contiguous nor dense
    rng = np.random.default_rng(7)
    parameters(rng)
    rule, _ = run(kind, (0.1, 0.3), rng=rng, items=items)
    for a, b in zip(plain.learnable, rule.learnable):
        assert torch.equal(a.blob.tensor, b.blob.tensor), a.name
    assert_agree(rule, loops)


def test_the_norm_of_many_numbers_is_exact():
    many = torch.full((3 << 20,), 0.1)
    expected = math.sqrt(3 << 20) * np.float32(0.1)
    assert pieces.l2_norm([many, torch.zeros(2)]) == pytest.approx(
        expected, rel=1e-7
    )


@pytest.mark.parametrize(
    'kind, fields, message',
    [
        ('AdaGrad', {'momentum': 0.9}, 'Momentum cannot be used with AdaGrad'),
        ('RMSProp', {'momentum': 0.9}, 'Momentum cannot be used with RMSProp'),
        ('RMSProp', {'rms_decay': 1.5}, 'rms_decay should lie between 0 and 1'),
        (
            'SGD',
            {'regularization_type': 'L3', 'weight_decay': 1.0},
            'Unknown regularization type: L3',
        ),
    ],
)
def test_settings_that_caffe_refuses_are_refused(kind, fields, message):
    with pytest.raises(RuntimeError, match=message):
        RULES[kind](pb.SolverParameter(type=kind, **fields), [])
