"""padding=fc6: every score on its pixel, for images of any size."""

import numpy as np
import pytest
from variants import NAMES, edited, slim

import caffe
from ablations.studies import apply
from ablations.studies.padding import first_layers
from ablations.variant import diff
from caffe import alignment
from caffe.coord_map import coord_map_from_to
from surgery.bilinear import upsample_filt

DEPLOY = 'deploy.prototxt'
# of the first layer, fc6, and Crop layers in their order
PADS = {
    'voc-fcn32s': (1, 3, {'score': 16}),
    'voc-fcn16s': (1, 3, {'upscore2c': 1, 'score': 8}),
    'voc-fcn8s': (1, 3, {'upscore2c': 1, 'upscore_pool4c': 1, 'score': 4}),
    'voc-fcn-alexnet': (5, 3, {'score': 19}),
    'siftflow-fcn16s': (
        1,
        3,
        {
            'upscore2_semc': 1,
            'score_sem': 8,
            'upscore2_geoc': 1,
            'score_geo': 8,
        },
    ),
}


def blobs(param):
    """{name: newest Top} of a net, for coord_map."""
    return {
        top.name: top
        for _, fn, _ in alignment.functions(param)
        for top in fn.tops
    }


@pytest.mark.parametrize('name', PADS)
def test_pads_and_offsets_are_these(name):
    variant = edited(name, padding='fc6')
    for net in variant.nets.values():
        convs = [x for x in net.layer if x.type == 'Convolution']
        pads = {x.name: list(x.convolution_param.pad) for x in convs}
        first, fc6, offsets = PADS[name]
        assert pads[convs[0].name] == [first] and pads['fc6'] == [fc6]
        crops = [x for x in net.layer if x.type == 'Crop']
        assert {x.name: list(x.crop_param.offset) for x in crops} == {
            crop: [offset] for crop, offset in offsets.items()
        }


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('padding', ['100', 'fc6'])
def test_scores_and_streams_lie_on_their_pixels(name, padding):
    net = edited(name, padding=padding).nets[DEPLOY]
    tops = blobs(net)
    image = tops[first_layers(net)[0].bottom[0]]
    for score in (top for top in tops if top.startswith('score')):
        if any(score in layer.bottom for layer in net.layer):
            continue  # no output
        _, scale, shift = coord_map_from_to(image, tops[score])
        assert (scale, shift) == (1, 0), score
    for layer in net.layer:
        if layer.type == 'Eltwise' and 'fuse_' in layer.name:
            one, other = (
                coord_map_from_to(image, tops[blob]) for blob in layer.bottom
            )
            assert alignment.apart(one, other) == 0, layer.name


@pytest.mark.parametrize('name', [name for name in NAMES if 'alex' not in name])
def test_images_of_any_size_keep_it(name):
    check_sizes(name, range(1, 140))


def test_fcn_alexnet_keeps_sizes_from_29_on():
    check_sizes('voc-fcn-alexnet', range(29, 140))
    with pytest.raises(RuntimeError, match='pooling window'):
        check_sizes('voc-fcn-alexnet', [28])


def check_sizes(name, heights):
    net = caffe.Net(edited(name, padding='fc6').nets[DEPLOY], caffe.TEST)
    scores = [blob for blob in net.outputs if blob.startswith('score')]
    assert scores
    for height in heights:
        width = heights[0] + height * 37 % 101
        for blob in net.inputs:
            net.blobs[blob].reshape(1, net.blobs[blob].shape[1], height, width)
        net.reshape()
        for blob in scores:
            assert tuple(net.blobs[blob].shape[2:]) == (height, width)


def test_padding_the_image_again_gives_back_what_was_published():
    variant = slim('voc-fcn32s')
    after = apply(apply(variant.copy(), {'padding': 'fc6'}), {'padding': '100'})
    assert diff(variant, after) == []


def test_what_cannot_be_aligned_names_its_layer():
    variant = slim('voc-fcn32s')
    for layer in variant.layers('Deconvolution'):
        layer.convolution_param.kernel_size[:] = [63]
    with pytest.raises(
        ValueError, match=r"^voc-fcn32s: layer 'score': cannot crop noninteger"
    ):
        apply(variant, {'padding': 'fc6'})


def test_a_crop_whose_size_matters_is_not_turned_round():
    variant = slim('voc-fcn16s')
    for net in variant.nets.values():
        net.layer.add(
            name='look', type='ReLU', bottom=['score_pool4c'], top=['look']
        )
    with pytest.raises(
        ValueError, match=r"layer 'score_pool4c': cannot crop negative offset"
    ):
        apply(variant, {'padding': 'fc6'})


def test_at_the_border_scores_of_all_classes_fade_alike():
    """Coarse scores of 2 and 1 everywhere: inside they stay, outwards they
    shrink, and the first stays the greater."""
    kernel, high, wide = upsample_filt(64), 3, 4
    up = np.zeros((32 * high + 32, 32 * wide + 32))
    for i in range(high):
        for j in range(wide):
            up[32 * i : 32 * i + 64, 32 * j : 32 * j + 64] += kernel
    image = up[16 : 16 + 32 * high, 16 : 16 + 32 * wide]
    np.testing.assert_allclose(image[16:-16, 16:-16], 1)
    assert 0.25 < image.min() < 0.3 and image.max() <= 1 + 1e-9
