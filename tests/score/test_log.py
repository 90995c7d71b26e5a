"""Training logs read back."""

import numpy as np
import pytest

from score.log import METRICS, read_log
from score.plot import plot, short_names, short_number, smooth

NEW = 'I20261120 17:50:17.335378 18247 solver.cpp:239] '
OLD = 'I0520 12:00:00.123456  1234 solver.cpp:228] '


def train(prefix, iteration, loss, speed=' (2.5 iter/s, 8s/20 iters)'):
    return (
        f'{prefix}Iteration {iteration}{speed}, loss = {loss}\n'
        f'{prefix}    Train net output #0: loss = {loss + 1} '
        f'(* 1 = {loss + 1} loss)\n'
        f'{prefix}Iteration {iteration}, lr = 1e-10\n'
    )


def seg(iteration, *values, now='2016-05-20 12:00:00.123456'):
    names = ('loss', *METRICS)
    return f'>>> {now} Begin seg tests\n' + ''.join(
        f'>>> {now} Iteration {iteration} {name} {value}\n'
        for name, value in zip(names, values)
    )


@pytest.fixture
def log(tmp_path):
    def write(text):
        (tmp_path / 'train.log').write_text(text)
        return read_log(tmp_path / 'train.log')

    return write


@pytest.mark.parametrize('prefix', [NEW, OLD])
@pytest.mark.parametrize('speed', ['', ' (-5.1e-08 iter/s, 0.001s/5 iters)'])
def test_caffes_lines_become_curves(log, prefix, speed):
    found = log(train(prefix, 0, 791.5, speed) + train(prefix, 20, 1e5, speed))
    assert found.train['loss'].iteration.tolist() == [0, 20]
    assert found.train['loss'].value.tolist() == [791.5, 1e5]
    assert found.train['lr'].value.tolist() == [1e-10, 1e-10]
    assert found.train['output loss'].value.tolist() == [792.5, 100001]


def test_the_first_line_has_no_speed(log):
    found = log(
        train(NEW, 0, 3, ' (0 iter/s, 0.4s/20 iters)')
        + train(NEW, 20, 2, ' (2.5 iter/s, 8s/20 iters)')
        + train(NEW, 40, 1, ' (-5.1e-08 iter/s, 8s/20 iters)')
        + train(NEW, 60, 1, ' (0.004 iter/s, 8s/20 iters)')
    )
    assert found.train['speed'].iteration.tolist() == [20, 60]
    assert found.train['speed'].value.tolist() == [2.5, 0.004]


def test_berkeleys_lines_become_curves(log):
    found = log(
        seg(4000, 5e4, 0.9, 0.7, 0.6, 0.8)
        + seg(8000, 4e4, 0.91, 0.71, 'nan', 0.81, now='2016-05-20 12:00:00')
    )
    assert found.seg[0]['mean accuracy'].iteration.tolist() == [4000, 8000]
    assert found.seg[0]['mean accuracy'].value.tolist() == [0.7, 0.71]
    assert np.isnan(found.seg[0]['mean IU'].value[1])
    assert len(found.seg) == 1


def test_caffes_own_tests_become_curves(log):
    found = log(
        f'{NEW}Iteration 100, Testing net (#1)\n'
        f'{NEW}    Test net output #0: accuracy = 0.25\n'
    )
    assert found.test['net 1 accuracy'].value.tolist() == [0.25]
    assert found.test['net 1 accuracy'].iteration.tolist() == [100]


def test_two_scored_outputs_stay_apart(log):
    text = ''
    for at in (2000, 4000):
        text += train(NEW, at - 20, 7.0)
        text += seg(at, 1, 0.9, 0.5, 0.4, 0.8) + seg(at, 2, 0.95, 0.9, 0.8, 0.9)
    found = log(text)
    assert len(found.seg) == 2
    assert found.seg[0]['mean IU'].value.tolist() == [0.4, 0.4]
    assert found.seg[1]['mean IU'].value.tolist() == [0.8, 0.8]


def test_a_resumed_run_replaces_what_it_does_again(log):
    first = ''.join(train(NEW, i, 100.0 + i) for i in range(0, 100, 20))
    again = ''.join(train(NEW, i, 200.0 + i) for i in range(40, 80, 20))
    found = log(
        first
        + seg(100, 1, 0.1, 0.1, 0.1, 0.1)
        + again
        + seg(80, 1, 0.2, 0.2, 0.2, 0.2)
    )
    assert found.train['loss'].iteration.tolist() == [0, 20, 40, 60]
    assert found.train['loss'].value.tolist() == [100, 120, 240, 260]
    assert found.seg[0]['mean IU'].iteration.tolist() == [80]
    assert len(found.seg) == 1


