"""A disk that is full, or will be, for real, where one can be mounted; in
trainings of their own processes."""

import re
import signal
import subprocess

import pytest
from small_runs import directory, ended, finish, iterations, read_until, start
from test_kill import weights

from caffe.proto import model


@pytest.fixture
def run(tmp_path):
    return directory(tmp_path, snapshot=2)


@pytest.fixture
def disk(run):
    """The snapshot directory on a disk of its own; gives a function of how
    many snapshots it has room for, which may be called again."""
    folder, _ = run
    place = folder / 'snapshot'
    place.mkdir()
    model_size = (folder.parent / 'start' / 'vgg.caffemodel').stat().st_size
    upscore = 4 * 21 * 21 * 64 * 64  # which the classifier lacks
    one, mounted = 2 * (model_size + upscore), []

    def hold(snapshots):
        size = f'size={int(snapshots * one) + 1_000_000}'
        options = ','.join([*mounted, size])
        command = ['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip('no tmpfs can be mounted here')
        mounted[:] = ['remount']

    yield hold
    if mounted:
        subprocess.run(['umount', '-l', str(place)], check=True)


def test_a_disk_without_room_for_a_snapshot_is_told_first(run, disk):
    folder, environ = run
    disk(0.5)
    status, out = finish(folder, environ)
    assert status == 1 and 'Traceback' not in out, out
    assert ', loss = ' not in out
    message = out.splitlines()[-1]
    found = re.fullmatch(
        r'voc-fcn32s: (\S+) has (\S+) GB left, a snapshot takes (\S+) GB',
        message,
    )
    assert found, message
    assert found[1] == str(folder / 'snapshot')
    assert 0 < float(found[2]) < float(found[3]) < 0.1


def test_a_disk_without_room_for_all_snapshots_is_warned_of(run, disk):
    folder, environ = run
    disk(3.5)
    status, out = finish(folder, environ, '--iterations', 6)
    assert status == 0 and 'WARNING' not in out, out
    for path in folder.glob('snapshot/train*'):
        path.unlink()
    shape = dict(rounds=1, iterations=7)
    status, out = finish(folder, environ, '--keep', 1, **shape)
    assert status == 0 and 'WARNING' not in out, 'three at a time fit'
    for path in folder.glob('snapshot/train*'):
        path.unlink()
    process = start(folder, environ, **shape)
    out = read_until(process, ', loss = ')
    process.kill()
    ended(process)
    assert re.search(
        r'WARNING: 4 snapshots of \S+ GB do not fit into the \S+ GB left in '
        rf'{folder}/snapshot: the run will pause when it is full; --keep N',
        out,
    ), out


def test_a_full_disk_pauses_and_the_last_good_snapshot_stays(run, disk):
    folder, environ = run
    disk(1.5)
    process = start(folder, environ, rounds=1, iterations=4)
    try:
        line = read_until(process, 'PAUSED').splitlines()[-1]
        assert 'No space left on device' in line
        assert 'train_iter_2.solverstate. Free some space' in line
        assert iterations(folder) == [2]
        read_until(process, 'PAUSED', 2)
        disk(9)
        status, out = ended(process)
    finally:
        process.kill()
    assert status == 0, out
    assert iterations(folder) == [2, 4]
    model.read_state(str(folder / 'snapshot/train_iter_4.solverstate'))
    assert weights(folder, 4)
    assert not list(folder.glob('snapshot/.*part'))


def test_a_second_sigint_ends_a_pause_and_leaves_nothing_half(run, disk):
    folder, environ = run
    disk(1.5)
    process = start(folder, environ, rounds=1, iterations=6)
    read_until(process, 'PAUSED')
    process.send_signal(signal.SIGINT)
    read_until(process, 'PAUSED', 6)
    process.send_signal(signal.SIGINT)
    status, out = ended(process)
    assert status == 130 and out.endswith('stopped at once\n'), out
    assert iterations(folder) == [2]
    model.read_state(str(folder / 'snapshot/train_iter_2.solverstate'))
    assert weights(folder, 2)
    assert not list(folder.glob('snapshot/.*part'))
    disk(9)
    status, out = finish(folder, environ, '--resume', rounds=1, iterations=4)
    assert status == 0, out
    assert iterations(folder) == [2, 4]
