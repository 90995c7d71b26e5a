"""Whether a difference between two arms is more than chance: the spread over
seeds, and a paired bootstrap over images.

The bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993)
draws the images of the split anew, with replacement and the same ones for
both arms, and looks at how the difference in mean IU varies. COVERS says what
that tells and what it does not.
"""

from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from score.hist import metrics

COVERS = (
    'The test is over images: whether the models that were trained would '
    'differ on other images of this kind. It does not say whether other seeds '
    'would give such models: that is what the spread over seeds is for.'
)
LEVEL = 0.05  # of significance; the interval has the rest
CHUNK = 250  # draws at a time: bounds the memory


class Difference(NamedTuple):
    """In mean IU, as fractions: the second arm's less the first's.

    mean       of the images as they are
    low, high  95 % percentile interval over the draws
    p          two-sided: how often chance alone would give as much
    """

    mean: float
    low: float
    high: float
    p: float


def spread(values):
    """Gives: mean; sample standard deviation, nan for a single value"""
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return float(values.mean()), float('nan')
    return float(values.mean()), float(values.std(ddof=1))


def paired(first, second, draws=2000, seed=2015):
    """Compares two arms on the same images. An arm's score is the mean over
    its seeds of the mean IU over all the images drawn.

    Takes: first, second: Counts of each seed, of which there may be more in
        one than in the other
    Gives: Difference
    Raises: ValueError if an arm is empty, or images or classes differ
    """
    must_agree([*first, *second])
    if not (first and second):
        raise ValueError('a paired test needs at least one run of each arm')
    arms = [[sums_for_iu(run.hists) for run in arm] for arm in (first, second)]
    images = len(first[0].ids)
    rng, found = np.random.default_rng(seed), []
    for begin in range(0, draws, CHUNK):
        count = min(CHUNK, draws - begin)
        # how often each image is drawn
        times = rng.multinomial(images, np.full(images, 1 / images), count)
        found.append(difference(arms, times.astype(np.float64)))
    found = np.concatenate(found)
    low, high = np.quantile(found, (LEVEL / 2, 1 - LEVEL / 2))
    mean = difference(arms, np.ones((1, images)))[0]
    return Difference(float(mean), float(low), float(high), p_of(found))


def must_agree(runs):
    """Refuses runs that were not scored on the same images and classes."""
    for run in runs:
        for at, (one, other) in enumerate(zip_longest(runs[0].ids, run.ids)):
            if one != other:
                raise ValueError(
                    f'runs were scored on different images: number {at + 1} '
                    f'is {one or "missing"} in one, {other or "missing"} in '
                    'another. Score both on the same split'
                )
        if run.hists.shape != runs[0].hists.shape:
            raise ValueError(
                f'runs were scored on different classes: counts of shape '
                f'{runs[0].hists.shape} in one, {run.hists.shape} in another'
            )


def sums_for_iu(hists):
    """All that the IU needs, and adds up. Gives: 2 x N x C float64: hits; and
    pixels that are of the class or predicted as it"""
    hits = np.diagonal(hists, axis1=1, axis2=2)
    union = hists.sum(1, np.int64) + hists.sum(2, np.int64) - hits
    return np.stack([hits, union]).astype(np.float64)


def difference(arms, times):
    """Takes: arms: two lists of what sums_for_iu gives; times: D x N, how
    often each image counts. Gives: D differences"""
    first, second = (
        np.mean([mean_iu(*(times @ sums)) for sums in arm], axis=0)
        for arm in arms
    )
    return second - first


def mean_iu(hits, union):
    """D x C each. Gives: D means over the classes that occur, as
    score.hist.metrics"""
    occurs = union > 0
    iu = np.divide(hits, union, out=np.zeros_like(hits), where=occurs)
    return iu.sum(1) / occurs.sum(1)


def p_of(differences):
    """Twice the share of draws on the rarer side of 0, with 0 on both sides
    and one more draw on each: chance is never excluded altogether."""
    sides = (differences <= 0).sum(), (differences >= 0).sum()
    return float(min(1, 2 * (min(sides) + 1) / (len(differences) + 1)))


def significance(found):
    """A Difference in words. Significant: its interval does not contain 0 and
    p is below LEVEL.

    Points (hundredths) have one decimal; two, if the interval is less than a
    point wide. p has two digits; 2000 draws do not tell it from 0 below
    0.001, and no smaller one is said.
    """
    sure = not found.low <= 0 <= found.high and found.p < LEVEL
    digits = 1 if found.high - found.low >= 0.01 else 2
    # adding 0 makes -0.0 plain 0.0
    mean, low, high = (round(100 * x, digits) + 0.0 for x in found[:3])
    p = 'p < 0.001' if found.p < 0.001 else f'p = {found.p:.2g}'
    return (
        f'{mean:+.{digits}f} points of mean IU (95 % interval '
        f'{low:.{digits}f} to {high:.{digits}f}, {p}): '
        + 'not ' * (not sure)
        + 'significant'
    )


def band_scores(bands):
    """Takes: bands: len(BANDS) x C x C counts, as Counts has them
    Gives: pixel accuracy; mean IU: len(BANDS) fractions each, nan where no
        pixel is near void"""
    scores = [metrics(band) for band in bands]
    return (
        np.array([score.overall_acc for score in scores]),
        np.array([score.mean_iu for score in scores]),
    )
