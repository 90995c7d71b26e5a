"""Every item looked at once, and remembered."""

import json
import os

import miniatures
import pytest

from data.scan import scan
from data.voc_layers import SBDDSegDataLayer


@pytest.fixture
def layer(tmp_path, monkeypatch):
    (tmp_path / 'voc').mkdir()
    for name, value in miniatures.write_voc(tmp_path / 'voc').items():
        monkeypatch.setenv(name, value)

    def make():
        made = SBDDSegDataLayer(None)
        made.params = dict(sbdd_dir=None, split='train', mean=(1, 2, 3))
        return made

    return make


def test_sound_images_are_remembered_until_a_file_changes(layer, tmp_path):
    cache = tmp_path / 'there' / 'scanned.json'
    first = layer()
    assert scan(first, cache) == ({}, 1), 'the second has the most pixels'
    (key,) = json.loads(cache.read_text())
    cache.write_text(json.dumps({key: 77}))
    assert scan(layer(), cache) == ({}, 77), 'nothing was opened'
    path = first.image_path(first.indices[0])
    os.truncate(path, 100)
    faults, largest = scan(layer(), cache)
    assert list(faults) == [first.indices[0]]
    assert str(path) in faults[first.indices[0]]
    assert largest == 1
    assert [*json.loads(cache.read_text())] == [key], 'bad splits stay out'


def test_a_damaged_cache_is_no_obstacle(layer, tmp_path):
    cache = tmp_path / 'scanned.json'
    for text in ('{', '[]'):
        cache.write_text(text)
        assert scan(layer(), cache) == ({}, 1)


def test_a_full_disk_is_no_obstacle(layer, tmp_path):
    cache = tmp_path / 'a file' / 'scanned.json'
    cache.parent.touch()
    assert scan(layer(), cache) == ({}, 1)
