"""Labels down- and upsampled, against plain loops in exact arithmetic."""

from fractions import Fraction

import miniatures
import numpy as np
import pytest
import slim
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

import surgery
from ablations.studies import STUDIES, upper_bound
from ablations.studies.upper_bound import FACTORS, SHOWN, bilinear, nearest
from data import places
from score.hist import fast_hist, metrics
from score.palette import read_label

SIZES = [(13, 9), (8, 12), (1, 7), (5, 3), (16, 20)]
CASES = [(size, factor) for size in SIZES for factor in (2, 4, 6, 16)]


def label_map(height, width, share=0.3, seed=0):
    """Blocks of classes, with void at random and a patch of it."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 5, (-(-height // 3), -(-width // 2))).astype('u1')
    label = label.repeat(3, 0).repeat(2, 1)[:height, :width]
    label[rng.random(label.shape) < share] = 255
    label[: height // 2, : width // 3] = 255
    label[-1, -1] = 3
    return label


def cells_of(shape, factor):
    """Of each cell: position, pixels in reading order."""
    height, width = shape
    for i in range(-(-height // factor)):
        for j in range(-(-width // factor)):
            rows = range(i * factor, min((i + 1) * factor, height))
            columns = range(j * factor, min((j + 1) * factor, width))
            yield (i, j), [(r, c) for r in rows for c in columns]


def nearest_by_loops(label, factor):
    out = np.full_like(label, 255)
    for _, pixels in cells_of(label.shape, factor):
        rows, columns = (
            sorted({each[axis] for each in pixels}) for axis in (0, 1)
        )
        middle = rows[len(rows) // 2], columns[len(columns) // 2]
        best = None
        for r, c in pixels:
            far = (r - middle[0]) ** 2 + (c - middle[1]) ** 2
            if label[r, c] != 255 and (best is None or far < best[0]):
                best = far, label[r, c]
        for pixel in pixels:
            out[pixel] = best[1] if best else 255
    return out


def bilinear_by_loops(label, factor):
    """Every cell's kernel, laid over the image as Deconvolution does, with
    exact fractions. Gives: the class; 255 where all scores are 0"""
    scores = {}
    for (i, j), pixels in cells_of(label.shape, factor):
        known = [int(label[each]) for each in pixels if label[each] != 255]
        for value in set(known):
            share = Fraction(known.count(value), len(known))
            for y in range(2 * factor):
                for x in range(2 * factor):
                    row = i * factor - factor // 2 + y
                    column = j * factor - factor // 2 + x
                    weight = share
                    for at in (y, x):
                        off = abs(at - factor + Fraction(1, 2))
                        weight *= 1 - off / factor
                    key = row, column, value
                    scores[key] = scores.get(key, 0) + weight
    out = np.full_like(label, 255)
    for r, c in np.ndindex(label.shape):
        own = [scores.get((r, c, value), 0) for value in range(5)]
        if max(own):
            out[r, c] = own.index(max(own))
    return out


@pytest.mark.parametrize('size, factor', CASES)
def test_nearest_is_that_of_plain_loops(size, factor):
    label = label_map(*size)
    found = nearest(label, factor)
    assert found.dtype == np.uint8
    assert_array_equal(found, nearest_by_loops(label, factor))


@pytest.mark.parametrize('size, factor', CASES)
def test_bilinear_is_that_of_plain_loops(size, factor):
    label = label_map(*size)
    found, expected = bilinear(label, factor), bilinear_by_loops(label, factor)
    known = label != 255
    assert found.dtype == np.uint8
    assert_array_equal(found[known], expected[known])
    assert (expected[known] != 255).all(), 'every known pixel has a score'


def test_equal_shares_go_to_the_first_class():
    label = np.array([[4, 1], [1, 4]], np.uint8).repeat(3, 0).repeat(3, 1)
    assert_array_equal(bilinear(label, 6), np.ones((6, 6)))


def test_shares_that_only_rounding_makes_different_are_equal():
    rows = ['0030330030', '0303330300', '3330030030', '0303003303']
    label = np.array([[int(each) for each in row] for row in rows], np.uint8)
    expected = bilinear_by_loops(label, 6)
    assert (expected == [3, 3, 3, 3, 0, 0, 0, 0, 0, 0]).all(), 'ties in one'
    assert_array_equal(bilinear(label, 6), expected)


@pytest.mark.parametrize('factor', [2, 4, 32])
def test_cells_are_weighed_as_by_the_nets_deconvolution(factor):
    down = upper_bound.between(5 * factor, factor)[:, 1]
    across = upper_bound.between(7 * factor, factor)[:, 4]
    found = np.outer(down, across)
    top, left = factor - factor // 2, 4 * factor - factor // 2
    inside = np.s_[top : top + 2 * factor, left : left + 2 * factor]
    kernel = surgery.upsample_filt(2 * factor)
    assert_allclose(found[inside], kernel, rtol=1e-12)
    assert found.sum() == pytest.approx(kernel.sum()), 'nothing outside'


@pytest.mark.parametrize('way', [nearest, bilinear])
def test_an_image_of_one_class_loses_nothing(way):
    label = label_map(11, 17)
    label[label != 255] = 4
    known = label != 255
    for factor in FACTORS:
        assert (way(label, factor)[known] == 4).all(), factor


def test_nothing_but_void_does_not_end_the_run():
    label = np.full((5, 7), 255, np.uint8)
    maps = upper_bound.resampled(label)
    assert all((each == 255).all() for each in maps.values())


# a split ------------------------------------------------------------------


@pytest.fixture
def voc(tmp_path, monkeypatch):
    """Three images to test on, one smaller than a cell, with void. Gives:
    {id: label}"""
    ids = ['2007_000033', '2007_000061', '2007_000129']
    monkeypatch.setitem(miniatures.VOC, 'val', ids)
    for name, value in slim.write_dataset('voc', tmp_path).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / 'pascal' / 'VOC2011' / 'SegmentationClass'
    return {name: read_label(folder / f'{name}.png') for name in ids}


def test_a_split_is_scored_as_a_whole(voc):
    found = upper_bound.run('voc-fcn32s')
    assert (found.network, found.split) == ('voc-fcn32s', 'seg11valid')
    assert found.images == 3
    assert [row.factor for row in found.rows] == [128, 64, 32, 16, 8, 4]
    for row in found.rows:
        for way in (nearest, bilinear):
            hist = sum(
                fast_hist(
                    label, np.where(label < 255, way(label, row.factor), 0), 21
                )
                for label in voc.values()
            )
            expected = 100 * metrics(hist).mean_iu
            assert getattr(row, way.__name__) == pytest.approx(expected)
    ius = [row.bilinear for row in found.rows]
    assert ius[0] < ius[3] < ius[5], 'finer is better on blocks'


def test_the_papers_row_stands_beside_the_papers_images_only(voc, monkeypatch):
    assert all(row.paper is None for row in upper_bound.run('voc-fcn32s').rows)
    known = 3, places.digest(list(voc))  # were these the published list
    monkeypatch.setattr(places, 'SEG11VALID', known)
    found = [row.paper for row in upper_bound.run('voc-fcn32s').rows]
    assert found == [50.9, 73.3, 86.1, 92.8, 96.4, 98.5]


def test_the_first_images_are_shown_with_their_void(voc):
    found = upper_bound.run('voc-fcn32s', examples=2)
    assert [each.name for each in found.examples] == list(voc)[:2]
    for each in found.examples:
        label = voc[each.name]
        assert_array_equal(each.label, label)
        for way in (nearest, bilinear):
            maps = getattr(each, way.__name__)
            assert tuple(maps) == SHOWN
            for factor, shown in maps.items():
                assert shown.dtype == np.uint8
                assert ((shown == 255) == (label == 255)).all()
                expected = way(label, factor)[label != 255]
                assert_array_equal(shown[label != 255], expected)


@pytest.mark.parametrize(
    'network, split, classes',
    [
        ('siftflow-fcn16s', 'test', 33),
        ('nyud-fcn32s-hha', 'test', 40),
        ('pascalcontext-fcn8s', 'val', 60),
    ],
)
def test_any_networks_dataset_will_do(
    network, split, classes, tmp_path, monkeypatch
):
    for name, value in slim.write_dataset(network, tmp_path).items():
        monkeypatch.setenv(name, value)
    found = upper_bound.run(network)
    assert (found.network, found.split, found.images) == (network, split, 2)
    assert len(found.names) == classes
    assert all(row.paper is None for row in found.rows)
    assert all(0 < row.nearest <= 100 for row in found.rows)


def test_labels_are_checked_as_for_training(voc, tmp_path):
    path = next(tmp_path.rglob('2007_000061.png'))
    Image.fromarray(np.full((41, 42), 77, np.uint8)).save(path)
    with pytest.raises(ValueError, match='2007_000061.png'):
        upper_bound.run('voc-fcn32s')


def test_the_study_trains_nothing():
    assert STUDIES['upper-bound'].arms == {}
