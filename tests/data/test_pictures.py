"""Files beside a picture."""

import pytest

from data.pictures import companion, picture_files


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'')


def test_depth_lies_beside_its_picture_under_its_name(tmp_path):
    touch(tmp_path / 'room_depth.png', tmp_path / 'room_hha.png')
    for kind in ('depth', 'hha'):
        want = tmp_path / f'room_{kind}.png'
        assert companion(tmp_path / 'room.jpg', kind) == want


def test_nyuds_own_folders_do_as_well(tmp_path):
    touch(tmp_path / 'data' / 'hha' / 'img_5001.png')
    image = tmp_path / 'data' / 'images' / 'img_5001.png'
    assert companion(image, 'hha') == tmp_path / 'data/hha/img_5001.png'


def test_a_folder_named_is_the_only_place(tmp_path):
    touch(tmp_path / 'room_depth.png', tmp_path / 'd' / 'hall.png')
    assert companion('hall.jpg', 'depth', tmp_path / 'd').name == 'hall.png'
    with pytest.raises(
        FileNotFoundError, match='no depth for it at .*room.png'
    ):
        companion(tmp_path / 'room.jpg', 'depth', tmp_path / 'd')


def test_a_missing_one_is_named_with_the_places(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        companion(tmp_path / 'a' / 'room.jpg', 'hha')
    text = str(caught.value)
    assert str(tmp_path / 'a' / 'room_hha.png') in text
    assert str(tmp_path / 'hha' / 'room.png') in text
    assert 'name its folder with --hha' in text


def test_what_lies_beside_pictures_is_no_picture(tmp_path):
    names = ['a.jpg', 'a_depth.png', 'b.png', 'b_hha.png', 'notes.txt']
    touch(*(tmp_path / name for name in names))
    found = picture_files([tmp_path], ['depth', 'hha'])
    assert [path.name for path in found] == ['a.jpg', 'b.png']
    assert len(picture_files([tmp_path])) == 4, 'for nets that need no depth'
