"""A run that is killed at any moment, as often as you like, and resumed, ends
with the bits of the undisturbed one."""

import os
import random
import signal
import time

import numpy as np
import pytest
from small_runs import directory, ended, finish, start

from caffe.proto import model

KILLS = int(os.environ.get('FCN_KILLS', 4))  # 50 for the long test
ROUNDS, ITERATIONS = 2, 8


def weights(folder, iteration):
    path = folder / 'snapshot' / f'train_iter_{iteration}.caffemodel'
    _, blobs = model.read_model(str(path))
    return [np.array(x.data) for each in blobs for x in each]


def histories(folder, iteration):
    path = folder / 'snapshot' / f'train_iter_{iteration}.solverstate'
    return [np.array(x) for x in model.read_state(str(path)).history]


@pytest.fixture(scope='module')
def straight(tmp_path_factory):
    place = tmp_path_factory.mktemp('straight')
    folder, environ = directory(place, snapshot=1)
    began = time.monotonic()
    status, out = finish(
        folder, environ, '--seed', 7, rounds=ROUNDS, iterations=ITERATIONS
    )
    assert status == 0, out
    return folder, time.monotonic() - began


def test_killed_runs_end_with_the_bits_of_the_undisturbed(straight, tmp_path):
    undisturbed, seconds = straight
    folder, environ = directory(tmp_path, snapshot=1)
    moments, kills = random.Random(4), 0
    shape = dict(rounds=ROUNDS, iterations=ITERATIONS)
    end = ROUNDS * ITERATIONS
    for _ in range(100 * KILLS):
        known = list(folder.glob('snapshot/*.solverstate'))
        options = ('--resume',) if known else ('--seed', 7)
        process = start(folder, environ, *options, **shape)
        if kills < KILLS:
            wait_for_iterations(process, moments)
            time.sleep(moments.random() * 0.15)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
        else:
            status, out = ended(process)
            assert status == 0, out
            break
        if (folder / f'snapshot/train_iter_{end}.solverstate').is_file():
            forget(folder, keep=moments.randrange(1, 4))  # room for more
    assert kills == KILLS
    for ours, theirs in zip(
        weights(folder, end) + histories(folder, end),
        weights(undisturbed, end) + histories(undisturbed, end),
    ):
        assert ours.tobytes() == theirs.tobytes()
    assert list(folder.glob('snapshot/.*part')) == []


def wait_for_iterations(process, moments):
    """Reads the log until some iterations are done: the rest is start-up."""
    wanted = moments.randrange(1, 5)
    for line in process.stdout:
        wanted -= ', loss = ' in line
        if not wanted:
            break


def forget(folder, keep):
    """Goes back to an early snapshot, so that there is more to kill."""
    for path in folder.glob('snapshot/train_iter_*'):
        if int(path.name.split('_')[2].split('.')[0]) > keep:
            path.unlink()


def test_a_killed_snapshot_is_never_taken(straight, tmp_path):
    """A state without its model, and halves under temporary names."""
    undisturbed, _ = straight
    folder, environ = directory(tmp_path)
    (folder / 'snapshot').mkdir()
    for name in ('.train_iter_9.caffemodel.1234abcd.part',):
        (folder / 'snapshot' / name).write_bytes(b'half')
    (folder / 'snapshot' / 'train_iter_9.solverstate').write_bytes(b'\x08')
    status, out = finish(folder, environ, '--resume')
    assert status == 1
    assert 'no .solverstate' in out and 'Traceback' not in out
