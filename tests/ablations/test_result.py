"""A run's result on disk: comes back whole, or says which file is not."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ablations import result
from ablations.result import BANDS, Counts, Kernels, Picture, Result


def made():
    """A Result of two tests, whose names have all that a name may have."""
    rng = np.random.default_rng(4)
    counts = {
        name: Counts(
            np.array(['a1', '2007_000033', 'b']),
            rng.integers(0, 99, (3, 4, 4)).astype(np.int32),
            rng.integers(0, 99, (len(BANDS), 4, 4)),
            np.array([1.5, np.nan, 3]),
        )
        for name in ('', 'half: 0.5')
    }
    kernels = {
        'upscore/2': Kernels(rng.normal(0, 1, (4, 3, 3)), 0.25),
        'upscore': Kernels(np.zeros((4, 5, 5)), float('nan')),
    }
    pictures = [
        Picture(
            name,
            rng.integers(0, 256, (*size, 3)).astype(np.uint8),
            rng.integers(0, 4, size).astype(np.uint8),
            rng.integers(0, 4, size).astype(np.uint8),
        )
        for name, size in (('a1', (5, 7)), ('2007_000033', (3, 2)))
    ]
    facts = {'network': 'voc-fcn8s', 'edits': {'upsampling': 'learned'}}
    return Result({**facts, 'memory': None}, counts, kernels, pictures)


def assert_same(found, expected):
    """NamedTuples of the same arrays, of the same types."""
    assert type(found) is type(expected)
    for field, one, other in zip(expected._fields, found, expected):
        assert_array_equal(one, other, field)
        assert np.asarray(one).dtype == np.asarray(other).dtype, field


def test_a_result_comes_back_as_it_was_saved(tmp_path):
    given = made()
    result.save(given, tmp_path)
    found = result.load(tmp_path)
    assert found.facts == given.facts
    for field in ('counts', 'kernels'):
        one, other = getattr(found, field), getattr(given, field)
        assert list(one) == list(other), field
        for name in other:
            assert_same(one[name], other[name])
    assert len(found.pictures) == 2
    for one, other in zip(found.pictures, given.pictures):
        assert type(one.name) is str
        assert_same(one, other)


def test_a_run_may_have_no_kernels_and_no_pictures(tmp_path):
    result.save(made()._replace(kernels={}, pictures=[]), tmp_path)
    found = result.load(tmp_path)
    assert (found.kernels, found.pictures) == ({}, [])


def test_a_run_without_result_json_is_not_finished(tmp_path):
    result.save(made(), tmp_path)
    (tmp_path / result.NAME).unlink()
    with pytest.raises(FileNotFoundError, match='result.json'):
        result.load(tmp_path)


def test_result_json_is_written_last(tmp_path, monkeypatch):
    def fail(file, **arrays):
        if any(key.startswith('0:') for key in arrays):  # the pictures
            raise OSError(28, 'No space left on device')
        real(file, **arrays)

    real = np.savez_compressed
    monkeypatch.setattr(np, 'savez_compressed', fail)
    with pytest.raises(OSError, match=r'No space left .*pictures\.npz'):
        result.save(made(), tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ['counts.npz', 'kernels.npz'], 'and nothing half-written'


@pytest.mark.parametrize('name', ['counts', 'kernels', 'pictures'])
def test_a_damaged_archive_is_named(tmp_path, name):
    result.save(made(), tmp_path)
    path = tmp_path / f'{name}.npz'
    whole = path.read_bytes()
    for keep in (0, 1, 30, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:keep])
        with pytest.raises(ValueError, match=rf'{name}\.npz: cannot be read'):
            result.load(tmp_path)
    changed = bytearray(whole)
    middle = slice(len(whole) // 4, len(whole) // 2)
    changed[middle] = bytes(255 - byte for byte in whole[middle])
    path.write_bytes(bytes(changed))
    with pytest.raises(ValueError, match=r'Remove .*result\.json'):
        result.load(tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=rf'{name}\.npz: cannot be read'):
        result.load(tmp_path)


def test_an_archive_that_lacks_an_array_is_named(tmp_path):
    result.save(made(), tmp_path)
    np.savez(tmp_path / 'kernels.npz', **{'upscore:own': np.zeros(3)})
    with pytest.raises(ValueError, match=r'kernels\.npz: .*between'):
        result.load(tmp_path)


def test_facts_that_are_no_json_are_named(tmp_path):
    result.save(made(), tmp_path)
    text = (tmp_path / result.NAME).read_text()
    assert json.loads(text) == made().facts
    (tmp_path / result.NAME).write_text(text[:-9])
    with pytest.raises(ValueError, match=r'result\.json: cannot be read'):
        result.load(tmp_path)
