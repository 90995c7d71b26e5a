"""How good a coarse prediction can be: labels, downsampled and upsampled
again, scored against themselves. No net is run and none trained.

Long, Shelhamer and Darrell, CVPR 2015, appendix A, which does not say how it
samples. Here it is done in two ways. Both divide an image from its upper left
corner into cells of factor x factor pixels; those at the right and at the
bottom may be cut, and an image smaller than the factor is a single one.

  nearest    a cell has the class of the pixel in its middle (of an even
             number the later one) or, if that is void, of the pixel nearest to
             it that is not, the first in reading order
  bilinear   a cell scores every class with its share of the cell's pixels;
             void ones do not vote. The scores are upsampled as by the nets'
             Deconvolution (kernel 2 x factor, stride factor, between the
             cells' middles); the highest is taken, the first on ties

Void is not judged and stays void in the pictures. The nets' own cells lie
elsewhere: their padding and crops shift them by a few pixels.
"""

from typing import NamedTuple

import numpy as np

import networks
from ablations.study import Study
from data.classes import VOID
from data.places import is_seg11valid
from score.hist import fast_hist, metrics
from score.seg import progress

PAPER = {128: 50.9, 64: 73.3, 32: 86.1, 16: 92.8, 8: 96.4, 4: 98.5}
FACTORS = tuple(PAPER)
SHOWN = (128, 32, 8)  # of which pictures are kept
WAYS = ('nearest', 'bilinear')


class Row(NamedTuple):
    """Mean IU in percent; paper: None where the images are not seg11valid's,
    the part of VOC2011 val that the paper scores on"""

    factor: int
    nearest: float
    bilinear: float
    paper: float | None


class Example(NamedTuple):
    """label: H x W uint8, 255 = void; nearest, bilinear: {factor: the same},
    for SHOWN"""

    name: str
    label: np.ndarray
    nearest: dict
    bilinear: dict


class Bound(NamedTuple):
    """What the study found on a network's test split.

    images    how many
    names     of the classes
    rows      a Row for each of FACTORS
    examples  list of Example: the first images
    """

    network: str
    split: str
    images: int
    names: list
    rows: list
    examples: list


# one label ----------------------------------------------------------------


def nearest(label, factor):
    """Takes: label: H x W uint8, VOID where not known. Gives: the same size;
    VOID where a whole cell is"""
    known = label != VOID
    down, across = (off_middle(size, factor) for size in label.shape)
    never = np.iinfo(np.int64).max
    far = np.where(known, down[:, None] + across, never)
    at = in_cells(far, factor, never).argmin(-1)
    values = in_cells(label, factor, VOID)
    cells = np.take_along_axis(values, at[..., None], -1)[..., 0]
    whole = cells.repeat(factor, 0).repeat(factor, 1)
    return whole[: label.shape[0], : label.shape[1]]


def off_middle(size, factor):
    """The squared distance of each of some pixels in a line from the middle of
    its cell."""
    at = np.arange(size)
    begin = at // factor * factor
    middle = (begin + np.minimum(begin + factor, size)) // 2
    return (at - middle) ** 2


