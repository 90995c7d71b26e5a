"""transform_param: its arithmetic, where it crops, when it mirrors."""

import numpy as np
import pytest
from image_files import blue_first, picture, transformed, write_mean

import caffe
from caffe.ops.transform import Transform, batch_of
from caffe.proto import caffe_pb2 as pb

TRAIN, TEST = 0, 1
IMAGE = blue_first(picture(9, 6))


def make(phase=TEST, **fields):
    return Transform(pb.TransformationParameter(**fields), phase)


def no_mean(c, row, column):
    return 0


def test_without_parameters_bytes_become_floats():
    got = make()(IMAGE)
    assert got.dtype == np.float32 and np.array_equal(got, IMAGE)


@pytest.mark.parametrize('means', [[10.5], [1, 20, 300]])
def test_the_mean_is_taken_off_before_scaling(means):
    got = make(mean_value=means, scale=0.25)(IMAGE)
    every = means * 3 if len(means) == 1 else means
    want = transformed(IMAGE, lambda c, r, s: every[c], 0.25)
    assert np.array_equal(got, want)


def test_a_mean_image_is_cropped_where_the_image_is(tmp_path):
    mean = np.random.default_rng(2).integers(0, 9, IMAGE.shape) / 4
    write_mean(tmp_path / 'mean', mean)
    transform = make(mean_file=str(tmp_path / 'mean'), crop_size=4)
    want = transformed(IMAGE, lambda *at: mean[at], 1, 2, 1, 4)
    assert np.array_equal(transform(IMAGE), want)
    assert transform.shape(IMAGE) == (3, 4, 4)


def test_in_test_the_crop_is_central_and_always_the_same():
    transform = make(crop_size=4)
    for _ in range(3):
        want = transformed(IMAGE, no_mean, 1, (9 - 4) // 2, (6 - 4) // 2, 4)
        assert np.array_equal(transform(IMAGE), want)


def test_in_training_the_crop_is_anywhere():
    transform, seen = make(TRAIN, crop_size=4), set()
    windows = {
        (top, left): transformed(IMAGE, no_mean, 1, top, left, 4).tobytes()
        for top in range(6)
        for left in range(3)
    }
    for _ in range(300):
        crop = transform(IMAGE).tobytes()
        seen.update(at for at, want in windows.items() if want == crop)
        assert crop in windows.values()
    assert seen == set(windows), 'all corners included'


@pytest.mark.parametrize('phase', [TRAIN, TEST])
def test_half_of_the_images_are_mirrored_in_either_phase(phase):
    transform = make(phase, mirror=True, scale=2)
    plain = transformed(IMAGE, no_mean, 2)
    turned = transformed(IMAGE, no_mean, 2, turned=True)
    count = 0
    for _ in range(200):
        got = transform(IMAGE)
        assert np.array_equal(got, plain) or np.array_equal(got, turned)
        count += np.array_equal(got, turned)
    assert 70 < count < 130


def test_a_seed_determines_what_is_drawn():
    runs = []
    for _ in range(2):
        caffe.set_random_seed(7)
        transform = make(TRAIN, mirror=True, crop_size=4)
        runs.append([transform(IMAGE).tobytes() for _ in range(9)])
    assert runs[0] == runs[1]


def test_parameters_that_contradict_are_refused(tmp_path):
    with pytest.raises(RuntimeError, match='Cannot specify mean_file and mean'):
        make(mean_file='any', mean_value=[1])
    with pytest.raises(RuntimeError, match='File not found: nowhere'):
        make(mean_file='nowhere')
    with pytest.raises(
        RuntimeError,
        match=r'Specify either 1 mean_value or as many as channels: 3 \(2',
    ):
        make(mean_value=[1, 2])(IMAGE)
    with pytest.raises(RuntimeError, match='crop_size 7 is larger .* 9 x 6'):
        make(crop_size=7)(IMAGE)
    write_mean(tmp_path / 'mean', np.zeros((3, 9, 7)))
    with pytest.raises(
        RuntimeError, match=r'is 3 9 7 \(189\), the image 3 9 6'
    ):
        make(mean_file=str(tmp_path / 'mean'))(IMAGE)


def test_images_of_different_sizes_make_no_batch():
    pair = [('a', np.zeros((3, 2, 4))), ('b', np.zeros((3, 2, 5)))]
    with pytest.raises(RuntimeError, match=r'b is 3 2 5 \(30\), the first'):
        batch_of(pair)
