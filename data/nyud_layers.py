"""The data layer of the nyud-* nets, under the name their prototxts use.

Gives the tops that its setting `tops` lists, in that order, an item at a time
at its own size:
  color   1 x 3 x H x W: blue, green, red, minus the mean
  depth   1 x 1 x H x W: the natural logarithm of millimetres, minus its mean
  hha     1 x 3 x H x W: the channels of the file, in its order, minus their
          mean: horizontal disparity, height above ground, angle with gravity
  label   1 x 1 x H x W: 40 classes from 0, 255 = void
Other settings, in `param_str`:
  nyud_dir   the release as unpacked (data/images, data/depth, data/hha,
             segmentation); found as voc_dir is (voc_layers.py), overridden by
             NYUD_DIR
  split      name of a list there: trainval, test, ... (datasets.py)
  seed, randomize   see seg_layer.py
Berkeley: nyud_layers.py, except for depth 0, where nothing was measured: there
its logarithm is -inf, and one such pixel makes every score around it nan. Here
it is the mean, which is 0 in the net, as in the padding around the image:
nothing is known. The smallest depth measured would say instead that something
is close.
"""

import numpy as np

from data import classes
from data.datasets import NYUD
from data.matlab import from_one, read_matrix
from data.read import check_size, read_channels, read_depth, read_image
from data.seg_layer import SegDataLayer, bgr_minus_mean

MEAN = np.array((116.190, 97.203, 92.318), np.float32)  # blue, green, red
MEAN_LOG_DEPTH = np.float32(7.844)  # ln of 2.55 m in mm
MEAN_HHA = np.array((132.431, 94.076, 118.477), np.float32)  # as in the file
FOLDERS = {'color': 'images', 'depth': 'depth', 'hha': 'hha'}
READERS = {'color': read_image, 'depth': read_depth, 'hha': read_channels}


class NYUDSegDataLayer(SegDataLayer):
    """NYUDv2's indoor scenes: colour, depth, HHA and labels, as asked for."""

    names = {'label': classes.NYUD}
    needs = {'nyud_dir', 'split', 'tops'}

    def read_params(self):
        params = super().read_params()
        self.tops = tuple(params['tops'])
        strange = sorted(set(self.tops) - {*FOLDERS, 'label'})
        if strange or len(set(self.tops)) < len(self.tops):
            raise ValueError(
                f"{type(self).__name__}: 'tops' may name color, depth, hha and "
                f'label, each once, not {list(self.tops)}'
            )
        return params

    def items(self):
        self.root = NYUD.find(self.params['nyud_dir'])
        return NYUD.split(self.root, self.params['split'])

    def image_path(self, item, kind='color'):
        return self.root / 'data' / FOLDERS[kind] / f'img_{item}.png'

    def label_path(self, item):
        return self.root / 'segmentation' / f'img_{item}.mat'

    def read(self, kind, path):
        return READERS[kind](path)

    def prepare(self, kind, pixels):
        if kind == 'depth':
            return log_depth(pixels)[None]
        if kind == 'hha':
            return (pixels - MEAN_HHA).transpose(2, 0, 1)
        return bgr_minus_mean(pixels, MEAN)

    def load(self, item):
        arrays, first = [], None
        for kind in self.tops:
            if kind == 'label':
                path = self.label_path(item)
                pixels = read_matrix(
                    path, 'segmentation', 0, len(self.names['label'])
                )
                arrays.append(from_one(pixels)[None])
            else:
                path = self.image_path(item, kind)
                pixels = self.read(kind, path)
                arrays.append(self.prepare(kind, pixels))
            first = pixels if first is None else first
            check_size(pixels, path, first, kind)
        return arrays


def log_depth(depth):
    """Takes: depth: H x W, in mm, 0 = not measured. Gives: H x W float32"""
    depth = depth.astype(np.float32)
    known = depth > 0
    log = np.log(depth, where=known, out=np.full_like(depth, MEAN_LOG_DEPTH))
    return log - MEAN_LOG_DEPTH
