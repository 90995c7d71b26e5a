"""Label maps as pictures."""

import numpy as np
import pytest
from PIL import Image

from data.palette import label_image
from score.palette import colour, grid, overlay, read_label

# as any VOC label PNG has them
KNOWN = {
    0: (0, 0, 0),
    1: (128, 0, 0),
    2: (0, 128, 0),
    8: (64, 0, 0),
    15: (192, 128, 128),
    20: (0, 64, 128),
    255: (224, 224, 192),
}


@pytest.mark.parametrize('label', KNOWN)
def test_colours_are_vocs(label):
    assert tuple(colour([[label]])[0, 0]) == KNOWN[label]


def test_a_label_map_survives_its_picture(tmp_path):
    label = np.random.default_rng(0).integers(0, 256, (7, 12)).astype(np.uint8)
    label_image(label).save(tmp_path / 'a.png')
    assert (read_label(tmp_path / 'a.png') == label).all()
    with Image.open(tmp_path / 'a.png') as image:
        assert (np.array(image.convert('RGB')) == colour(label)).all()


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='labels 0 to 256 do not fit'):
        label_image(np.array([[0, 256]]))
    with pytest.raises(ValueError, match=r'H x W, this has shape \(1, 2, 3\)'):
        label_image(np.zeros((1, 2, 3), int))


def test_colours_are_not_read_as_labels(tmp_path):
    path = tmp_path / 'rgb.png'
    Image.new('RGB', (3, 2)).save(path)
    with pytest.raises(ValueError, match=r'rgb\.png: mode RGB holds colours'):
        read_label(path)


def test_an_overlay_leaves_background_alone():
    image = np.full((2, 3, 3), 100, np.uint8)
    label = np.array([[0, 1, 255], [0, 0, 2]])
    mixed = overlay(image, label)
    assert (mixed[label == 0] == 100).all()
    assert mixed[0, 1].tolist() == [114, 50, 50]
    assert mixed[0, 2].tolist() == [162, 162, 146]


def test_an_overlay_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r'\(2, 3, 3\) .* \(3, 2\) do not'):
        overlay(np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2), int))


def test_a_grid_shows_every_cell_in_its_colours():
    label = np.zeros((20, 30), np.uint8)
    label[5:15, 5:25] = 15
    label[:2] = 255
    photo = np.full((20, 30, 3), (1, 250, 3), np.uint8)
    titles = ['image', 'label', '32s', '16s', '8s']
    page = grid([[photo, label, label, label, label]] * 2, titles, side=120)
    seen = {c for _, c in page.getcolors(1 << 20)}
    assert {(1, 250, 3), KNOWN[15], KNOWN[0], KNOWN[255]} <= seen
    assert page.width > 5 * 120
    assert page.height > 2 * 80


def test_a_grid_takes_images_of_all_shapes():
    wide, tall = np.zeros((5, 40), np.uint8), np.zeros((40, 5), np.uint8)
    page = grid([[wide, tall]], ['a', 'b'], side=80)
    assert page.size > (80 + 10, 80)


def test_a_grid_refuses_a_short_row():
    with pytest.raises(ValueError, match='1 cells under 2 titles'):
        grid([[np.zeros((2, 3), int)]], ['image', 'label'])


def test_a_grid_without_labels_has_no_legend():
    photo = np.zeros((30, 40, 3), np.uint8)
    assert grid([[photo]], ['x'], side=80).height < 60 + 30
