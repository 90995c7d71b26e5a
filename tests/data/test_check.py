"""`python -m data`: its commands on small datasets."""

import numpy as np
import pytest
from PIL import Image

from data import check, command, palette, parallel, places


@pytest.fixture
def run(voc, sbd, capsys, monkeypatch):
    """run(words): exit status and what was printed."""
    monkeypatch.setenv('VOC_DIR', str(voc))
    monkeypatch.setenv('SBD_DIR', str(sbd))
    lists = voc / 'ImageSets' / 'Segmentation'
    (lists / 'seg11valid.txt').write_text('c\nd\n')

    def run(*words):
        status = command.main(words)
        return status, capsys.readouterr().out

    return run


def test_a_sound_dataset_passes_with_its_counts(run, labels):
    status, text = run('check')
    assert status == 0, text
    assert '7 items, 0 problems' in text, 'a b c d of VOC, a b c of SBD'
    assert 'VOC seg11valid: 2 ids, 2 sound, not the published' in text
    both = np.concatenate([labels['c'].ravel(), labels['d'].ravel()])
    share = (both == 7).sum() / (both != 255).sum()
    assert f'   7 car               2 images {share:7.2%}' in text


def test_every_kind_of_fault_is_found(run, voc, sbd, labels):
    Image.fromarray(labels['a'].T).save(voc / 'SegmentationClass' / 'a.png')
    (voc / 'JPEGImages' / 'd.jpg').write_bytes(b'no image')
    (sbd / 'img' / 'b.jpg').unlink()
    strange = labels['c'].copy()
    strange[0, :4] = 77
    palette.save_label(voc / 'SegmentationClass' / 'c.png', strange)
    status, text = run('check')
    assert status == 1
    for fault in (
        'a.png: label of 11 x 8 for an image of 8 x 11',
        'd.jpg: unreadable image of 8 bytes',
        'b.jpg: no such image',
        'c.png: value 77 on 4 pixels',
    ):
        assert f'{fault}' in text, text
    assert '4 problems' in text
    assert 'VOC train: 2 ids, 1 sound' in text


def test_ids_in_two_splits_or_twice_in_one_are_found(run, voc, sbd):
    lists = voc / 'ImageSets' / 'Segmentation'
    (lists / 'val.txt').write_text('c\nd\nb\nd\n')
    (sbd / 'train.txt').write_text('b\na\nd\n')
    status, text = run('check')
    assert status == 1
    assert 'VOC val: 1 ids (d) more than once' in text
    assert 'VOC train and VOC val share 1 ids (b): scores on VOC val' in text
    assert 'SBD train and VOC seg11valid share 1 ids (d)' in text


def test_a_missing_dataset_is_a_problem(run, monkeypatch, tmp_path):
    status, text = run('check', '--voc', str(tmp_path / 'none'))
    assert status == 1
    assert 'PROBLEM no PASCAL VOC' in text and 'SBD train: 2 ids' in text


def test_problems_beyond_the_limit_are_counted(run, sbd, capsys):
    for path in (sbd / 'img').iterdir():
        path.unlink()
    assert check.check(limit=2) == 3
    assert '... and 1 more' in capsys.readouterr().out


def test_processes_give_what_one_gives():
    many = range(parallel.FEW + 20)
    assert list(parallel.each(abs, many, 'numbers', 2)) == list(many)
    assert list(parallel.each(abs, many, 'numbers', 1)) == list(many)


def test_splits_writes_the_published_list_only(run, monkeypatch):
    with pytest.raises(ValueError, match='leaves 2 ids with digest'):
        run('splits')
    wanted = (2, places.digest(['c', 'd']))
    monkeypatch.setattr(places, 'SEG11VALID', wanted)
    status, text = run('splits')
    path = places.ROOT / 'data' / 'pascal' / 'seg11valid.txt'
    assert status == 0 and text == f'{path}: 2 ids, as published\n'
    assert path.read_text() == 'c\nd\n'


def test_palette_mends_masks_in_place(run, tmp_path):
    label = np.array([[0, 3, 15], [3, 0, 255]], np.uint8)
    path = tmp_path / 'm.png'
    Image.fromarray(palette.COLOURS[label]).save(path)
    text = f'{path}: 0 background, 3 bird, 15 person, 255 void\n'
    assert run('palette', str(path)) == (0, text)
    assert (np.asarray(Image.open(path)) == label).all()
    assert run('palette', str(path)) == (
        0,
        f'{path}: is a palette PNG already\n',
    )


def test_palette_turns_white_into_a_class_elsewhere(run, tmp_path):
    path = tmp_path / 'm.png'
    mask = np.array([[0, 255, 255], [0, 0, 255]], np.uint8)
    Image.fromarray(mask).save(path)
    out = tmp_path / 'out'
    words = ('palette', '--foreground', '8', '-o', str(out), str(path))
    assert run(*words) == (0, f'{out / "m.png"}: 0 background, 8 cat\n')
    assert (np.asarray(Image.open(out / 'm.png')) == mask // 255 * 8).all()
    assert (np.asarray(Image.open(path)) == mask).all()


def test_no_command_says_what_is_there_and_what_to_do(run, monkeypatch):
    status, text = run()
    assert status == 0
    assert 'seg11valid   2 ids, not the published' in text
    assert 'next: `python -m data check`' in text
    monkeypatch.setenv('SBD_DIR', '/nowhere')
    status, text = run()
    assert 'SBD            missing. Get it from http' in text
    assert 'next: `python -m data shapes`' in text
