"""The colours of labels, and masks turned into the labels a net reads.

A VOC label is a palette PNG: each pixel is the index of its class, and the
palette only decides how a viewer shows it. The palette takes the bits of an
index in turn: bits 0, 3, 6 to red, 1, 4, 7 to green, 2, 5 to blue, the
highest bit of the colour first (VOC development kit, VOClabelcolormap).
Other datasets have no colours of their own and get some that differ as much
as so many can.
Not here: overlays and pictures of predictions (infer.py, score/).
"""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from data.classes import VOC, VOID


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


def colours_of(names):
    """The colours of a dataset: VOC's own, or as distinct ones as can be.

    Takes: names: of its classes; a class 0 called background is black
    Gives: 256 x 3 uint8; void is VOC's cream in all
    """
    table = COLOURS.copy()
    if list(names) != VOC:
        first = int(names[:1] == ['background'])
        table[first : len(names)] = distinct(len(names) - first)
    return table


def distinct(count):
    """Colours each of which is, to the eye, as far as possible from those
    before it, and from black, white and void.

    Gives: count x 3 uint8, the same on every machine
    """
    steps = np.arange(0, 256, 51)
    all_rgb = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    lab = to_lab(all_rgb)
    taken = to_lab(np.array([(0, 0, 0), (255, 255, 255), COLOURS[VOID]]))
    far = np.linalg.norm(lab[:, None] - taken, axis=2).min(1)
    chosen = []
    for _ in range(count):
        chosen.append(int(np.argmax(far.round(6))))
        far = np.minimum(far, np.linalg.norm(lab - lab[chosen[-1]], axis=1))
    return all_rgb[chosen].astype(np.uint8)


def to_lab(rgb):
    """CIELAB (D65; by its cube root throughout), where distances are those
    the eye sees.

    Takes: rgb: n x 3, 0..255. Gives: n x 3 float64
    """
    linear = (np.asarray(rgb) / 255) ** 2.2
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722]]
        + [[0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(linear @ (to_xyz / to_xyz.sum(1, keepdims=True)).T).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def label_image(label, colours=COLOURS):
    """A palette image (mode P) that looks right and holds the labels.

    Takes: label: H x W, integers 0..255; colours: 256 x 3 uint8
    """
    label = np.asarray(label)
    if label.ndim != 2:
        raise ValueError(f'a label map is H x W, this has shape {label.shape}')
    if label.size and not 0 <= label.min() <= label.max() <= 255:
        raise ValueError(
            f'labels {label.min()} to {label.max()} do not fit into the 0 to '
            '255 of a palette image'
        )
    image = Image.fromarray(label.astype(np.uint8))  # mode L
    image.putpalette(colours.ravel().tolist())  # now mode P
    return image


def save_label(path, label):
    """Writes an H x W array of indices as a palette PNG in VOC's colours; a
    file of that name is replaced in one step."""
    path = Path(path)
    image = label_image(label)
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
