"""Weights from and to model files and other nets."""

from pathlib import Path

import numpy as np
import pytest
import torch
from net_text import TINY, assert_equal, inputs, ip, layer, net, params, two

import caffe
from caffe.proto import model

GOLDENS = Path(__file__).parents[1] / 'goldens'
# copy_from --------------------------------------------------------------------


def test_weights_are_copied_by_layer_name_and_accounted_for(
    saved, capsys, device
):
    source, path = saved
    target = net(inputs(x=(6, 3)), ip('b', 'x', 5), ip('new', 'b', 7))
    new = target.params['new'][0].data.copy()
    report = target.copy_from(path)
    for i in (0, 1):
        np.testing.assert_array_equal(
            target.params['b'][i].data, source.params['b'][i].data
        )
    np.testing.assert_array_equal(target.params['new'][0].data, new)
    assert report == (['b'], ['a'], ['new'])
    assert str(report) == 'copied: b\nignored: a\nleft at their filler: new'
    assert 'Ignoring source layer a\n' in capsys.readouterr().err


def test_views_show_what_is_copied(saved):
    source, path = saved
    target = two()
    view = target.params['a'][0].data
    target.copy_from(path)
    np.testing.assert_array_equal(view, source.params['a'][0].data)


def test_another_shape_is_refused_in_caffes_words(saved):
    path = saved[1]
    target = two(4, 6)
    before = params(target)
    with pytest.raises(
        RuntimeError,
        match=r"Cannot copy param 0 weights from layer 'b'; shape mismatch\.  "
        r'Source param shape is 5 3 \(15\); target param shape is 6 3 \(18\)\. '
        r"To learn this layer's parameters from scratch rather than copying "
        r'from a saved net, rename the layer\. \(file: .*two.caffemodel\)',
    ):
        target.copy_from(path)
    assert_equal(params(target), before)


def test_another_number_of_blobs_is_refused(saved):
    path = saved[1]
    target = net(inputs(x=(2, 3)), ip('a', 'x', 4, more='bias_term: false'))
    with pytest.raises(
        RuntimeError,
        match='Incompatible number of blobs for layer a: 2 in .*two.caffemodel,'
        ' 1 in the net',
    ):
        target.copy_from(path)
    relu = net(inputs(x=(2, 3)), layer('ReLU', 'a', 'x'))
    with pytest.raises(RuntimeError, match='blobs for layer a: 2 in .*, 0 in'):
        relu.copy_from(path)


def test_layer_types_are_not_compared(tmp_path):
    def filtering(kind, channels, outputs):
        text = f'num_output: {outputs} kernel_size: 1 bias_term: false'
        return net(
            inputs(x=(2, channels, 4, 5)),
            layer(kind, 'it', 'x', '', f'convolution_param {{ {text} }}'),
        )

    conv, deconv = (
        filtering('Convolution', 2, 3),
        filtering('Deconvolution', 3, 2),
    )
    conv.params['it'][0].data[...] = 3
    path = str(tmp_path / 'it')
    conv.save(path)
    deconv.copy_from(path)
    assert (deconv.params['it'][0].data == 3).all()


def write(path, blobs):
    """A model of the net `two`. Takes: blobs: layer -> [(data, diff)]"""
    param = two().param
    model.write_model(path, param, [blobs.get(x.name, []) for x in param.layer])


def test_a_layer_saved_without_blobs_says_nothing(tmp_path):
    """Caffe would abort; a file without its interpolation layers is common."""
    path = str(tmp_path / 'it')
    b = [(blob.data, None) for blob in two().params['b']]
    write(path, {'b': b})
    assert two().copy_from(path) == (['b'], [], ['a'])


def test_diffs_and_doubles_are_read(tmp_path):
    path = str(tmp_path / 'it')
    weight = np.arange(12, dtype=np.float64).reshape(4, 3)
    write(path, {'a': [(weight, -weight), (weight[:, 0], None)]})
    target = two()
    target.copy_from(path)
    blob = target.params['a'][0]
    np.testing.assert_array_equal(blob.data, weight)
    np.testing.assert_array_equal(blob.diff, -weight)


def test_the_oldest_models_are_read_and_compute_what_caffe_did(device):
    folder = GOLDENS / 'legacy'
    record = np.load(folder / 'io.npz')
    built = caffe.Net(
        str(folder / 'v1.prototxt'),
        caffe.TEST,
        weights=str(folder / 'v1.caffemodel'),
    )
    built.forward(data=record['in/data'])
    blobs = [name for name in record.files if name.startswith('data/')]
    assert len(blobs) == 10
    for name in blobs:
        ours, theirs = built.blobs[name[5:]].data, record[name]
        np.testing.assert_allclose(
            ours, theirs, 0, 1e-4 * np.abs(theirs).max(), err_msg=name
        )


def test_whatever_the_memory_format_values_arrive_in_order(tmp_path):
    path = str(tmp_path / 'it')
    source, target = net(TINY), net(TINY)
    for built in (source, target):
        blob = built.params['conv'][0]
        blob.tensor = blob.tensor.to(memory_format=torch.channels_last)
    source.save(path)
    target.copy_from(path)
    assert_equal(params(source), params(target))


# share_with -------------------------------------------------------------------


def test_shared_weights_are_one_and_diffs_are_not(device):
    train, test = two(), two(phase=caffe.TEST)
    test.share_with(train)
    theirs, ours = train.params['a'][0], test.params['a'][0]
    theirs.data[...] = 7
    assert (ours.data == 7).all()
    theirs.tensor.add_(1)
    assert (test.params['a'][0].data == 8).all(), 'for good'
    ours.data[0, 0] = 0
    assert train.params['a'][0].data[0, 0] == 0
    theirs.diff[...] = 1
    assert not ours.diff.any()
    assert theirs.tensor.data_ptr() == ours.tensor.data_ptr()


def test_shared_weights_are_used_by_the_next_pass(device):
    train, test = two(), two(phase=caffe.TEST)
    test.share_with(train)
    train.params['a'][0].data[...] = 0
    train.params['a'][1].data[...] = [1, 2, 3, 4]
    assert test.forward()['a'].tolist() == [[1, 2, 3, 4]] * 2


def test_only_equal_shapes_are_shared():
    train, test = two(4, 5), two(4, 6)
    before = params(test)
    with pytest.raises(
        RuntimeError,
        match=r"Cannot share param 0 weights from layer 'b'; shape mismatch\.  "
        r'Source param shape is 5 3 \(15\); target param shape is 6 3 \(18\)$',
    ):
        test.share_with(train)
    train.params['a'][0].data[...] = 9
    assert_equal(params(test), before)
    bare = net(inputs(x=(2, 3)), ip('a', 'x', 4, more='bias_term: false'))
    with pytest.raises(RuntimeError, match='number of blobs for layer a'):
        test.share_with(bare)


def test_layers_that_the_other_net_lacks_stay_as_they_are():
    train = net(inputs(x=(2, 3)), ip('a', 'x', 4), ip('other', 'x', 9))
    test = two()
    b = test.params['b'][0].data.copy()
    test.share_with(train)
    train.params['a'][0].data[...] = 9
    assert (test.params['a'][0].data == 9).all()
    np.testing.assert_array_equal(test.params['b'][0].data, b)
