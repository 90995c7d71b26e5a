"""metrics.csv: the same table during a run and from its log."""

import csv
import math

import pytest

from caffe.log import logger
from score import sheet
from score.log import METRICS, read_log
from score.sheet import Sheet, from_logs
from training.record import recorded

GLOG = 'I20261120 17:50:17.335378 18247 solver.cpp:239] '


def train(*iterations, shift=0.0):
    return ''.join(
        f'{GLOG}Iteration {i} (2.5 iter/s, 8s/20 iters), loss = {9 - shift}\n'
        f'{GLOG}    Train net output #0: loss = 3 (* 1 = 3 loss)\n'
        f'{GLOG}Iteration {i}, lr = 1e-10\n'
        for i in iterations
    )


def seg(iteration, *values):
    now = '2016-05-20 12:00:00.123456'
    return f'>>> {now} Begin seg tests\n' + ''.join(
        f'>>> {now} Iteration {iteration} {name} {value}\n'
        for name, value in zip(('loss', *METRICS), values)
    )


def rows(path):
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


RUN = train(0, 20) + seg(40, 5e4, 0.9, 0.7, 0.6, 0.8) + train(40, 60)


def test_a_row_has_what_the_log_says_of_an_iteration(tmp_path):
    with Sheet(tmp_path / 'metrics.csv') as file:
        file.write(RUN)
    table = rows(tmp_path / 'metrics.csv')
    assert [row['iteration'] for row in table] == ['0', '20', '40', '60']
    assert list(table[2].values()) == (
        ['40', '9.0', '1e-10', '2.5', '50000.0', '0.9', '0.7', '0.6', '0.8']
    )
    assert list(table[3].values())[4:] == [''] * 5
    assert list(table[0]) == [
        *('iteration', 'loss', 'lr', 'iterations per second', 'test loss'),
        *METRICS,
    ]


@pytest.mark.parametrize('size', [1, 7, 100])
def test_the_table_is_the_same_while_it_grows_and_from_the_log(tmp_path, size):
    text = RUN + train(20, 40, shift=2.0) + seg(60, 1, 0.5, 0.25, 0.125, 0.3)
    (tmp_path / 'train.log').write_text(text)
    with Sheet(tmp_path / 'live.csv') as file:
        for at in range(0, len(text), size):
            file.write(text[at : at + size])
    assert from_logs([tmp_path / 'train.log'], tmp_path / 'log.csv') == 4
    live = (tmp_path / 'live.csv').read_bytes()
    assert live == (tmp_path / 'log.csv').read_bytes()
    assert sorted(p.name for p in tmp_path.glob('*.part')) == []


def test_the_table_agrees_with_the_curves(tmp_path):
    text = RUN + train(20, shift=2.0)
    (tmp_path / 'train.log').write_text(text)
    from_logs([tmp_path / 'train.log'], tmp_path / 'm.csv')
    loss = read_log(tmp_path / 'train.log').train['loss']
    table = rows(tmp_path / 'm.csv')
    assert [int(row['iteration']) for row in table] == loss.iteration.tolist()
    assert [float(row['loss']) for row in table] == loss.value.tolist()


def test_the_file_is_complete_after_every_line(tmp_path):
    file = Sheet(tmp_path / 'm.csv')
    seen = 0
    for line in RUN.splitlines(keepends=True):
        file.write(line)
        text = (tmp_path / 'm.csv').read_text()
        assert text.endswith('\n')
        assert len(text.splitlines()) >= seen
        seen = len(text.splitlines())
    assert seen == 5


def test_a_resumed_run_continues_the_table(tmp_path):
    with Sheet(tmp_path / 'm.csv') as file:
        file.write(RUN)
    with Sheet(tmp_path / 'm.csv') as file:
        file.write(train(60, 80, shift=3.0))
    table = rows(tmp_path / 'm.csv')
    assert [row['iteration'] for row in table] == ['0', '20', '40', '60', '80']
    assert [row['loss'] for row in table] == ['9.0', '9.0', '9.0', '6.0', '6.0']
    assert table[2]['mean IU'] == '0.6'


