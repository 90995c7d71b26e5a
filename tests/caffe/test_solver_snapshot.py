"""Snapshots and what continues from them."""

import os

import numpy as np
import pytest
import torch
from solver_files import KINDS, STEADY, params_of, said, steady

import caffe
from caffe.proto import caffe_pb2 as pb

pytestmark = pytest.mark.usefixtures('solver_folder')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('form', ['HDF5', 'BINARYPROTO'])
def test_a_resumed_run_repeats_the_undisturbed_one(kind, form, capsys):
    fields = {
        'type': kind,
        'max_iter': 14,
        'lr_policy': 'multistep',
        'stepvalue': [3, 9],
        'gamma': 0.5,
        'snapshot': 7,
        'snapshot_prefix': 'run/s',
        'snapshot_format': pb.SolverParameter.SnapshotFormat.Value(form),
        'random_seed': 11,
    }
    straight = steady(**fields)
    straight.solve()
    end = '.h5' if form == 'HDF5' else ''
    resumed = steady(**fields)
    os.rename('run', 'moved')
    resumed.solve(f'moved/s_iter_7.solverstate{end}')
    assert resumed.iter == straight.iter == 14
    for a, b in zip(straight.net.learnable, resumed.net.learnable):
        assert torch.equal(a.blob.tensor, b.blob.tensor), a.name
    for a, b in zip(straight.rule.history, resumed.rule.history):
        assert all(torch.equal(x, y) for x, y in zip(a, b))
    assert straight.current_step == resumed.current_step == 2
    assert 'SGDSolver: restoring history' in said(capsys)


def test_snapshots_carry_the_new_iteration():
    solver = steady(snapshot=2, snapshot_prefix='s')
    solver.step(5)
    made = sorted(name for name in os.listdir() if name.endswith('state'))
    assert made == ['s_iter_2.solverstate', 's_iter_4.solverstate']


def test_snapshot_diff_writes_the_update_beside_the_weights():
    solver = steady(snapshot_diff=True, snapshot_prefix='s')
    solver.step(1)
    solver.snapshot()
    model = pb.NetParameter()
    with open('s_iter_1.caffemodel', 'rb') as file:
        model.ParseFromString(file.read())
    blob = next(layer for layer in model.layer if layer.blobs).blobs[0]
    diff = solver.net.params['ip'][0].diff
    assert np.float32(blob.diff).tolist() == diff.ravel().tolist()


def test_restore_explains_a_model_given_as_a_state():
    solver = steady(snapshot_prefix='s')
    solver.snapshot()
    with pytest.raises(RuntimeError, match='give the .solverstate'):
        solver.restore('s_iter_0.caffemodel')
    os.rename('s_iter_0.caffemodel', 's.renamed')
    with pytest.raises(RuntimeError, match='s.renamed'):
        solver.restore('s.renamed')
    with pytest.raises(RuntimeError, match='Could not open file none'):
        solver.restore('none.solverstate')


def test_a_state_of_another_solver_is_refused_and_changes_nothing():
    steady(type='Adam', snapshot_prefix='adam').snapshot()
    solver = steady()
    solver.step(3)
    before = params_of(solver.net)
    with pytest.raises(RuntimeError, match='Incorrect length of history blobs'):
        solver.restore('adam_iter_0.solverstate')
    assert solver.iter == 3
    assert all((a == b).all() for a, b in zip(before, params_of(solver.net)))


def test_a_state_of_another_net_names_the_parameter():
    steady(snapshot_prefix='s').snapshot()
    with open('steady.prototxt', 'w') as file:
        file.write(STEADY.replace('dim: 5', 'dim: 7'))
    with pytest.raises(RuntimeError, match=r'history of ip\[0\] is 2 5 \(10\)'):
        steady().restore('s_iter_0.solverstate')


def test_a_frozen_parameter_has_zeros_in_the_snapshot_and_coasts_on_others():
    frozen = STEADY.replace("top: 'ip'", "top: 'ip' param { lr_mult: 0 }")
    solver = steady(snapshot_prefix='s')
    solver.step(2)
    weights = params_of(solver.net)[0]
    momentum = solver.rule.history[0][0].numpy().copy()
    solver.snapshot()
    with open('steady.prototxt', 'w') as file:
        file.write(frozen)
    fresh = steady(snapshot_prefix='f')
    fresh.step(1)
    fresh.snapshot()
    state = pb.SolverState()
    with open('f_iter_1.solverstate', 'rb') as file:
        state.ParseFromString(file.read())
    assert list(state.history[0].data) == [0] * 10
    assert any(state.history[1].data)
    fresh.restore('s_iter_2.solverstate')
    fresh.step(1)
    expected = weights - np.float32(0.9) * momentum
    np.testing.assert_allclose(params_of(fresh.net)[0], expected, 1e-6)


def test_share_weights_ties_another_net_to_this_one():
    solver = steady()
    other = caffe.Net('steady.prototxt', caffe.TEST)
    solver.share_weights(other)
    solver.step(1)
    ours = solver.net.params['ip'][0].data
    assert (other.params['ip'][0].data == ours).all()
