"""Exact resume: what lies beside a Caffe state continues a run bit by bit."""

import json
import os

import pytest
import torch
from solver_files import KINDS, said, write

import caffe

pytestmark = pytest.mark.usefixtures('solver_folder')

LAYER = """
import random
import caffe

class Drawn(caffe.Layer):
    def setup(self, bottom, top):
        self.random = random.Random(5)

    def reshape(self, bottom, top):
        top[0].reshape(3, 5)
        top[1].reshape(3, 2)

    def forward(self, bottom, top):
        for blob in top:
            flat = blob.data.reshape(-1)
            flat[:] = [self.random.gauss(0, 1) for _ in flat]

    def backward(self, top, propagate_down, bottom):
        pass

    def state(self):
        return self.random.getstate()

    def set_state(self, state):
        version, numbers, gauss = state
        self.random.setstate((version, tuple(numbers), gauss))
"""
NET = """
name: 'drawn'
layer { name: 'data' type: 'Python' top: 'data' top: 'label'
  python_param { module: 'written_drawn' layer: 'Drawn' } }
layer { name: 'one' type: 'InnerProduct' bottom: 'data' top: 'one'
  inner_product_param { num_output: 7
    weight_filler { type: 'uniform' min: -1 max: 1 } } }
layer { name: 'drop' type: 'Dropout' bottom: 'one' top: 'one' }
layer { name: 'ip' type: 'InnerProduct' bottom: 'one' top: 'ip'
  inner_product_param { num_output: 2
    weight_filler { type: 'uniform' min: -1 max: 1 } } }
layer { name: 'loss' type: 'EuclideanLoss' bottom: 'ip' bottom: 'label'
  top: 'loss' }
"""
SETTINGS = dict(
    net='drawn.prototxt',
    snapshot_prefix='run/s',
    average_loss=7,
    random_seed=3,
    base_lr=1e-3,
    lr_policy='multistep',
    stepvalue=[60, 150],
    gamma=0.5,
)


@pytest.fixture(autouse=True)
def drawn(module, solver_folder):
    module(LAYER, name='written_drawn')
    (solver_folder / 'drawn.prototxt').write_text(NET)


def fresh(**more):
    return caffe.get_solver(write(**{**SETTINGS, **more}))


def same(one, other):
    for a, b in zip(one.net.learnable, other.net.learnable):
        assert torch.equal(a.blob.tensor, b.blob.tensor), a.name
    for a, b in zip(one.rule.history, other.rule.history):
        assert all(torch.equal(x, y) for x, y in zip(a, b))
    assert one.current_step == other.current_step
    assert one.average.value() == other.average.value()


@pytest.mark.parametrize('kind', KINDS)
def test_two_hundred_are_a_hundred_and_a_hundred(kind):
    straight = fresh(type=kind, snapshot=100)
    straight.step(200)
    resumed = fresh(type=kind, random_seed=99)
    resumed.step(3)  # what was done before is forgotten
    resumed.restore('run/s_iter_100.solverstate')
    resumed.step(100)
    assert resumed.iter == 200
    same(straight, resumed)


def test_the_average_goes_on_within_a_step_and_starts_anew_after_it():
    straight = fresh(snapshot=10)
    straight.step(20)
    straight.step(3)
    resumed = fresh()
    resumed.restore('run/s_iter_20.solverstate')
    resumed.step(3)
    same(straight, resumed)
    assert len(resumed.average.losses) == 3


def test_a_state_of_caffe_starts_the_data_over_and_says_so(capsys):
    solver = fresh()
    solver.step(4)
    state = solver.snapshot()
    os.unlink('run/s_iter_4.resume.json')
    resumed = fresh()
    said(capsys)
    resumed.restore(state)
    assert any('as in Caffe, the data start over' in x for x in said(capsys))
    assert resumed.iter == 4
    layer = resumed.net.layers[0]
    assert layer.random.getstate() == fresh().net.layers[0].random.getstate()


def test_a_companion_of_another_state_changes_nothing():
    solver = fresh()
    solver.step(4)
    state = solver.snapshot()
    with open('run/s_iter_4.resume.json') as file:
        known = json.load(file)
    for text in ('{', '[]', json.dumps(dict(known, iter=5))):
        with open('run/s_iter_4.resume.json', 'w') as file:
            file.write(text)
        resumed = fresh()
        with pytest.raises(RuntimeError, match='does not belong to'):
            resumed.restore(state)
        assert resumed.iter == 0


def test_the_state_comes_last_and_never_stands_beside_other_weights(
    monkeypatch,
):
    solver = fresh()
    solver.step(4)
    state = solver.snapshot()

    def fails(path, state):
        assert not os.path.exists(path)
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('caffe.snapshot.model.write_state', fails)
    with pytest.raises(OSError):
        solver.snapshot()
    assert not os.path.exists(state), 'a state beside weights not its own'


def test_a_snapshot_is_tried_again_while_the_solver_waits(monkeypatch):
    solver, write = fresh(), caffe.snapshot.model.write_state
    seen = []

    def wait(error):
        seen.append(error.errno)
        monkeypatch.setattr('caffe.snapshot.model.write_state', write)
        return True

    def full(path, state):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('caffe.snapshot.model.write_state', full)
    solver.wait = wait
    assert os.path.exists(solver.snapshot())
    assert seen == [28]
