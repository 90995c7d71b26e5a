"""Data: from an LMDB of Datum messages; from nothing else."""

import sys

import numpy as np
import pytest
import torch
from check_op import make_op
from image_files import blue_first, encoded, picture, transformed

from caffe.ops import OPS
from caffe.proto import caffe_pb2 as pb


def raw(pixels, label):
    channels, height, width = pixels.shape
    datum = pb.Datum(channels=channels, height=height, width=width, label=label)
    if pixels.dtype == np.uint8:
        datum.data = pixels.tobytes()
    else:
        datum.float_data.extend(pixels.ravel())
    return datum


@pytest.fixture
def database(tmp_path):
    """A function that writes Datums into an LMDB and gives its path."""
    lmdb = pytest.importorskip('lmdb')

    def write(*datums):
        path = str(tmp_path / 'data_lmdb')
        with lmdb.open(path, map_size=2**20) as env:
            with env.begin(write=True) as transaction:
                for i, datum in enumerate(datums):
                    value = datum
                    if isinstance(datum, pb.Datum):
                        value = datum.SerializeToString()
                    transaction.put(b'%08d' % i, value)
        return path

    return write


def make(path, text='batch_size: 2', transform='', tops=2, phase=1):
    return make_op(
        'Data',
        f'data_param {{ source: "{path}" backend: LMDB {text} }} '
        f'transform_param {{ {transform} }}',
        [],
        tops=tops,
        phase=phase,
    )


def images(count=3, shape=(2, 4, 5)):
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, shape, np.uint8) for _ in range(count)]


def test_raw_items_come_in_order_and_around_again(database):
    pixels = images()
    op = make(database(*(raw(x, i) for i, x in enumerate(pixels))))
    assert op.top_shapes([]) == [(2, 2, 4, 5), (2,)]
    for chosen in ([0, 1], [2, 0], [1, 2]):
        data, label = op.forward([], [])
        assert data.dtype == label.dtype == torch.float32
        assert np.array_equal(data, [pixels[i] for i in chosen])
        assert label.tolist() == chosen


def test_floats_are_read_as_they_are(database):
    values = np.random.default_rng(1).standard_normal((2, 3, 4))
    op = make(database(raw(values, 7)), 'batch_size: 1')
    data, label = op.forward([], [])
    assert np.array_equal(data[0], values.astype(np.float32))
    assert label.tolist() == [7]


@pytest.mark.parametrize('force', ['', 'force_color: true', 'force_gray: true'])
def test_encoded_items_are_decoded_with_the_channels_asked_for(database, force):
    color = picture(4, 5)
    datums = [
        pb.Datum(data=encoded(color), encoded=True, label=1),
        pb.Datum(data=encoded(color[:, :, 0]), encoded=True, label=2),
    ]
    op = make(database(*datums), 'batch_size: 1', force)
    (first, _), (second, _) = op.forward([], []), op.forward([], [])
    channels = {'': (3, 1), 'force_color: true': (3, 3)}.get(force, (1, 1))
    assert (first.shape[1], second.shape[1]) == channels
    if 'gray' not in force:
        assert np.array_equal(first[0], blue_first(color))
    assert np.array_equal(second[0, 0], color[:, :, 0])


def test_force_encoded_color_is_the_older_name(database):
    grey = pb.Datum(data=encoded(picture(4, 5)[:, :, 0]), encoded=True)
    op = make(database(grey), 'batch_size: 1 force_encoded_color: true')
    assert op.top_shapes([]) == [(1, 3, 4, 5), (1,)]


def test_items_are_transformed(database):
    (pixels,) = images(1, (2, 5, 7))
    op = make(
        database(raw(pixels, 0)),
        'batch_size: 1',
        'crop_size: 3 mean_value: 4 mean_value: 9 scale: 0.5',
        tops=1,
    )
    want = transformed(
        pixels, lambda c, r, s: (4, 9)[c], 0.5, (5 - 3) // 2, (7 - 3) // 2, 3
    )
    (data,) = op.forward([], [])
    assert op.top_shapes([]) == [(1, 2, 3, 3)]
    assert np.array_equal(data[0], want)


def test_two_nets_may_read_one_database(database):
    pixels = images()
    path = database(*(raw(x, i) for i, x in enumerate(pixels)))
    one, other = make(path), make(path)
    assert one.forward([], [])[1].tolist() == [0, 1]
    assert other.forward([], [])[1].tolist() == [0, 1]
    assert one.forward([], [])[1].tolist() == [2, 0]


def test_what_cannot_be_read_is_refused(database, tmp_path):
    with pytest.raises(RuntimeError, match=r'Failed to open LMDB .*gone \('):
        make(tmp_path / 'gone')
    path = database()
    with pytest.raises(RuntimeError, match='data_lmdb is empty'):
        make(path)
    database(pb.Datum(data=b'no image', encoded=True))
    with pytest.raises(
        RuntimeError, match="Could not decode datum b'00000000'"
    ):
        make(path)
    database(b'\xff\xff')
    with pytest.raises(RuntimeError, match='Could not decode datum'):
        make(path)
    database(pb.Datum(channels=1, height=2, width=2, data=b'123'))
    with pytest.raises(RuntimeError, match='Could not decode datum'):
        make(path)


def test_parameters_that_make_no_sense_are_refused():
    with pytest.raises(RuntimeError, match='Positive batch size required'):
        make('any', '')
    with pytest.raises(RuntimeError, match='cannot set both force_color and'):
        make('any', transform='force_color: true force_gray: true')


@pytest.mark.parametrize('text', ['', 'backend: LEVELDB'])
def test_leveldb_is_refused_by_name(text):
    with pytest.raises(
        RuntimeError, match=r'Unknown database backend \(LEVELDB, .* `backend: '
    ):
        make_op('Data', f'data_param {{ batch_size: 1 {text} }}', [])
    assert 'Data' in OPS


def test_without_the_lmdb_package_it_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'lmdb', None)
    with pytest.raises(
        RuntimeError, match='LMDB needs the lmdb package: python -m pip install'
    ):
        make('any')


def test_rand_skip_is_ignored_as_in_caffe_but_not_silently(database, capsys):
    path = database(*(raw(x, i) for i, x in enumerate(images())))
    op = make(path, 'batch_size: 1 rand_skip: 3')
    assert 'rand_skip is ignored' in capsys.readouterr().err
    assert op.forward([], [])[1].tolist() == [0]
