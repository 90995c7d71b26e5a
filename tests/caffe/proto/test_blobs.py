"""Blobs are read in every form that they have had."""

import struct

import numpy as np
import pytest

from caffe.proto.caffe_pb2 import BlobProto
from caffe.proto.model import StoredBlob, read_model
from caffe.proto.wire import delimiter

SHAPE = (2, 3, 1, 5)
VALUES = np.arange(30, dtype='f4') / 7


def lump(number, data):
    """A length-delimited field."""
    return delimiter(number, len(data)) + data


def one_blob(tmp_path, blob):
    """The StoredBlob of a model with a single layer with a single blob."""
    layer = lump(1, b'conv') + lump(7, blob)
    path = tmp_path / 'one.caffemodel'
    path.write_bytes(lump(1, b'net') + lump(100, layer))
    ((found,),) = read_model(path).blobs
    return found


@pytest.mark.parametrize('tag, kind, dtype', [(5, 'f', 'f4'), (8, 'd', 'f8')])
def test_packed_unpacked_and_mixed_numbers_are_the_same(
    tmp_path, tag, kind, dtype
):
    values = VALUES.astype(dtype)
    loose = tag << 3 | (5 if kind == 'f' else 1)
    unpacked = b''.join(struct.pack(f'<B{kind}', loose, v) for v in values)
    size = len(unpacked) // 30
    shape = lump(7, lump(1, bytes(SHAPE)))
    for blob in (
        shape + lump(tag, values.tobytes()),
        unpacked + shape,
        unpacked[: 4 * size] + shape + unpacked[4 * size :],
        lump(tag, values[:7].tobytes()) + unpacked[7 * size :] + shape,
        unpacked[: 9 * size] + lump(tag, values[9:].tobytes()) + shape,
        shape + lump(tag, b'') + lump(tag, values.tobytes()),
    ):
        found = one_blob(tmp_path, blob)
        assert found.shape == SHAPE and found.data.dtype == dtype
        np.testing.assert_array_equal(found.data, values)
        assert not found.data.flags.writeable and found.data.flags.c_contiguous


def test_dims_may_be_unpacked_too(tmp_path):
    shape = lump(7, b''.join(b'\x08' + bytes([n]) for n in SHAPE))
    assert one_blob(tmp_path, shape + lump(5, VALUES.tobytes())).shape == SHAPE


def test_doubles_win_over_floats(tmp_path):
    blob = BlobProto(data=[1, 2], double_data=[3, 4], diff=[5, 6])
    blob.shape.dim.append(2)
    found = one_blob(tmp_path, blob.SerializeToString())
    assert list(found.data) == [3, 4] and list(found.diff) == [5, 6]
    assert found.data.dtype == np.float64


def test_old_dimensions_win_over_shape(tmp_path):
    blob = BlobProto(height=2, width=3, num=1, channels=1, data=range(6))
    blob.shape.dim.append(6)
    found = one_blob(tmp_path, blob.SerializeToString())
    assert found.legacy and found.shape == (1, 1, 2, 3)


def test_a_blob_without_axes_is_one_number(tmp_path):
    found = one_blob(tmp_path, BlobProto(data=[7]).SerializeToString())
    assert found.shape == () and list(found.data) == [7]


@pytest.mark.parametrize(
    'blob, message',
    [
        (
            dict(num=2, channels=3, data=[1]),
            r'shape \(2, 3, 0, 0\) with 1 numbers',
        ),
        (dict(num=1, channels=1, height=1, width=3), 'with 0 numbers'),
        (
            dict(num=1, channels=1, height=1, width=1, data=[1], diff=[1, 2]),
            '2 numb',
        ),
        (dict(num=-1, channels=1, height=1, width=1), r'shape \(-1, 1, 1, 1\)'),
        (
            dict(num=2**16, channels=2**16, height=1, width=1),
            'shape .65536, 65',
        ),
        (dict(shape=dict(dim=[1] * 33), data=[1]), 'a blob of 33 axes'),
    ],
)
def test_counts_that_disagree_are_refused_by_layer(tmp_path, blob, message):
    with pytest.raises(RuntimeError, match=message) as caught:
        one_blob(tmp_path, BlobProto(**blob).SerializeToString())
    assert "one.caffemodel is damaged in layer 'conv'" in str(caught.value)


@pytest.mark.parametrize(
    'stored, shape, fits',
    [
        ((1, 1, 1, 5), (5,), True),
        ((1, 1, 4, 5), (4, 5), True),
        ((1, 1, 4096, 25088), (4096, 25088), True),
        ((1, 1, 4096, 25088), (4096, 512, 7, 7), False),
        ((2, 3, 4, 5), (2, 3, 4, 5), True),
        ((1, 2, 3, 4), (2, 3, 4), True),
        ((5, 1, 1, 1), (5,), False),
        ((1, 1, 1, 1), (), True),
        ((1, 2, 3, 4), (1, 1, 2, 3, 4), False),
    ],
)
def test_old_shapes_fit_when_right_aligned(stored, shape, fits):
    assert StoredBlob(stored, True, None, None).fits(shape) is fits
    assert StoredBlob(stored, False, None, None).fits(stored)
    if shape != stored:
        assert not StoredBlob(stored, False, None, None).fits(shape)


def test_a_file_over_a_gigabyte_is_read_without_its_numbers_in_memory(
    tmp_path,
):
    shape = (300, 1024, 1024)
    blob = BlobProto()
    blob.shape.dim.extend(shape)
    count = 4 * 300 * 1024 * 1024
    head = blob.SerializeToString() + delimiter(5, count)
    name = lump(1, b'big')
    layer = name + delimiter(7, len(head) + count) + head
    path = tmp_path / 'big.caffemodel'
    with path.open('wb') as file:
        file.write(delimiter(100, len(layer) + count) + layer)
        file.seek(count, 1)  # a hole: no disk is used
        small = lump(7, lump(1, bytes(SHAPE))) + lump(5, VALUES.tobytes())
        file.write(lump(100, lump(1, b'small') + lump(7, small)))
    assert path.stat().st_size > 1 << 30
    (big,), (small,) = read_model(path).blobs
    assert big.shape == shape and big.data.size == count // 4
    assert big.data[-1] == 0
    np.testing.assert_array_equal(small.data, VALUES)
