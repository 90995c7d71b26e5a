"""VOC's colours, and masks turned into labels."""

import numpy as np
import pytest
from PIL import Image

from data import palette
from data.read import read_palette

LABEL = np.array([[0, 1, 2, 20], [255, 15, 15, 7], [0, 3, 3, 8]], np.uint8)


def test_the_palette_is_vocs():
    known = {
        0: (0, 0, 0),
        1: (128, 0, 0),
        2: (0, 128, 0),
        4: (0, 0, 128),
        8: (64, 0, 0),
        15: (192, 128, 128),
        20: (0, 64, 128),
        255: (224, 224, 192),
    }
    for index, colour in known.items():
        assert tuple(palette.COLOURS[index]) == colour, index
    assert len(np.unique(palette.COLOURS, axis=0)) == 256


def test_a_saved_label_reads_back_and_shows_its_colours(tmp_path):
    palette.save_label(tmp_path / 'x.png', LABEL)
    assert (read_palette(tmp_path / 'x.png') == LABEL).all()
    with Image.open(tmp_path / 'x.png') as image:
        assert image.mode == 'P'
        shown = np.asarray(image.convert('RGB'))
    assert (shown == palette.COLOURS[LABEL]).all()
    assert [p.name for p in tmp_path.iterdir()] == ['x.png']


@pytest.mark.parametrize('mode', ['RGB', 'RGBA'])
def test_a_mask_in_voc_colours_becomes_its_indices(tmp_path, mode):
    path = tmp_path / 'x.png'
    Image.fromarray(palette.COLOURS[LABEL]).convert(mode).save(path)
    assert (palette.convert(path) == LABEL).all()


def test_a_colour_that_voc_lacks_is_named(tmp_path):
    rgb = palette.COLOURS[LABEL]
    rgb[0, 2:], rgb[1, 0] = (10, 20, 30), (1, 2, 3)
    Image.fromarray(rgb).save(tmp_path / 'x.png')
    text = r'colour \(10, 20, 30\) and 2 colours in all on 3 pixels'
    with pytest.raises(ValueError, match=text):
        palette.convert(tmp_path / 'x.png')


def test_a_palette_png_is_left_alone(tmp_path):
    palette.save_label(tmp_path / 'x.png', LABEL)
    assert palette.convert(tmp_path / 'x.png') is None


@pytest.mark.parametrize('mode', ['L', '1'])
def test_white_becomes_the_foreground_class(tmp_path, mode):
    path = tmp_path / 'x.png'
    white = LABEL == 15
    Image.fromarray(white).convert(mode).save(path)
    assert (palette.convert(path, 15) == np.where(white, 15, 0)).all()
    assert (palette.convert(path) == np.where(white, 255, 0)).all()


def test_foreground_refuses_a_mask_of_many_values(tmp_path):
    Image.fromarray(LABEL).save(tmp_path / 'x.png')
    with pytest.raises(ValueError, match='also has 2, 3, 7, 8, 15, 20'):
        palette.convert(tmp_path / 'x.png', 15)
    assert (palette.convert(tmp_path / 'x.png') == LABEL).all()


def test_sixteen_bit_indices_fit_or_are_refused(tmp_path):
    path = tmp_path / 'x.png'
    Image.fromarray(LABEL.astype(np.uint16)).save(path)
    assert (palette.convert(path) == LABEL).all()
    Image.fromarray(LABEL.astype(np.uint16) * 9).save(path)
    with pytest.raises(ValueError, match='holds values from 0 to 2295'):
        palette.convert(path)
