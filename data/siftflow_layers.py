"""The data layer of the siftflow-* nets, under the name their prototxts use.

Gives `data` (1 x 3 x H x W: blue, green, red, minus the mean), `sem` and `geo`
(1 x 1 x H x W: 33 semantic and 3 geometric classes from 0, 255 = void), an
image at a time at its own size. Settings, in `param_str`:
  siftflow_dir   the release as unpacked (Images, SemanticLabels, GeoLabels);
                 found as voc_dir is (voc_layers.py), overridden by
                 SIFTFLOW_DIR
  split          name of a list there: trainval, test, ... (datasets.py)
  seed, randomize   see seg_layer.py
Berkeley: siftflow_layers.py. In the files classes begin at 1; void is 0 in
semantic labels, and 0 or -1 in geometric ones.
"""

import numpy as np

from data.classes import SIFTFLOW as SEMANTIC
from data.classes import SIFTFLOW_GEOMETRIC as GEOMETRIC
from data.datasets import SIFTFLOW
from data.matlab import from_one, read_matrix
from data.read import check_size, read_image
from data.seg_layer import SegDataLayer, bgr_minus_mean

MEAN = np.array((114.578, 115.294, 108.353), np.float32)  # blue, green, red
SUBSET = 'spatial_envelope_256x256_static_8outdoorcategories'


class SIFTFlowSegDataLayer(SegDataLayer):
    """SIFT Flow's outdoor scenes with both their labellings."""

    tops = ('data', 'sem', 'geo')
    names = {'sem': SEMANTIC, 'geo': GEOMETRIC}
    needs = {'siftflow_dir', 'split'}

    def items(self):
        self.root = SIFTFLOW.find(self.params['siftflow_dir'])
        return SIFTFLOW.split(self.root, self.params['split'])

    def image_path(self, item):
        return self.root / 'Images' / SUBSET / f'{item}.jpg'

    def label_path(self, item, folder='SemanticLabels'):
        return self.root / folder / SUBSET / f'{item}.mat'

    def prepare(self, kind, pixels):
        return bgr_minus_mean(pixels, MEAN)

    def load(self, item):
        pixels = read_image(self.image_path(item))  # H x W x 3
        sem = self.read_label(item, 'SemanticLabels', pixels, 0, len(SEMANTIC))
        geo = self.read_label(item, 'GeoLabels', pixels, -1, len(GEOMETRIC))
        return self.prepare('data', pixels), sem[None], geo[None]

    def read_label(self, item, folder, pixels, lowest, highest):
        path = self.label_path(item, folder)
        label = read_matrix(path, 'S', lowest, highest)  # H x W
        check_size(label, path, pixels)
        return from_one(label)
