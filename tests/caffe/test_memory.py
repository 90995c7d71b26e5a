"""Memory that a GPU and numpy look at in turn."""

import numpy as np
import pytest
import torch
from net_text import conv, inputs, layer, net

import caffe
from caffe.blob import Blob
from caffe.device import device as current

pytestmark = pytest.mark.gpu


def filled(*shape):
    blob = Blob(shape)
    blob.data[...] = np.arange(blob.count).reshape(shape)
    return blob


def test_writes_survive_a_change_of_mode():
    blob = filled(2, 3)
    caffe.set_mode_gpu()
    view = blob.data
    assert view[1, 2] == 5
    view[0, 0] = 42
    caffe.set_mode_cpu()
    assert blob.tensor.device.type == 'cpu' and blob.data[0, 0] == 42
    caffe.set_mode_gpu()
    blob.tensor = torch.ones(2, 3, device=current())
    assert blob.data.all(), 'the copy for the CPU is not put back'


def test_a_view_from_the_cpu_does_not_hinder_the_gpu():
    blob = filled(2, 3)
    view = blob.data
    caffe.set_mode_gpu()
    blob.tensor = torch.ones(2, 3, device=current())
    assert blob.tensor.device.type == 'cuda' and blob.data.all()
    assert view[1, 2] == 5


def test_views_of_a_gpu_blob_show_later_passes_once_data_is_asked_for():
    caffe.set_mode_gpu()
    blob = filled(2, 3)
    view = blob.data
    blob.tensor = torch.full((2, 3), 7.0, device=current())
    assert (blob.data == 7).all() and (view == 7).all()


def test_reading_on_a_gpu_between_the_passes_changes_no_gradient():
    caffe.set_mode_gpu()
    definition = [
        'force_backward: true',
        inputs(x=(2, 3, 5, 4)),
        conv('c', 'x', 4, 2),
        layer('Sigmoid', 's', 'c'),
        conv('d', 's', 2, 1),
    ]
    built = net(*definition)
    found = []
    for look in (False, True):
        built.clear_param_diffs()
        built.forward()
        if look:
            assert all(b.data is not None for b in built.blobs.values())
        built.blobs['d'].diff[...] = 1
        built.backward()
        found.append(built.params['c'][0].diff.copy())
    np.testing.assert_array_equal(*found)
