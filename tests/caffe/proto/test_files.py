"""Old files stay whole until new ones are."""

import os
import stat

import pytest

from caffe.proto import files


def test_the_new_file_replaces_the_old_one(tmp_path):
    path = tmp_path / 'a.caffemodel'
    path.write_bytes(b'old')
    path.chmod(0o640)
    with files.replacing(path) as temporary:
        with open(temporary, 'wb') as out:
            out.write(b'new')
        assert path.read_bytes() == b'old', 'before the end nothing changes'
    assert path.read_bytes() == b'new'
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ['a.caffemodel']


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / 'a.caffemodel'
    path.write_bytes(b'old')
    with pytest.raises(ZeroDivisionError):
        with files.replacing(path) as temporary:
            with open(temporary, 'wb') as out:
                out.write(b'half')
            raise ZeroDivisionError
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a.caffemodel']


def test_a_new_file_gets_the_usual_mode(tmp_path):
    (tmp_path / 'usual').write_bytes(b'')
    with files.replacing(tmp_path / 'new'):
        pass
    new, usual = (tmp_path / name for name in ('new', 'usual'))
    assert new.stat().st_mode == usual.stat().st_mode


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / 'target').write_bytes(b'old')
    link = tmp_path / 'link'
    link.symlink_to('target')
    with files.replacing(link) as temporary:
        with open(temporary, 'wb') as out:
            out.write(b'new')
    assert link.is_symlink()
    assert (tmp_path / 'target').read_bytes() == b'new'


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path):
    with pytest.raises(OSError, match='No space left.*a.caffemodel') as caught:
        with files.replacing(tmp_path / 'a.caffemodel'):
            raise OSError(28, 'No space left on device')
    assert caught.value.errno == 28
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / 'snapshot' / 'train'
    with pytest.raises(
        FileNotFoundError, match='there is no folder .*snapshot'
    ):
        with files.replacing(path):
            raise AssertionError('not reached')


def test_a_directory_is_neither_read_nor_replaced(tmp_path):
    with pytest.raises(RuntimeError, match='is a directory'):
        files.mapped(tmp_path)
    with pytest.raises(RuntimeError, match='is a directory'):
        with files.replacing(tmp_path):
            raise AssertionError('not reached')


def test_a_device_is_written_in_place():
    with files.replacing('/dev/null') as path:
        assert path == '/dev/null'
    assert stat.S_ISCHR(os.stat('/dev/null').st_mode)


def test_a_missing_file_is_both_errors():
    for kind in (RuntimeError, FileNotFoundError):
        with pytest.raises(kind, match='File not found: none.caffemodel'):
            files.mapped('none.caffemodel')
