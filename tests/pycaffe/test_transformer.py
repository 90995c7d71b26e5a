"""caffe.io.Transformer: the order of its steps, and what it refuses."""

import numpy as np
import pytest

import caffe

SHAPE = (1, 3, 5, 7)
RNG = np.random.default_rng(6)
IMAGE = RNG.uniform(0, 1, (5, 7, 3)).astype(np.float32)
MEAN = np.array([104.0, 117.0, 123.0])


def transformer(**steps):
    made = caffe.io.Transformer({'data': SHAPE})
    for step, value in steps.items():
        getattr(made, f'set_{step}')('data', value)
    return made


def imagenet(**more):
    return transformer(
        input_scale=0.5,
        mean=MEAN,
        raw_scale=255,
        channel_swap=(2, 1, 0),
        transpose=(2, 0, 1),
        **more,
    )


def test_the_steps_come_in_caffes_order_however_they_were_set():
    out = imagenet().preprocess('data', IMAGE)
    bgr = IMAGE.transpose(2, 0, 1)[::-1] * 255
    np.testing.assert_allclose(
        out, (bgr - MEAN[:, None, None]) * 0.5, rtol=1e-5, atol=1e-4
    )
    assert out.dtype == np.float32


def test_deprocess_undoes_all_but_the_size():
    made = imagenet()
    there = made.preprocess('data', IMAGE.copy())[None]
    before = there.copy()
    np.testing.assert_allclose(made.deprocess('data', there), IMAGE, atol=1e-6)
    np.testing.assert_array_equal(there, before)


def test_another_size_is_resized_first():
    image = RNG.uniform(0, 1, (11, 9, 3))
    out = imagenet().preprocess('data', image)
    resized = caffe.io.resize_image(image.astype(np.float32), (5, 7))
    np.testing.assert_allclose(
        out, imagenet().preprocess('data', resized), atol=1e-4
    )
    assert out.shape == SHAPE[1:]


def test_steps_that_are_not_set_are_skipped():
    out = transformer().preprocess('data', IMAGE)
    assert out is IMAGE
    assert (
        transformer(transpose=(2, 0, 1)).preprocess('data', IMAGE).base
        is not None
    )


def test_float32_that_no_step_copies_is_changed_in_place_as_in_caffe():
    image = IMAGE.copy()
    transformer(transpose=(2, 0, 1), raw_scale=255).preprocess('data', image)
    np.testing.assert_allclose(image, IMAGE * 255)
    image = IMAGE.copy()
    imagenet().preprocess('data', image)
    np.testing.assert_array_equal(image, IMAGE, 'the swap copied')


def test_a_mean_image_of_another_size_is_resized():
    mean = RNG.uniform(90, 130, (3, 10, 14))
    made = transformer(transpose=(2, 0, 1), mean=mean)
    assert made.mean['data'].shape == SHAPE[1:]
    inner = made.mean['data'][:, 1:-1, 1:-1]
    halved = mean.reshape(3, 5, 2, 7, 2).mean((2, 4))[:, 1:-1, 1:-1]
    np.testing.assert_allclose(inner, halved, atol=1e-4)
    same = RNG.uniform(90, 130, (3, 5, 7))
    assert transformer(mean=same).mean['data'] is same


def test_one_mean_plane_is_for_all_channels():
    plane = RNG.uniform(90, 130, (5, 7))
    made = transformer(transpose=(2, 0, 1), mean=plane)
    out = made.preprocess('data', np.zeros((5, 7, 3)))
    np.testing.assert_allclose(out, np.stack([-plane] * 3), rtol=1e-6)
    wide = transformer(mean=np.full((20, 30), 8.0)).mean['data']
    assert wide.shape == (1, 5, 7) and (wide == 8).all()


def test_what_does_not_fit_is_refused():
    made = transformer()
    for step, value in [
        ('transpose', (1, 0)),
        ('channel_swap', (1, 0)),
    ]:
        with pytest.raises(Exception, match='data: the .* must'):
            getattr(made, f'set_{step}')('data', value)
    for mean, message in [
        (np.zeros(4), 'Mean channels incompatible with input.'),
        (np.zeros((4, 5, 7)), 'Mean channels incompatible with input.'),
        (np.zeros((1, 3, 5, 7)), 'Mean shape invalid'),
        (np.float32(3), 'Mean shape invalid'),
    ]:
        with pytest.raises(ValueError, match=message):
            made.set_mean('data', mean)


@pytest.mark.parametrize(
    'call',
    [
        lambda t: t.preprocess('image', IMAGE),
        lambda t: t.deprocess('image', IMAGE),
        lambda t: t.set_mean('image', MEAN),
        lambda t: t.set_raw_scale('image', 255),
    ],
)
def test_an_unknown_input_is_named(call):
    with pytest.raises(
        Exception, match="image is not one of the net inputs: {'data'"
    ):
        call(transformer())
