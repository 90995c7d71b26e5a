"""caffe.io: arrays from and to messages (spec section F.3)."""

import numpy as np
import pytest

import caffe
from caffe.proto import caffe_pb2 as pb

X = np.random.default_rng(0).standard_normal((2, 3, 5)).astype(np.float32)


def test_an_array_survives_the_message():
    blob = caffe.io.array_to_blobproto(X, diff=-X)
    again = pb.BlobProto.FromString(blob.SerializeToString())
    assert list(again.shape.dim) == [2, 3, 5]
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(again), X)
    np.testing.assert_array_equal(
        caffe.io.blobproto_to_array(again, return_diff=True), -X
    )


def test_without_a_diff_there_is_none():
    blob = caffe.io.array_to_blobproto(X)
    assert not blob.diff
    with pytest.raises(ValueError):
        caffe.io.blobproto_to_array(blob, return_diff=True)


def test_old_dims_win_over_shape_and_absent_ones_are_zero():
    blob = pb.BlobProto(num=1, channels=2, height=3, width=5, data=range(30))
    blob.shape.dim.extend([30])
    array = caffe.io.blobproto_to_array(blob)
    assert array.shape == (1, 2, 3, 5) and array[0, 1, 0, 0] == 15
    with pytest.raises(ValueError):
        caffe.io.blobproto_to_array(pb.BlobProto(num=2, data=[1, 2]))


def test_without_a_shape_one_number_is_a_scalar():
    array = caffe.io.blobproto_to_array(pb.BlobProto(data=[7]))
    assert array.shape == () and array == 7
    with pytest.raises(ValueError):
        caffe.io.blobproto_to_array(pb.BlobProto(data=[1, 2]))


def test_doubles_are_read_too():
    blob = pb.BlobProto(double_data=[1 / 3, 0.5])
    blob.shape.dim.extend([2])
    assert caffe.io.blobproto_to_array(blob)[0] == 1 / 3


def test_an_array_list_survives_the_string():
    arrays = [X, X[0], np.float32(4)]
    string = caffe.io.arraylist_to_blobprotovector_str(arrays)
    assert isinstance(string, bytes)
    for one, other in zip(
        arrays, caffe.io.blobprotovector_str_to_arraylist(string)
    ):
        np.testing.assert_array_equal(one, other)
        assert np.shape(one) == other.shape
