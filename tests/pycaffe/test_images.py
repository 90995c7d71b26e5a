"""caffe.io's images: loading, resizing, cropping, and Datum."""

import numpy as np
import pytest
from PIL import Image

import caffe
from caffe.proto import caffe_pb2 as pb

RNG = np.random.default_rng(5)
COLOUR = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (4, 5, 1), dtype=np.uint8)
GREY = COLOUR[:, :, 0]


# load_image -------------------------------------------------------------------


def saved(tmp_path, pixels, mode=None):
    path = tmp_path / 'image.png'
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)
    return str(path)


@pytest.mark.parametrize(
    'pixels, expected',
    [
        (COLOUR, COLOUR / 255),
        (np.dstack([COLOUR, ALPHA]), COLOUR / 255),
        (GREY, np.dstack([GREY] * 3) / 255),
        (np.dstack([GREY, ALPHA]), np.dstack([GREY] * 3) / 255),
        (GREY.astype(np.uint16) * 200, np.dstack([GREY * 200.0] * 3) / 65535),
        (GREY > 99, np.dstack([GREY > 99] * 3)),
    ],
    ids=['rgb', 'rgba', 'grey', 'grey with alpha', '16 bits', 'bilevel'],
)
def test_images_are_rgb_from_0_to_1(tmp_path, pixels, expected):
    image = caffe.io.load_image(saved(tmp_path, pixels))
    assert image.dtype == np.float32 and image.shape == (4, 5, 3)
    np.testing.assert_allclose(image, expected, atol=1e-6)


def test_a_palette_is_looked_up_and_its_transparency_dropped(tmp_path):
    image = Image.fromarray(GREY % 4).convert('P')
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    image.save(tmp_path / 'image.png', transparency=bytes([0, 9, 255, 255]))
    image = caffe.io.load_image(tmp_path / 'image.png')
    colours = np.arange(10, 130, 10).reshape(4, 3)
    np.testing.assert_allclose(image, colours[GREY % 4] / 255, atol=1e-6)


def test_color_false_gives_one_channel(tmp_path):
    image = caffe.io.load_image(saved(tmp_path, COLOUR), color=False)
    assert image.shape == (4, 5, 1) and image.dtype == np.float32
    expected = COLOUR @ [0.2125, 0.7154, 0.0721] / 255
    np.testing.assert_allclose(image[..., 0], expected, atol=1e-6)
    image = caffe.io.load_image(saved(tmp_path, GREY), color=False)
    np.testing.assert_allclose(image[..., 0], GREY / 255, atol=1e-6)


def test_other_colour_spaces_become_rgb(tmp_path):
    path = tmp_path / 'image.jpg'
    Image.fromarray(COLOUR).convert('CMYK').save(path, quality=95)
    assert caffe.io.load_image(path).shape == (4, 5, 3)


# resize_image -----------------------------------------------------------------


def by_loops(im, height, width):
    """Linear between pixel centres; outside lies the image's minimum."""
    low = im.min()
    out = np.zeros((height, width, im.shape[2]))
    for y, x in np.ndindex(height, width):
        row = (y + 0.5) * im.shape[0] / height - 0.5
        column = (x + 0.5) * im.shape[1] / width - 0.5
        for i, j in np.ndindex(im.shape[:2]):
            near = max(0, 1 - abs(row - i)) * max(0, 1 - abs(column - j))
            out[y, x] += near * (im[i, j] - low)
    return out + low


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('size', [(14, 11), (3, 4), (9, 5), (7, 8)])
def test_resizing_is_what_the_loops_say(channels, size):
    im = RNG.uniform(-3, 9, (7, 8, channels)).astype(np.float32)
    out = caffe.io.resize_image(im, size)
    assert out.dtype == np.float32 and out.shape == (*size, channels)
    np.testing.assert_allclose(out, by_loops(im, *size), atol=1e-5)


def test_borders_fade_to_the_minimum():
    im = np.full((4, 4, 1), 7, np.float32)
    im[1, 2] = 3
    out = caffe.io.resize_image(im, (8, 8))
    assert out[0, 0] == 3 + (7 - 3) * 0.75**2


def test_a_constant_image_stays_constant():
    out = caffe.io.resize_image(np.full((4, 6, 3), 5, np.float64), (9, 2))
    assert out.dtype == np.float32 and out.shape == (9, 2, 3)
    assert (out == 5).all()


def test_other_channel_counts_keep_their_corners():
    im = RNG.standard_normal((5, 4, 2)).astype(np.float32)
    out = caffe.io.resize_image(im, (9, 7))
    assert out.shape == (9, 7, 2) and out.dtype == np.float32
    np.testing.assert_allclose(
        out[[0, -1]][:, [0, -1]], im[[0, -1]][:, [0, -1]]
    )
    np.testing.assert_allclose(out[2, ::2], im[1], atol=1e-6)


def test_interp_order_0_repeats_pixels():
    im = RNG.standard_normal((3, 2, 3)).astype(np.float32)
    out = caffe.io.resize_image(im, (6, 4), interp_order=0)
    np.testing.assert_allclose(out, im.repeat(2, 0).repeat(2, 1), atol=1e-6)


# oversample -------------------------------------------------------------------


def test_ten_crops_are_corners_centre_and_their_mirrors():
    images = RNG.standard_normal((2, 7, 9, 3))
    crops = caffe.io.oversample(images, (4, 6))
    assert crops.shape == (20, 4, 6, 3) and crops.dtype == np.float32
    for image, ten in zip(
        images.astype(np.float32), crops.reshape(2, 10, 4, 6, 3)
    ):
        for crop, (y, x) in zip(ten, [(0, 0), (0, 3), (3, 0), (3, 3), (1, 1)]):
            np.testing.assert_array_equal(crop, image[y : y + 4, x : x + 6])
        np.testing.assert_array_equal(ten[5:], ten[:5, :, ::-1])


def test_crops_larger_than_the_image_are_refused():
    with pytest.raises(ValueError, match='crops of 8 x 6 do not fit .* 7 x 9'):
        caffe.io.oversample([np.zeros((7, 9, 3))], (8, 6))


# Datum ------------------------------------------------------------------------


def test_bytes_and_floats_survive_a_datum():
    for array in (COLOUR, RNG.standard_normal((2, 3, 4))):
        datum = caffe.io.array_to_datum(array, 7)
        again = pb.Datum.FromString(datum.SerializeToString())
        assert again.label == 7
        assert bool(again.data) == (array.dtype == np.uint8)
        back = caffe.io.datum_to_array(again)
        tight = 0 if array.dtype == np.uint8 else 1e-6
        np.testing.assert_allclose(back, array, atol=tight)
        back[...] = 0  # a copy of its own


def test_a_datum_has_a_label_only_if_given():
    array = np.ones((10, 10, 3))
    without = caffe.io.array_to_datum(array).SerializeToString()
    assert len(caffe.io.array_to_datum(array, 1).SerializeToString()) > len(
        without
    )


def test_a_datum_is_three_dimensional():
    with pytest.raises(ValueError, match='Incorrect array shape.'):
        caffe.io.array_to_datum(np.zeros((3, 4)))
