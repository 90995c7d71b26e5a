"""All 17 trainings in goldens/solver, step by step beside Caffe's record:
losses, weights, log, test, snapshots, and Caffe's snapshots continued."""

import re
import shutil

import h5py
import numpy as np
import pytest

import caffe
from caffe.proto import caffe_pb2 as pb

CASES = [
    'adadelta',
    'adagrad',
    'adam',
    'nesterov',
    'rmsprop',
    'sgd_accumulate',
    'sgd_clip',
    'sgd_exp',
    'sgd_hdf5',
    'sgd_heavy',
    'sgd_heavy_learned_up',
    'sgd_inv',
    'sgd_l1',
    'sgd_multistep',
    'sgd_poly',
    'sgd_sigmoid',
    'sgd_step',
]
TIME = re.compile(r' \(.* iter/s, .*s/(\d+) iters\)')
NUMBER = re.compile(r'(?<![\w.#])-?\d+\.?\d*(?:e[-+]\d+)?(?![\w.])')


@pytest.fixture(scope='session')
def data_folder(tmp_path_factory, request):
    """Holds the data layer that the cases find in their parent folder."""
    folder = tmp_path_factory.mktemp('solver')
    goldens = request.config.rootpath / 'tests' / 'goldens' / 'solver'
    for name in ('golden_data.py', 'images.npz'):
        shutil.copy(goldens / name, folder)
    return folder


@pytest.fixture(params=CASES)
def case(request, goldens, data_folder, monkeypatch, device):
    """Gives: the folder of what was recorded. The current directory is
    another one, with the inputs."""
    recorded = goldens / 'solver' / request.param
    here = data_folder / request.param
    here.mkdir(exist_ok=True)
    for name in ('net.prototxt', 'solver.prototxt', 'weights.caffemodel'):
        shutil.copy(recorded / name, here)
    monkeypatch.chdir(here)
    return recorded


def test_every_recorded_case_is_tested(goldens):
    folders = [p.parent.name for p in goldens.glob('solver/*/record.npz')]
    assert sorted(folders) == CASES


def assert_near(ours, recorded, what, tolerance=1e-4):
    assert ours.shape == recorded.shape, what
    gap = np.abs(ours - recorded).max() if ours.size else 0
    size = np.abs(recorded).max() if ours.size else 0
    assert gap <= tolerance * size, f'{what}: {gap:.3g} apart, size {size:.3g}'


def assert_params(net, record, prefix):
    for layer, blobs in net.params.items():
        for i, blob in enumerate(blobs):
            name = f'{prefix}/{layer}/{i}'
            assert_near(blob.data, record[name], name)


def messages(text):
    """The messages of a log from the first iteration on, without times."""
    text = text.rpartition('Solver scaffolding done.\n')[2]
    return [
        TIME.sub(r' (\1 iters)', line.partition('] ')[2])
        for line in text.splitlines()
    ]


def assert_messages(ours, recorded):
    assert [NUMBER.sub('#', m) for m in ours] == [
        NUMBER.sub('#', m) for m in recorded
    ]
    for mine, theirs in zip(ours, recorded):
        a, b = (np.array(NUMBER.findall(m), float) for m in (mine, theirs))
        np.testing.assert_allclose(a, b, 1e-4, 0, err_msg=f'{mine} | {theirs}')


def test_training_repeats_what_caffe_recorded(case, capsys):
    record = np.load(case / 'record.npz')
    solver = caffe.get_solver('solver.prototxt')
    solver.net.copy_from('weights.caffemodel')
    total = len(record['loss'])
    for i in range(total):
        solver.step(1)
        loss = solver.net.blobs['loss'].data
        assert_near(loss, np.float32(record['loss'][i]), f'loss {i}')
        if f'after{i + 1}/conv1/0' in record:
            assert_params(solver.net, record, f'after{i + 1}')
        if i + 1 in (total // 2, total):
            solver.snapshot()
            assert_snapshot(case, i + 1)
    assert_messages(
        messages(capsys.readouterr().err),
        messages((case / 'log.txt').read_text()),
    )
    assert_test(solver.test_nets[0], record)


def assert_test(net, record):
    hist = np.zeros((4, 4))
    for loss in record['test_loss']:
        net.forward()
        assert_near(net.blobs['loss'].data, np.float32(loss), 'test loss')
        label = net.blobs['label'].data[0, 0].astype(int)
        seen = net.blobs['score'].data[0].argmax(0)[label != 255]
        np.add.at(hist, (label[label != 255], seen), 1)
    assert hist.tolist() == record['test_hist'].tolist()


def assert_snapshot(case, i):
    """Our files of iteration i have Caffe's fields, shapes and numbers."""
    if (case / f'train_iter_{i}.solverstate.h5').exists():
        for end in ('caffemodel.h5', 'solverstate.h5'):
            assert_same_hdf5(f'train_iter_{i}.{end}', case)
        return
    for kind, message in (
        ('solverstate', pb.SolverState),
        ('caffemodel', pb.NetParameter),
    ):
        name = f'train_iter_{i}.{kind}'
        mine, theirs = message(), message()
        with open(name, 'rb') as ours:
            mine.ParseFromString(ours.read())
        theirs.ParseFromString((case / name).read_bytes())
        ours, recorded = blobs_of(mine), blobs_of(theirs)
        assert mine == theirs, f'{name}: fields differ'
        for k, (a, b) in enumerate(zip(ours, recorded)):
            assert_near(a, b, f'{name}: blob {k}')


def blobs_of(message):
    """Takes the numbers, but not the shapes, out of a model or a state."""
    blobs = list(getattr(message, 'history', []))
    for layer in getattr(message, 'layer', []):
        blobs += layer.blobs
    arrays = [np.array(blob.data, np.float32) for blob in blobs]
    for blob in blobs:
        blob.ClearField('data')
    return arrays


def assert_same_hdf5(name, case):
    with h5py.File(name) as ours, h5py.File(case / name) as recorded:
        assert listing(ours) == listing(recorded), name
        for path, shape, kind in listing(recorded):
            if kind.startswith('float'):
                assert_near(ours[path][()], recorded[path][()], f'{name}{path}')
            elif shape is not None:
                assert ours[path][()] == recorded[path][()], f'{name}{path}'


def listing(file):
    """(path, shape, type) of everything in an HDF5 file"""
    found = []
    file.visititems(
        lambda path, item: found.append(
            (
                path,
                getattr(item, 'shape', None),
                str(getattr(item, 'dtype', 'group')),
            )
        )
    )
    return found


def test_training_continues_from_caffes_own_snapshot(case):
    record = np.load(case / 'record.npz')
    total = len(record['loss'])
    solver = caffe.get_solver('solver.prototxt')
    for _ in range(total // 2 * solver.param.iter_size):
        solver.net.forward()  # the order of images goes on; Caffe keeps it not
    state = next(case.glob(f'train_iter_{total // 2}.solverstate*'))
    solver.restore(state)
    assert solver.iter == total // 2
    solver.step(total - solver.iter)
    assert_params(solver.net, record, f'after{total}')
