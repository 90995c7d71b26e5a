"""Spread and paired bootstrap: against loops, and where the answer is known."""

import numpy as np
import pytest

from ablations import statistics
from ablations.result import Counts
from ablations.statistics import (
    Difference,
    band_scores,
    paired,
    significance,
    spread,
)
from score.hist import metrics


def run(hists, ids=None):
    """Counts with nothing but these."""
    ids = [f'i{n}' for n in range(len(hists))] if ids is None else ids
    return Counts(np.array(ids), np.asarray(hists), None, None)


def random_hists(seed, images=7, classes=4, most=60):
    """Counts of which many are 0; the last class is in the first image only,
    so that many a draw is without it."""
    rng = np.random.default_rng(seed)
    hists = rng.integers(0, most, (images, classes, classes))
    hists[1:, -1] = hists[1:, :, -1] = 0
    return (hists * (rng.random(hists.shape) < 0.4)).astype(np.int32)


# spread -------------------------------------------------------------------


def test_the_spread_is_the_sample_standard_deviation():
    mean, deviation = spread([2, 4, 9])
    assert mean == pytest.approx(5)
    assert deviation == pytest.approx(np.sqrt((9 + 1 + 16) / 2))


def test_one_value_has_no_spread():
    mean, deviation = spread([0.25])
    assert mean == 0.25
    assert np.isnan(deviation)


# the bootstrap --------------------------------------------------------------


def test_the_difference_is_that_of_the_mean_iu_over_seeds():
    first = [run(random_hists(1)), run(random_hists(2))]
    second = [run(random_hists(seed)) for seed in (3, 4, 5)]
    one, other = (
        np.mean([metrics(each.hists.sum(0)).mean_iu for each in arm])
        for arm in (first, second)
    )
    found = paired(first, second, draws=50)
    assert found.mean == pytest.approx(other - one, abs=1e-12)
    assert found.low <= found.high


def test_draws_are_those_of_plain_loops():
    """Images as often as drawn, the same for both arms, counts added up."""
    rng = np.random.default_rng(0)
    arms = [[random_hists(1), random_hists(2)], [random_hists(3)]]
    times = rng.multinomial(7, np.full(7, 1 / 7), 20)
    expected = []
    for draw in times:
        ius = []
        for arm in arms:
            seeds = []
            for hists in arm:
                images = [h for h, n in zip(hists, draw) for _ in range(n)]
                seeds.append(metrics(np.sum(images, axis=0)).mean_iu)
            ius.append(np.mean(seeds))
        expected.append(ius[1] - ius[0])
    sums = [[statistics.sums_for_iu(h) for h in arm] for arm in arms]
    found = statistics.difference(sums, times.astype(float))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_the_number_of_draws_at_a_time_changes_nothing(monkeypatch):
    arms = [run(random_hists(1))], [run(random_hists(2))]
    whole = paired(*arms, draws=70)
    monkeypatch.setattr(statistics, 'CHUNK', 9)
    assert paired(*arms, draws=70) == whole


def test_identical_arms_do_not_differ():
    arm = [run(random_hists(1)), run(random_hists(2))]
    assert paired(arm, arm, draws=200) == Difference(0, 0, 0, 1)


def test_an_arm_that_is_better_on_every_image_is_significantly_better():
    rng = np.random.default_rng(8)
    worse = np.stack([[[60, n], [n, 40]] for n in rng.integers(20, 40, 30)])
    better = worse + [[[9, -9], [-9, 9]]]
    found = paired([run(worse)], [run(better)])
    assert found.low > 0.02
    assert found.p == pytest.approx(2 / 2001), 'the least that draws can say'
    back = paired([run(better)], [run(worse)])
    assert (back.mean, back.p) == (-found.mean, found.p)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_the_same_images_are_drawn_for_both_arms():
    """Images that differ a lot, by a little everywhere: only a paired test
    sees it."""
    rng = np.random.default_rng(5)
    wrong = rng.integers(5, 495, 40)
    first = np.stack([[[500 - n, n], [n, 500 - n]] for n in wrong])
    second = first + [[[2, -2], [-2, 2]]]
    found = paired([run(first)], [run(second)])
    assert 0 < found.low < found.mean < found.high < 0.01
    iu = [metrics(hist).mean_iu for hist in first]
    assert np.std(iu) / np.sqrt(len(iu)) > 10 * found.mean, 'lost if unpaired'


