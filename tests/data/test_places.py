"""Where datasets are looked for, and what their lists hold."""

import shutil

import pytest

from data import places
from data.places import SBD, VOC


def test_a_path_counts_from_the_working_directory(voc, monkeypatch):
    (voc.parent / 'net').mkdir()
    monkeypatch.chdir(voc.parent / 'net')
    assert VOC.find('../VOC2011') == voc
    monkeypatch.chdir(voc.parent)
    assert VOC.find('VOC2011') == voc
    assert VOC.find(voc) == voc


@pytest.mark.parametrize('given', ['../data/pascal/V', '../../data/pascal/V'])
def test_a_path_counts_from_the_repository_too(voc, monkeypatch, given):
    """From its root, from a network's folder, or anywhere."""
    home = places.ROOT / 'data' / 'pascal' / 'V'
    (places.ROOT / 'voc-fcn8s').mkdir(parents=True)
    shutil.move(voc, home)
    for folder in (places.ROOT, places.ROOT / 'voc-fcn8s', voc.parent):
        monkeypatch.chdir(folder)
        assert VOC.find(given) == home, folder


def test_the_environment_overrides_every_path(voc, sbd, monkeypatch):
    monkeypatch.setenv('VOC_DIR', str(voc))
    monkeypatch.setenv('SBD_DIR', str(sbd.parent.parent))
    assert VOC.find('/nowhere') == voc
    assert SBD.find('../data/sbdd/dataset') == sbd, 'as the archive unpacks'
    monkeypatch.setenv('VOC_DIR', '/nowhere')
    with pytest.raises(FileNotFoundError, match='at /nowhere. Get it'):
        VOC.find(voc)


def test_a_missing_dataset_says_where_and_what_next(voc):
    shutil.rmtree(voc / 'JPEGImages')
    with pytest.raises(FileNotFoundError) as caught:
        VOC.find(voc)
    text = str(caught.value)
    assert f'(a folder with JPEGImages and SegmentationClass) at {voc}' in text
    assert 'VOCtrainval_25-May-2011.tar' in text
    assert 'environment variable VOC_DIR' in text and '--voc DIR' in text


def test_lists_without_final_newline_and_with_blank_lines(voc, sbd):
    assert VOC.split(voc, 'val') == ['c', 'd']
    assert SBD.split(sbd, 'val') == ['c']
    assert SBD.split(sbd, 'train') == ['b', 'a'], 'the order of the file'


def test_a_missing_list_names_those_that_are_there(voc):
    with pytest.raises(FileNotFoundError) as caught:
        VOC.split(voc, 'test')
    text = str(caught.value)
    assert "no list of split 'test'" in text and 'there is train, val' in text


def test_an_empty_list_is_refused(sbd):
    (sbd / 'train.txt').write_text('\n\n')
    with pytest.raises(ValueError, match='train.txt: an empty list'):
        SBD.split(sbd, 'train')


def test_seg11valid_is_looked_for_in_the_dataset_then_in_data(voc):
    home = places.ROOT / 'data' / 'pascal'
    home.mkdir(parents=True)
    (home / 'seg11valid.txt').write_text('x\n')
    assert VOC.split(voc, 'seg11valid') == ['x']
    own = voc / 'ImageSets' / 'Segmentation' / 'seg11valid.txt'
    own.write_text('d\n')
    assert VOC.split(voc, 'seg11valid') == ['d']


def test_the_digest_is_of_lines_without_a_final_newline():
    assert places.digest(['a', 'b']) == '7e18f737311b2dc3'


def test_seg11valid_is_derived_and_compared_with_the_published(
    voc, sbd, monkeypatch
):
    monkeypatch.setenv('SBD_DIR', str(sbd))
    (sbd / 'train.txt').write_text('b\na\nd\n')
    with pytest.raises(ValueError) as caught:
        VOC.split(voc, 'seg11valid')
    text = str(caught.value)
    assert 'without 3 ids of SBD train leaves 1 ids with digest' in text
    assert '736, 33d3d44294e02741' in text
    monkeypatch.setattr(places, 'SEG11VALID', (1, places.digest(['c'])))
    assert VOC.split(voc, 'seg11valid') == ['c']


def test_seg11valid_without_its_sources_says_which(voc):
    with pytest.raises(FileNotFoundError, match='to derive it .*no SBD'):
        VOC.split(voc, 'seg11valid')
    (voc / 'ImageSets' / 'Segmentation' / 'val.txt').unlink()
    with pytest.raises(FileNotFoundError, match='no .*val.txt to derive it'):
        VOC.split(voc, 'seg11valid')
