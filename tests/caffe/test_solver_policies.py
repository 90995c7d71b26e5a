"""Learning rates and the displayed loss, against their formulas."""

import math

import numpy as np
import pytest
import torch

from caffe.policies import POLICIES, LossAverage, learning_rate
from caffe.proto import caffe_pb2 as pb

FIELDS = {
    'base_lr': 0.02,
    'gamma': 0.3,
    'power': 0.75,
    'stepsize': 7,
    'max_iter': 50,
    'stepvalue': [3, 11, 12],
}
FORMULAS = {
    'fixed': lambda i: 0.02,
    'step': lambda i: 0.02 * 0.3 ** (i // 7),
    'exp': lambda i: 0.02 * 0.3**i,
    'inv': lambda i: 0.02 * (1 + 0.3 * i) ** -0.75,
    'multistep': lambda i: 0.02 * 0.3 ** ((i >= 3) + (i >= 11) + (i >= 12)),
    'poly': lambda i: 0.02 * (1 - i / 50) ** 0.75,
    'sigmoid': lambda i: 0.02 / (1 + math.exp(-0.3 * (i - 7))),
}


def test_every_policy_has_a_formula_here():
    assert set(FORMULAS) == set(POLICIES)


@pytest.mark.parametrize('policy', FORMULAS)
def test_rates_follow_their_formula_in_float32(policy):
    param, step = pb.SolverParameter(lr_policy=policy, **FIELDS), 0
    for i in range(51):
        rate, step = learning_rate(param, i, step)
        assert isinstance(rate, np.float32), f'{policy} at {i}'
        assert rate == pytest.approx(FORMULAS[policy](i), rel=3e-6, abs=1e-30)


def test_step_tells_how_many_steps_it_has_taken():
    param = pb.SolverParameter(lr_policy='step', **FIELDS)
    assert learning_rate(param, 21, 0)[1] == 3


def test_multistep_takes_one_step_per_call_and_says_so(capsys):
    param = pb.SolverParameter(lr_policy='multistep', **FIELDS)
    step = 0
    for expected in (1, 2, 3, 3):
        rate, step = learning_rate(param, 40, step)
        assert step == expected
        assert rate == pytest.approx(0.02 * 0.3**step)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split('] ')[1] for line in lines] == [
        f'MultiStep Status: Iteration 40, step = {k}' for k in (1, 2, 3)
    ]


def test_an_unknown_policy_is_refused_by_name():
    for name in ('linear', ''):
        param = pb.SolverParameter(lr_policy=name)
        with pytest.raises(
            RuntimeError, match=f'Unknown learning rate policy: {name}'
        ):
            learning_rate(param, 0, 0)


def test_a_step_policy_without_stepsize_is_refused():
    with pytest.raises(RuntimeError, match='stepsize > 0, not 0'):
        learning_rate(pb.SolverParameter(lr_policy='step'), 0, 0)


@pytest.mark.parametrize('window', [1, 4, 7])
def test_the_average_is_the_mean_of_the_last_losses(window):
    rng = np.random.default_rng(5)
    losses = rng.uniform(1, 100, 30).astype(np.float32)
    average = LossAverage(window)
    average.restart(100)
    for i, loss in enumerate(losses):
        average.add(torch.tensor(loss), 100 + i)
        if i % 3 == 0:  # also several losses between two readings
            expected = losses[max(0, i + 1 - window) : i + 1].mean()
            assert average.value() == pytest.approx(expected, rel=1e-5), i


def test_a_restart_forgets_the_losses_before_it():
    average = LossAverage(5)
    for loss, start in ((100.0, 0), (3.0, 1)):
        average.restart(start)
        average.add(torch.tensor(loss), start)
    assert average.value() == 3


def test_losses_wait_on_the_device_but_not_without_bound(monkeypatch):
    monkeypatch.setattr(LossAverage, 'WAITING', 8)
    average = LossAverage(3)
    for i in range(7):
        average.add(torch.tensor(float(i)), i)
    assert not average.losses, 'a loss was read before anybody asked'
    average.add(torch.tensor(7.0), 7)
    assert not average.waiting
    assert average.value() == pytest.approx(6)
