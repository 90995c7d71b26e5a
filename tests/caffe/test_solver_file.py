"""What a solver file means: its class, its paths, its nets, its refusals."""

import os
import re

import pytest
from solver_files import KINDS, NET, params_of, said, steady, write

import caffe
from caffe.proto import caffe_pb2 as pb

pytestmark = pytest.mark.usefixtures('solver_folder')


@pytest.mark.parametrize('kind', KINDS)
def test_get_solver_gives_the_class_that_the_file_names(kind):
    assert type(steady(type=kind)) is getattr(caffe, f'{kind}Solver')


def test_an_explicit_class_ignores_the_type():
    solver = caffe.SGDSolver(write(type='Adam', net='steady.prototxt'))
    assert len(solver.rule.history) == 1


def test_an_unknown_type_is_refused_with_the_known_ones():
    known = 'AdaDelta, AdaGrad, Adam, Nesterov, RMSProp, SGD'
    with pytest.raises(
        RuntimeError,
        match=rf'Unknown solver type: LBFGS \(known types: {known}\)',
    ):
        steady(type='LBFGS')


@pytest.mark.parametrize(
    'fields, message',
    [
        ({'average_loss': 0}, 'average_loss should be non-negative.'),
        ({'iter_size': 0}, 'iter_size must be > 0, not 0'),
        ({'net': None}, 'SolverParameter must specify a train net using one'),
        ({'train_net': 'net.prototxt'}, 'it has net and train_net'),
        (
            {'test_iter': [1], 'test_net': ['net.prototxt'] * 2},
            'test_iter must be specified for each test network.',
        ),
        (
            {'net': None, 'train_net': 'net.prototxt', 'test_iter': [1]},
            'test_iter must be specified for each test network.',
        ),
        ({'test_iter': [1]}, 'test_interval must be > 0'),
        (
            {
                'test_iter': [1],
                'test_interval': 1,
                'test_state': [pb.NetState()] * 2,
            },
            'test_state must be unspecified or specified once per test net',
        ),
        ({'net': 'none.prototxt'}, 'File not found: none.prototxt'),
        ({'type': 'LBFGS'}, 'Unknown solver type: LBFGS'),
    ],
)
def test_a_solver_that_caffe_refuses_is_refused(fields, message):
    with pytest.raises(RuntimeError, match=re.escape(message)):
        caffe.get_solver(write(**fields))


def test_a_missing_or_broken_solver_file_is_named():
    with pytest.raises(RuntimeError, match='none.prototxt'):
        caffe.SGDSolver('none.prototxt')
    with open('broken.prototxt', 'w') as file:
        file.write('base_lr: 0.1\nbase_rate: 2\n')
    with pytest.raises(RuntimeError, match='broken.prototxt') as error:
        caffe.SGDSolver('broken.prototxt')
    assert 'Failed to parse SolverParameter file' in str(error.value)


def test_a_net_beside_the_solver_file_is_pointed_out():
    path = write('deep/solver.prototxt', net='other.prototxt')
    with open('deep/other.prototxt', 'w') as file:
        file.write(NET)
    with pytest.raises(RuntimeError, match='deep: run from there'):
        caffe.SGDSolver(path)


def test_an_absent_snapshot_prefix_is_the_solver_file_without_its_end(capsys):
    solver = caffe.SGDSolver(write('deep/mine.prototxt'))
    assert solver.param.snapshot_prefix == 'deep/mine'
    assert 'snapshot_prefix was not specified and is set to deep/mine' in said(
        capsys
    )


def test_a_directory_as_snapshot_prefix_takes_the_name_of_the_file(capsys):
    os.mkdir('out')
    solver = caffe.SGDSolver(write('mine.prototxt', snapshot_prefix='out'))
    assert solver.param.snapshot_prefix == 'out/mine'
    assert (
        'snapshot_prefix was a directory and is replaced to out/mine'
        in said(capsys)
    )


def test_the_snapshot_directory_is_made_before_training(capsys):
    caffe.SGDSolver(write(snapshot=5, snapshot_prefix='a/b/train'))
    assert os.listdir('a/b') == []
    assert 'Created snapshot directory a/b' in said(capsys)


def test_a_snapshot_directory_that_cannot_be_is_refused_before_training():
    open('file', 'w').close()
    with pytest.raises(
        RuntimeError, match="Cannot write to snapshot prefix 'file/train'.  "
    ):
        caffe.SGDSolver(write(snapshot=5, snapshot_prefix='file/train'))


def test_weights_are_loaded_from_every_file_of_the_lists(capsys):
    source = steady()
    source.net.params['ip'][0].data[...] = 7
    source.net.save('a.caffemodel')
    solver = steady(weights=['a.caffemodel , a.caffemodel', 'a.caffemodel'])
    assert (solver.net.params['ip'][0].data == 7).all()
    assert said(capsys).count('Finetuning from a.caffemodel') == 3


def test_nets_come_in_caffes_order_with_their_states(capsys):
    layers = ''.join(
        f"""layer {{ name: '{n}' type: 'DummyData' top: '{n}'
        dummy_data_param {{ shape {{ dim: {i + 2} }} }}
        include {{ stage: '{n}' }} }}"""
        for i, n in enumerate('abc')
    )
    with open('stages.prototxt', 'w') as file:
        file.write(f"state {{ stage: 'a' }} {layers}")
    inline = pb.NetParameter(name='inline')
    solver = caffe.SGDSolver(
        write(
            net='stages.prototxt',
            test_net_param=[inline],
            test_net=['steady.prototxt'],
            test_iter=[1, 1, 1],
            test_interval=1,
            train_state=pb.NetState(stage=['c']),
            test_state=[pb.NetState(), pb.NetState(), pb.NetState(stage=['b'])],
        )
    )
    assert list(solver.net.blobs) == ['a', 'c']
    assert solver.net.phase == caffe.TRAIN
    first, second, third = solver.test_nets
    assert (first.name, second.name) == ('inline', 'steady')
    assert list(third.blobs) == ['a', 'b']
    assert third.phase == caffe.TEST
    made = [line for line in said(capsys) if line.startswith('Creating t')]
    assert made == [
        'Creating training net from net file: stages.prototxt',
        'Creating test net (#0) specified by test_net_param',
        'Creating test net (#1) specified by test_net file: steady.prototxt',
        'Creating test net (#2) specified by net file: stages.prototxt',
    ]


def test_net_without_test_iter_makes_no_test_net():
    assert steady().test_nets == []


def test_test_nets_share_the_weights_and_never_copy_them():
    solver = steady(test_iter=[1], test_interval=1)
    ours, theirs = (
        net.params['ip'][0].tensor for net in (solver.net, solver.test_nets[0])
    )
    assert ours.data_ptr() == theirs.data_ptr()
    solver.step(2)
    theirs = solver.test_nets[0].params['ip'][0].data
    assert (theirs == solver.net.params['ip'][0].data).all()


def test_random_seed_makes_the_fillers_repeat():
    first, second = (params_of(steady(random_seed=5).net) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second))
    assert first[0].any()
