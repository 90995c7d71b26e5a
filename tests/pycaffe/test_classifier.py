"""caffe.Classifier and caffe.Detector: images in, scores out."""

import numpy as np
import pytest
from net_text import conv, inputs, ip, net
from PIL import Image

import caffe

RNG = np.random.default_rng(9)
MEAN = np.array([20.0, 50.0, 90.0])
STEPS = dict(mean=MEAN, raw_scale=255, channel_swap=(2, 1, 0))


@pytest.fixture
def files(tmp_path):
    """A net of 4 classes on 6 x 6 images, three at a time, and its weights."""
    text = '\n'.join(
        [
            inputs(data=(3, 3, 6, 6)),
            conv('conv', 'data', 5, 3),
            ip('prob', 'conv', 4),
        ]
    )
    (tmp_path / 'deploy.prototxt').write_text(text)
    net(text).save(str(tmp_path / 'weights.caffemodel'))
    return str(tmp_path / 'deploy.prototxt'), str(
        tmp_path / 'weights.caffemodel'
    )


def scores(files, pictures):
    """By hand: RGB from 0 to 1, H x W x 3, at the net's size."""
    built = caffe.Net(*files, caffe.TEST)
    built.blobs['data'].reshape(len(pictures), 3, 6, 6)
    bgr = np.stack(pictures).transpose(0, 3, 1, 2)[:, ::-1] * 255
    built.blobs['data'].data[...] = bgr - MEAN[:, None, None]
    return built.forward()['prob'].copy()


def close(found, expected):
    np.testing.assert_allclose(found, expected, 1e-4, 1e-2)


def test_the_centre_is_classified(files):
    images = [RNG.uniform(0, 1, (9, 8, 3)).astype(np.float32) for _ in 'abcd']
    classifier = caffe.Classifier(*files, image_dims=(9, 8), **STEPS)
    found = classifier.predict(images, oversample=False)
    assert found.shape == (4, 4)
    close(found, scores(files, [image[1:7, 1:7] for image in images]))
    assert not isinstance(found, dict) and isinstance(classifier, caffe.Net)


def test_ten_crops_are_averaged(files):
    images = [RNG.uniform(0, 1, (9, 8, 3)).astype(np.float32) for _ in 'ab']
    classifier = caffe.Classifier(*files, image_dims=(9, 8), **STEPS)
    found = classifier.predict(images)
    crops = caffe.io.oversample(images, (6, 6))
    close(found, scores(files, crops).reshape(2, 10, 4).mean(1))


def test_images_are_resized_to_image_dims_or_the_input(files):
    image = RNG.uniform(0, 1, (13, 10, 3)).astype(np.float32)
    classifier = caffe.Classifier(*files, **STEPS)
    found = classifier.predict([image], oversample=False)
    close(found, scores(files, [caffe.io.resize_image(image, (6, 6))]))
    assert tuple(classifier.image_dims) == (6, 6)


# Detector ---------------------------------------------------------------------


@pytest.fixture
def picture(tmp_path):
    """A file of 12 x 15 pixels."""
    path = tmp_path / 'picture.png'
    pixels = RNG.integers(0, 256, (12, 15, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)


def test_windows_are_cut_and_resized(files, picture):
    detector = caffe.Detector(*files, **STEPS)
    windows = np.array([(1, 2, 9, 12), (0, 0, 12, 15), (4, 6, 7, 9)])
    found = detector.detect_windows(
        [(picture, windows), (picture, windows[:1])]
    )
    assert len(found) == 4
    image = caffe.io.load_image(picture)
    for one, (y0, x0, y1, x1) in zip(found, [*windows, windows[0]]):
        assert sorted(one) == ['filename', 'prediction', 'window']
        assert one['filename'] == picture
        np.testing.assert_array_equal(one['window'], (y0, x0, y1, x1))
        crop = caffe.io.resize_image(image[y0:y1, x0:x1], (6, 6))
        close(one['prediction'], scores(files, [crop])[0])


def test_context_fills_the_frame_and_the_mean_what_lies_outside(files):
    detector = caffe.Detector(*files, context_pad=1, **STEPS)
    image = np.zeros((12, 15, 3), np.float32)
    image[4:8, 6:10] = RNG.uniform(0.5, 1, (4, 4, 3))  # the window
    inside = detector.crop(image, (4, 6, 8, 10))
    assert inside.shape == (6, 6, 3)
    rim = np.ones((6, 6), bool)
    rim[1:5, 1:5] = False
    assert inside[~rim].mean() > 2 * inside[rim].mean()
    corner = detector.crop(image + 0.5, (0, 0, 4, 4))
    mean = MEAN[::-1] / 255  # as RGB from 0 to 1
    np.testing.assert_allclose(corner[0], [mean] * 6, rtol=1e-6)
    np.testing.assert_allclose(corner[:, 0], [mean] * 6, rtol=1e-6)
    assert not np.allclose(corner[2, 2], mean)


def test_without_a_mean_the_outside_is_zero(files):
    detector = caffe.Detector(*files, context_pad=2)
    corner = detector.crop(np.ones((12, 15, 3), np.float32), (0, 0, 3, 3))
    assert (corner[0] == 0).all() and corner[3, 3].all()


def test_a_window_outside_the_image_is_refused(files):
    detector = caffe.Detector(*files, context_pad=1)
    with pytest.raises(ValueError, match='a window from 40 to 44 of 12 pix'):
        detector.crop(np.ones((12, 15, 3), np.float32), (40, 0, 44, 3))


def test_selective_search_is_refused_by_name(files, picture):
    with pytest.raises(ImportError, match='selective_search_ijcv_with_python'):
        caffe.Detector(*files).detect_selective_search([picture])


def test_no_windows_are_no_detections(files, picture):
    assert caffe.Detector(*files).detect_windows([(picture, [])]) == []
