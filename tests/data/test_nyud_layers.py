"""NYUDSegDataLayer on a miniature of the release."""

import numpy as np
import pytest
from miniatures import save_mat, write_nyud
from PIL import Image
from scipy.io import loadmat

from caffe.blob import Blob
from data.nyud_layers import NYUDSegDataLayer, log_depth

COMBINATIONS = (
    ['color', 'label'],
    ['hha', 'label'],
    ['color', 'depth', 'label'],
    ['color', 'hha', 'label'],
    ['color', 'depth', 'hha', 'label'],
)


@pytest.fixture
def root(tmp_path):
    write_nyud(tmp_path / 'nyud')
    return tmp_path / 'nyud'


@pytest.fixture
def make(layer, root):
    def make(*tops, split='test', **params):
        params.update(nyud_dir=str(root), split=split, tops=list(tops))
        return layer(NYUDSegDataLayer, len(tops), param_str=str(params))

    return make


def opened(root, folder, name='5001'):
    path = root / 'data' / folder / f'img_{name}.png'
    return np.asarray(Image.open(path))


def want(root, kind):
    """What the original would feed, but for depth 0."""
    if kind == 'label':
        path = root / 'segmentation' / 'img_5001.mat'
        raw = loadmat(path)['segmentation'].astype(int)
        return (raw - 1)[None] % 256
    if kind == 'color':
        pixels = opened(root, 'images').astype(np.float32)[:, :, ::-1]
        pixels = pixels - np.array((116.190, 97.203, 92.318), np.float32)
        return pixels.transpose(2, 0, 1)
    if kind == 'hha':  # channels as in the file
        pixels = opened(root, 'hha').astype(np.float32)
        pixels -= np.array((132.431, 94.076, 118.477), np.float32)
        return pixels.transpose(2, 0, 1)
    depth = opened(root, 'depth').astype(np.float32)
    log = np.log(np.where(depth > 0, depth, 1)) - np.float32(7.844)
    return np.where(depth > 0, log, 0)[None]


@pytest.mark.parametrize('tops', COMBINATIONS, ids='-'.join)
def test_tops_are_those_asked_for_in_that_order(make, layer, root, tops):
    arrays = layer.step(make(*tops))
    for kind, array in zip(tops, arrays):
        assert array.dtype == np.float32
        assert (array[0] == want(root, kind)).all(), kind


def test_depth_that_was_not_measured_is_the_mean(make, layer, root):
    (depth, _) = layer.step(make('depth', 'label'))
    unknown = opened(root, 'depth') == 0
    assert unknown.any() and (depth[0, 0][unknown] == 0).all()
    assert np.isfinite(depth).all()
    assert log_depth(np.zeros((2, 3), np.uint16)).tolist() == [[0] * 3] * 2


def test_channels_of_hha_are_not_swapped(make, layer, root):
    pixels = np.zeros((*opened(root, 'hha').shape[:2], 3), np.uint8)
    pixels[:, :] = (10, 20, 30)
    Image.fromarray(pixels).save(root / 'data' / 'hha' / 'img_5001.png')
    (hha, _) = layer.step(make('hha', 'label'))
    mean = np.float32([132.431, 94.076, 118.477])
    assert (hha[0, :, 4, 5] == np.float32([10, 20, 30]) - mean).all()


@pytest.mark.parametrize('mode', ['L', 'P', 'RGBA'])
def test_hha_without_three_channels_is_named(make, root, mode):
    path = root / 'data' / 'hha' / 'img_5001.png'
    Image.open(path).convert(mode).save(path)
    with pytest.raises(ValueError, match=f'{path}: an {mode} image; three'):
        make('color', 'hha', 'label')


@pytest.mark.parametrize('mode', ['L', 'RGB'])
def test_a_picture_of_depth_is_no_depth(make, root, mode):
    path = root / 'data' / 'depth' / 'img_5001.png'
    Image.open(root / 'data' / 'images' / 'img_5001.png').convert(mode).save(
        path
    )
    with pytest.raises(ValueError, match=f'{path}: an {mode} image; depth is'):
        make('color', 'depth', 'label')


@pytest.mark.parametrize('folder', ['images', 'depth', 'hha'])
def test_a_missing_file_is_named(make, root, folder):
    path = root / 'data' / folder / 'img_5001.png'
    path.unlink()
    with pytest.raises(FileNotFoundError, match=str(path)):
        make('color', 'depth', 'hha', 'label')


def test_only_what_is_asked_for_is_opened(make, layer, root):
    for folder in ('depth', 'hha'):
        (root / 'data' / folder / 'img_5001.png').unlink()
    layer.step(make('color', 'label'))


def test_files_of_different_sizes_are_named(make, root):
    path = root / 'data' / 'depth' / 'img_5001.png'
    Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)
    with pytest.raises(
        ValueError, match=f'{path}: depth of .* for an image of'
    ):
        make('color', 'depth', 'label')


def test_a_value_that_is_no_class_is_named(make, root):
    path = root / 'segmentation' / 'img_5001.mat'
    label = loadmat(path)['segmentation']
    label[0, 0] = 41
    save_mat(path, segmentation=label)
    with pytest.raises(ValueError, match='value 41, and 1 pixels .* 0 to 40'):
        make('color', 'label')


@pytest.mark.parametrize('tops', [('color', 'rgb'), ('color', 'color')])
def test_unknown_and_repeated_tops_are_refused(make, tops):
    with pytest.raises(ValueError, match="'tops' may name color, depth, hha"):
        make(*tops)


def test_trainval_is_train_then_val(make):
    assert make('color', 'label', split='trainval', seed=1).indices == [
        *('5003', '5005', '5010')
    ]


def test_training_visits_the_original_positions(root):
    """The first draws of seed 1337 among 795, under Python 2."""
    ids = '\n'.join(f'{number}' for number in range(795))
    (root / 'trainval.txt').write_text(ids)
    made = NYUDSegDataLayer(None)
    params = dict(nyud_dir=str(root), split='trainval', seed=1337)
    made.param_str = str(dict(params, tops=['color', 'label']))
    made.setup([], [Blob((1,)) for _ in range(2)])
    drawn = [made.idx]
    for _ in range(9):
        made.advance()
        drawn.append(made.idx)
    assert drawn == [491, 423, 290, 465, 131, 655, 305, 627, 732, 244]
