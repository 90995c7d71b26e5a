"""Scores of a segmentation net: counts, Berkeley's four metrics, pictures.

`hist` counts and divides, `seg` runs nets over data sets and prints the `>>>`
lines of Berkeley's score.py, `palette` paints label maps. `log` reads training
logs, `plot` draws them, `sheet` tabulates them; `gallery`, `page` and `report`
make an HTML page. These are handed a net and import numpy, torch and Pillow;
the commands of `python -m score` (`__main__`, `nets`, `curves`, `reporting`)
know the network directories.
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
