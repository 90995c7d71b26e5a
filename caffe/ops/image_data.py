"""ImageData: image files and labels from a list. Caffe: image_data_layer.cpp;
spec A.24 for its errors."""

import re

import numpy as np

from caffe.ops.ahead import Ahead
from caffe.ops.base import Op
from caffe.ops.images import UNREADABLE, decode, resize
from caffe.ops.transform import (
    Transform,
    batch_of,
    own_random,
    warn_of_ignored,
)


class ImageData(Op):
    """Tops: data, batch_size x C x H x W, blue first; label, batch_size. The
    first image of a batch decides its size; in a batch of 1 each has its own.
    """

    bottoms = (0, 0)
    tops = (2, 2)

    def setup(self, shapes):
        p = self.param.image_data_param
        if (p.new_height > 0) != (p.new_width > 0):
            raise RuntimeError(
                'Current implementation requires new_height and new_width to '
                'be set at the same time.'
            )
        if not p.batch_size:
            raise RuntimeError('Positive batch size required')
        warn_of_ignored(p, 'scale', 'mean_file', 'crop_size', 'mirror')
        images = Images(p, Transform(self.param.transform_param, self.phase))
        first = images.transform.shape(images.read(images.lines[images.at][0]))
        self.shapes = [(p.batch_size, *first), (p.batch_size,)]
        self.batches = Ahead(images.batch)

    def top_shapes(self, shapes):
        return self.shapes

    def forward(self, bottoms, params):
        return self.batches.take()


class Images:
    """The list and where we are in it.

    Takes: param: ImageDataParameter; transform: what is done to each image
    """

    def __init__(self, param, transform):
        self.param, self.transform = param, transform
        self.lines, self.at = read_list(param.source), 0
        if param.shuffle or param.rand_skip:
            self.random = own_random()
        if param.shuffle:
            self.random.shuffle(self.lines)
        if param.rand_skip:
            self.at = self.random.randrange(param.rand_skip)
            if self.at >= len(self.lines):
                raise RuntimeError(
                    f'Not enough points to skip ({self.at} of '
                    f'{len(self.lines)} in {param.source})'
                )

    def batch(self):
        images, labels = [], []
        for _ in range(self.param.batch_size):
            name, label = self.lines[self.at]
            images.append((name, self.transform(self.read(name))))
            labels.append(label)
            self.at += 1
            if self.at == len(self.lines):
                self.at = 0
                if self.param.shuffle:
                    self.random.shuffle(self.lines)
        return [batch_of(images), np.array(labels, np.float32)]

    def read(self, name):
        """Gives: C x H x W uint8, of the size that is asked for"""
        path = self.param.root_folder + name
        try:
            with open(path, 'rb') as file:
                image = decode(file.read(), self.param.is_color)
        except UNREADABLE as error:
            raise RuntimeError(f'Could not load {path} ({error})') from None
        if not self.param.new_height:
            return image
        return resize(image, self.param.new_height, self.param.new_width)


def read_list(path):
    """Lines of a file name, which may contain spaces, and an integer.

    Gives: a list of (name, label)
    """
    try:
        with open(path) as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise RuntimeError(
            f'Failed to open source file: {path} ({error.strerror})'
        ) from None
    found = []
    for line in filter(str.strip, lines):
        name, space, label = line.rpartition(' ')
        found.append((name if space else line, leading_int(label)))
    if not found:
        raise RuntimeError(f'File is empty ({path})')
    return found


def leading_int(text):
    """As C's atoi reads it: 0 where there is none."""
    number = re.match(r'\s*[+-]?\d+', text)
    return int(number[0]) if number else 0
