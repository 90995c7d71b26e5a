"""The data layer of the small classifier that the generated dataset is for:
what ImageNet is to VGG, its crops are to a net a hundredth the size.

Gives `data` (batch x 3 x size x size: blue, green, red, minus the mean) and
`label` (batch). Settings, in `param_str`:
  classify_dir   folder with img/ and the lists; found as a dataset's is (see
                 places.py)
  split, mean, seed, randomize   as in voc_layers.py
  batch          images a pass
  size           height and width; smaller images lie in the middle of zeros,
                 which is what an FCN's first layer pads with
"""

import numpy as np

from data import places
from data.read import read_image, size
from data.seg_layer import SegDataLayer, bgr_minus_mean


class ShapesClassifyLayer(SegDataLayer):
    """Images with one class each, a batch at a time."""

    needs = {'classify_dir', 'split', 'mean', 'batch', 'size'}

    def items(self):
        self.root = places.existing(
            self.params['classify_dir'], 'Write it: `python -m data shapes`'
        )
        self.batch, self.size = self.params['batch'], self.params['size']
        self.mean = np.array(self.params['mean'])
        return places.read_ids(self.root / f'{self.params["split"]}.txt')

    def load(self, item):
        name, kind = item.split()
        path = self.root / 'img' / f'{name}.jpg'
        pixels = read_image(path)
        height, width = pixels.shape[:2]
        if max(height, width) > self.size:
            raise ValueError(
                f'{path}: {size(pixels)} pixels do not fit into '
                f"'size': {self.size}"
            )
        data = np.zeros((3, self.size, self.size), np.float32)
        top, left = (self.size - height) // 2, (self.size - width) // 2
        data[:, top : top + height, left : left + width] = bgr_minus_mean(
            pixels, self.mean
        )
        return data, np.float32(kind)
