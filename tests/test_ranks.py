"""Training on several processes, as torchrun starts them: what they compute
together, and how they end, each for real."""

import json
import os
import re
import shutil
import signal
import time
from random import Random

import numpy as np
import pytest
import small_runs
from small_ranks import made, start, torchrun
from small_runs import ended, iterations, read_until
from test_kill import histories, weights

# What becomes of an image that rank 1 reads after its first few
WRECK = """
from voc_layers import SBDDSegDataLayer as Layer
if os.environ['RANK'] == '1':
    proper, read = Layer.load, []
    def load(self, item):
        read.append(item)
        data, label = proper(self, item)
        if len(read) > 5:
            {}
        return data, label
    Layer.load = load
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    return made(tmp_path, monkeypatch)


def edit(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def well(process):
    """What a run printed that ended well."""
    status, out = ended(process)
    assert status == 0, out
    return out


LOSSES = r'Iteration (\d+) \(.*\), loss = (\S+)$'
OUTPUTS = r'Train net output #(\d+): loss = (\S+)'
SCORES = r'^>>> \S+ \S+ Iteration (\d+ .+) (\S+)$'


def found(out, pattern):
    """Of the lines that match: [what is said], [the number]"""
    return zip(*re.findall(pattern, out, re.M))


def test_two_processes_train_as_one_with_twice_the_iter_size(
    tmp_path, monkeypatch
):
    running = []
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        folder, environ = made(tmp_path / name, monkeypatch)
        edit(folder / 'train.prototxt', 'ratio: 0.5', 'ratio: 1e-9')  # none
        size = 4 if name == 'one' else 2
        edit(folder / 'solver.prototxt', 'iter_size: 1', f'iter_size: {size}')
        begun = small_runs.start if name == 'one' else start
        running.append((folder, begun(folder, environ, iterations=3)))
    (one, single), (two, double) = ((x, well(y)) for x, y in running)
    for known, ours in zip(weights(one, 6), weights(two, 6), strict=True):
        assert np.abs(ours - known).max() <= 1e-6 * np.abs(known).max()
    updates = [x for x in histories(one, 6) if x.any()]
    assert len(updates) == 32, 'two of each of 16 layers learn'
    learned = [x for x in histories(two, 6) if x.any()]
    for known, ours in zip(updates, learned, strict=True):
        assert np.abs(ours - known).max() < 1e-5 * np.abs(known).max()
    for pattern, count in ((LOSSES, 6), (OUTPUTS, 6), (SCORES, 10)):
        (said, known), (told, ours) = (
            found(single, pattern),
            found(double, pattern),
        )
        assert len(said) == count
        assert told == said
        ours, known = ([float(x) for x in numbers] for numbers in (ours, known))
        assert ours == pytest.approx(known, rel=1e-5)
    assert 'voc-fcn32s on cpu, 1 thread, 2 ranks' in double
    assert double.count('Begin seg tests') == 2, 'only rank 0 speaks'


def test_a_sigterm_snapshots_and_two_ranks_go_on_bit_by_bit(run, tmp_path):
    """With dropout, for which each rank draws numbers of its own."""
    folder, environ = run
    process = torchrun(folder, environ, '--seed', 7)
    out = read_until(process, ', loss = ', 3)
    process.send_signal(signal.SIGTERM)
    out += ended(process)[1]
    (done,) = iterations(folder)
    assert f'stopped after iteration {done}. To go on: torchrun ' in out
    assert '--nproc-per-node=2 voc-fcn32s/solve.py cpu --resume' in out
    end = '--iterations', done + 3
    places = [tmp_path / name / folder.name for name in ('one', 'new')]
    for place in places:
        shutil.copytree(folder, place)
    one, new = places
    shutil.copytree(folder.parent / 'start', new.parent / 'start')
    shutil.rmtree(new / 'snapshot')
    running = [
        start(folder, environ, '--resume', *end),
        start(new, environ, '--seed', 7, *end, iterations=5000),
        small_runs.start(one, environ, '--resume', *end),
    ]
    outs = [well(process) for process in running]
    assert 'WARNING: a run of 2 ranks goes on with 1' in outs[2]
    resumed = weights(folder, done + 3) + histories(folder, done + 3)
    straight = weights(new, done + 3) + histories(new, done + 3)
    for ours, theirs in zip(resumed, straight, strict=True):
        assert ours.tobytes() == theirs.tobytes()


def test_a_rank_that_is_killed_ends_the_run(run):
    folder, environ = run
    process = torchrun(folder, environ)
    read_until(process, ', loss = ', 3)
    os.kill(int((folder / 'rank1').read_text()), signal.SIGKILL)
    began = time.monotonic()
    status, out = ended(process)
    assert time.monotonic() - began < 30, 'near the end of patience'
    assert status not in (0, None)
    assert 'rank 0: the exchange with the other ranks has broken off' in out
    assert re.search(r'rank +: 1 .*\n +exitcode +: -9', out), out


def test_a_rank_that_fails_says_why_and_all_keep_what_is_done(run):
    folder, environ = run
    wreck = WRECK.format("raise OSError(f'{item}: the disk is gone')")
    status, out = ended(torchrun(folder, environ, wreck=wreck))
    assert status not in (0, None)
    message = r'^voc-fcn32s: rank 1: 2008_\d+: the disk is gone$'
    assert len(re.findall(message, out, re.M)) == 1, out
    assert 'Traceback' not in out.partition('rank 1: ')[0]
    (done,) = iterations(folder)
    assert f'kept: snapshot/train_iter_{done}.solverstate' in out
    (log,) = folder.glob('train-*.log')
    assert 'rank 1: 2008_' in log.read_text().splitlines()[-1]
    path = folder / 'snapshot' / f'train_iter_{done}.resume.json'
    known = json.loads(path.read_text())
    drawn = draws(1337, 2 * done + 2)
    assert known['layers'][0]['data']['upcoming'] == drawn[-2:], 'put back'
    first, second = known['carried']['ranks']
    assert first == known['random'] != second, 'dropout of either'


def draws(seed, count):
    """The order of the four images."""
    drawn = Random(seed)
    return [int(drawn.random() * 4) for _ in range(count)]


def test_numbers_that_are_none_on_one_rank_end_all(run):
    folder, environ = run
    wreck = WRECK.format("data = data * float('nan')")
    status, out = ended(start(folder, environ, wreck=wreck, iterations=500))
    assert status not in (0, None)
    message = r'^voc-fcn32s: rank 1: the loss of iteration \d is not finite'
    assert re.search(message, out, re.M), out
    assert 'rank 0: ' not in out
    assert not iterations(folder)


def test_what_is_missing_is_told_once(run):
    folder, environ = run
    environ = {**environ, 'SBD_DIR': str(folder / 'nowhere')}
    status, out = ended(start(folder, environ))
    assert status not in (0, None)
    assert out.count('not ready:') == 1, out
    assert 'voc-fcn32s: rank 0: not ready:' in out


def test_bad_images_are_skipped_in_step(run):
    folder, environ = run
    os.truncate(f'{environ["SBD_DIR"]}/img/2008_000015.jpg', 100)
    out = well(start(folder, environ, '--skip-bad', '--seed', 1))
    assert 'rank 1: SKIPPED 2008_000015 (1 so far)' in out
    assert iterations(folder) == [10]
    path = folder / 'snapshot' / 'train_iter_10.resume.json'
    known = json.loads(path.read_text())['layers'][0]['data']['upcoming']
    assert known == draws(1, 22)[-2:], 'the order is that without bad images'
