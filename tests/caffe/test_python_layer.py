"""Layers written in Python: what BVLC's own tests of them assert, the order
of calls, data layers, parameters."""

import numpy as np
import pytest
from net_text import conv, inputs, layer, net, python

import caffe

TEN = """
import caffe

class Times(caffe.Layer):
    def setup(self, bottom, top):
        assert not hasattr(self, 'calls'), 'setup runs once'
        self.calls = []
        self.factor = float(self.param_str or 10)

    def reshape(self, bottom, top):
        self.calls.append('reshape')
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        self.calls.append('forward')
        top[0].data[...] = self.factor * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        self.calls.append(('backward', list(propagate_down)))
        bottom[0].diff[...] = self.factor * top[0].diff
"""
DATA = inputs(data=(10, 9, 8))
THREE = [
    'force_backward: true',
    DATA,
    python('one', 'Times', 'data'),
    python('two', 'Times', 'one'),
    python('three', 'Times', 'two'),
]


def test_forward_and_backward_go_through_the_layers(module, tmp_path, device):
    module(TEN)
    built = net(*THREE, root=tmp_path)
    found = built.forward(data=np.full((10, 9, 8), 8))
    assert (found['three'] == 8000).all()
    found = built.backward(three=np.full((10, 9, 8), 7))
    assert (found['data'] == 7000).all()


def test_the_calls_come_in_caffes_order(module, tmp_path):
    module(TEN)
    built = net(*THREE, root=tmp_path)
    one = built.layers[1]
    assert one.calls == ['reshape'], 'and no forward yet'
    built.reshape()
    built.forward()
    built.backward()
    assert one.calls == [
        *['reshape'] * 3,
        'forward',
        ('backward', [True]),
    ]
    assert built.layers[1] is built.layer_dict['one'] is one
    assert one.type == 'Python' and isinstance(one, caffe.Layer)


def test_param_str_reaches_the_layer(module, tmp_path):
    module(TEN)
    two = "param_str: '2'"
    built = net(
        'force_backward: true',
        DATA,
        python('one', 'Times', 'data', more=two),
        python('two', 'Times', 'one'),
        root=tmp_path,
    )
    assert built.layers[1].param_str == '2' and built.layers[2].param_str == ''
    found = built.forward(data=np.full((10, 9, 8), 8))
    assert (found['two'] == 8 * 20).all()
    found = built.backward(two=np.full((10, 9, 8), 7))
    assert (found['data'] == 7 * 20).all()


def test_a_reshaped_input_reshapes_the_layers(module, tmp_path):
    module(TEN)
    built = net(*THREE, root=tmp_path)
    built.blobs['data'].reshape(4, 3, 5, 2)
    built.forward()
    for blob in built.blobs.values():
        assert list(blob.shape) == [4, 3, 5, 2]


RESIZING = """
import caffe

class Sizes(caffe.Layer):
    def setup(self, bottom, top):
        self.size = 4
    def reshape(self, bottom, top):
        top[0].reshape(1, 3, self.size, 7)
    def forward(self, bottom, top):
        top[0].data[...] = self.size
        self.size += 1
"""


def test_a_data_layer_resizes_the_net_in_the_same_forward(module, tmp_path):
    module(RESIZING)
    built = net(
        python('data', 'Sizes'),
        conv('c', 'data', 2, 3),
        layer('ReLU', 'r', 'c'),
        root=tmp_path,
    )
    for size in (4, 5, 6):
        found = built.forward(blobs=['data'])
        assert found['r'].shape == (1, 2, size - 2, 5)
        assert (found['data'] == size).all()
    built.reshape()
    assert built.layers[0].size == 7, 'reshape alone does not go on'


def test_a_data_layer_fills_blobs_that_were_freed(module, tmp_path):
    module(RESIZING)
    built = net(
        python('data', 'Sizes'),
        layer('Power', 'p', 'data', '', 'power_param { scale: 2 }'),
        layer('ReLU', 'r', 'p'),
        phase=caffe.TEST,
        root=tmp_path,
    )
    built.set_keep([])
    for size in (4, 5):
        assert (built.forward()['r'] == 2 * size).all()


PARAMETER = """
import caffe

class Parameter(caffe.Layer):
    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        self.blobs[0].data[0] = 0

    def reshape(self, bottom, top):
        top[0].reshape(10)

    def forward(self, bottom, top):
        pass

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[0] += 1

class Phase(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape()
    def forward(self, bottom, top): top[0].data[()] = self.phase
"""


def test_a_parameter_of_a_python_layer_is_one_of_the_net(module, tmp_path):
    module(PARAMETER)
    definition = [
        'force_backward: true',
        python('layer', 'Parameter', '', 'top'),
    ]
    built = net(*definition, root=tmp_path)
    blob = built.params['layer'][0]
    assert [item[1:] for item in built.learnable] == [(1, 1, 'layer[0]')]
    assert (blob.shape, blob.data[0]) == ((1,), 0)
    built.forward()
    built.backward()
    built.backward()
    assert blob.diff[0] == 2
    path = str(tmp_path / 'it.caffemodel')
    built.save(path)
    blob.data[0] = 5
    built.copy_from(path)
    assert blob.data[0] == 0
    other = net(*definition, root=tmp_path)
    other.share_with(built)
    blob.data[0] = 6
    assert other.params['layer'][0].data[0] == 6


def test_add_blob_takes_dims_only():
    blobs = caffe.ops.python.BlobVec()
    blobs.add_blob(2, 3)
    assert blobs[0].shape == (2, 3) and not blobs[0].data.any()
    with pytest.raises(RuntimeError, match='BlobVec.add_blob takes no kwargs'):
        blobs.add_blob(2, channels=3)


@pytest.mark.parametrize('phase', [caffe.TRAIN, caffe.TEST])
def test_the_phase_reaches_the_layer(module, tmp_path, phase):
    module(PARAMETER)
    built = net(python('phase', 'Phase'), phase=phase, root=tmp_path)
    assert built.forward()['phase'] == phase


def test_a_python_top_is_a_loss_where_loss_weight_says_so(module, tmp_path):
    module(TEN)
    built = net(
        inputs(x=(1,)),
        python('l', 'Times', 'x', rest='loss_weight: 0.5'),
        root=tmp_path,
    )
    built.blobs['x'].data[...] = 3
    assert built._forward(0, 1) == 15
