"""Surgery on real nets."""

import numpy as np
import pytest

import caffe
import surgery
from caffe import layers as L
from caffe.proto.text import read_net
from surgery.__main__ import convert


def net(**widths):
    """A net of one convolution per keyword, on a 2 x 3 x 7 x 5 input."""
    n = caffe.NetSpec()
    n.data = top = L.Input(shape=dict(dim=[2, 3, 7, 5]))
    for name, width in widths.items():
        top = n[name] = L.Convolution(
            top,
            num_output=width,
            kernel_size=3,
            weight_filler=dict(type='gaussian', std=1),
        )
    return caffe.Net(n.to_proto(), caffe.TEST)


def test_transplanted_nets_compute_the_same():
    old, new = net(one=4, two=6), net(oneb=4, twob=6)
    surgery.transplant(new, old, 'b')
    image = np.random.default_rng(0).standard_normal((2, 3, 7, 5))
    for each in (old, new):
        each.blobs['data'].data[...] = image
        each.forward()
    np.testing.assert_array_equal(new.blobs['twob'].data, old.blobs['two'].data)
    assert np.abs(old.blobs['two'].data).max() > 0


def test_transplant_refuses_another_width_by_name():
    with pytest.raises(ValueError, match=r'one\[0\]: 4 x 3 x 3 x 3 holds'):
        surgery.transplant(net(one=5), net(one=4))


def test_expand_score_works_on_one_dimensional_biases():
    old, new = net(score=4), net(wide=9)
    old.params['score'][1].data[...] = [1, 2, 3, 4]
    surgery.expand_score(new, 'wide', old, 'score')
    weight, bias = (blob.data for blob in new.params['wide'])
    np.testing.assert_array_equal(weight[:4], old.params['score'][0].data)
    np.testing.assert_array_equal(bias, [1, 2, 3, 4, 0, 0, 0, 0, 0])


@pytest.mark.parametrize('group', [1, 3])
def test_an_interpolating_layer_enlarges_a_ramp(group):
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 6, 5]))
    options = dict(num_output=3, kernel_size=4, stride=2, group=group)
    options.update(bias_term=False)
    n.up = L.Deconvolution(n.data, convolution_param=options)
    made = caffe.Net(n.to_proto(), caffe.TEST)
    surgery.interp(made, ['up'])
    down, across = np.mgrid[:6, :5]
    made.blobs['data'].data[...] = np.stack([down, across, down + across])
    made.forward()
    up = made.blobs['up'].data[0, :, 3:-3, 3:-3]  # away from the border
    rows, columns = np.mgrid[3:11, 3:9] / 2 - 0.75
    expected = np.stack([rows, columns, rows + columns])
    np.testing.assert_allclose(up, expected, atol=1e-5)


def test_a_classifier_of_2014_slides_as_in_caffe(goldens, tmp_path):
    """V1 layers, 4-D blob shapes, inner products; Caffe's recorded scores of
    the same weights on a larger image."""
    trunk = read_net(str(goldens / 'legacy' / 'fullconv.prototxt'))
    for layer in trunk.layer:
        layer.name = layer.name.replace('-conv', '')
    out = tmp_path / 'trunk.caffemodel'
    report = convert(goldens / 'legacy' / 'v1.caffemodel', out, trunk)
    coerced = [str(move.new) for move in report.of('coerced')]
    assert {'fc6[0]', 'fc7[0]', 'fc8[0]'} <= set(coerced)
    made = caffe.Net(trunk, caffe.TEST)
    made.copy_from(str(out))
    recorded = np.load(goldens / 'legacy' / 'fullconv.npz')
    made.blobs['data'].data[...] = recorded['in/data']
    made.forward()
    for blob in ('fc6', 'fc8', 'prob'):
        expected = recorded[f'data/{blob}']
        np.testing.assert_allclose(
            made.blobs[blob].data,
            expected,
            atol=1e-4 * np.abs(expected).max(),
            err_msg=blob,
        )
