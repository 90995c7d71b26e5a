"""Training: what Caffe's own Python tests assert, the order of events in an
iteration, tests in between, solve()."""

import os
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from solver_files import STEADY, params_of, said, steady, write

import caffe

pytestmark = pytest.mark.usefixtures('solver_folder')


def trainable(**more):
    solver = caffe.SGDSolver(
        write(
            test_iter=[10, 10],
            test_interval=10,
            display=100,
            max_iter=100,
            snapshot_after_train=False,
            snapshot_prefix='model',
            **more,
        )
    )
    labels = solver.net.blobs['label']
    labels.data[...] = np.random.default_rng(0).integers(13, size=(5, 1, 1, 1))
    return solver


def test_solve_runs_to_max_iter():
    solver = trainable()
    assert solver.iter == 0
    solver.solve()
    assert solver.iter == 100


def test_apply_update_applies_the_diffs_as_they_are():
    solver = trainable()
    blobs = [b for blobs in solver.net.params.values() for b in blobs]
    for blob in blobs:
        blob.data[...] = 0
        blob.diff[...] = 1
    solver.apply_update()
    for blob in blobs:
        assert np.abs(blob.data + 0.01).max() < 1e-7
    assert solver.iter == 1


def test_nets_outlive_their_solver():
    solver = trainable()
    nets = [solver.net, *solver.test_nets]
    assert len(nets) == 3
    del solver
    total = sum(
        b.data.sum() + b.diff.sum()
        for net in nets
        for blobs in (net.blobs.values(), *net.params.values())
        for b in blobs
    )
    assert np.isfinite(total)
    for net in nets:
        net.forward()


def test_snapshot_writes_both_files_to_the_current_directory():
    trainable().snapshot()
    assert os.path.isfile('model_iter_0.caffemodel')
    assert os.path.isfile('model_iter_0.solverstate')


def test_events_come_in_caffes_order(monkeypatch):
    solver = steady(test_iter=[1], test_interval=2, snapshot=2, iter_size=2)
    events = []

    def note(name, result=None):
        return lambda *args, **kwargs: events.append(name) or result

    monkeypatch.setattr(solver, 'test', note('test'))
    monkeypatch.setattr(solver, 'snapshot', note('snapshot'))
    solver.add_callback(note('start'), note('gradients'))
    solver.net.before_forward(lambda i: i or events.append('pass'))
    solver.net.after_backward(lambda i: i or events.append('back'))
    solver.action = note('action')
    solver.step(2)
    passes = ['pass', 'back'] * 2
    iteration = ['start', *passes, 'gradients', 'action']
    assert events == ['test', *iteration, *iteration, 'snapshot']


def test_test_initialization_false_skips_the_first_test(capsys):
    solver = steady(test_iter=[1], test_interval=2, test_initialization=False)
    solver.step(3)
    tests = [line for line in said(capsys) if 'Testing net' in line]
    assert tests == ['Iteration 2, Testing net (#0)']


def test_gradients_do_not_pile_up_from_iteration_to_iteration():
    solver = steady(momentum=0.0, weight_decay=0.0, lr_policy='fixed')
    solver.net.forward()
    solver.net.backward()
    expected = solver.net.params['ip'][0].diff * np.float32(0.01)
    solver.step(1)
    update = solver.net.params['ip'][0].diff
    np.testing.assert_allclose(update, expected, 1e-6)


def test_no_loss_is_read_between_two_lines(monkeypatch):
    solver = steady(display=4, average_loss=3)
    solver.step(1)

    def read(*args):
        raise AssertionError('the host waited for the device')

    for name in ('item', 'tolist', '__float__', '__bool__', 'cpu', 'numpy'):
        monkeypatch.setattr(torch.Tensor, name, read)
    solver.step(3)
    with pytest.raises(AssertionError, match='waited'):
        solver.step(1)


def test_base_lr_can_be_changed_on_the_way():
    solver = steady(lr_policy='fixed')
    assert solver.lr == np.float32(0.01)
    solver.param.base_lr = 0.001
    assert solver.lr == 0.0010000000474974513


def test_averaging_starts_anew_with_every_step_call(capsys):
    solver = steady(display=1, average_loss=10, base_lr=0.3)
    solver.step(3)
    solver.step(1)
    lines = [line for line in said(capsys) if ' loss = ' in line]
    averages = [line.split('loss = ')[1] for line in lines[::2]]
    losses = [line.split('= ')[1].split()[0] for line in lines[1::2]]
    third = sum(map(float, losses[:3])) / 3
    assert float(averages[2]) == pytest.approx(third, 1e-5)
    assert averages[3] == losses[3]


