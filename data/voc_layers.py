"""The data layers of the voc-* nets, under the names their prototxts use.

Both give `data` (1 x 3 x H x W: blue, green, red, minus the mean) and `label`
(1 x 1 x H x W: class 0 to 20, 255 = void), an image at a time at its own
size. Settings, in `param_str`:
  voc_dir or sbdd_dir   the dataset's folder. A relative path counts from the
                        working directory or, without its leading `..`, from
                        the root of this repository, so a prototxt works from
                        either place. The environment variables VOC_DIR and
                        SBD_DIR, which `solve.py --voc DIR --sbd DIR` sets,
                        take precedence.
  split                 name of the list: train, val, seg11valid, ...
  mean                  what to subtract: blue, green, red
  seed, randomize       see seg_layer.py
  classes               number of classes with background, if not VOC's 21
  mask                  what of the image to hide: see masking.py
Berkeley: voc_layers.py. The split seg11valid may lie in data/pascal/ and is
derived where it is missing (places.py).
"""

import numpy as np

from data import places
from data.classes import VOC as CLASSES
from data.masking import MASKS, masked
from data.read import check_label, read_image, read_mat, read_palette
from data.seg_layer import SegDataLayer, bgr_minus_mean


class _VocLikeLayer(SegDataLayer):
    """A subclass says which dataset, and how a label is stored."""

    allows = SegDataLayer.allows | {'classes', 'mask'}
    names = {'label': CLASSES}
    dataset = folder_key = None

    def items(self):
        self.root = self.dataset.find(self.params[self.folder_key])
        self.classes = self.params.get('classes', len(CLASSES))
        return self.dataset.split(self.root, self.params['split'])

    def read_params(self):
        params = super().read_params()
        if np.shape(params['mean']) != (3,):
            raise ValueError(
                f'{type(self).__name__}: mean must be three numbers (blue, '
                f'green, red), not {params["mean"]!r}'
            )
        if params.get('mask', MASKS[0]) not in MASKS:
            raise ValueError(
                f'{type(self).__name__}: mask must be one of '
                f'{", ".join(MASKS)}, not {params["mask"]!r}'
            )
        return params

    def prepare(self, kind, pixels):
        mean = np.array(self.params['mean'])  # float64, as there
        return bgr_minus_mean(pixels, mean)

    def load(self, item):
        pixels = read_image(self.image_path(item))  # H x W x 3
        path = self.label_path(item)
        label = self.read_label(path)  # H x W
        check_label(label, path, pixels, self.classes)
        data = self.prepare('data', pixels)
        if 'mask' in self.params:
            data = masked(data, label, self.params['mask'])
        return data, label[None]


class VOCSegDataLayer(_VocLikeLayer):
    """PASCAL VOC's own segmentation labels: palette PNGs."""

    needs = {'voc_dir', 'split', 'mean'}
    dataset = places.VOC
    folder_key = 'voc_dir'
    read_label = staticmethod(read_palette)

    def image_path(self, item):
        return self.root / 'JPEGImages' / f'{item}.jpg'

    def label_path(self, item):
        return self.root / 'SegmentationClass' / f'{item}.png'


class SBDDSegDataLayer(_VocLikeLayer):
    """The Semantic Boundaries Dataset's labels of more VOC images: .mat."""

    needs = {'sbdd_dir', 'split', 'mean'}
    dataset = places.SBD
    folder_key = 'sbdd_dir'

    def image_path(self, item):
        return self.root / 'img' / f'{item}.jpg'

    def label_path(self, item):
        return self.root / 'cls' / f'{item}.mat'

    def read_label(self, path):
        return read_mat(path, 'GTcls', 'Segmentation')