def in_cells(array, factor, rest):
    """H x W -> rows of cells x columns of cells x factor * factor. Takes:
    rest: what fills up those that are cut"""
    rows, columns = (-(-size // factor) for size in array.shape)
    whole = np.full((rows * factor, columns * factor), rest, array.dtype)
    whole[: array.shape[0], : array.shape[1]] = array
    cells = whole.reshape(rows, factor, columns, factor).swapaxes(1, 2)
    return cells.reshape(rows, columns, factor * factor)


def bilinear(label, factor):
    """Takes: as nearest. Gives: the same size; any class where the cells
    around are all void"""
    present = np.unique(label[label != VOID])
    if not len(present):
        return label
    votes = np.stack([cell_sums(label == value, factor) for value in present])
    shares = votes / np.maximum(votes.sum(0), 1)  # classes x rows x columns
    down, across = (between(size, factor) for size in label.shape)
    scores = down @ shares @ across.T  # classes x H x W
    # equal ones may differ by rounding, differently on every machine
    return present[scores.round(9).argmax(0)]


def cell_sums(mask, factor):
    down, across = (range(0, size, factor) for size in mask.shape)
    sums = np.add.reduceat(mask, down, axis=0, dtype=np.int64)
    return np.add.reduceat(sums, across, axis=1)


def between(size, factor):
    """The weight of each cell at each pixel, along one axis: 1 in the cell's
    middle, 0 from a factor away on. Gives: pixels x cells"""
    cells = -(-size // factor)
    middle = (np.arange(cells) + 0.5) * factor - 0.5
    away = abs(np.arange(size)[:, None] - middle) / factor
    return np.maximum(0, 1 - away)


# a split ------------------------------------------------------------------


def must_be_one_split(nets):
    """Refuses networks that are tested on different splits: the bound is of
    one. Nothing of the datasets is needed."""
    found = {}
    for net in nets:
        layer = networks.source(networks.prototxt(networks.folder(net), 'test'))
        layer = layer.layer
        found[type(layer).__name__, layer.params['split']] = net
    if len(found) > 1:
        raise ValueError(
            f'upper-bound is of one test split; {" and ".join(found.values())} '
            'have different ones. Give --nets of one'
        )


class Labels:
    """The labels of a network's test split, as its data layer reads them."""

    def __init__(self, network):
        path = networks.prototxt(networks.folder(network), 'test')
        source = networks.source(path)
        kind = source.kinds[networks.tasks(networks.read(path))[0].label]
        self.layer, self.network = source.layer, path.parent.name
        self.at = list(self.layer.tops).index(kind)
        self.ids = self.layer.items()
        self.split = self.layer.params['split']
        self.names = self.layer.names[kind]
        # a dataset of a person's own says how many it has, not which
        self.classes = getattr(self.layer, 'classes', len(self.names))
        if self.classes != len(self.names):
            self.names = [str(number) for number in range(self.classes)]

    def __iter__(self):
        """Gives: (id, H x W uint8) of each"""
        for name in self.ids:
            label = np.asarray(self.layer.load(name)[self.at][0])
            known = (label >= 0) & (label < self.classes)
            yield name, np.where(known, label, VOID).astype(np.uint8)


def run(network, examples=3):
    """Measures the bound on the test split of a network's dataset, with lines
    of progress.

    Takes: examples: so many of the first images
    Gives: Bound
    Raises: OSError, ValueError if the dataset is not there or not sound
    """
    labels, shown = Labels(network), []
    counts = {(way, factor): 0 for way in WAYS for factor in FACTORS}
    for name, label in progress(labels, len(labels.ids), 'resampled'):
        maps = resampled(label)
        for key, values in maps.items():
            counts[key] += fast_hist(label, values, labels.classes)
        if len(shown) < examples:
            shown.append(example(name, label, maps))
    published = is_seg11valid(labels.ids)
    rows = [
        Row(
            factor,
            *(100 * metrics(counts[way, factor]).mean_iu for way in WAYS),
            PAPER[factor] if published else None,
        )
        for factor in FACTORS
    ]
    return Bound(
        labels.network,
        labels.split,
        len(labels.ids),
        labels.names,
        rows,
        shown,
    )


def resampled(label):
    """Gives: {(way, factor): H x W uint8}, void where the label is"""
    known = label != VOID
    return {
        (way, factor): np.where(known, function(label, factor), VOID)
        for way, function in (('nearest', nearest), ('bilinear', bilinear))
        for factor in FACTORS
    }


def example(name, label, maps):
    ways = [{factor: maps[way, factor] for factor in SHOWN} for way in WAYS]
    return Example(name, label, *ways)


STUDY = Study(
    question='How good can a prediction be that is coarser than the image?',
    answer='Mean IU of 50.9 / 73.3 / 86.1 / 92.8 / 96.4 / 98.5 for labels '
    'downsampled by 128 / 64 / 32 / 16 / 8 / 4 (VOC2011 val; CVPR 2015, '
    'appendix A).',
    method='No training: the labels of the test split, downsampled and '
    'upsampled again, against themselves, in two ways. Nearest: each cell has '
    'the class in its middle. Bilinear: each cell has the shares of its '
    'classes, which are upsampled as by the nets; the highest is taken.',
    nets=('voc-fcn32s',),
    arms={},
)
