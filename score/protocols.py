"""Which classes count: the papers and Berkeley's code disagree on it.

score.py there takes every class that occurs in truth or prediction. The paper
on SIFT Flow counts only classes present in the test set (three of 33 are
not): a class that is predicted where there is none has IU 0 by the one and no
part in the mean by the other. PASCAL-Context's class 0, all that is none of
the 59, is learned and scored by the code, and is no class of the task.
"""

from typing import NamedTuple

import numpy as np

from score.hist import metrics


class Protocol(NamedTuple):
    """One way to judge counts."""

    name: str
    text: str


EVERY = Protocol(
    'every', "every class in truth or prediction, as Berkeley's score.py counts"
)
PRESENT = Protocol(
    'present', 'only classes that the truth has, as the papers count'
)
FOREGROUND = Protocol(
    'foreground', 'without class 0: its pixels are not judged, nor is it'
)

BY_DATA_LAYER = {  # the first is that of the papers
    'SIFTFlowSegDataLayer': (PRESENT, EVERY),
    'PASCALContextSegDataLayer': (FOREGROUND, EVERY),
}


def of_data_layer(layer):
    """The protocols in use for a dataset. Takes: layer: what reads it"""
    kinds = (kind.__name__ for kind in type(layer).__mro__)
    return next(
        (BY_DATA_LAYER[k] for k in kinds if k in BY_DATA_LAYER), (EVERY,)
    )


def judge(hist, protocol):
    """The metrics of counts by a protocol.

    Takes: hist: C x C, rows = true
    Gives: Metrics; classes that do not count are nan in it
    """
    hist = np.array(hist)
    if protocol == PRESENT:
        return metrics(hist, hist.sum(1) > 0)
    if protocol == FOREGROUND:
        hist[0] = 0
        return metrics(hist, np.arange(len(hist)) > 0)
    return metrics(hist)
