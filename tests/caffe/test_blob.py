"""Blob: numpy views that work both ways, reshape, sharing, freeing."""

import gc

import numpy as np
import pytest
import torch

from caffe.blob import Blob
from caffe.device import device as current


def filled(*shape):
    blob = Blob(shape)
    blob.data[...] = np.arange(blob.count).reshape(shape)
    return blob


def on_device(values):
    return torch.as_tensor(values, dtype=torch.float32, device=current())


def test_a_new_blob_is_zeros_of_its_shape(device):
    blob = Blob((2, 3, 5, 4))
    for side in (blob.data, blob.diff):
        assert side.shape == (2, 3, 5, 4) and side.dtype == np.float32
        assert not side.any() and side.flags.c_contiguous
    assert list(blob.shape) == [2, 3, 5, 4] and blob.count == 120


def test_what_numpy_writes_torch_reads_and_back(device):
    blob = filled(2, 3)
    assert blob.tensor.tolist() == [[0, 1, 2], [3, 4, 5]]
    blob.tensor[1] += 10
    assert blob.data[1].tolist() == [13, 14, 15]
    blob.diff[0] = 7
    assert blob.grad.tolist() == [[7, 7, 7], [0, 0, 0]]


def test_each_access_gives_another_array_on_the_same_memory():
    blob = Blob((2, 3))
    one, two = blob.data, blob.data
    assert one is not two and np.shares_memory(one, two)


def test_data_and_diff_cannot_be_replaced():
    for side in ('data', 'diff'):
        with pytest.raises(AttributeError):
            setattr(Blob((2,)), side, np.zeros(2))


def test_a_scalar_has_a_0_d_view(device):
    blob = Blob()
    blob.data[...] = 3
    assert blob.data.shape == () and blob.tensor.item() == 3
    assert blob.count == 1 and blob.num == 1


def test_a_view_stays_true_however_many_others_come_and_go():
    blob = Blob((2, 3))
    first = blob.data
    part = blob.data[1]
    for i in range(3):
        assert blob.data is not None  # another one, gone at once
        gc.collect()
        blob.tensor = torch.full((2, 3), float(i))
        assert (first == i).all() and (part == i).all(), i
    del first
    blob.tensor = torch.full((2, 3), 8.0)
    assert (part == 8).all(), 'a part of a view is a view'


def test_without_a_view_a_new_tensor_is_taken_and_not_copied():
    blob, new = Blob((2, 3)), torch.ones(2, 3)
    assert blob.data is not None
    gc.collect()
    blob.tensor = new
    assert blob.tensor is new
    view, newer = blob.data, torch.zeros(2, 3)
    blob.tensor = newer
    assert blob.tensor is new and not view.any()


def test_views_are_in_c_order_whatever_the_memory_format():
    blob, values = Blob((2, 3, 5, 4)), torch.randn(2, 3, 5, 4)
    blob.tensor = values.to(memory_format=torch.channels_last)
    assert blob.data.flags.c_contiguous
    np.testing.assert_array_equal(blob.data, values.numpy())
    blob.data.reshape(-1)[7] = 50  # a copy, were it not in C order
    assert blob.tensor.reshape(-1)[7] == 50


def test_reshape_keeps_flat_contents_unless_it_must_grow(device):
    blob = filled(2, 3, 2)
    blob.reshape(4, 3)
    assert blob.data.tolist() == np.arange(12).reshape(4, 3).tolist()
    blob.reshape(5)
    assert blob.data.tolist() == [0, 1, 2, 3, 4] and blob.diff.shape == (5,)
    blob.reshape(3, 4)
    assert blob.data[2].tolist() == [8, 9, 10, 11], 'still the old memory'
    blob.reshape(13)
    assert blob.data.tolist() == [0] * 13, 'grown: zeros'
    blob.reshape()
    assert blob.shape == () and blob.data.shape == ()


def test_reshape_reads_any_memory_format_in_flat_order():
    blob, values = Blob((1, 2, 2, 3)), torch.arange(12.0).view(1, 2, 2, 3)
    blob.tensor = values.to(memory_format=torch.channels_last)
    blob.reshape(12)
    assert blob.data.tolist() == list(range(12))


