"""Where blobs lie on each other (spec F.2)."""

import numpy as np
import pytest

from caffe import NetSpec
from caffe import layers as L
from caffe.coord_map import AxisMismatchException, coord_map_from_to, crop


def data():
    return L.Input(shape=dict(dim=[2, 3, 31, 37]))


def conv(top, **options):
    return L.Convolution(top, num_output=4, **options)


def deconv(top, **options):
    return L.Deconvolution(top, convolution_param=dict(num_output=4, **options))


def there_and_back(image, kernel=3, stride=2, pad=0, back_pad=0):
    """A convolution and the deconvolution that undoes its size."""
    down = conv(image, kernel_size=kernel, stride=stride, pad=pad)
    return deconv(down, kernel_size=kernel, stride=stride, pad=back_pad)


def offset(top, image):
    axis, a, b = coord_map_from_to(top, image)
    assert axis == 1
    assert np.all(a == 1)
    return b.tolist()


def test_a_deconvolution_undoes_its_convolution():
    image = data()
    assert offset(there_and_back(image), image) == [0]


def test_pooling_moves_the_centre():
    image = data()
    pool = L.Pooling(conv(image, kernel_size=3), kernel_size=4, stride=4)
    top = deconv(deconv(pool, kernel_size=4, stride=4), kernel_size=3)
    assert offset(top, image) == [0]
    shifted = deconv(pool, kernel_size=4, stride=4)
    assert offset(shifted, image) == [1], 'the convolution cut a pixel'


def test_pointwise_layers_change_nothing():
    image = data()
    top = there_and_back(L.ReLU(L.LRN(conv(image, kernel_size=1))))
    assert offset(L.Dropout(L.Scale(top)), image) == [0]


@pytest.mark.parametrize('pad', [1, 2, 5])
def test_padding_shifts_and_padding_back_undoes_it(pad):
    image = data()
    assert offset(there_and_back(image, pad=pad), image) == [-pad]
    assert offset(there_and_back(image, back_pad=pad), image) == [pad]
    both = there_and_back(image, pad=pad, back_pad=pad)
    assert offset(both, image) == [0]


def test_dilation_widens_the_kernel():
    image = data()
    top = conv(image, kernel_size=3, dilation=4)
    assert offset(top, image) == [4]


def test_tops_and_bottoms_of_one_layer_map_alike():
    left, right = data(), data()
    tops = L.Convolution(left, right, num_output=4, kernel_size=5, ntop=2)
    for top in tops:
        for image in (left, right):
            assert offset(top, image) == [2]


def test_axes_of_their_own_are_kept_apart():
    image = data()
    top = conv(image, kernel_size=[3, 5], stride=[2, 3], pad=[1, 4])
    axis, a, b = coord_map_from_to(top, image)
    assert (axis, a.tolist(), b.tolist()) == (1, [2, 3], [0, -2])


def test_more_spatial_axes_work():
    image = L.Input(shape=dict(dim=[2, 3, 7, 11, 13]))
    top = conv(image, kernel_size=[3, 3, 3], pad=[0, 1, 2])
    assert offset(top, image) == [1, 0, -1]


def test_another_channel_axis_is_kept():
    image = L.Input(shape=dict(dim=[2, 2, 3, 11, 13]))
    top = deconv(conv(image, kernel_size=3, axis=2), kernel_size=3, axis=2)
    made = crop(top, image).fn.params['crop_param']
    assert made == dict(axis=3, offset=[0])


def test_a_crop_counts_for_its_first_bottom():
    image = data()
    small = L.Crop(image, data(), axis=2, offset=[3])
    assert offset(small, image) == [3]
    also = L.Crop(image, data(), crop_param=dict(offset=4))
    assert offset(also, image) == [4]


def test_a_crop_does_not_lead_to_its_reference():
    image, reference = data(), data()
    small = L.Crop(image, reference, offset=3)
    with pytest.raises(RuntimeError, match='Could not compute map'):
        coord_map_from_to(small, reference)


