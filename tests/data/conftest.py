"""Small datasets in VOC's and SBD's real layouts, and a layer on its own."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from caffe.blob import Blob
from data import palette, places
from data.datasets import DATASETS

SIZES = {'a': (11, 8), 'b': (9, 13), 'c': (7, 10), 'd': (12, 6)}  # H, W
MEAN = (104.00699, 116.66877, 122.67892)


def save_mat(path, label, key='GTcls', field='Segmentation'):
    """SBD's nesting: a 1 x 1 struct whose field is the label."""
    present = np.unique(label)[:, None]
    savemat(path, {key: {'CategoriesPresent': present, field: label}})


@pytest.fixture
def write_mat():
    return save_mat


@pytest.fixture(autouse=True)
def no_datasets_of_the_developer(monkeypatch, tmp_path):
    """Neither their environment nor what lies in data/ decides a test."""
    for dataset in DATASETS:
        monkeypatch.setenv(dataset.env, '')
    monkeypatch.setattr(places, 'ROOT', tmp_path / 'repository')


@pytest.fixture
def labels():
    """A label per id: every class somewhere, a void row in each."""
    rng = np.random.default_rng(3)
    made = {}
    for name, shape in SIZES.items():
        made[name] = rng.integers(0, 21, shape).astype(np.uint8)
        made[name][2] = 255
    return made


@pytest.fixture
def pictures():
    rng = np.random.default_rng(4)
    return {
        name: rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        for name, shape in SIZES.items()
    }


@pytest.fixture
def voc(tmp_path, labels, pictures):
    """VOC of four images: a, b for training, c, d to score on."""
    root = tmp_path / 'VOC2011'
    lists = root / 'ImageSets' / 'Segmentation'
    for folder in (root / 'JPEGImages', root / 'SegmentationClass', lists):
        folder.mkdir(parents=True)
    for name in SIZES:
        image = Image.fromarray(pictures[name])
        # a PNG inside, for exact pixels: Pillow looks at the content
        image.save(root / 'JPEGImages' / f'{name}.jpg', 'PNG')
        path = root / 'SegmentationClass' / f'{name}.png'
        palette.save_label(path, labels[name])
    (lists / 'train.txt').write_text('a\nb\n')
    (lists / 'val.txt').write_text('c\nd')  # no final newline, as some have
    return root


@pytest.fixture
def sbd(tmp_path, labels, pictures):
    root = tmp_path / 'benchmark_RELEASE' / 'dataset'
    (root / 'img').mkdir(parents=True)
    (root / 'cls').mkdir()
    for name in SIZES:
        image = Image.fromarray(pictures[name])
        image.save(root / 'img' / f'{name}.jpg', 'PNG')
        save_mat(root / 'cls' / f'{name}.mat', labels[name])
    (root / 'train.txt').write_text('b\na\n')
    (root / 'val.txt').write_text('c\n\n')
    return root


@pytest.fixture
def layer():
    """make(kind, **settings): a data layer after set-up, with its tops as
    `layer.top`; step(): one pass, as a net makes it."""

    class Made:
        def __call__(self, kind, tops=2, bottom=(), param_str=None, **params):
            made = kind(None)
            made.param_str = param_str or str(params)
            made.phase = 0
            made.top = [Blob((1,)) for _ in range(tops)]
            made.setup(list(bottom), made.top)
            made.reshape([], made.top)
            return made

        def step(self, made):
            made.reshape([], made.top)
            made.forward([], made.top)
            return [np.array(blob.data) for blob in made.top]

    return Made()
