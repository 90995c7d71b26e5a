"""What a study lacks is told before its first run, all at once."""

from pathlib import Path

import pytest

from ablations import grid
from ablations.ready import must_be_ready
from data.datasets import DATASETS
from training import needs

VGG, TRUNK = 'voc-fcn32s', Path('somewhere/vgg16-fcn.caffemodel')


def refused(study, net, here, shapes=True, device='cpu', start=TRUNK):
    """The lines of the message."""
    cells = grid.cells(study, grid.Settings(here, 1, 2, shapes), [net])
    runs = grid.in_order(run for cell in cells.values() for run in cell)
    with pytest.raises(ValueError, match='^not ready:') as error:
        must_be_ready(runs, shapes, device, start)
    return str(error.value).splitlines()[1:]


@pytest.fixture(autouse=True)
def nothing(tmp_path, monkeypatch):
    """No dataset and no weights, whatever this machine has."""
    for dataset in DATASETS:
        monkeypatch.setenv(dataset.env, str(tmp_path / 'empty'))
    monkeypatch.setattr(needs, 'starting_model', lambda *_: None)


def test_an_edit_that_a_network_cannot_have_is_told_before_it_trains(tmp_path):
    first, *_ = refused('skip-scale', 'voc-fcn8s', tmp_path)
    assert first.strip().startswith('voc-fcn8s has no Scale to edit')


def test_device_weights_and_data_are_one_message(tmp_path):
    lines = refused('frozen', VGG, tmp_path, False, 'gpu', None)
    assert len(lines) == len(set(lines)), 'each is told once'
    for wanted in ("no device 'gpu'", 'no starting weights', 'no PASCAL VOC'):
        assert any(wanted in line for line in lines), lines


def test_shapes_have_no_other_classifier(tmp_path):
    (line, *_) = refused('frozen', 'voc-fcn-alexnet', tmp_path)
    assert 'starts from alexnet-fcn, which --shapes has not' in line


def test_networks_with_two_starts_are_refused(tmp_path):
    lines = refused('upsampling', 'nyud-fcn32s-color-hha', tmp_path)
    assert any('two files' in line for line in lines), lines


def test_finished_runs_need_nothing():
    must_be_ready([], False, 'gpu', None)
