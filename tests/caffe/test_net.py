"""Net as pycaffe's users know it: what BVLC's own tests of it assert, its two
constructors, its names, forward and backward from layer to layer."""

import gc
import weakref
from collections import OrderedDict

import numpy as np
import pytest
from net_text import TINY, inputs, ip, layer, net

import caffe


@pytest.fixture
def tiny(tmp_path):
    """A path and the net it defines, with random labels."""
    path = tmp_path / 'tiny.prototxt'
    path.write_text(TINY)
    built = caffe.Net(str(path), caffe.TRAIN)
    labels = np.random.default_rng(0).integers(13, size=(5, 1, 1, 1))
    built.blobs['label'].data[...] = labels
    return path, built


def test_blobs_and_parameters_outlive_their_net():
    built = net(TINY)
    built.forward()
    built.backward()
    blobs = [b for blobs in built.params.values() for b in blobs]
    blobs += built.blobs.values()
    del built
    gc.collect()
    assert len(blobs) == 9
    assert all(np.isfinite(b.data).all() for b in blobs)
    assert blobs[0].diff.any()


def test_a_net_goes_when_its_last_name_goes():
    built = net(TINY)
    built.forward()
    built.backward()
    gone = weakref.ref(built)
    gc.disable()
    try:
        del built
        assert gone() is None, 'a cycle keeps its memory until gc.collect()'
    finally:
        gc.enable()


def test_layer_dict_has_the_names_and_types(tiny):
    built = tiny[1]
    assert list(built.layer_dict) == list(built._layer_names)
    for i, name in enumerate(built._layer_names):
        assert built.layer_dict[name].type == built.layers[i].type
    assert [x.type for x in built.layers][-1] == 'SoftmaxWithLoss'
    assert len(built.layers[2].blobs) == 2


def test_names_are_ordered_dicts_of_lists(tiny):
    built = tiny[1]
    assert built.inputs == [] and built.outputs == ['loss']
    assert built.top_names == OrderedDict(
        data=['data', 'label'], conv=['conv'], ip=['ip_blob'], loss=['loss']
    )
    assert built.bottom_names == OrderedDict(
        data=[], conv=['data'], ip=['conv'], loss=['ip_blob', 'label']
    )
    assert list(built.params) == ['conv', 'ip']
    assert built._blob_names == ['data', 'label', 'conv', 'ip_blob', 'loss']
    assert [b.shape for b in built._blobs][2] == (5, 11, 8, 9)
    assert built._outputs == [4] and built._inputs == []
    assert built._top_ids(0) == [0, 1] and built._bottom_ids(3) == [3, 1]
    assert (built.phase, built.name) == (caffe.TRAIN, 'tiny')


def test_forward_from_and_to_a_layer_reads_what_was_written(tiny):
    built = tiny[1]
    conv = built.blobs['conv']
    data = np.random.default_rng(1).standard_normal(conv.shape)
    conv.data[...] = data
    found = built.forward(start='ip', end='ip')
    assert list(found) == ['ip_blob']
    weight, bias = (blob.data for blob in built.params['ip'])
    np.testing.assert_allclose(
        found['ip_blob'], data.reshape(5, -1) @ weight.T + bias, 1e-3, 1e-4
    )


def test_backward_from_and_to_a_layer_reads_what_was_written(tiny):
    built = tiny[1]
    built.forward()
    top = built.blobs['ip_blob']
    top.diff[...] = np.random.default_rng(1).standard_normal(top.shape)
    found = built.backward(start='ip', end='ip')
    assert list(found) == ['conv']
    expected = top.diff @ built.params['ip'][0].data
    np.testing.assert_allclose(
        found['conv'].reshape(5, -1), expected, 1e-3, 1e-4
    )


def test_clear_param_diffs_clears_the_views(tiny):
    built = tiny[1]
    built.forward()
    built.backward()
    diff = built.params['conv'][0].diff
    assert diff.max() > 0
    built.clear_param_diffs()
    assert not diff.any()


def test_two_backward_passes_double_the_parameters_diffs(tiny):
    built = tiny[1]
    built.forward()
    built.backward()
    once = [item.blob.diff.copy() for item in built.learnable]
    blobs = [blob.diff.copy() for blob in built.blobs.values()]
    built.backward()
    for diff, item in zip(once, built.learnable):
        np.testing.assert_allclose(item.blob.diff, 2 * diff, 1e-5, 1e-5)
    for diff, blob in zip(blobs, built.blobs.values()):
        np.testing.assert_array_equal(blob.diff, diff)


def test_an_unknown_layer_is_a_value_error(tiny):
    built = tiny[1]
    for call in (built.forward, built.backward):
        for end in ('start', 'end'):
            with pytest.raises(ValueError, match="'fc8' is not in list"):
                call(**{end: 'fc8'})


