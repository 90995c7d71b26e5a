"""What a run begins from, read from model files."""

import numpy as np
import pytest

from training.start import stored
from weights import formats


@pytest.fixture
def layers():
    rng = np.random.default_rng(3)
    shapes = {'conv': ((2, 3, 5, 7), (2,)), 'score': ((4, 2, 1, 1),)}
    return {
        name: {
            i: rng.standard_normal(shape).astype(np.float32)
            for i, shape in enumerate(each)
        }
        for name, each in shapes.items()
    }


@pytest.mark.parametrize('suffix', formats.SUFFIXES)
def test_a_start_of_any_kind_is_what_surgery_wants(suffix, layers, tmp_path):
    pytest.importorskip('safetensors')
    path = tmp_path / f'a{suffix}'
    formats.write(path, layers)
    params = stored(path).params
    assert [*params] == [*layers]
    for name, blobs in layers.items():
        assert len(params[name]) == len(blobs)
        for i, array in blobs.items():
            assert params[name][i].shape == array.shape
            assert np.array_equal(params[name][i].data, array)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_start_with_numbers_that_are_none_is_refused(bad, layers, tmp_path):
    layers['conv'][1][1] = bad
    path = tmp_path / 'a.caffemodel'
    formats.write(path, layers)
    with pytest.raises(
        ValueError,
        match=r"a\.caffemodel: layer 'conv', parameter 1: 1 of 2 numbers are "
        'NaN or infinite',
    ):
        stored(path)
