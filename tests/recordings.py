"""The recordings of whole nets, as tests/goldens/README.md describes them."""

import lzma
from pathlib import Path

import numpy as np

FCN = Path(__file__).parent / 'goldens' / 'fcn'
SOME = 128  # numbers kept of a longer array


def recorded_weights(name):
    """The model file that Caffe wrote, as bytes."""
    return lzma.decompress((FCN / name / 'weights.caffemodel.xz').read_bytes())


def some(array):
    """The numbers that are kept of a longer array: evenly spaced ones."""
    flat = np.ravel(array)
    return flat[np.linspace(0, flat.size - 1, SOME).astype(int)]
