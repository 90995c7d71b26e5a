"""Binary models and states: read without copies, written as Caffe does."""

import mmap
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from caffe.proto import model, text
from caffe.proto.caffe_pb2 import NetParameter, SolverState

ROOT = Path(__file__).parents[3]
SHAPE = (2, 3, 1, 5)
VALUES = np.arange(30, dtype='f4') / 7
CASES = ['sgd_step', 'adam', 'adadelta', 'sgd_accumulate']


def shaped(blobs):
    """What write_model takes, from what read_model gives."""
    return [[(b.data.reshape(b.shape), b.diff) for b in x] for x in blobs]


@pytest.mark.parametrize('case', CASES)
def test_models_of_caffe_are_written_back_byte_for_byte(
    goldens, tmp_path, case
):
    for path in sorted((goldens / 'solver' / case).glob('*.caffemodel')):
        read = model.read_model(path)
        copy = tmp_path / path.name
        model.write_model(copy, read.net, shaped(read.blobs))
        assert copy.read_bytes() == path.read_bytes(), path


@pytest.mark.parametrize('case', CASES)
def test_states_of_caffe_are_written_back_byte_for_byte(
    goldens, tmp_path, case
):
    for path in sorted((goldens / 'solver' / case).glob('*.solverstate')):
        state = model.read_state(path)
        assert state.iter == int(path.stem.split('_')[-1])
        assert state.learned_net == path.stem + '.caffemodel'
        copy = tmp_path / path.name
        model.write_state(copy, state)
        assert copy.read_bytes() == path.read_bytes(), path


def test_the_numbers_are_those_that_protobuf_reads(goldens):
    path = goldens / 'solver' / 'sgd_step' / 'train_iter_20.caffemodel'
    read = model.read_model(path)
    proto = NetParameter.FromString(path.read_bytes())
    assert [layer.name for layer in read.net.layer] == [
        layer.name for layer in proto.layer
    ]
    for layer, blobs in zip(proto.layer, read.blobs):
        assert len(layer.blobs) == len(blobs)
        for want, have in zip(layer.blobs, blobs):
            assert have.shape == tuple(want.shape.dim) and not have.legacy
            np.testing.assert_array_equal(have.data, want.data)
            assert have.data.dtype == np.float32 and have.diff is None
        layer.ClearField('blobs')
    assert read.net == proto


def test_v1_models_are_read_with_their_legacy_shapes(goldens):
    path = goldens / 'legacy' / 'v1.caffemodel'
    read = model.read_model(path)
    net = text.read_net(goldens / 'legacy' / 'v1.prototxt')
    types = {layer.name: layer.type for layer in net.layer}
    proto = NetParameter.FromString(path.read_bytes())
    assert not read.net.layers
    assert any(blobs for blobs in read.blobs)
    for layer, blobs, old in zip(read.net.layer, read.blobs, proto.layers):
        assert layer.type == types[layer.name] and layer.name == old.name
        for have, want in zip(blobs, old.blobs):
            four = want.num, want.channels, want.height, want.width
            assert have.legacy and have.shape == four
            np.testing.assert_array_equal(have.data, want.data)


def test_v0_models_keep_their_blobs_though_layers_vanish(tmp_path):
    net = NetParameter(name='old', input=['x'], input_dim=[1, 3, 5, 7])
    for name, kind, count in (
        ('p', 'padding', 0),
        ('c', 'conv', 2),
        ('r', 'relu', 0),
    ):
        v0 = net.layers.add(bottom=['x'], top=['x']).layer
        v0.name, v0.type = name, kind
        for i in range(count):
            v0.blobs.add(num=1, channels=1, height=1, width=i + 2).data.extend(
                range(i + 2)
            )
    path = tmp_path / 'v0.caffemodel'
    path.write_bytes(net.SerializeToString())
    read = model.read_model(path)
    assert [layer.name for layer in read.net.layer] == ['input', 'c', 'r']
    assert [len(blobs) for blobs in read.blobs] == [0, 2, 0]
    assert [list(b.data) for b in read.blobs[1]] == [[0, 1], [0, 1, 2]]


def test_arrays_are_read_only_views_of_the_file(goldens):
    path = goldens / 'solver' / 'sgd_step' / 'weights.caffemodel'
    data = next(b for b in model.read_model(path).blobs if b)[0].data
    owner = data
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner.obj if hasattr(owner, 'obj') else owner, mmap.mmap)
    assert not data.flags.writeable


