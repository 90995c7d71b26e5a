"""Signals, and which snapshots stay, each for real, in a training of its own
process."""

import json
import signal
import subprocess
import time

import pytest
from miniatures import write_lists
from small_runs import (
    NEVER,
    VOC,
    directory,
    ended,
    finish,
    iterations,
    read_until,
    start,
)
from test_kill import weights


@pytest.fixture
def run(tmp_path):
    return directory(tmp_path, snapshot=NEVER)


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM'])
def test_a_signal_ends_with_a_snapshot_and_says_how_to_go_on(run, name):
    folder, environ = run
    process = start(folder, environ, iterations=500)
    read_until(process, ', loss = ', 3)
    process.send_signal(getattr(signal, name))
    status, out = ended(process)
    assert status == 0, out
    assert 'python voc-fcn32s/solve.py cpu --resume' in out
    (done,) = iterations(folder)
    assert f'stopped after iteration {done}.' in out
    status, out = finish(
        folder, environ, '--resume', '--iterations', done + 2, iterations=500
    )
    assert status == 0, out
    assert iterations(folder) == [done, done + 2]
    assert len(list(folder.glob('train-*.log'))) == 1, 'the log goes on'


def test_a_hangup_snapshots_and_goes_on(run):
    folder, environ = run
    process = start(folder, environ, iterations=100000)
    read_until(process, ', loss = ', 2)
    process.send_signal(signal.SIGHUP)
    read_until(process, 'Snapshotting solver state')
    read_until(process, ', loss = ', 4)
    kept = iterations(folder)
    process.kill()
    ended(process)
    assert len(kept) == 1
    assert weights(folder, kept[0])


def test_a_second_sigint_ends_a_long_iteration_at_once(run):
    folder, environ = run
    solver = folder / 'solver.prototxt'
    text = solver.read_text().replace('iter_size: 1 ', 'iter_size: 1000000 ')
    assert '1000000' in text
    solver.write_text(f'{text}\ndebug_info: true\n')
    process = start(folder, environ)
    while not any('[Backward]' in p.read_text() for p in logs(folder)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)  # the first lets the iteration end
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    status, out = ended(process)
    assert status == 130, out
    assert time.monotonic() - began < 20, 'hours are left of the iteration'
    (log,) = logs(folder)
    assert log.read_text().endswith('voc-fcn32s: stopped at once\n')
    assert not list(folder.glob('snapshot/*train*'))


def logs(folder):
    return list(folder.glob('train-*.log'))


def test_a_test_that_is_broken_off_is_done_when_the_run_goes_on(run):
    folder, environ = run
    many = VOC['seg11valid'] * 99  # a test takes a while
    lists = folder.parent / 'data/VOC2011/ImageSets/Segmentation'
    write_lists(lists, {'seg11valid': many})
    process = start(folder, environ, rounds=1, iterations=2)
    read_until(process, 'Begin seg tests')
    process.send_signal(signal.SIGTERM)
    status, out = ended(process)
    assert status == 0, out
    assert 'the test was broken off' in out and 'mean IU' not in out
    assert iterations(folder) == [2]
    status, out = finish(folder, environ, '--resume', rounds=1, iterations=2)
    assert status == 0, out
    assert '>>>' in out and 'Iteration 2 mean IU' in out
    assert [*scores(folder)] == ['2']


def scores(folder):
    """Those of the one run of a directory."""
    known = json.loads((folder / 'snapshot/runs.json').read_text())
    (found,) = known['scores'].values()
    return found


def test_keep_leaves_the_last_ones_and_the_best(tmp_path):
    folder, environ = directory(tmp_path, snapshot=1)
    status, out = finish(folder, environ, '--keep', 2, rounds=3, iterations=2)
    assert status == 0, out
    known = scores(folder)
    best = max(known, key=lambda i: (known[i], int(i)))
    assert iterations(folder) == sorted({5, 6, int(best)})
    models = {p.name for p in folder.glob('snapshot/*.caffemodel')}
    assert len(models) == len(iterations(folder))


def test_a_snapshot_directory_that_cannot_be_written_is_told_first(run):
    folder, environ = run
    (folder / 'snapshot').write_text('a file')
    status, out = finish(folder, environ)
    assert status == 1
    assert out.startswith(
        f'voc-fcn32s: {folder}/snapshot cannot be written (File exists)'
    ), out
