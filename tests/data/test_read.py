"""Images and labels of every kind that lies about, and what is said of those
that cannot be used."""

import h5py
import numpy as np
import pytest
from PIL import Image

from data import palette
from data.read import check_label, read_image, read_mat, read_palette

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)
GREY = RGB[:, :, 1]


def saved(tmp_path, image, name='x.png', **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def test_a_grey_image_has_three_equal_channels(tmp_path):
    for image in (Image.fromarray(GREY), Image.fromarray(GREY).convert('LA')):
        pixels = read_image(saved(tmp_path, image))
        assert (pixels == GREY[:, :, None]).all()
        assert pixels.shape == RGB.shape


def test_a_grey_jpeg_is_read(tmp_path):
    path = saved(tmp_path, Image.fromarray(GREY), 'x.jpg', quality=95)
    assert read_image(path).shape == RGB.shape


def test_transparency_is_left_out(tmp_path):
    image = Image.fromarray(RGB)
    image.putalpha(Image.fromarray(GREY))
    assert (read_image(saved(tmp_path, image)) == RGB).all()
    indexed = Image.fromarray(GREY // 64)
    indexed.putpalette(RGB[0, :4].tobytes())
    path = saved(tmp_path, indexed, transparency=bytes([0, 9, 99, 255]))
    assert (read_image(path) == RGB[0, :4][GREY // 64]).all()


def test_a_cmyk_jpeg_comes_out_in_its_colours(tmp_path):
    patches = np.zeros((32, 48, 3), np.uint8)
    patches[:, :16], patches[:, 16:32] = (200, 40, 40), (40, 200, 60)
    image = Image.fromarray(patches).convert('CMYK')
    path = saved(tmp_path, image, 'x.jpg', quality=100)
    off = np.abs(read_image(path).astype(int) - patches)
    assert np.median(off) <= 3, np.median(off)


def test_sixteen_bits_lose_the_lower_eight(tmp_path):
    deep = GREY.astype(np.uint16) * 256 + 77
    pixels = read_image(saved(tmp_path, Image.fromarray(deep)))
    assert (pixels == GREY[:, :, None]).all()


def test_a_one_bit_image_is_black_and_white(tmp_path):
    pixels = read_image(saved(tmp_path, Image.fromarray(GREY > 99)))
    assert (pixels == np.where(GREY > 99, 255, 0)[:, :, None]).all()


def test_palette_labels_are_indices_at_every_depth(tmp_path):
    for count in (2, 4, 16, 22):
        label = (GREY % count).astype(np.uint8)
        image = Image.fromarray(label)
        image.putpalette(palette.COLOURS.tobytes())
        bits = {2: 1, 4: 2, 16: 4, 22: 8}[count]
        path = saved(tmp_path, image, bits=bits)
        assert (read_palette(path) == label).all(), count


def test_an_8_bit_grey_label_is_indices(tmp_path):
    label = (GREY % 21).astype(np.uint8)
    label[0] = 255
    assert (
        read_palette(saved(tmp_path, Image.fromarray(label))) == label
    ).all()


def test_a_colour_mask_is_named_with_its_remedy(tmp_path):
    for image in (Image.fromarray(RGB), Image.fromarray(RGB).convert('RGBA')):
        path = saved(tmp_path, image)
        with pytest.raises(ValueError) as caught:
            read_palette(path)
        text = f'{path}: an {image.mode} image, not a label'
        assert str(caught.value).startswith(text)
        assert f'`python -m data palette {path}`' in str(caught.value)


@pytest.mark.parametrize('mode, kind', [('L', '0/255'), ('1', 'black and wh')])
def test_a_mask_of_two_values_is_named_with_its_remedy(tmp_path, mode, kind):
    mask = np.zeros((6, 10), np.uint8)
    mask[1:3, 2:7] = 255
    path = saved(tmp_path, Image.fromarray(mask).convert(mode))
    with pytest.raises(ValueError, match=f'a {kind}.*10 pixels are 255') as e:
        read_palette(path)
    assert f'`python -m data palette --foreground C {path}`' in str(e.value)


def test_void_and_background_alone_are_legal_in_a_palette(tmp_path):
    label = np.zeros((6, 10), np.uint8)
    label[2] = 255
    palette.save_label(tmp_path / 'x.png', label)
    assert (read_palette(tmp_path / 'x.png') == label).all()


def damaged(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    return path


@pytest.mark.parametrize('name', ['x.jpg', 'x.png'])
def test_a_truncated_image_is_named(tmp_path, name):
    path = damaged(
        saved(tmp_path, Image.fromarray(np.tile(RGB, (9, 9, 1))), name)
    )
    size = path.stat().st_size
    with pytest.raises(ValueError) as caught:
        read_image(path)
    assert f'{path}: unreadable image of {size} bytes (' in str(caught.value)
    assert 'download it again' in str(caught.value)


def test_flipped_bytes_and_empty_files_are_named(tmp_path):
    for name in ('x.jpg', 'x.png'):
        path = saved(tmp_path, Image.fromarray(RGB), name)
        for content in (b'', b'<html>404', path.read_bytes()[:40]):
            path.write_bytes(content)
            with pytest.raises(ValueError, match='unreadable image of'):
                read_image(path)
            with pytest.raises(ValueError, match='unreadable label of'):
                read_palette(path)


def test_a_png_damaged_anywhere_is_named_or_harmless(tmp_path):
    path = saved(tmp_path, Image.fromarray(RGB))
    whole = path.read_bytes()
    for at in range(8, len(whole)):
        path.write_bytes(
            whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        )
        try:
            read_image(path)
        except ValueError as error:
            assert str(path) in str(error)


def test_a_missing_file_says_what_is_beside_it(tmp_path):
    saved(tmp_path, Image.fromarray(RGB), 'x.jpeg')
    with pytest.raises(FileNotFoundError, match='no such image; there is x.jp'):
        read_image(tmp_path / 'x.jpg')
    with pytest.raises(FileNotFoundError, match='download is incomplete'):
        read_palette(tmp_path / 'y.png')
    with pytest.raises(FileNotFoundError, match='no such label; its folder is'):
        read_mat(tmp_path / 'cls' / 'y.mat', 'GTcls', 'Segmentation')


def test_a_mat_label_is_read_as_sbd_nests_it(tmp_path, write_mat):
    label = (GREY % 21).astype(np.uint8)
    for kind in (np.uint8, np.float64, np.int16):
        write_mat(tmp_path / 'x.mat', label.astype(kind))
        got = read_mat(tmp_path / 'x.mat', 'GTcls', 'Segmentation')
        assert got.dtype == np.uint8 and (got == label).all(), kind


def test_what_is_not_sbds_mat_is_named(tmp_path, write_mat):
    path = tmp_path / 'x.mat'

    def refused(text):
        with pytest.raises(ValueError, match=text) as caught:
            read_mat(path, 'GTcls', 'Segmentation')
        assert str(path) in str(caught.value)

    write_mat(path, GREY, key='GTinst')
    refused(r'no GTcls\(1\).Segmentation in it \(it has GTinst\)')
    write_mat(path, GREY, field='Boundaries')
    refused('no GTcls')
    write_mat(path, RGB)
    refused(r'is uint8 of shape \(9, 14, 3\), not an H x W')
    wrong = np.zeros((4, 6))
    wrong[1, 2:5] = -1, 300, 0.5
    write_mat(path, wrong)
    refused('value -1 and 3 pixels in all are no class')
    path.write_bytes(b'MATLAB 5.0 MAT-file' + b'\0' * 30)
    refused('unreadable label of 49 bytes')
    write_mat(path, GREY)
    damaged(path)
    refused('unreadable label')
    with h5py.File(path, 'w', userblock_size=512) as file:
        file['GTcls'] = 1
    header = b'MATLAB 7.3 MAT-file'.ljust(124) + b'\x00\x02IM'
    path.write_bytes(header + path.read_bytes()[128:])
    refused('a MATLAB 7.3 file')


def test_an_illegal_label_value_is_named_with_its_pixel_count():
    label = np.zeros((9, 14), np.uint8)
    check_label(label, 'x.png', RGB, 21)
    label[0, :5], label[3, :2], label[4] = 21, 99, 255
    with pytest.raises(ValueError) as caught:
        check_label(label, 'x.png', RGB, 21)
    text = 'x.png: value 21 on 5 pixels, 99 on 2 pixels: neither a class (0 to'
    assert str(caught.value).startswith(text)
    assert "'classes': 100" in str(caught.value)
    check_label(label, 'x.png', RGB, 100)


def test_a_label_of_another_size_is_named_with_both():
    with pytest.raises(ValueError) as caught:
        check_label(np.zeros((14, 9), np.uint8), 'x.png', RGB, 21)
    text = 'x.png: label of 9 x 14 for an image of 14 x 9 (width x height)'
    assert str(caught.value).startswith(text)