def test_a_new_training_starts_the_table_anew(tmp_path):
    for shift in (0.0, 1.0):
        with Sheet(tmp_path / 'm.csv') as file:
            file.write(train(0, 20, shift=shift) if shift else RUN)
    table = rows(tmp_path / 'm.csv')
    assert [row['loss'] for row in table] == ['8.0', '8.0']
    assert table[1]['mean IU'] == ''


def test_a_row_that_a_crash_cut_off_is_forgotten(tmp_path):
    with Sheet(tmp_path / 'm.csv') as file:
        file.write(RUN)
    with open(tmp_path / 'm.csv', 'a') as file:
        file.write('80,79')
    with Sheet(tmp_path / 'm.csv') as file:
        file.write(train(100))
    table = rows(tmp_path / 'm.csv')
    assert [row['iteration'] for row in table][-2:] == ['60', '100']


def test_a_second_task_has_columns_of_its_own(tmp_path):
    text = train(0) + seg(20, 1, 0.9, 0.5, 0.4, 0.8)
    text += seg(20, 2, 0.95, 0.9, 0.75, 0.9)
    for part in (text, train(40)):  # the second from what the first left
        with Sheet(tmp_path / 'm.csv') as file:
            file.write(part)
    row = rows(tmp_path / 'm.csv')[1]
    assert (row['mean IU'], row['mean IU 2']) == ('0.4', '0.75')
    assert row['test loss 2'] == '2.0'


def test_a_loss_that_is_no_number_stays_one(tmp_path):
    with Sheet(tmp_path / 'm.csv') as file:
        file.write(f'{GLOG}Iteration 0, loss = -nan\n')
    assert math.isnan(float(rows(tmp_path / 'm.csv')[0]['loss']))


def test_a_disk_that_is_full_for_a_while_costs_no_row(
    tmp_path, monkeypatch, capsys
):
    def full(*_):
        raise OSError(28, 'No space left on device')

    file = Sheet(tmp_path / 'm.csv')
    file.write(train(0))
    monkeypatch.setattr(sheet, 'open', full, raising=False)
    file.write(train(20, 40))
    monkeypatch.undo()
    file.write(train(60))
    table = rows(tmp_path / 'm.csv')
    assert [row['iteration'] for row in table] == ['0', '20', '40', '60']
    err = capsys.readouterr().err
    assert err.count('No space left') == 1, 'said once'
    assert 'python -m score csv' in err


def test_what_is_no_log_leaves_no_table(tmp_path):
    (tmp_path / 'a.log').write_text('epoch 3: loss 0.1\n')
    with pytest.raises(ValueError, match=r'a\.log: no training log'):
        from_logs([tmp_path / 'a.log'], tmp_path / 'm.csv')
    assert not (tmp_path / 'm.csv').exists()


def test_a_run_keeps_the_table_beside_its_log(tmp_path, capsys):
    """What the driver prints and what Caffe's solver logs, as they come."""
    for begin in (0, 40):
        with recorded(tmp_path, goes_on=bool(begin)):
            for at in (begin, begin + 20):
                logger.info('Iteration %d, loss = %s', at, 7.5)
                logger.info('Iteration %d, lr = %s', at, 1e-10)
            print('>>>', '2016-05-20', '12:00:00', 'Begin seg tests')
            print(
                '>>> 2016-05-20 12:00:00 Iteration', begin + 40, 'mean IU 0.5'
            )
    live = (tmp_path / 'metrics.csv').read_bytes()
    (log,) = tmp_path.glob('train-*.log')
    assert from_logs([log], tmp_path / 'again.csv') == 5
    assert live == (tmp_path / 'again.csv').read_bytes()
