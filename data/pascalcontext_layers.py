"""The data layer of the pascalcontext-* nets, under the name they use.

Gives `data` (1 x 3 x H x W: blue, green, red, minus the mean) and `label`
(1 x 1 x H x W: 59 classes from 1, 0 for everything else, which is learned and
scored like a class; no void), an image at a time at its own size. Settings, in
`param_str`:
  voc_dir       what holds VOC2010, or VOC2010 itself (images and lists);
                found as in voc_layers.py, overridden by VOC_DIR
  context_dir   the labels' folder, which has trainval/*.mat and the list of
                the 459 names in them; overridden by CONTEXT_DIR
  split         name of a list: train, val, ... (datasets.py)
  seed, randomize   see seg_layer.py
Berkeley: pascalcontext_layers.py. The names may be labels.txt and
59_labels.txt, as in the release, or classes-400.txt and classes-59.txt, as
Berkeley's repository has them, with `0: background` before the others; without
a list of the 59, that in classes.py serves.
"""

from pathlib import Path

import numpy as np

from data import classes
from data.datasets import CONTEXT, VOC2010
from data.matlab import read_matrix
from data.read import check_size, read_image
from data.seg_layer import SegDataLayer, bgr_minus_mean

MEAN = np.array((104.007, 116.669, 122.679), np.float32)  # blue, green, red
RENAMED = {  # among the 59: among the 459
    'diningtable': 'table',
    'bedcloth': 'bedclothes',
    'clothes': 'cloth',
}


class PASCALContextSegDataLayer(SegDataLayer):
    """VOC2010's images, labelled to the last pixel."""

    names = {'label': classes.CONTEXT}
    needs = {'voc_dir', 'context_dir', 'split'}

    def items(self):
        self.voc = VOC2010.find(self.params['voc_dir'])
        self.root = CONTEXT.find(self.params['context_dir'])
        self.table = class_of_name(self.root)
        return VOC2010.split(self.voc, self.params['split'])

    def image_path(self, item):
        return self.voc / 'JPEGImages' / f'{item}.jpg'

    def label_path(self, item):
        return self.root / 'trainval' / f'{item}.mat'

    def prepare(self, kind, pixels):
        return bgr_minus_mean(pixels, MEAN)

    def load(self, item):
        pixels = read_image(self.image_path(item))  # H x W x 3
        path = self.label_path(item)
        label = read_matrix(path, 'LabelMap', 0, len(self.table) - 1)  # H x W
        check_size(label, path, pixels)
        return self.prepare('data', pixels), self.table[label][None]


def class_of_name(root):
    """What each number in a LabelMap is to the net.

    Gives: uint8 array, one more than there are names, since they count from
        1; 0 for those that are not among the 59
    """
    names = numbered(root, 'labels.txt', 'classes-400.txt')
    if names is None:
        raise FileNotFoundError(
            f'{root}: neither labels.txt nor classes-400.txt, the 459 names '
            f'that labels count. {CONTEXT.advice()}'
        )
    few = numbered(root, '59_labels.txt', 'classes-59.txt')
    table = np.zeros(len(names) + 1, np.uint8)
    for number, name in enumerate(few or classes.CONTEXT[1:], 1):
        known = RENAMED.get(name, name)
        if known not in names:
            raise ValueError(
                f'{root}: class {number}, {name}, is not among the '
                f'{len(names)} names there as {known}: a list of another '
                f'dataset?'
            )
        table[1 + names.index(known)] = number
    return table


def numbered(root, *files):
    """The names of the first of some lists with rows `n: name`, from 1 on and
    without spaces; None if there is no such list."""
    path = next((p for f in files if (p := Path(root, f)).is_file()), None)
    if path is None:
        return None
    rows = [row for row in path.read_text().splitlines() if row.strip()]
    if rows[:1] == ['0: background']:  # no name of the 459, and our class 0
        rows.pop(0)
    pairs = [row.partition(':')[::2] for row in rows]
    if [n.strip() for n, _ in pairs] != [str(n + 1) for n in range(len(rows))]:
        raise ValueError(
            f'{path}: rows must be `1: name`, `2: name` and so on; it begins '
            f'with {rows[:2]}'
        )
    return [name.replace(' ', '') for _, name in pairs]
