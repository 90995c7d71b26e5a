"""Small pictures as files, for tests of the layers that read them."""

import io

import numpy as np
from PIL import Image

from caffe.proto import caffe_pb2 as pb


def picture(height, width, seed=0):
    """H x W x 3 uint8, red first"""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def encoded(pixels, kind='PNG', **more):
    """The bytes of an image file."""
    file = io.BytesIO()
    image = (
        pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    )
    image.save(file, kind, **more)
    return file.getvalue()


def blue_first(pixels):
    """3 x H x W of H x W x 3, by loops."""
    height, width, _ = pixels.shape
    out = np.zeros((3, height, width), np.uint8)
    for c, r, s in np.ndindex(*out.shape):
        out[c, r, s] = pixels[r, s, 2 - c]
    return out


def transformed(image, mean, scale, top=0, left=0, crop=None, turned=False):
    """Takes: image: C x H x W; mean: function of (c, row, column)"""
    size = (crop, crop) if crop else image.shape[1:]
    out = np.zeros((image.shape[0], *size), np.float32)
    for c, r, s in np.ndindex(*out.shape):
        row, column = top + r, left + s
        value = (float(image[c, row, column]) - mean(c, row, column)) * scale
        out[c, r, size[1] - 1 - s if turned else s] = value
    return out


def write_mean(path, values):
    """A mean image in the form that compute_image_mean gives it."""
    blob = pb.BlobProto(data=values.ravel())
    blob.num, blob.channels, blob.height, blob.width = 1, *values.shape
    path.write_bytes(blob.SerializeToString())