# inputs by keyword -----------------------------------------------------------


def summing():
    return net(
        inputs(a=(2, 3), b=(2, 3)),
        layer('Eltwise', 'sum', 'a b'),
        ip('out', 'sum', 4),
        'force_backward: true',
    )


def test_keywords_fill_the_inputs():
    built = summing()
    a, b = np.ones((2, 3)), np.arange(6).reshape(2, 3)
    found = built.forward(a=a, b=b, blobs=['sum'])
    assert sorted(found) == ['out', 'sum']
    np.testing.assert_array_equal(found['sum'], a + b)
    assert np.shares_memory(found['sum'], built.blobs['sum'].data)


def test_keywords_fill_the_diffs_of_the_outputs():
    built = summing()
    built.forward(a=np.zeros((2, 3)), b=np.zeros((2, 3)))
    found = built.backward(out=np.ones((2, 4)), diffs=['sum'])
    assert sorted(found) == ['a', 'b', 'sum']
    expected = np.ones((2, 4)) @ built.params['out'][0].data
    for diff in found.values():
        np.testing.assert_allclose(diff, expected, 1e-5)


def test_keywords_that_do_not_fit_are_refused():
    built, array = summing(), np.zeros((2, 3))
    with pytest.raises(
        Exception, match='Input blob arguments do not match net inputs.'
    ):
        built.forward(a=array)
    with pytest.raises(
        Exception, match=r"Input is not batch sized: 'b' is \(3"
    ):
        built.forward(a=array, b=np.zeros((3, 3)))
    with pytest.raises(
        Exception, match='Top diff arguments do not match net outputs.'
    ):
        built.backward(sum=array)
    with pytest.raises(Exception, match='Diff is not batch sized'):
        built.backward(out=np.zeros((1, 4)))


def test_an_array_of_another_shape_is_not_rearranged():
    built = net(inputs(x=(1, 3, 4, 5)), layer('ReLU', 'r', 'x'))
    with pytest.raises(ValueError, match='could not broadcast'):
        built.forward(x=np.zeros((1, 3, 5, 4)))
    one = built.forward(x=np.ones((1, 1, 4, 5)))['r']
    assert one.shape == (1, 3, 4, 5) and one.all(), 'numpy broadcasts'


# constructors ----------------------------------------------------------------


def test_both_constructors_read_the_same_weights(tiny, tmp_path, capsys):
    path, built = tiny
    weights = str(tmp_path / 'tiny.caffemodel')
    built.save(weights)
    capsys.readouterr()
    for other in (
        caffe.Net(str(path), weights, caffe.TRAIN),
        caffe.Net(str(path), caffe.TRAIN, weights=weights),
        caffe.Net(str(path), caffe.TEST, 0, None, weights),
        caffe.Net(network_file=path, phase=caffe.TEST, weights=weights),
    ):
        for name in built.params:
            for ours, theirs in zip(built.params[name], other.params[name]):
                assert (ours.data == theirs.data).all()
    lines = capsys.readouterr().err.splitlines()
    warnings = [x.partition('] ')[2] for x in lines if x.startswith('W')]
    assert warnings == [
        'DEPRECATION WARNING - deprecated use of Python interface',
        'Use this instead (with the named "weights" parameter):',
        f"Net('{path}', 0, weights='{weights}')",
    ]


def test_a_missing_file_is_told_by_name(tiny, tmp_path):
    path = str(tiny[0])
    for args, name in [
        (('none.prototxt', caffe.TEST), 'none.prototxt'),
        ((path, 'none.caffemodel', caffe.TEST), 'none.caffemodel'),
        ((path, caffe.TEST, 0, None, 'none.h5'), 'none.h5'),
        ((str(tmp_path), caffe.TEST), str(tmp_path)),
    ]:
        with pytest.raises(RuntimeError, match=f'Could not open file {name}'):
            caffe.Net(*args)


def test_a_net_without_a_phase_is_refused(tiny):
    with pytest.raises(TypeError, match='caffe.TRAIN or caffe.TEST'):
        caffe.Net(str(tiny[0]))
    with pytest.raises(TypeError, match="no argument 'more'"):
        caffe.Net(str(tiny[0]), caffe.TEST, 0, None, None, 'more')


def test_net_can_be_subclassed(tiny):
    class Classifier(caffe.Net):
        def __init__(self, model):
            caffe.Net.__init__(self, model, caffe.TEST)

    assert Classifier(str(tiny[0])).outputs == ['loss']


def test_a_message_given_as_a_net_is_not_changed(tiny):
    param = caffe.caffe_pb2.NetParameter()
    param.CopyFrom(tiny[1].param)
    before = param.SerializeToString()
    caffe.Net(param, caffe.TEST)
    assert param.SerializeToString() == before
