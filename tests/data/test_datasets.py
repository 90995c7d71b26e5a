"""Splits of SIFT Flow, NYUDv2 and PASCAL-Context, and what is said of them."""

import numpy as np
import pytest
from miniatures import SUBSET, write_context, write_nyud, write_siftflow
from scipy.io import savemat

from data import datasets, places
from data.datasets import CONTEXT, NYUD, SIFTFLOW, VOC2010, Known, standing
from data.places import digest


@pytest.fixture
def sift(tmp_path):
    write_siftflow(tmp_path / 'sift')
    return SIFTFLOW.find(tmp_path / 'sift')


@pytest.fixture
def nyud(tmp_path):
    write_nyud(tmp_path / 'nyud')
    return NYUD.find(tmp_path / 'nyud')


def known(monkeypatch, split, ids):
    monkeypatch.setitem(
        datasets.KNOWN, split, Known(len(ids), None, digest(sorted(ids)))
    )


def test_siftflow_splits_are_derived_from_the_release(sift, monkeypatch):
    for split in ('test', 'trainval'):
        (sift / f'{split}.txt').unlink()
    for name in SIFTFLOW.unannotated:  # images that have no labels
        (sift / 'Images' / SUBSET / f'{name}.jpg').write_bytes(b'')
    test = ['coast_natu975', 'insidecity_art947']
    train = ['coast_land111', 'forest_for121', 'highway_gre5', 'street_bost64']
    known(monkeypatch, 'SIFT Flow test', test)
    known(monkeypatch, 'SIFT Flow trainval', train)
    assert SIFTFLOW.split(sift, 'test') == test, 'in the order of TestSet1.txt'
    assert SIFTFLOW.split(sift, 'trainval') == train


def test_a_derived_split_that_is_not_the_published_is_refused(sift):
    (sift / 'trainval.txt').unlink()
    with pytest.raises(ValueError) as caught:
        SIFTFLOW.split(sift, 'trainval')
    text = str(caught.value)
    assert 'SIFT Flow test derived from' in text and 'has 2 ids' in text
    assert 'has 200, 772854924eb149c3' in text
    assert 'put a list of your own at' in text


def test_nyud_splits_are_derived_from_its_own_file(nyud, monkeypatch):
    for name in ('train', 'val', 'test'):
        (nyud / f'{name}.txt').unlink()
    numbers = np.array([[2], [1], [1449]], np.uint16)
    savemat(nyud / 'splits.mat', {'testNdxs': numbers})
    test = ['5001', '5002', '6449']
    known(monkeypatch, 'NYUDv2 test', test)
    assert NYUD.split(nyud, 'test') == test
    trainval = NYUD.split(nyud, 'trainval')
    assert len(trainval) == 1446
    assert (trainval[0], trainval[-1]) == ('5003', '6448')


def test_nyud_trainval_is_train_then_val_as_they_lie(nyud):
    (nyud / 'train.txt').write_text('9\n7\n8')
    (nyud / 'val.txt').write_text('2\n1\n')
    assert NYUD.split(nyud, 'trainval') == ['9', '7', '8', '2', '1']
    (nyud / 'trainval.txt').write_text('1\n')
    assert NYUD.split(nyud, 'trainval') == ['1'], 'a list precedes'


def test_without_sources_the_list_is_asked_for(nyud):
    (nyud / 'val.txt').unlink()
    with pytest.raises(FileNotFoundError) as caught:
        NYUD.split(nyud, 'trainval')
    assert "no list of split 'trainval'" in str(caught.value)
    assert 'there is test, train' in str(caught.value)


def test_any_list_is_taken(sift):
    (sift / 'mine.txt').write_text('coast_natu975\n')
    assert SIFTFLOW.split(sift, 'mine') == ['coast_natu975']


def test_lists_may_lie_in_data_wherever_the_images_are(sift):
    home = places.ROOT / 'data' / 'sift-flow'
    home.mkdir(parents=True)
    (home / 'few.txt').write_text('street_bost64\n')
    assert SIFTFLOW.split(sift, 'few') == ['street_bost64']


def test_contexts_lists_are_voc2010s_or_its_own(tmp_path):
    write_context(tmp_path)
    voc = VOC2010.find(tmp_path / 'pascal')
    assert VOC2010.split(voc, 'val') == ['2008_000002', '2008_000003']
    home = places.ROOT / 'data' / 'pascal-context'
    home.mkdir(parents=True)
    (home / 'val.txt').write_text('2008_000003\n')
    assert VOC2010.split(voc, 'val') == ['2008_000003']


def test_what_is_said_of_a_list(monkeypatch):
    ids = ['b', 'c', 'a']
    sort = digest(sorted(ids))
    monkeypatch.setitem(datasets.KNOWN, 'x', Known(3, digest(ids), sort))
    assert standing('x', ids) == 'the published list'
    assert standing('x', ['a', 'b', 'c']) == (
        'the published ids, in another order'
    )
    assert standing('x', ['a', 'b', 'd']) == (
        'not the published list, which has 3'
    )
    monkeypatch.setitem(datasets.KNOWN, 'y', Known(3))
    assert standing('y', ids) == 'as many as published'
    assert standing('y', ids[1:]) == 'not the published list, which has 3'
    assert standing('VOC train', ids) == ''


@pytest.mark.parametrize('dataset', [SIFTFLOW, NYUD, CONTEXT, VOC2010])
def test_a_missing_dataset_says_where_to_get_it(dataset):
    with pytest.raises(FileNotFoundError) as caught:
        dataset.find('../data/somewhere')
    text = str(caught.value)
    assert f'no {dataset.name} (a folder with ' in text and 'http' in text
    assert f'variable {dataset.env} ' in text
    assert f'--{dataset.option} DIR' in text


def test_options_are_named_after_their_variables():
    options = [dataset.option for dataset in datasets.DATASETS]
    assert options == ['voc', 'sbd', 'siftflow', 'nyud', 'context']
