"""What becomes of upsampling kernels, against plain loops over all weights."""

import numpy as np
import pytest

import caffe
from ablations import measure
from caffe.proto import caffe_pb2 as pb


def net_with(*layers):
    """Deconvolutions of a 6-channel input, given as (name, outputs, groups),
    with random weights."""
    param = pb.NetParameter()
    data = param.layer.add(name='data', type='Input', top=['data'])
    data.input_param.shape.add(dim=(1, 6, 4, 5))
    for name, outputs, groups in layers:
        layer = param.layer.add(name=name, type='Deconvolution')
        layer.bottom.append('data')
        layer.top.append(name)
        options = layer.convolution_param
        options.num_output, options.group = outputs, groups
        options.kernel_size.append(3)
        options.bias_term = False
    net = caffe.Net(param, caffe.TEST)
    rng = np.random.default_rng(9)
    for blobs in net.params.values():
        blobs[0].data[...] = rng.normal(0, 1, blobs[0].shape)
    return net


@pytest.mark.parametrize('groups', [1, 2, 3, 6])
def test_own_kernels_and_energy_between_classes_by_loops(groups):
    net = net_with(('up', 6, groups))
    weight = net.params['up'][0].data
    own, apart, whole = {}, 0.0, 0.0
    for start, within, y, x in np.ndindex(*weight.shape):
        value = float(weight[start, within, y, x])
        whole += value**2
        end = start // (6 // groups) * (6 // groups) + within
        if start == end:
            own[start, y, x] = value
        else:
            apart += value**2
    found = measure.kernels_of(net)['up']
    assert found.own.shape == (6, 3, 3)
    assert {at: found.own[at] for at in own} == own
    assert found.between == pytest.approx(apart / whole, abs=1e-12)
    assert (found.between == 0) == (groups == 6)


def test_a_layer_that_changes_the_number_of_channels_has_no_own_kernels():
    found = measure.kernels_of(net_with(('same', 6, 1), ('fewer', 4, 1)))
    assert list(found) == ['same']


def test_kernels_that_are_zero_have_no_share_of_energy():
    assert np.isnan(measure.kernels_in(np.zeros((2, 2, 3, 3))).between)
