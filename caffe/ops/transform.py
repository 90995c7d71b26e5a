"""transform_param: crop, mean, scale, mirror. Caffe: data_transformer.cpp.

Left out: nothing; force_color and force_gray concern decoding (database.py).
"""

from random import Random

import numpy as np
import torch

from caffe.device import generator
from caffe.log import logger
from caffe.ops.blob_file import read_blob_file
from caffe.shape import shape_text

CPU = torch.device('cpu')


def own_random():
    """A random.Random that set_random_seed determines, for one layer: what
    its thread draws does not disturb the others."""
    seed = torch.randint(2**62, (), generator=generator(CPU))
    return Random(int(seed))


def warn_of_ignored(param, *names):
    """Old places of these settings: Caffe, too, reads them there only in V1
    `layers`, which are upgraded before."""
    for name in names:
        if param.HasField(name):
            logger.warning(
                '%s: %s is ignored, as in Caffe 1.0%s',
                type(param).__name__,
                name,
                '' if name == 'rand_skip' else ' (give it in transform_param)',
            )


class Transform:
    """(pixel - mean) * scale of the whole image or a square of `crop_size`: a
    random one in phase TRAIN, else the central one. `mirror` turns every
    other image round, by chance, in both phases."""

    def __init__(self, param, phase):
        self.param = param
        self.crop = param.crop_size
        self.moving = phase == 0 and bool(self.crop)
        self.random = own_random() if param.mirror or self.moving else None
        self.mean_image, self.mean_values = None, None
        if param.HasField('mean_file'):
            if param.mean_value:
                raise RuntimeError(
                    'Cannot specify mean_file and mean_value at the same time'
                )
            mean = read_blob_file(param.mean_file)
            self.mean_image = mean.reshape(-1, *mean.shape[-3:])[0]
        elif param.mean_value:
            self.mean_values = np.array(param.mean_value, np.float32)

    def shape(self, image):
        """C x H x W of the result."""
        size = (self.crop, self.crop) if self.crop else image.shape[1:]
        return (image.shape[0], *size)

    def __call__(self, image):
        """Takes: image: C x H x W, uint8 or float32. Gives: the same as
        float32, or smaller"""
        self.check(image.shape)
        turned = self.param.mirror and self.random.random() < 0.5
        window = self.window(*image.shape[1:])
        y = image[window].astype(np.float32)
        if self.mean_image is not None:
            y -= self.mean_image[window]
        elif self.mean_values is not None:
            y -= self.mean_values[:, None, None]
        if self.param.scale != 1:
            y *= np.float32(self.param.scale)
        return y[:, :, ::-1] if turned else y

    def window(self, height, width):
        if not self.crop:
            return slice(None), slice(None), slice(None)
        free = height - self.crop, width - self.crop
        top, left = (
            (self.random.randrange(n + 1) for n in free)
            if self.moving
            else (n // 2 for n in free)
        )
        return (
            slice(None),
            slice(top, top + self.crop),
            slice(left, left + self.crop),
        )

    def check(self, shape):
        channels, height, width = shape
        if self.crop > min(height, width):
            raise RuntimeError(
                f'crop_size {self.crop} is larger than the image, '
                f'{height} x {width}'
            )
        if self.mean_image is not None and self.mean_image.shape != shape:
            raise RuntimeError(
                f'the mean image {self.param.mean_file} is '
                f'{shape_text(self.mean_image.shape)}, the image '
                f'{shape_text(shape)}'
            )
        if self.mean_values is not None:
            if len(self.mean_values) not in (1, channels):
                raise RuntimeError(
                    'Specify either 1 mean_value or as many as channels: '
                    f'{channels} ({len(self.mean_values)} given)'
                )


def batch_of(images):
    """One array of all, which must be of one size.

    Takes: images: (what it is called in an error, array) pairs
    """
    first = images[0][1].shape
    for name, image in images:
        if image.shape != first:
            raise RuntimeError(
                f'{name} is {shape_text(image.shape)}, the first of its batch '
                f'{shape_text(first)}: images of different sizes need a '
                'crop_size, one size (new_height, new_width), or batch_size 1'
            )
    return np.stack([image for _, image in images])
