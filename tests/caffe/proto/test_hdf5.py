"""HDF5 models and states are those of Caffe."""

import h5py
import numpy as np
import pytest

from caffe.proto import model

A = np.arange(6, dtype='f4').reshape(2, 3)
B = np.arange(5, dtype='f4')


def described(path):
    """Everything about the datasets of a file but where they lie in it."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            kind = item.id.get_type()
            found[name] = (item.shape, item[()].tolist(), kind.encode())
        else:
            found[name] = 'group'

    with h5py.File(path, 'r') as file:
        file.visititems(visit)
    return found


@pytest.mark.parametrize('iteration', [6, 12])
def test_states_of_caffe_are_written_back_the_same(
    goldens, tmp_path, iteration
):
    name = f'train_iter_{iteration}.solverstate.h5'
    path = goldens / 'solver' / 'sgd_hdf5' / name
    state = model.read_state(path)
    assert state.iter == iteration and state.current_step == 0
    assert state.learned_net == f'train_iter_{iteration}.caffemodel.h5'
    assert [len(h.shape) for h in state.history] == [4, 1] * 3 + [4, 4, 1, 4]
    model.write_state(tmp_path / name, state)
    assert described(tmp_path / name) == described(path)


def test_models_of_caffe_are_written_back_the_same(goldens, tmp_path):
    name = 'train_iter_12.caffemodel.h5'
    path = goldens / 'solver' / 'sgd_hdf5' / name
    layers = model.read_hdf5(path)
    assert {len(blobs) for blobs in layers.values()} == {0, 1, 2}
    assert layers['conv1'][0].shape == (6, 3, 3, 3)
    pairs = {
        name: {i: (data, None) for i, data in blobs.items()}
        for name, blobs in layers.items()
    }
    model.write_hdf5(tmp_path / name, pairs.items())
    assert described(tmp_path / name) == described(path)


def test_history_beyond_ten_blobs_keeps_its_order(tmp_path):
    path = tmp_path / 'a.solverstate.h5'
    history = [np.full(2, i, 'f4') for i in range(12)]
    model.write_state(path, model.State(7, 'größe', 2, history))
    state = model.read_state(path)
    assert (state.iter, state.learned_net, state.current_step) == (
        7,
        'größe',
        2,
    )
    assert [h[0] for h in state.history] == list(range(12))


def test_diffs_are_written_when_asked_for(tmp_path):
    layers = [('a', {0: (A, -A), 2: (B, -B)}), ('relu', {})]
    path = tmp_path / 'a.h5'
    model.write_hdf5(path, layers)
    with h5py.File(path, 'r') as file:
        assert sorted(file) == ['data'] and not file.attrs
        assert sorted(file['data']) == ['a', 'relu']
    model.write_hdf5(path, layers, diffs=True)
    with h5py.File(path, 'r') as file:
        np.testing.assert_array_equal(file['diff/a/0'], -A)
        assert sorted(file['diff/a']) == ['0', '2']
    found = model.read_hdf5(path)
    assert list(found) == ['a', 'relu'] and list(found['a']) == [0, 2]
    np.testing.assert_array_equal(found['a'][2], B)


def test_a_slash_in_a_layer_name_is_refused(tmp_path):
    path = tmp_path / 'a.h5'
    path.write_bytes(b'old')
    with pytest.raises(RuntimeError, match="layer 'a/b': no / in HDF5 names"):
        model.write_hdf5(path, [('a/b', {})])
    assert path.read_bytes() == b'old'


@pytest.mark.parametrize(
    'dtype, read', [('<f8', 'f8'), ('>f4', 'f4'), ('<i2', 'f4'), ('u1', 'f4')]
)
def test_integers_and_all_floats_are_read(tmp_path, dtype, read):
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file.create_dataset('data/a/0', data=B.astype(dtype))
    found = model.read_hdf5(tmp_path / 'a.h5')['a'][0]
    assert found.dtype == read
    np.testing.assert_array_equal(found, B)


@pytest.mark.parametrize(
    'name, value, message',
    [
        ('data/a/0', 'text', '/data/a/0: unsupported datatype object'),
        ('data/a/b/c', B, '/data/a/b is not a numbered dataset'),
        ('data/a', B, 'a.h5: '),
        (
            'iter',
            B,
            'not a model: it has iter, but no .data.. Give the .caffem',
        ),
    ],
)
def test_other_hdf5_files_are_refused(tmp_path, name, value, message):
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        file.create_dataset(name, data=value)
    with pytest.raises(RuntimeError, match=message) as caught:
        model.read_hdf5(path)
    assert str(path) in str(caught.value)


def test_a_model_is_not_a_state(goldens):
    folder = goldens / 'solver' / 'sgd_hdf5'
    with pytest.raises(RuntimeError, match='Give the .solverstate.h5'):
        model.read_state(folder / 'train_iter_6.caffemodel.h5')
    with pytest.raises(RuntimeError, match='Give the .caffemodel.h5'):
        model.read_hdf5(folder / 'train_iter_6.solverstate.h5')


def test_formats_are_told_apart(goldens):
    folder = goldens / 'solver' / 'sgd_hdf5'
    assert model.is_hdf5(folder / 'train_iter_6.caffemodel.h5')
    assert not model.is_hdf5(folder / 'weights.caffemodel')
    with pytest.raises(
        RuntimeError, match='is not a caffemodel: it is an HDF5'
    ):
        model.read_model(folder / 'train_iter_6.caffemodel.h5')
    with pytest.raises(
        RuntimeError, match='is not an HDF5 file: it is somethin'
    ):
        model.read_hdf5(folder / 'weights.caffemodel')
    with pytest.raises(FileNotFoundError, match='File not found: none.h5'):
        model.read_hdf5('none.h5')