def test_the_interval_is_the_analytic_one_where_mean_iu_is_a_mean():
    """Only class 0 is true: its IU is the share of pixels that are right,
    class 1 has IU 0, and all images are of a size. The gain is then a mean
    over images, with the standard error of a mean."""
    rng = np.random.default_rng(12)
    wrong = rng.integers(1, 200, (2, 400))
    arms = [
        [run(np.array([[[1000 - n, n], [0, 0]] for n in arm]))] for arm in wrong
    ]
    gains = (wrong[0] - wrong[1]) / 1000 / 2
    error = gains.std() / np.sqrt(len(gains))
    found = paired(*arms, draws=4000)
    assert found.mean == pytest.approx(gains.mean(), abs=1e-12)
    assert found.low == pytest.approx(gains.mean() - 1.96 * error, rel=0.1)
    assert found.high == pytest.approx(gains.mean() + 1.96 * error, rel=0.1)


def test_arms_that_differ_by_chance_are_rarely_called_different():
    """1 in 20, if the test is what it says; of 300, 15 +- 4 times."""
    rng = np.random.default_rng(21)
    false, outside = 0, 0
    for _ in range(300):
        level = rng.uniform(0.2, 0.6, 50)  # images are easy or hard for both
        arms = []
        for _ in range(2):
            wrong = (1000 * (level + rng.uniform(-0.1, 0.1, 50))).astype(int)
            hists = [[[1000 - n, n], [n, 1000 - n]] for n in wrong]
            arms.append([run(np.array(hists))])
        found = paired(*arms, draws=250)
        false += found.p < 0.05
        outside += not found.low <= 0 <= found.high
    assert 4 <= false <= 30, f'{false} of 300 at 5 %'
    assert 4 <= outside <= 30, f'{outside} of 300 intervals miss 0'


def test_a_full_split_is_tested_in_bounded_memory():
    """736 images of 21 classes, three seeds an arm."""
    arms = [
        [run(random_hists(seed, 736, 21, 9000)) for seed in seeds]
        for seeds in ((1, 2, 3), (4, 5, 6))
    ]
    found = paired(*arms)
    assert found.low < found.mean < found.high
    assert statistics.sums_for_iu(arms[0][0].hists).nbytes == 2 * 736 * 21 * 8


def test_runs_on_other_images_are_refused():
    first = run(random_hists(1), list('abcdefg'))
    moved = run(random_hists(1), list('abdcefg'))
    with pytest.raises(ValueError, match='number 3 is c in one, d in another'):
        paired([first], [moved])
    fewer = run(random_hists(1)[:5], list('abcde'))
    with pytest.raises(ValueError, match='number 6 is f in one, missing in'):
        paired([first], [first, fewer])


def test_runs_of_other_classes_are_refused():
    one, other = run(random_hists(1)), run(random_hists(1, classes=5))
    with pytest.raises(ValueError, match=r'\(7, 4, 4\) in one, \(7, 5, 5\)'):
        paired([one], [other])


def test_an_arm_without_runs_is_refused():
    with pytest.raises(ValueError, match='at least one run of each arm'):
        paired([run(random_hists(1))], [])


# words --------------------------------------------------------------------


@pytest.mark.parametrize(
    'found, text',
    [
        (
            Difference(0.012, 0.003, 0.021, 0.0104),
            '+1.2 points of mean IU (95 % interval 0.3 to 2.1, p = 0.01): '
            'significant',
        ),
        (
            Difference(-0.031, -0.05, -0.012, 2 / 2001),
            '-3.1 points of mean IU (95 % interval -5.0 to -1.2, p < 0.001): '
            'significant',
        ),
        (
            Difference(0.0012, -0.0021, 0.0043, 0.41),
            '+0.12 points of mean IU (95 % interval -0.21 to 0.43, p = 0.41): '
            'not significant',
        ),
        (
            Difference(0, 0, 0, 1),
            '+0.00 points of mean IU (95 % interval 0.00 to 0.00, p = 1): '
            'not significant',
        ),
        (
            Difference(-0.00001, -0.006, 0.006, 0.99),
            '+0.0 points of mean IU (95 % interval -0.6 to 0.6, p = 0.99): '
            'not significant',
        ),
        (  # the interval leaves 0 out, p is not small enough
            Difference(0.01, 0.0001, 0.02, 0.0501),
            '+1.0 points of mean IU (95 % interval 0.0 to 2.0, p = 0.05): '
            'not significant',
        ),
    ],
)
def test_a_difference_in_words(found, text):
    assert significance(found) == text


# bands --------------------------------------------------------------------


def test_bands_are_scored_width_by_width():
    bands = np.array([[[0, 0], [0, 0]], [[6, 2], [0, 2]], [[9, 3], [1, 7]]])
    accuracy, iu = band_scores(bands)
    assert np.isnan(accuracy[0]) and np.isnan(iu[0]), 'no pixel, no score'
    assert accuracy[1:] == pytest.approx([0.8, 0.8])
    expected = [(6 / 8 + 2 / 4) / 2, (9 / 13 + 7 / 11) / 2]
    assert iu[1:] == pytest.approx(expected)
