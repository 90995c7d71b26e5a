"""The best and the worst images of a scoring run, small enough for a page.

An image's rank is its own mean IU, over the classes in its truth or its
prediction. Only what is shown is kept, so a split may have any length.
"""

from bisect import bisect
from typing import NamedTuple

import numpy as np
from PIL import Image

from data.palette import COLOURS, label_image
from score.hist import metrics
from score.page import small

WRONG = np.array((214, 39, 40))
UNJUDGED = np.array((176, 196, 222))


class Example(NamedTuple):
    """One image; the pictures are PIL images of one size."""

    name: str
    iu: float
    accuracy: float
    mistakes: list  # [(true class, predicted class, share of the pixels)]
    labels: np.ndarray  # those in truth or prediction
    image: Image.Image
    label: Image.Image
    prediction: Image.Image
    error: Image.Image


class Gallery:
    """Takes: count: of the best, and of the worst
    judge: counts -> Metrics; colours: 256 x 3 uint8, of the labels
    """

    def __init__(self, count, judge=metrics, colours=COLOURS):
        self.count, self.judge, self.colours = count, judge, colours
        self._ranked = []  # the `count` worst, then the `count` best

    def add(self, scored, picture):
        """Takes: scored: score.seg.Scored; picture: a function without
        arguments that gives the image, H x W x 3 uint8"""
        hist = scored.hist.cpu().numpy()
        result = self.judge(hist)
        if np.isnan(result.mean_iu):
            return
        at = bisect([each.iu for each in self._ranked], result.mean_iu)
        full = len(self._ranked) == 2 * self.count
        if full and at == self.count:
            return  # neither among the worst nor among the best
        example = _example(scored, hist, result, picture(), self.colours)
        self._ranked.insert(at, example)
        if full:
            del self._ranked[self.count]

    @property
    def worst(self):
        """Worst first."""
        return self._ranked[: len(self._ranked) // 2]

    @property
    def best(self):
        """Best first; the one in the middle is among them."""
        return self._ranked[len(self._ranked) // 2 :][::-1]


def _example(scored, hist, result, picture, colours):
    true = scored.true.cpu().numpy().astype(np.int64)
    pred = scored.pred.cpu().numpy()
    known = (true >= 0) & (true < len(hist))
    shown = np.where(known, true, 255)
    maps = [label_image(label, colours) for label in (shown, pred)]
    error = Image.fromarray(error_map(picture, true, pred, known))
    return Example(
        scored.name,
        result.mean_iu,
        result.overall_acc,
        mistakes(hist),
        np.unique([*np.unique(true[known]), *np.unique(pred)]),
        small(Image.fromarray(picture)),
        *(small(label) for label in maps),
        small(error),
    )


def mistakes(hist, count=3):
    """The largest confusions. Gives: [(true, predicted, share of the judged
    pixels)], largest first"""
    wrong = np.array(hist, np.float64)
    total = wrong.sum() or 1
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind='stable')[:count]
    pairs = [np.unravel_index(at, wrong.shape) for at in order]
    return [
        (int(i), int(j), wrong[i, j] / total) for i, j in pairs if wrong[i, j]
    ]


def error_map(picture, true, pred, known):
    """Where a prediction is wrong: red; right: the image, pale and grey; not
    judged: pale blue.

    Takes: picture: H x W x 3 uint8; true, pred: H x W; known: H x W bools
    Gives: H x W x 3 uint8
    """
    grey = picture.mean(2, keepdims=True) * 0.35 + 160
    page = np.repeat(grey, 3, axis=2)
    wrong = known & (true != pred)
    page[wrong] = 0.2 * page[wrong] + 0.8 * WRONG
    page[~known] = UNJUDGED
    return page.round().astype(np.uint8)
