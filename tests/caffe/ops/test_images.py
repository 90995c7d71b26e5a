"""Image files become what OpenCV makes of them."""

import numpy as np
import pytest
from image_files import blue_first, encoded, picture
from PIL import Image

from caffe.ops.images import UNREADABLE, decode, resize

RGB = picture(7, 5)


def test_colours_come_blue_first():
    assert np.array_equal(decode(encoded(RGB), True), blue_first(RGB))
    assert np.array_equal(decode(encoded(RGB), None), blue_first(RGB))
    assert decode(encoded(RGB), True).dtype == np.uint8


def test_grey_is_as_bright_as_its_colours_look():
    grey = decode(encoded(RGB), False)
    want = RGB @ np.array([0.299, 0.587, 0.114])
    assert grey.shape == (1, 7, 5)
    assert np.abs(grey[0] - want).max() <= 1


def test_a_grey_file_has_one_channel_or_three_alike():
    data = encoded(RGB[:, :, 0])
    for color in (None, False):
        assert np.array_equal(decode(data, color), RGB[None, :, :, 0])
    assert np.array_equal(decode(data, True), np.stack([RGB[:, :, 0]] * 3))


def test_a_palette_becomes_its_colours():
    image = Image.fromarray(RGB).quantize(4)
    want = blue_first(np.asarray(image.convert('RGB')))
    for color in (None, True):
        assert np.array_equal(decode(encoded(image), color), want)


def test_an_alpha_channel_is_dropped_where_three_channels_are_asked_for():
    rgba = np.dstack([RGB, picture(7, 5, 1)[:, :, :1]])
    assert np.array_equal(decode(encoded(rgba), True), blue_first(RGB))
    four = decode(encoded(rgba), None)
    assert np.array_equal(four[:3], blue_first(RGB))
    assert np.array_equal(four[3], rgba[:, :, 3])


def test_sixteen_bits_lose_the_lower_eight():
    deep = RGB[:, :, 0].astype(np.uint16) * 256 + 77
    for color, channels in ((False, 1), (True, 3)):
        want = np.stack([RGB[:, :, 0]] * channels)
        assert np.array_equal(decode(encoded(deep), color), want)
    with pytest.raises(ValueError, match='must be unsigned byte'):
        decode(encoded(deep), None)


def test_what_is_no_image_is_unreadable():
    data = encoded(RGB)
    for junk in (b'', b'no image', data[:40]):
        with pytest.raises(UNREADABLE):
            decode(junk, True)


def between(image, height, width):
    """Bilinear, by loops: pixel centres lie at halves, the edge goes on."""
    out = np.zeros((image.shape[0], height, width))
    for c, r, s in np.ndindex(*out.shape):
        for row, y in taps(r, height, image.shape[1]):
            for column, x in taps(s, width, image.shape[2]):
                out[c, r, s] += y * x * image[c, row, column]
    return out


def taps(i, new, old):
    at = min(max((i + 0.5) * old / new - 0.5, 0), old - 1)
    low = int(at)
    return (low, 1 - (at - low)), (min(low + 1, old - 1), at - low)


@pytest.mark.parametrize('size', [(14, 15), (4, 3), (9, 2)])
def test_resizing_is_bilinear_and_does_not_average(size):
    image = blue_first(RGB)
    got, want = resize(image, *size), between(image, *size)
    assert got.dtype == np.uint8
    assert np.abs(got - want).max() <= 0.5 + 1e-3
    assert resize(image, 7, 5) is image


def test_opencv_agrees():
    cv2 = pytest.importorskip('cv2')
    pixels = picture(40, 30)
    for kind in ('PNG', 'BMP'):
        data = encoded(pixels, kind)
        want = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        image = decode(data, True)
        assert np.array_equal(image, want.transpose(2, 0, 1))
        for height, width in [(17, 11), (80, 70), (40, 9)]:
            small = cv2.resize(want, (width, height)).transpose(2, 0, 1)
            away = resize(image, height, width).astype(int) - small
            assert np.abs(away).max() <= 1, 'OpenCV rounds its weights'
            assert (away != 0).mean() < 0.2
    smooth = cv2.GaussianBlur(pixels, (0, 0), 5)
    data = encoded(smooth, 'JPEG')
    for flag, color in (
        (cv2.IMREAD_COLOR, True),
        (cv2.IMREAD_GRAYSCALE, False),
    ):
        want = np.atleast_3d(cv2.imdecode(np.frombuffer(data, np.uint8), flag))
        away = decode(data, color).transpose(1, 2, 0).astype(int) - want
        assert np.abs(away).max() <= 3, 'two builds of libjpeg'
