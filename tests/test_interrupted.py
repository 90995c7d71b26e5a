"""Signals, full disks, bad images and numbers that are none, each for real,
in a training of its own process."""

import json
import os
import signal
import subprocess

import pytest
from small_runs import directory, finish, start
from test_kill import weights

from caffe.proto import model


@pytest.fixture
def run(tmp_path):
    return directory(tmp_path, snapshot=100)


def read_until(process, word, count=1):
    out = ''
    for line in process.stdout:
        out += line
        count -= word in line
        if not count:
            break
    return out


def iterations(folder):
    names = (p.name for p in folder.glob('snapshot/*.solverstate'))
    return sorted(int(name.split('_')[2].split('.')[0]) for name in names)


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM'])
def test_a_signal_ends_with_a_snapshot_and_says_how_to_go_on(run, name):
    folder, environ = run
    process = start(folder, environ, iterations=500)
    read_until(process, ', loss = ', 3)
    process.send_signal(getattr(signal, name))
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert 'python voc-fcn32s/solve.py cpu --resume' in out
    (done,) = iterations(folder)
    assert f'stopped after iteration {done}.' in out
    status, out = finish(
        folder, environ, '--resume', '--iterations', done + 2, iterations=500
    )
    assert status == 0, out
    assert iterations(folder) == [done, done + 2]
    assert len(list(folder.glob('train-*.log'))) == 1, 'the log goes on'


def test_a_hangup_snapshots_and_goes_on_and_a_second_sigint_ends_at_once(run):
    folder, environ = run
    process = start(folder, environ, iterations=100000)
    read_until(process, ', loss = ', 2)
    process.send_signal(signal.SIGHUP)
    read_until(process, ', loss = ', 4)
    kept = iterations(folder)
    assert len(kept) == 1
    (folder / 'snapshot').rename(folder / 'moved')
    (folder / 'snapshot').write_text('no folder: a snapshot here takes long')
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode in (1, 130), out


def test_a_test_that_is_broken_off_is_done_when_the_run_goes_on(run):
    folder, environ = run
    process = start(folder, environ, rounds=1, iterations=2)
    read_until(process, 'Begin seg tests')
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert iterations(folder) == [2]
    (folder / 'snapshot' / 'scores.json').unlink(missing_ok=True)
    status, out = finish(folder, environ, '--resume', rounds=1, iterations=2)
    assert status == 0, out
    assert '>>>' in out and 'Iteration 2 mean IU' in out
    assert [*json.loads((folder / 'snapshot/scores.json').read_text())] == ['2']


@pytest.fixture
def small_disk(run):
    """The snapshot directory on a disk with room for one snapshot, not two;
    gives a function that makes it larger."""
    folder, _ = run
    place = folder / 'snapshot'
    place.mkdir()
    model_size = (folder.parent / 'start' / 'vgg.caffemodel').stat().st_size
    upscore = 4 * 21 * 21 * 64 * 64  # which the classifier lacks
    size = 3 * (model_size + upscore) + 1_000_000

    def mount(*options):
        options = ','.join(options)
        command = ['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', str(place)]
        subprocess.run(command, check=True, capture_output=True)

    try:
        mount(f'size={size}')
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('no tmpfs can be mounted here')
    yield lambda: mount('remount', 'size=100m')
    subprocess.run(['umount', '-l', str(place)], check=True)


def test_a_full_disk_pauses_and_the_last_good_snapshot_stays(run, small_disk):
    folder, environ = run
    solver = folder / 'solver.prototxt'
    settings = solver.read_text()
    solver.write_text(settings.replace('snapshot: 100', 'snapshot: 2'))
    process = start(folder, environ, rounds=1, iterations=4)
    try:
        line = read_until(process, 'PAUSED').splitlines()[-1]
        assert 'No space left on device' in line
        assert 'train_iter_2.solverstate. Free some space' in line
        assert iterations(folder) == [2]
        read_until(process, 'PAUSED', 2)
        small_disk()
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, out
    assert iterations(folder) == [2, 4]
    model.read_state(str(folder / 'snapshot/train_iter_4.solverstate'))
    assert weights(folder, 4)
    assert not list(folder.glob('snapshot/.*part'))


def damage(environ, name='2008_000015'):
    path = os.path.join(environ['SBD_DIR'], 'img', f'{name}.jpg')
    with open(path, 'r+b') as file:
        file.truncate(100)
    return path


def test_a_bad_image_is_named_before_the_first_iteration(run):
    folder, environ = run
    path = damage(environ)
    status, out = finish(folder, environ)
    assert status == 1
    assert '1 of 2 train images are bad' in out and path in out
    assert '--skip-bad' in out and 'Traceback' not in out
    assert ', loss = ' not in out


def test_bad_images_are_skipped_and_counted(run):
    folder, environ = run
    damage(environ)
    status, out = finish(folder, environ, '--skip-bad', '--seed', 1)
    assert status == 0, out
    assert 'SKIPPED 2008_000015 (1 so far)' in out
    assert iterations(folder) == [10]


def test_an_image_that_goes_bad_in_the_middle_leaves_the_last_weights(run):
    folder, environ = run
    process = start(folder, environ, '--seed', 2, iterations=5000)
    read_until(process, ', loss = ', 3)
    path = damage(environ)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert path in out and 'Traceback' not in out
    (done,) = iterations(folder)
    assert f'train_iter_{done}.solverstate' in out
    status, out = finish(
        folder, environ, '--resume', '--skip-bad', '--iterations', done + 1
    )
    assert status == 0, out
    assert 'SKIPPED' in out


def test_numbers_that_are_none_end_the_run_with_image_and_layer(run):
    folder, environ = run
    solver = folder / 'solver.prototxt'
    text = solver.read_text()
    lr = next(x for x in text.splitlines() if x.startswith('base_lr'))
    solver.write_text(text.replace(lr, 'base_lr: 1e30'))
    status, out = finish(folder, environ)
    assert status == 1
    assert 'WARNING: layer' in out, 'the rate does not fit the loss'
    assert 'is not finite, image 2008_0000' in out
    assert 'output ' in out and 'The last good snapshot is none' in out
    assert not iterations(folder)


def test_a_net_that_cannot_learn_is_told_in_the_first_iteration(run):
    folder, environ = run
    train = folder / 'train.prototxt'
    text = train.read_text()
    loss = text.index('SoftmaxWithLoss')
    brace = text.index('\n', loss)
    train.write_text(
        text[:brace]
        + '\n  propagate_down: false propagate_down: false'
        + text[brace:]
    )
    status, out = finish(folder, environ)
    assert status == 1
    assert 'gradient of every score layer is zero' in out


def test_keep_leaves_the_last_ones_and_the_best(run):
    folder, environ = run
    solver = folder / 'solver.prototxt'
    solver.write_text(
        solver.read_text().replace('snapshot: 100', 'snapshot: 1')
    )
    status, out = finish(folder, environ, '--keep', 2, rounds=3, iterations=2)
    assert status == 0, out
    known = json.loads((folder / 'snapshot/scores.json').read_text())
    best = max(known, key=lambda i: (known[i], int(i)))
    assert iterations(folder) == sorted({5, 6, int(best)})
    models = {p.name for p in folder.glob('snapshot/*.caffemodel')}
    assert len(models) == len(iterations(folder))


def test_a_snapshot_directory_that_cannot_be_written_is_told_first(run):
    folder, environ = run
    (folder / 'snapshot').write_text('a file')
    status, out = finish(folder, environ)
    assert status == 1 and 'Traceback' not in out, out
    assert ', loss = ' not in out