def test_options_in_a_message_are_read_too():
    image = data()
    top = L.Pooling(image, pooling_param=dict(kernel_size=3, stride=1))
    assert offset(top, image) == [1]


def test_pool5_of_vgg_and_its_score_are_where_the_paper_says():
    image = data()
    top = conv(image, kernel_size=3, pad=100)
    for convolutions in (1, 2, 3, 3, 3):
        for _ in range(convolutions):
            top = conv(top, kernel_size=3, pad=1)
        top = L.Pooling(top, kernel_size=2, stride=2)
    axis, a, b = coord_map_from_to(top, image)
    assert (axis, a.tolist(), b.tolist()) == (1, [32], [-83.5])
    axis, a, b = coord_map_from_to(conv(top, kernel_size=7), image)
    assert (axis, a.tolist(), b.tolist()) == (1, [32], [12.5])


def test_crop_makes_the_layer():
    n = NetSpec()
    n.data = data()
    n.up = there_and_back(n.data, pad=6)
    n.score = crop(n.up, n.data)
    layer = n.to_proto().layer[-1]
    assert (layer.type, layer.bottom) == ('Crop', ['up', 'data'])
    assert (layer.crop_param.axis, layer.crop_param.offset) == (2, [6])


def test_strides_that_have_no_exact_inverse_do_not_matter():
    image = data()
    crop(there_and_back(image, kernel=49, stride=49, pad=98), image)


def named(**tops):
    n = NetSpec()
    for name, top in tops.items():
        n[name] = top
    return n


def test_unconnected_blobs_are_named_with_the_layer_in_the_way():
    n = named(data=data())
    n.fc = L.InnerProduct(n.data, num_output=4)
    n.up = deconv(n.fc, kernel_size=3)
    with pytest.raises(RuntimeError, match=r'up to data; .*fc \(InnerProduct'):
        crop(n.up, n.data)


def test_a_scale_mismatch_is_named():
    n = named(data=data())
    n.small = conv(n.data, kernel_size=1, stride=2)
    with pytest.raises(AssertionError, match=r'scale mismatch .*small to data'):
        crop(n.small, n.data)


def test_a_negative_crop_is_named():
    n = named(data=data())
    n.valid = conv(n.data, kernel_size=3)
    said = r'cannot crop negative offset \(b = \[1\.\]\) \(valid to data\)'
    with pytest.raises(AssertionError, match=said):
        crop(n.valid, n.data)


def test_half_a_pixel_is_named():
    n = named(data=data())
    n.even = conv(n.data, kernel_size=2, pad=1)
    with pytest.raises(AssertionError, match=r'noninteger offset .*even to'):
        crop(n.even, n.data)


def test_crossed_axes_are_named():
    n = named(data=data())
    n.one = conv(n.data, kernel_size=3)
    n.two = conv(n.one, kernel_size=3, axis=2)
    with pytest.raises(
        AxisMismatchException, match='one: channel axis 1 above'
    ):
        crop(n.two, n.data)


@pytest.mark.parametrize('legacy', ['pad_h', 'kernel_w', 'stride_h'])
def test_separate_height_and_width_are_refused_by_name(legacy):
    n = named(data=data())
    n.old = conv(n.data, kernel_size=3, **{legacy: 1})
    with pytest.raises(AssertionError, match='old: .* legacy _h/_w params'):
        crop(n.old, n.data)


def test_a_missing_kernel_size_is_a_key_error():
    n = named(data=data())
    n.pool = L.Pooling(n.data, global_pooling=True)
    with pytest.raises(KeyError, match='pool: no kernel_size'):
        crop(n.pool, n.data)


def test_blobs_without_a_spatial_layer_between_cannot_be_cropped():
    n = named(data=data())
    n.relu = L.ReLU(n.data)
    assert coord_map_from_to(n.relu, n.data)[0] is None
    with pytest.raises(AttributeError, match='relu to data'):
        crop(n.relu, n.data)
