"""Scores of a segmentation net: counts, Berkeley's four metrics, pictures.

`hist` counts and divides, `seg` runs nets over data sets and prints the `>>>`
lines of Berkeley's score.py, `palette` paints label maps, `log` and `plot`
read training logs and draw them. `python -m score` scores weights from the
command line. Everything but that command is handed a net and imports numpy
and torch only.
"""

from score.hist import Metrics, fast_hist, metrics
from score.seg import compute_hist, do_seg_tests, seg_tests

__all__ = [
    'Metrics',
    'compute_hist',
    'do_seg_tests',
    'fast_hist',
    'metrics',
    'seg_tests',
]
