import h5py
import numpy as np
import pytest
import torch
from check_op import make_op

import caffe.device


def dummy(text, tops=2):
    return make_op('DummyData', f'dummy_data_param {{ {text} }}', [], tops)


def test_dummy_constants_are_written_once():
    op = dummy(
        'shape { dim: 2 dim: 3 } data_filler { value: 7 } '
        'data_filler { type: "gaussian" }'
    )
    assert op.top_shapes([]) == [(2, 3), (2, 3)]
    seven, none = op.initial_tops()
    assert seven.tolist() == [[7] * 3] * 2 and none is None
    none, first = op.forward([], [])
    _, second = op.forward([], [])
    assert none is None and first.shape == (2, 3)
    assert not torch.equal(first, second), 'drawn anew for every pass'


def test_one_dummy_filler_and_one_shape_are_for_all_tops():
    op = dummy(
        'num: 2 num: 4 channels: 3 height: 1 width: 5 '
        'data_filler { type: "uniform" min: 1 max: 2 }'
    )
    assert op.top_shapes([]) == [(2, 3, 1, 5), (4, 3, 1, 5)]
    assert all(1 <= top.min() and top.max() <= 2 for top in op.forward([], []))
    assert all(not top.any() for top in dummy('shape { }').initial_tops())


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'give shape once or 2 times, not 0'),
        ('shape { } shape { } shape { }', 'give shape once or 2 times, not 3'),
        (
            'shape { } num: 1 channels: 1 height: 1 width: 1',
            'give shape, or each',
        ),
        ('num: 1 channels: 1', 'give shape, or each of num'),
        (
            'shape { } data_filler { } data_filler { } data_filler { }',
            'no, one or 2 data fillers',
        ),
    ],
)
def test_dummy_parameters_that_contradict_are_refused(text, message):
    with pytest.raises(RuntimeError, match=message):
        dummy(text)


@pytest.fixture
def files(tmp_path):
    """Rows 0 to 2 in one file, 3 to 7 in the next."""
    paths = []
    for i, rows in enumerate((range(0, 3), range(3, 8))):
        paths.append(tmp_path / f'{i}.h5')
        with h5py.File(paths[-1], 'w') as file:
            file['top0'] = np.array([[r, -r] for r in rows], np.float64)
            file['top1'] = np.array(list(rows), np.int32)
    (tmp_path / 'source.txt').write_text('\n'.join(map(str, paths)) + '\n')
    return tmp_path


def hdf5(folder, text=''):
    return make_op(
        'HDF5Data',
        f'hdf5_data_param {{ source: "{folder}/'
        f'source.txt" batch_size: 5 {text} }}',
        [],
        tops=2,
    )


def test_hdf5_rows_come_in_order_and_around_again(files):
    op = hdf5(files)
    assert op.top_shapes([]) == [(5, 2), (5,)]
    seen = []
    for _ in range(4):
        x, y = op.forward([], [])
        assert x.dtype == y.dtype == torch.float32
        assert torch.equal(x, torch.stack([y, -y], 1))
        seen += y.int().tolist()
    assert seen == [*range(8), *range(8), *range(4)]


def test_shuffled_hdf5_rows_all_come_file_by_file(files):
    caffe.device.set_random_seed(1337)
    op = hdf5(files, 'shuffle: true')
    seen = [v for _ in range(8) for v in op.forward([], [])[1].int().tolist()]
    for start in range(0, 40, 8):
        epoch = seen[start : start + 8]
        assert sorted(epoch) == list(range(8))
        small = [v < 3 for v in epoch]
        assert small in ([True] * 3 + [False] * 5, [False] * 5 + [True] * 3)
    assert len({tuple(seen[i : i + 8]) for i in range(0, 40, 8)}) > 1


def test_hdf5_files_that_do_not_fit_are_refused(files):
    with pytest.raises(RuntimeError, match='HDF5Data does not transform'):
        make_op('HDF5Data', 'transform_param { }', [])
    with pytest.raises(RuntimeError, match='needs a batch_size'):
        make_op('HDF5Data', '', [])
    with pytest.raises(
        RuntimeError,
        match='Failed to open source file: '
        r'nowhere.txt \(No such file',
    ):
        make_op(
            'HDF5Data',
            'hdf5_data_param { source: "nowhere.txt" batch_size: 1 }',
            [],
        )
    with pytest.raises(
        RuntimeError,
        match='Failed to find HDF5 dataset top2 '
        r'in .*0.h5 \(it has top0, top1\)',
    ):
        make_op(
            'HDF5Data',
            f'hdf5_data_param {{ source: "{files}/source.txt" batch_size: 1 }}',
            [],
            tops=3,
        )
    (files / 'source.txt').write_text('')
    with pytest.raises(RuntimeError, match='no HDF5 files are listed'):
        hdf5(files)
    (files / 'source.txt').write_text(f'{files}/gone.h5')
    with pytest.raises(RuntimeError, match='Failed opening HDF5 file'):
        hdf5(files)
    (files / 'source.txt').write_text(f'{files}/odd.h5')
    with h5py.File(files / 'odd.h5', 'w') as file:
        file['top0'], file['top1'] = np.zeros((3, 2)), np.zeros(4)
    with pytest.raises(RuntimeError, match=r'have \[3, 4\] rows'):
        hdf5(files)


def test_hdf5_output_writes_one_batch_with_four_axes(tmp_path):
    path = tmp_path / 'out.h5'
    op = make_op(
        'HDF5Output',
        f'hdf5_output_param {{ file_name: "{path}" }}',
        [(2, 3), (2,)],
        tops=0,
    )
    x, label = torch.arange(6.0).view(2, 3), torch.tensor([4.0, 5.0])
    op.forward([x, label], [])
    with h5py.File(path) as file:
        assert file['data'].shape == (2, 3, 1, 1)
        assert file['label'][:].ravel().tolist() == [4, 5]
    with pytest.raises(RuntimeError, match='Failed to make float dataset data'):
        op.forward([x, label], [])
