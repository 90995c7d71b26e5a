"""`python -m score plot` and `csv` with runs' directories."""

import pytest

from score.__main__ import main
from score.log import read_log

GLOG = 'I0520 12:00:00.1 9 solver.cpp:2] '
NOW = '>>> 2016-05-20 12:00:00'


def write_run(folder, *logs):
    """Takes: logs: lists of (iteration, loss, mean IU)"""
    folder.mkdir()
    for number, points in enumerate(logs):
        text = ''.join(
            f'{GLOG}Iteration {at}, loss = {loss}\n{NOW} Begin seg tests\n'
            f'{NOW} Iteration {at} mean IU {iu}\n'
            for at, loss, iu in points
        )
        (folder / f'train-2016052{number}-000000.log').write_text(text)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run(
        tmp_path / 'voc-fcn8s',
        [(0, 9.0, 0.1), (20, 8.0, 0.2), (40, 7.0, 0.3)],
        [(40, 6.0, 0.4), (60, 5.0, 0.5)],
    )
    return tmp_path


def test_the_logs_of_a_directory_are_one_run(place):
    loss = read_log('voc-fcn8s').train['loss']
    assert loss.iteration.tolist() == [0, 20, 40, 60]
    assert loss.value.tolist() == [9, 8, 6, 5]


def test_a_networks_run_has_its_published_line(place, capsys):
    assert main(['plot', 'voc-fcn8s', '-o', 'c.png']) == 0
    assert capsys.readouterr().out.split() == ['c.png', 'c.svg']
    text = (place / 'c.svg').read_text()
    assert 'voc-fcn8s, published' in text
    assert '65.5' in text
    assert main(['plot', 'voc-fcn8s', '--published', 'none']) == 0
    assert 'published' not in (place / 'curves.svg').read_text()


def test_runs_stand_beside_each_other(place):
    write_run(place / 'run.1', [(0, 9.0, 0.1)])
    assert main(['plot', 'voc-fcn8s', 'run.1']) == 0
    text = (place / 'curves.svg').read_text()
    assert '>voc-fcn8s<' in text and '>run.1<' in text
    assert 'published' not in text, 'of which network?'


def test_a_published_row_that_is_not_known_is_refused(place, capsys):
    command = ['plot', 'voc-fcn8s', '--published', 'siftflow-fcn8s']
    assert main(command) == 1
    assert 'no published score of siftflow-fcn8s' in capsys.readouterr().err


def test_two_tasks_have_a_picture_each(place, capsys):
    folder = place / 'siftflow-fcn16s'
    folder.mkdir()
    (folder / 'train-1.log').write_text(
        f'{NOW} Begin seg tests\n{NOW} Iteration 4 mean IU 0.25\n'
        f'{NOW} Begin seg tests\n{NOW} Iteration 4 mean IU 0.75\n'
    )
    assert main(['plot', 'siftflow-fcn16s', '-o', 'c.png']) == 0
    names = 'c.png c.svg c-2.png c-2.svg'
    assert capsys.readouterr().out.split() == names.split()
    assert '39.5' in (place / 'c.svg').read_text(), 'semantic'
    assert '94.3' in (place / 'c-2.svg').read_text(), 'geometric'


def test_a_table_is_made_of_a_directory(place, capsys):
    assert main(['csv', 'voc-fcn8s']) == 0
    assert '4 rows' in capsys.readouterr().out
    lines = (place / 'voc-fcn8s' / 'metrics.csv').read_text().splitlines()
    assert [line.split(',')[0] for line in lines[1:]] == ['0', '20', '40', '60']
    assert lines[3].startswith('40,6.0,') and ',0.4,' in lines[3]


def test_a_directory_without_a_log_is_named(place, capsys):
    (place / 'empty').mkdir()
    for command in ('plot', 'csv'):
        assert main([command, 'empty']) == 1
        assert 'empty: no log (*.log) in it' in capsys.readouterr().err


def test_a_run_without_a_loss_is_left_out(place, capsys):
    refused = place / 'voc-fcn8s' / 'train-20990101-000000.log'
    refused.write_text('log: here\nvoc-fcn8s: the disk is full\n')
    short = place / 'short.log'
    short.write_text(f'{GLOG}Iteration 0, lr = 1e-10\n')
    runs = ['voc-fcn8s', str(refused), str(short)]
    assert main(['plot', *runs, '-o', 'c.png']) == 0
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith(f'score: left out: {refused}: no training log')
    assert err[1:] == [
        f'score: left out: {short}: it ended before its first loss'
    ]
    text = (place / 'c.svg').read_text()
    assert '>voc-fcn8s<' in text and 'short' not in text
    assert 'voc-fcn8s, published' in text, 'the one run that is left'


def test_nothing_to_draw_is_an_error(place, capsys):
    (place / 'a.log').write_text('voc-fcn8s: the disk is full\n')
    (place / 'b.log').write_text('')
    assert main(['plot', 'a.log', 'b.log']) == 1
    (err,) = capsys.readouterr().err.splitlines()
    assert err.startswith('score: nothing to draw: a.log: no training log')
    assert '; b.log: no training log' in err
    assert not (place / 'curves.png').exists()
