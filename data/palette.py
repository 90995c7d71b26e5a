"""VOC's classes and colours, and masks turned into the labels a net reads.

A VOC label is a palette PNG: each pixel is the index of its class, and the
palette only decides how a viewer shows it. The palette takes the bits of an
index in turn: bits 0, 3, 6 to red, 1, 4, 7 to green, 2, 5 to blue, the
highest bit of the colour first (VOC development kit, VOClabelcolormap).
Not here: overlays and pictures of predictions (infer.py, score/).
"""

import os
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = (
    'background aeroplane bicycle bird boat bottle bus car cat chair cow '
    'diningtable dog horse motorbike person pottedplant sheep sofa train '
    'tvmonitor'
).split()
VOID = 255  # the border around an object, and whatever is not judged


def colours():
    """Gives: 256 x 3 uint8 array, row = index, columns = red, green, blue"""
    index = np.arange(256)
    rgb = np.zeros((256, 3), int)
    for bit in range(3):
        for channel in range(3):
            rgb[:, channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
    return rgb.astype(np.uint8)


COLOURS = colours()
KEYS = COLOURS.astype(int) @ (65536, 256, 1)  # one number per colour


def save_label(path, label):
    """Writes an H x W array of indices as a palette PNG in VOC's colours; a
    file of that name is replaced in one step."""
    path = Path(path)
    image = Image.fromarray(np.asarray(label, np.uint8))  # mode L
    image.putpalette(COLOURS.ravel().tolist())  # now mode P
    partial = path.with_name(path.name + '.part')
    image.save(partial, format='PNG')
    os.replace(partial, path)


def from_colours(rgb, source):
    """Indices of the pixels of a mask painted in VOC's colours.

    Takes: rgb: H x W x 3 uint8
    Gives: H x W uint8
    Raises: ValueError naming a colour that VOC has no class for
    """
    keys = rgb.astype(int) @ (65536, 256, 1)
    order = np.argsort(KEYS)
    found = order[np.searchsorted(KEYS[order], keys).clip(max=255)]
    strange = KEYS[found] != keys
    if strange.any():
        colour = tuple(int(part) for part in rgb[strange][0])
        raise ValueError(
            f'{source}: the colour {colour} and {_distinct(keys[strange])} '
            f'in all on {strange.sum()} pixels belong to no VOC class (the '
            f'first three: background (0, 0, 0), aeroplane (128, 0, 0), '
            f'bicycle (0, 128, 0)). Paint the mask in VOC colours, without '
            f'smoothing, and do not save it as JPEG.'
        )
    return found.astype(np.uint8)


def _distinct(keys):
    count = len(np.unique(keys))
    return f'{count} colour' + 's' * (count > 1)


def convert(path, foreground=None):
    """Turns a mask into a palette PNG of class indices.

    Takes: foreground: the class that white (255, or 1 in a 1-bit file) of a
        black and white mask stands for; None keeps 255, which is void
    Gives: H x W uint8, or None if the file is a palette PNG already
    """
    with Image.open(path) as image:
        if image.mode == 'P' and foreground is None:
            return None
        if image.mode in ('RGB', 'RGBA', 'CMYK', 'LA'):
            pixels = np.asarray(image.convert('RGB'))
            label = from_colours(pixels, path)
        elif image.mode == '1':
            label = np.asarray(image).astype(np.uint8) * VOID
        else:
            label = np.asarray(image)
    if label.min() < 0 or label.max() > 255:
        raise ValueError(
            f'{path}: holds values from {label.min()} to {label.max()}; '
            f'a label is a class index from 0 to 255'
        )
    if foreground is None:
        return label.astype(np.uint8)
    if not set(np.unique(label)) <= {0, 1, VOID}:
        raise ValueError(
            f'{path}: --foreground is for masks of two values (0 and 255, or '
            f'0 and 1); this one also has {_others(label)}'
        )
    return np.where(label > 0, foreground, 0).astype(np.uint8)


def _others(label):
    return ', '.join(str(v) for v in np.unique(label) if v not in (0, 1, VOID))
