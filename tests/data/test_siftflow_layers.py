"""SIFTFlowSegDataLayer on a miniature of the release."""

import shutil

import numpy as np
import pytest
from miniatures import SUBSET, save_mat, write_siftflow
from PIL import Image
from scipy.io import loadmat

from caffe.blob import Blob
from data.siftflow_layers import SIFTFlowSegDataLayer


@pytest.fixture
def root(tmp_path):
    write_siftflow(tmp_path / 'sift')
    return tmp_path / 'sift'


@pytest.fixture
def make(layer, root):
    def make(split='test', **params):
        return layer(
            SIFTFlowSegDataLayer,
            3,
            siftflow_dir=str(root),
            split=split,
            **params,
        )

    return make


def raw(root, folder, name):
    return loadmat(root / folder / SUBSET / f'{name}.mat')['S'].astype(int)


def test_labels_begin_at_0_and_void_wraps_to_255(make, layer, root):
    data, sem, geo = layer.step(make())
    semantic = raw(root, 'SemanticLabels', 'coast_natu975')
    geometric = raw(root, 'GeoLabels', 'coast_natu975')
    assert sem.shape == geo.shape == (1, 1, *semantic.shape)
    # as the original computes it, in 8 bits without a sign
    assert (sem[0, 0] == (semantic - 1) % 256).all()
    assert (sem[0, 0][semantic == 0] == 255).all() and (semantic == 0).any()
    geometric[geometric == -1] = 0
    assert (geo[0, 0] == (geometric - 1) % 256).all()
    assert {0, 1, 255} <= set(np.unique(geo)) <= {0, 1, 2, 255}


def test_images_are_bgr_minus_a_float32_mean(make, layer, root):
    data, _, _ = layer.step(make())
    path = root / 'Images' / SUBSET / 'coast_natu975.jpg'
    pixels = np.asarray(Image.open(path)).astype(np.float32)
    want = pixels[:, :, ::-1] - np.array((114.578, 115.294, 108.353), 'f')
    assert data.dtype == np.float32
    assert (data[0] == want.transpose(2, 0, 1)).all(), 'to the last bit'


def test_a_test_split_runs_in_order_from_its_start(make):
    made = make()
    assert made.indices == ['coast_natu975', 'insidecity_art947']
    assert made.idx == 0


def test_training_visits_the_original_images(root):
    """The first draws of seed 1337 among 2486, under Python 2."""
    ids = [f'id{number}' for number in range(2486)]
    (root / 'trainval.txt').write_text('\n'.join(ids))
    made = SIFTFlowSegDataLayer(None)
    made.param_str = str(
        dict(siftflow_dir=str(root), split='trainval', seed=1337)
    )
    made.setup([], [Blob((1,)) for _ in range(3)])
    drawn = [made.idx]
    for _ in range(9):
        made.advance()
        drawn.append(made.idx)
    want = [1535, 1325, 909, 1456, 411, 2049, 953, 1962, 2291, 764]
    assert drawn == want


def test_the_environment_overrides_the_setting(make, root, monkeypatch):
    monkeypatch.setenv('SIFTFLOW_DIR', str(root))
    made = make(split='trainval')
    made.params['siftflow_dir'] = '/nowhere'
    assert len(made.items()) == 4
    monkeypatch.setenv('SIFTFLOW_DIR', '/nowhere')
    with pytest.raises(FileNotFoundError, match='no SIFT Flow .* at /nowhere'):
        made.items()


def test_a_gray_image_has_three_equal_channels(make, root, layer):
    path = root / 'Images' / SUBSET / 'coast_natu975.jpg'
    gray = Image.open(path).convert('L')
    gray.save(path, quality=95)
    data, _, _ = layer.step(make())
    known = np.asarray(Image.open(path)).astype(np.float32)
    assert (data[0, 2] == known - np.float32(108.353)).all()


@pytest.mark.parametrize('folder', ['SemanticLabels', 'GeoLabels'])
def test_a_missing_label_is_named(make, root, folder):
    path = root / folder / SUBSET / 'coast_natu975.mat'
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f'{path}: no such label'):
        make()


def test_a_value_that_is_no_class_is_named(make, root):
    path = root / 'SemanticLabels' / SUBSET / 'coast_natu975.mat'
    label = raw(root, 'SemanticLabels', 'coast_natu975')
    label[3, :4] = 34
    save_mat(path, S=label)
    with pytest.raises(ValueError) as caught:
        make()
    assert 'coast_natu975.mat: S has the value 34, and 4 pixels' in str(
        caught.value
    )
    assert 'from 0 to 33' in str(caught.value)


def test_a_label_of_another_size_is_named(make, root):
    path = root / 'GeoLabels' / SUBSET / 'coast_natu975.mat'
    save_mat(path, S=raw(root, 'GeoLabels', 'coast_natu975').T)
    with pytest.raises(ValueError, match=r'\.mat: label of \d+ x \d+ for an'):
        make()


def test_a_label_of_another_task_is_named(make, root):
    path = root / 'GeoLabels' / SUBSET / 'coast_natu975.mat'
    save_mat(path, T=np.ones((3, 4)))
    with pytest.raises(ValueError, match=r'no S in it \(it has T\)'):
        make()


def test_three_tops_are_needed(layer, root):
    with pytest.raises(ValueError, match='three tops: data and sem and geo'):
        layer(SIFTFlowSegDataLayer, 2, siftflow_dir=str(root), split='test')


def test_a_release_below_the_folder_is_found(make, root):
    shutil.copytree(root, root.parent / 'deep' / 'SiftFlowDataset')
    made = make()
    made.params['siftflow_dir'] = str(root.parent / 'deep')
    made.items()
    assert made.root.name == 'SiftFlowDataset'