def test_a_blob_with_a_new_tensor_has_a_diff_of_its_shape():
    blob = filled(2, 3)
    blob.diff[...] = 1
    blob.tensor = torch.zeros(3, 5)
    assert blob.diff.shape == (3, 5)


def test_reshape_refuses_keywords_and_negative_dims():
    with pytest.raises(RuntimeError, match='^Blob.reshape takes no kwargs$'):
        Blob().reshape(num=1)
    with pytest.raises(RuntimeError, match=r'negative dim in \(2, -1\)'):
        Blob().reshape(2, -1)


def test_legacy_names_are_the_first_four_dims_and_1_beyond():
    blob = Blob((2, 3))
    assert (blob.num, blob.channels, blob.height, blob.width) == (2, 3, 1, 1)
    with pytest.raises(
        RuntimeError, match='Cannot use legacy accessors on Blobs with > 4 axes'
    ):
        _ = Blob((1, 2, 3, 4, 5)).num


def test_clearing_a_diff_shows_in_a_view_of_it():
    blob = Blob((2, 3))
    view = blob.diff
    view[...] = 5
    blob.grad = None
    assert not view.any()
    blob.grad = torch.ones(2, 3)
    assert view.all(), 'and the view still lives'


def test_add_grad_takes_the_first_and_adds_the_others(device):
    blob, first = Blob((2,)), on_device([1, 2])
    blob.add_grad(first)
    assert blob.grad is first
    blob.add_grad(on_device([10, 20]))
    assert blob.diff.tolist() == [11, 22]


def test_a_lent_diff_is_copied_before_anybody_may_write(device):
    blob, momentum = Blob((2,)), on_device([1, 2])
    blob.lend_grad(momentum)
    blob.diff[...] = 9
    assert momentum.tolist() == [1, 2] and blob.grad.tolist() == [9, 9]


def test_shared_data_is_one_and_diffs_are_two(device):
    ours, theirs = filled(2, 3), filled(2, 3)
    ours.diff[...] = 1
    ours.share_data(theirs)
    theirs.data[0] = -1
    assert ours.data[0].tolist() == [-1, -1, -1]
    ours.tensor[1] = 4
    assert theirs.data[1].tolist() == [4, 4, 4]
    assert ours.diff.all() and not theirs.diff.any()


def test_a_blob_that_shares_keeps_its_own_shape(device):
    owner, other = filled(2, 6), Blob((4, 3))
    other.share(owner)
    assert other.shape == (4, 3) and owner.shape == (2, 6)
    assert other.data.tolist() == np.arange(12).reshape(4, 3).tolist()
    other.data[3] = 0
    assert owner.tensor[1].tolist() == [6, 7, 8, 0, 0, 0]
    other.tensor = on_device(np.ones((4, 3)))
    assert owner.data.tolist() == [[1] * 6] * 2
    owner.add_grad(on_device(np.ones((2, 6))))
    other.add_grad(on_device(np.ones((4, 3))))
    assert owner.diff.tolist() == [[2] * 6] * 2
    assert other.grad.shape == (4, 3) and other.diff.shape == (4, 3)


def test_sharing_in_another_memory_format_still_is_one_memory():
    owner, other = Blob((2, 3, 2, 2)), Blob((6, 4))
    values = torch.randn(2, 3, 2, 2)
    owner.tensor = values.to(memory_format=torch.channels_last)
    other.share(owner)
    assert torch.equal(other.tensor, values.view(6, 4))
    other.tensor.zero_()
    assert not owner.tensor.any()


def test_a_freed_blob_cannot_be_read_until_it_is_filled():
    blob = filled(2, 3)
    view = blob.data
    blob.free('conv1')
    for side in ('data', 'tensor'):
        with pytest.raises(
            RuntimeError,
            match=r"data of blob 'conv1' was freed .* net.set_keep\(names\)",
        ):
            getattr(blob, side)
    assert blob.shape == (2, 3) and view[1, 2] == 5, 'a view keeps its memory'
    blob.tensor = torch.ones(2, 3)
    assert blob.data.all()
    blob.free('conv1')
    blob.revive()
    assert not blob.data.any()