def test_a_test_done_again_after_training_is_the_same_output(log):
    one = train(NEW, 3980, 5.0) + seg(4000, 1, 0.1, 0.1, 0.1, 0.1)
    two = train(NEW, 3980, 5.0) + seg(4000, 1, 0.2, 0.2, 0.2, 0.2)
    found = log(one + two)
    assert len(found.seg) == 1
    assert found.seg[0]['mean IU'].value.tolist() == [0.2]


def test_torn_and_foreign_lines_are_passed_over(log):
    found = log(
        'scored:  10%|#   | 1/10\r'
        + train(NEW, 20, 3.5)
        + 'Traceback (most recent call last)\n'
        + f'{NEW}Iteration 40 (2 iter/s, 8s/20 iters), loss = 3.\n'
        + f'{NEW}Iteration 60 (2 iter/s, 8s/20 iters), loss = n'
    )
    assert found.train['loss'].value.tolist() == [3.5, 3.0]


def test_infinite_losses_are_kept(log):
    found = log(
        f'{NEW}Iteration 0, loss = -nan\n{OLD}Iteration 5, loss = inf\n'
    )
    assert np.isnan(found.train['loss'].value[0])
    assert np.isinf(found.train['loss'].value[1])


def test_a_file_that_is_no_log_is_refused(log):
    with pytest.raises(ValueError, match=r'train\.log: no training log'):
        log('epoch 3: loss 0.1\n')


def test_what_caffe_recorded_is_read(goldens):
    found = read_log(goldens / 'solver' / 'sgd_heavy' / 'log.txt')
    assert found.train['loss'].iteration.tolist() == [0, 5, 10, 15, 20, 25]
    assert found.train['loss'].value[0] == 791.573
    assert set(found.train['lr'].value) == {1e-05}


def test_smooth_is_the_mean_of_the_last_values():
    values = np.random.default_rng(0).standard_normal(23)
    want = [values[max(0, i - 4) : i + 1].mean() for i in range(23)]
    assert smooth(values, 5) == pytest.approx(want)


def test_smooth_leaves_a_gap_where_there_is_no_number():
    found = smooth([1.0, np.nan, 3.0, np.inf, 5.0], 2)
    assert np.isnan(found[[1, 3]]).all()
    assert found[[0, 2, 4]].tolist() == [1, 3, 5]


def test_curves_of_several_logs_are_drawn(tmp_path):
    for name, shift in (('a', 0.0), ('b', 0.1)):
        text = ''.join(train(NEW, i, 1000.0 - i) for i in range(0, 800, 20))
        (tmp_path / f'{name}.log').write_text(
            text + seg(800, 1, 0.5 + shift, 0.4, 0.3, 0.6)
        )
    logs = [tmp_path / 'a.log', tmp_path / 'b.log']
    line = {'name': 'published net', 'mean IU': 63.6, 'fwavacc': None}
    png, svg = plot(logs, tmp_path / 'out' / 'curves.png', line)
    assert png.read_bytes()[:4] == b'\x89PNG'
    text = svg.read_text()
    for word in ('>a<', '>b<', 'published net', 'mean IU', '63.6', '>60.0<'):
        assert word in text, word


@pytest.mark.parametrize(
    'text',
    [
        f'{NEW}Iteration 0, loss = nan\n',
        f'{NEW}Iteration 0, loss = 0\n',
        seg(0, 'nan', 'nan', 'nan', 'nan', 'nan'),
        '>>> 2016-05-20 12:00:00 Iteration 0 mean IU 0.5\n',
    ],
)
def test_strange_logs_are_drawn(tmp_path, text):
    (tmp_path / 'a.log').write_text(text)
    assert plot([tmp_path / 'a.log'], tmp_path / 'a.png')[0].is_file()


def test_names_are_as_short_as_they_can_be():
    assert short_names(['runs/a/log.txt', 'runs/b/log.txt']) == [
        'a/log',
        'b/log',
    ]
    assert short_names(['x/one.log', 'y/two.log']) == ['one', 'two']
    assert short_names(['a.log', 'a.log']) == ['a.log', 'a.log']


def test_ticks_are_short():
    found = [short_number(v) for v in (0, 0.05, 250, 20000, 1500000)]
    assert found == ['0', '0.05', '250', '20k', '1.5M']


def test_a_run_that_begins_anew_takes_its_tests_back(tmp_path):
    """And is drawn, though it has not come to one of its own."""
    old = train(NEW, 0, 3.5) + seg(4, 3, 0.1, 0.2, 0.3, 0.4)
    (tmp_path / 'train-1.log').write_text(old)
    (tmp_path / 'train-2.log').write_text(train(NEW, 0, 2.5))
    found = read_log(tmp_path)
    assert found.train['loss'].value.tolist() == [2.5]
    assert found.seg == []
    assert all(p.is_file() for p in plot([tmp_path], tmp_path / 'c.png'))


def test_a_log_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere: no such log, and no'):
        read_log(tmp_path / 'nowhere')
