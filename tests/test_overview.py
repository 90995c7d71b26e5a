"""`python solve.py`: what is there, what is missing, what to do next."""

import re
import shutil
import sys

import pytest

import solve
from data import places
from data.datasets import DATASETS
from training import needs
from weights.published import BY_DIRECTORY

ROOT = solve.ROOT


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """The network directories as in a new clone: no data, no weights."""
    monkeypatch.setattr(sys, 'path', [*sys.path])
    for module in (solve, needs, places):
        monkeypatch.setattr(module, 'ROOT', tmp_path)
    for dataset in DATASETS:
        monkeypatch.setenv(dataset.env, '')
    monkeypatch.chdir(tmp_path)
    for name in BY_DIRECTORY:
        (tmp_path / name).mkdir()
        for path in [
            *(ROOT / name).glob('*.prototxt'),
            ROOT / name / 'solve.py',
        ]:
            shutil.copy(path, tmp_path / name)
    return tmp_path


def overview(capsys):
    """{network: {what: [text, ...]}}, the notes"""
    assert solve.cli([]) == 0
    out = capsys.readouterr().out
    blocks, name = {}, None
    for line in out.splitlines():
        if line.startswith('    '):
            what, text = line.split(None, 1)
            blocks[name].setdefault(what, []).append(text)
        elif re.fullmatch(r'\w+-fcn\S+', line):
            name = line
            blocks[name] = {}
    return blocks, re.findall(r'^\[(\d+)\] (.*)$', out, re.M)


def test_a_new_clone_is_told_what_to_get_first(fresh, capsys):
    blocks, notes = overview(capsys)
    assert list(blocks) == list(BY_DIRECTORY)
    for name, block in blocks.items():
        assert [*block] == ['start', 'train', 'test', 'weights', 'next']
        for what in ('start', 'train', 'test'):
            assert all('missing [' in text for text in block[what]), name
    trunk = 'python -m surgery vgg16 VGG_ILSVRC_16_layers.caffemodel'
    nexts = {name: block['next'][0] for name, block in blocks.items()}
    assert nexts['nyud-fcn32s-color-d'] == trunk
    assert nexts['siftflow-fcn16s'] == 'python siftflow-fcn32s/solve.py'
    assert nexts['nyud-fcn32s-color-hha'] == 'python nyud-fcn32s-color/solve.py'
    assert len(blocks['nyud-fcn32s-color-hha']['start']) == 2
    assert [int(number) for number, _ in notes] == list(range(1, 16))


def test_every_command_it_names_can_be_given(fresh, capsys):
    blocks, notes = overview(capsys)
    told = ' '.join(text for _, text in notes)
    told += ' '.join(
        text for block in blocks.values() for text in block['next']
    )
    for script in re.findall(r'python (\S+\.py)', told):
        assert (ROOT / script).is_file(), script
    for module in re.findall(r'python -m (\w+)', told):
        assert (ROOT / module / '__main__.py').is_file(), module
    for fetched in re.findall(r'-m weights fetch (\S+)', told):
        assert BY_DIRECTORY[fetched].file, fetched


def test_a_trained_network_is_scored_next(fresh, capsys):
    snapshot = fresh / 'voc-fcn32s' / 'snapshot'
    snapshot.mkdir()
    for kind in ('solverstate', 'caffemodel'):
        (snapshot / f'train_iter_4000.{kind}').touch()
    model = 'voc-fcn32s/snapshot/train_iter_4000.caffemodel'
    blocks, _ = overview(capsys)
    assert blocks['voc-fcn32s']['weights'] == [model]
    assert blocks['voc-fcn16s']['start'] == [model]
    assert blocks['voc-fcn16s']['next'] == ['python -m data']
    recipe = solve.recipe_of(fresh / 'voc-fcn32s')
    ready = solve.next_command(fresh / 'voc-fcn32s', recipe, [])
    assert ready == 'python voc-fcn32s/solve.py --resume'
    done = recipe._replace(rounds=1)
    scored = solve.next_command(fresh / 'voc-fcn32s', done, [])
    assert scored == f'python -m score voc-fcn32s --weights {model}'
    unstarted = solve.next_command(fresh / 'voc-fcn8s', recipe, [])
    assert unstarted == 'python voc-fcn8s/solve.py'


def test_an_unknown_network_is_answered_with_those_there_are(capsys):
    assert solve.cli(['voc-fcn4s']) == 2
    error = capsys.readouterr().err
    assert error.startswith('solve.py: no network voc-fcn4s; have voc-fcn32s,')
    assert 'Traceback' not in error


def test_a_run_says_once_what_it_lacks(fresh, capsys):
    assert solve.main(fresh / 'nyud-fcn32s-hha' / 'solve.py', ['cpu']) == 1
    error = capsys.readouterr().err
    assert error.startswith('nyud-fcn32s-hha: not ready:\n    no starting')
    assert error.count('data to train and test on: no NYUDv2') == 1
    assert len(error.splitlines()) == 3


def test_a_device_that_is_none_is_called_by_its_name(fresh, capsys):
    folder = fresh / 'voc-fcn32s'
    assert solve.main(folder / 'solve.py', ['foo']) == 1
    error = capsys.readouterr().err
    assert "no device 'foo': the number of a GPU, or cpu." in error
    assert 'Without a GPU: python voc-fcn32s/solve.py cpu' in error
    assert '--gpu' not in error


@pytest.mark.parametrize('option', ['--help', '-h'])
def test_help_is_that_of_the_driver(option, capsys):
    with pytest.raises(SystemExit, match='0'):
        solve.cli([option])
    out = capsys.readouterr().out
    assert out.startswith('usage: python solve.py <network>')
    assert 'python voc-fcn8s/solve.py cpu' in out
    for option in ('--resume', '--keep', '--tensorboard'):
        assert option in out
    assert '[1]' not in out, 'what is missing is not asked for'


def test_an_option_without_a_network_is_refused(capsys):
    assert solve.cli(['--resume']) == 2
    error = capsys.readouterr().err
    assert error.startswith('solve.py: no network --resume; have voc-fcn32s,')