def test_fields_are_written_in_ascending_order_with_diffs(tmp_path):
    net = NetParameter(name='n', force_backward=True)
    layer = net.layer.add(name='a', type='Convolution', phase=1, bottom=['x'])
    layer.param.add(lr_mult=3)
    layer.convolution_param.num_output = 2
    net.layer.add(name='b')
    data, diff = VALUES.reshape(SHAPE), -VALUES.reshape(SHAPE)
    double = np.arange(3.0)
    path = tmp_path / 'a.caffemodel'
    model.write_model(path, net, [[(data, diff), (double, None)], []])

    want = NetParameter()
    want.CopyFrom(net)
    blob = want.layer[0].blobs.add(data=VALUES, diff=-VALUES)
    blob.shape.dim.extend(SHAPE)
    want.layer[0].blobs.add(double_data=double).shape.dim.append(3)
    assert path.read_bytes() == want.SerializeToString()
    ((first, second), ()) = map(tuple, model.read_model(path).blobs)
    np.testing.assert_array_equal(first.diff, -VALUES)
    assert second.diff is None and second.data.dtype == np.float64


def test_what_is_not_contiguous_or_float_is_written_as_floats(tmp_path):
    grid = np.arange(6).reshape(2, 3)
    net = NetParameter(name='n')
    net.layer.add(name='a')
    path = tmp_path / 'a.caffemodel'
    model.write_model(path, net, [[(grid.T, None), (np.float32(3), None)]])
    first, second = model.read_model(path).blobs[0]
    assert first.shape == (3, 2) and list(first.data) == [0, 3, 1, 4, 2, 5]
    assert second.shape == () and list(second.data) == [3]


def test_lists_of_blobs_must_match_the_layers(tmp_path):
    with pytest.raises(ValueError, match='0 layers, 1 lists of blobs'):
        model.write_model(tmp_path / 'a', NetParameter(), [[]])


def test_a_file_beyond_two_gigabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(model, 'MOST_BYTES', 100)
    state = model.State(3, 'net', 0, [VALUES])
    path = tmp_path / 'a.solverstate'
    path.write_bytes(b'old')
    with pytest.raises(RuntimeError, match='files of up to 100 bytes'):
        model.write_state(path, state)
    assert path.read_bytes() == b'old'


def test_current_step_is_written_even_when_zero(tmp_path):
    path = tmp_path / 'a.solverstate'
    model.write_state(path, model.State(3, 'net', 0, [VALUES.reshape(SHAPE)]))
    proto = SolverState.FromString(path.read_bytes())
    assert proto.HasField('current_step') and proto.iter == 3
    assert tuple(proto.history[0].shape.dim) == SHAPE
    state = model.read_state(path)
    np.testing.assert_array_equal(state.history[0], VALUES.reshape(SHAPE))


def test_reading_costs_nothing_per_number(tmp_path):
    net = NetParameter(name='n')
    net.layer.add(name='fc6')
    path = tmp_path / 'a.caffemodel'
    model.write_model(path, net, [[(np.zeros((4, 10**7), 'f4'), None)]])
    start = time.perf_counter()
    read = model.read_model(path)
    assert time.perf_counter() - start < 0.1
    assert read.blobs[0][0].data.size == 4 * 10**7


FULL_DISK = """
import resource, sys
import numpy as np
from caffe.proto import model
from caffe.proto.caffe_pb2 import NetParameter
net = NetParameter(name='n')
net.layer.add(name='a')
data = np.ones((300, 1000), 'f4')
state = model.State(1, 'n', 0, [data, data])
resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
for path, write in (
    ('a.caffemodel', lambda p: model.write_model(p, net, [[(data, None)]])),
    ('a.solverstate', lambda p: model.write_state(p, state)),
    ('a.solverstate.h5', lambda p: model.write_state(p, state)),
    ('a.h5', lambda p: model.write_hdf5(p, [('a', {0: (data, data)})], True)),
):
    with open(path, 'w') as file:
        file.write('old')
    try:
        write(path)
    except OSError as error:
        assert path in str(error) and error.errno == 27, error
        print(path)
"""


def test_a_full_disk_leaves_every_kind_of_file_as_it_was(tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', FULL_DISK],
        cwd=tmp_path,
        env={'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    names = ['a.caffemodel', 'a.solverstate', 'a.solverstate.h5', 'a.h5']
    assert done.stdout.split() == names, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert {path.read_text() for path in tmp_path.iterdir()} == {'old'}