def test_the_speed_is_that_of_training_over_several_step_calls(
    capsys, monkeypatch
):
    solver, clock = steady(display=4), SimpleNamespace(now=100.0)
    clock.perf_counter = lambda: clock.now
    monkeypatch.setattr('caffe.solver.time', clock)

    def advance(seconds):
        clock.now += seconds

    solver.add_callback(lambda: None, lambda: advance(0.5))
    for steps in (6, 1, 1, 5):
        solver.step(steps)
        advance(30)  # a test, say
    found = [re.search(r'\((\S+) iter/s, (\S+)s/4', x) for x in said(capsys)]
    speeds = [match.groups() for match in found if match]
    assert speeds == [('0', '0'), ('2', '2'), ('2', '2'), ('2', '2')]


@pytest.mark.parametrize('request_', ['stop', 'snapshot'])
def test_action_can_stop_or_snapshot_after_any_update(request_):
    solver = steady(snapshot_prefix='s')
    solver.action = lambda: request_ if solver.iter == 3 else None
    solver.step(5)
    assert solver.iter == (3 if request_ == 'stop' else 5)
    assert os.path.exists('s_iter_3.caffemodel') == (request_ == 'snapshot')


def test_a_stop_during_a_test_ends_it(capsys):
    solver = steady(test_iter=[4], test_interval=2, snapshot_prefix='s')
    requests = [None, None, None, None, None, None, 'snapshot', 'stop']
    solver.action = lambda: requests.pop(0)
    solver.step(9)
    assert solver.iter == 2 and not requests
    assert os.path.exists('s_iter_2.caffemodel')
    assert said(capsys)[-1] == 'Test interrupted.'


def test_test_lines_show_means_over_the_passes(capsys):
    solver = steady(test_iter=[3], test_interval=9, test_compute_loss=True)
    said(capsys)
    solver.test()
    loss = solver.test_nets[0].blobs['loss'].data.item()
    assert said(capsys) == [
        'Iteration 0, Testing net (#0)',
        f'Test loss: {loss:g}',
        f'    Test net output #0: loss = {loss:g} (* 1 = {loss:g} loss)',
    ]


def test_outputs_are_numbered_element_by_element(capsys):
    with open('two.prototxt', 'w') as file:
        file.write(STEADY + "layer { name: 's' type: 'Sigmoid' bottom: 'data'"
                   " top: 'aside' }")  # fmt: skip
    solver = caffe.SGDSolver(write(net='two.prototxt', display=1))
    solver.step(1)
    shown = [line for line in said(capsys) if 'output #' in line]
    assert len(shown) == 16
    assert shown[14] == '    Train net output #14: aside = 0.574443'
    assert shown[15].startswith('    Train net output #15: loss = ')
    assert '(* 1 = ' in shown[15]


def test_solve_logs_snapshots_and_tests_at_its_end(capsys):
    solver = steady(
        max_iter=4,
        display=2,
        test_iter=[1],
        test_interval=4,
        test_initialization=False,
        snapshot_prefix='s',
    )
    said(capsys)
    solver.solve()
    lines = said(capsys)
    assert lines[:2] == ['Solving steady', 'Learning Rate Policy: inv']
    end = lines.index('Snapshotting to binary proto file s_iter_4.caffemodel')
    assert lines[end + 1] == (
        'Snapshotting solver state to binary proto file s_iter_4.solverstate'
    )
    assert re.fullmatch(r'Iteration 4, loss = [\d.e-]+', lines[end + 2])
    assert lines[end + 3] == 'Iteration 4, Testing net (#0)'
    assert lines[-1] == 'Optimization Done.'


def test_solve_again_at_max_iter_runs_no_iteration():
    solver = steady(max_iter=2, snapshot_prefix='s')
    solver.solve()
    before = params_of(solver.net)
    solver.solve()
    assert solver.iter == 2
    assert all((a == b).all() for a, b in zip(before, params_of(solver.net)))


def test_an_early_stop_still_snapshots(capsys):
    solver = steady(max_iter=9, snapshot_prefix='s')
    solver.action = lambda: 'stop'
    solver.solve()
    assert os.path.exists('s_iter_1.solverstate')
    assert said(capsys)[-1] == 'Optimization stopped early.'
