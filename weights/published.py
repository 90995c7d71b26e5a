"""The fifteen networks Berkeley published: file, address, published scores.

A score is here only if its source was read; its source stands beside it, and
a network without one has none. Percent throughout. The papers' tables were
made with earlier trainings than the published files, which score higher where
both are known (FCN-8s on seg11valid: 62.7 in the CVPR paper, 65.5 the file).
"""

from __future__ import annotations

from dataclasses import dataclass

ADDRESS = 'http://dl.caffe.berkeleyvision.org/'

FILES = 'wkentaro/fcn README, the published file converted and scored'
BERKELEY = 'fcn.berkeleyvision.org README'
CVPR = 'Long, Shelhamer, Darrell, CVPR 2015, table {}'
ARXIV = 'Long, Shelhamer, Darrell, arXiv 1411.4038v2, table {}'


@dataclass(frozen=True)
class Score:
    """One published row, in percent; None where the source gives no number.

    task: the label blob it is of; protocol: a name of score.protocols, which
    classes count, or None if the source leaves that open
    """

    split: str
    images: int
    overall_acc: float | None
    mean_acc: float | None
    mean_iu: float | None
    fwavacc: float | None
    source: str
    task: str = 'label'
    protocol: str | None = 'every'


@dataclass(frozen=True)
class Published:
    """One network. `file` is None where its weights were never published;
    the first of `scores` is the one to compare with."""

    directory: str
    file: str | None
    scores: tuple = ()

    @property
    def address(self):
        return ADDRESS + self.file if self.file else None


def _voc(pixel, acc, iu, fw, row=None):
    """seg11valid: the file itself first, then the paper's earlier numbers."""
    scores = [Score('seg11valid', 736, pixel, acc, iu, fw, FILES)]
    if row:
        scores.append(Score('seg11valid', 736, *row, CVPR.format(2)))
    return tuple(scores)


def _paper(split, images, pixel, acc, iu, fw, source):
    return (Score(split, images, pixel, acc, iu, fw, source),)


def _context(*numbers):
    """The paper's "59 classes", which leaves open whether the code's class 0,
    background, is one of those that count."""
    source = ARXIV.format(6) + ' (59 classes)'
    return (Score('val', 5105, *numbers, source, protocol=None),)


SIFTFLOW_16S = (
    Score(
        *('test', 200, 85.2, 51.7, 39.5, 76.1, CVPR.format(5)),
        task='sem',
        protocol='present',
    ),
    Score(
        *('test', 200, 94.3, None, None, None, CVPR.format(5)),
        task='geo',
        protocol='present',
    ),
)


NETWORKS = (
    Published(
        'voc-fcn32s',
        'fcn32s-heavy-pascal.caffemodel',
        _voc(90.4810, 76.4824, 63.6261, 83.4580, (89.1, 73.3, 59.4, 81.4)),
    ),
    Published(
        'voc-fcn16s',
        'fcn16s-heavy-pascal.caffemodel',
        _voc(90.9971, 78.0710, 65.0050, 84.2614, (90.0, 75.7, 62.4, 83.0)),
    ),
    Published(
        'voc-fcn8s',
        'fcn8s-heavy-pascal.caffemodel',
        _voc(91.2212, 77.6146, 65.5126, 84.5445, (90.3, 75.9, 62.7, 83.2)),
    ),
    Published(
        'voc-fcn8s-atonce',
        'fcn8s-atonce-pascal.caffemodel',
        _voc(91.1288, 78.4979, 65.3998, 84.4326),
    ),
    Published(
        'voc-fcn-alexnet',
        'fcn-alexnet-pascal.caffemodel',
        _paper('seg11valid', 736, None, None, 48.0, None, BERKELEY),
    ),
    Published('siftflow-fcn32s', 'siftflow-fcn32s-heavy.caffemodel'),
    Published(
        'siftflow-fcn16s',
        'siftflow-fcn16s-heavy.caffemodel',
        SIFTFLOW_16S,
    ),
    Published('siftflow-fcn8s', 'siftflow-fcn8s-heavy.caffemodel'),
    Published(
        'nyud-fcn32s-color',
        'nyud-fcn32s-color-heavy.caffemodel',
        _paper('test', 654, 60.0, 42.2, 29.2, 43.9, CVPR.format(4)),
    ),
    Published(
        'nyud-fcn32s-hha',
        'nyud-fcn32s-hha-heavy.caffemodel',
        _paper('test', 654, 57.1, 35.2, 24.2, 40.4, CVPR.format(4)),
    ),
    Published(
        'nyud-fcn32s-color-d',
        None,
        _paper('test', 654, 61.5, 42.4, 30.5, 45.5, CVPR.format(4)),
    ),
    Published(
        'nyud-fcn32s-color-hha',
        'nyud-fcn32s-color-hha-heavy.caffemodel',
        _paper('test', 654, 64.3, 44.9, 32.8, 48.0, CVPR.format(4)),
    ),
    Published(
        'pascalcontext-fcn32s',
        'pascalcontext-fcn32s-heavy.caffemodel',
        _context(63.8, 42.7, 31.8, 48.3),
    ),
    Published(
        'pascalcontext-fcn16s',
        'pascalcontext-fcn16s-heavy.caffemodel',
        _context(65.7, 46.2, 34.8, 50.7),
    ),
    Published(
        'pascalcontext-fcn8s',
        'pascalcontext-fcn8s-heavy.caffemodel',
        _context(65.9, 46.5, 35.1, 51.0),
    ),
)

BY_DIRECTORY = {network.directory: network for network in NETWORKS}
