"""The update rules of caffe/updates.py against one number at a time."""

import numpy as np
import pytest
import torch
from solver_oracle import SHAPES, assert_agree, parameters, run, settings

from caffe.proto import caffe_pb2 as pb
from caffe.updates import RULES


@pytest.mark.parametrize('kind', RULES)
@pytest.mark.parametrize('pull', ['L1', 'L2'])
def test_every_rule_equals_the_loops_while_the_rate_changes(kind, pull, device):
    param = settings(kind, regularization_type=pull, iter_size=3)
    assert_agree(*run(kind, (0.1, 0.1, 0.02, 0.3), param))


@pytest.mark.parametrize('kind', RULES)
def test_clipping_looks_at_the_norm_before_iter_size_divides(kind):
    param = settings(kind, clip_gradients=2.5, iter_size=4)
    assert_agree(*run(kind, (0.1, 0.05), param))


@pytest.mark.parametrize('rate', [1e-10, 1e-14, 1e-20])
def test_sgd_keeps_all_digits_of_a_tiny_rate(rate):
    rule, loops = run('SGD', (rate, rate, rate / 10))
    for k in range(len(SHAPES)):
        ours = rule.history[0][k].flatten().double().numpy() / rate
        expected = np.array([h[0] for h in loops.history[k]]) / rate
        np.testing.assert_allclose(ours, expected, 1e-5, 1e-6)


def test_sgd_coasts_on_its_momentum_when_the_rate_is_zero():
    assert_agree(*run('SGD', (0.1, 0.0, 0.0)))


@pytest.mark.parametrize('pull', ['L1', 'L2'])
def test_sgd_without_momentum_keeps_its_last_update_as_history(pull):
    param = settings('SGD', momentum=0, regularization_type=pull)
    assert_agree(*run('SGD', (0.1, 0.3), param))


def test_momentum_is_not_rescaled_when_the_rate_falls():
    param = settings('SGD', weight_decay=0.0, momentum=0.5)
    items = parameters(np.random.default_rng(1), [(3,)], [(1, 1)])
    rule = RULES['SGD'](param, items)
    for rate in (1.0, 1e-6):
        items[0].blob.grad = torch.ones(3)
        rule.step(rate, 0)
    assert rule.history[0][0].tolist() == pytest.approx([0.500001] * 3)


def test_lr_mult_0_still_enters_the_history_of_adaptive_rules():
    for kind in ('AdaGrad', 'RMSProp', 'AdaDelta', 'Adam'):
        items = parameters(
            np.random.default_rng(2), [(5, 3), (2,)], [(0, 1), (1, 1)]
        )
        assert_agree(*run(kind, (0.1, 0.2), items=items))


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
