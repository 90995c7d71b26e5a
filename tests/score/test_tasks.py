"""`python -m score` where a dataset needs more than one table."""

import pytest
from slim import write_dataset, write_network

from score.__main__ import main
from score.palette import read_label


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run(name, words): exit status of a slim network's score command."""

    def run(name, *words):
        for variable, place in write_dataset(name, tmp_path / 'd').items():
            monkeypatch.setenv(variable, place)
        write_network(name, tmp_path)
        monkeypatch.chdir(tmp_path)
        weights = f'{name}/w.caffemodel'
        return main([name, '--weights', weights, '--gpu', 'cpu', *words])

    return run


def test_both_tasks_and_both_ways_of_siftflow_are_told_apart(run, capsys):
    assert run('siftflow-fcn16s', '--save', 'maps') == 0
    text = capsys.readouterr().out
    for task in ('sem', 'geo'):
        assert f'{task}: only classes that the truth has, as the papers' in text
        assert f'{task}: every class in truth or prediction, as Berk' in text
        read_label(f'maps/{task}/coast_natu975.png')
    assert text.count('table 5') == 2, 'semantic and geometric'
    _, _, geometric = text.partition('geo: only')
    assert f'{94.3:.2f}' in geometric
    losses = {line for line in text.splitlines() if 'loss per image' in line}
    assert len(losses) == 2, 'each task has its own'


def test_context_has_its_published_row_beside_both_ways(run, capsys):
    assert run('pascalcontext-fcn8s') == 0
    text = capsys.readouterr().out
    assert '\nwithout class 0: its pixels are not judged, nor is it (' in text
    assert text.count('arXiv 1411.4038v2, table 6 (59 classes)') == 2


def test_a_split_with_training_images_is_refused(run, capsys):
    assert run('nyud-fcn32s-color', '--split', 'val') == 1
    error = capsys.readouterr().err
    assert 'split val: 1 of 1 images are in the training set' in error


def test_the_folder_of_every_dataset_is_an_option(run, capsys, tmp_path):
    assert run('nyud-fcn32s-hha', '--nyud', str(tmp_path / 'none')) == 1
    assert f'{tmp_path / "none"}. Get it from' in capsys.readouterr().err
