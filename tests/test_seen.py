"""What is seen of a run: in its log, beside it, and on a terminal; of real
trainings in processes of their own."""

import fcntl
import os
import platform
import pty
import re
import shutil
import struct
import subprocess
import termios

import pytest
import torch
from small_runs import directory, finish, set_rate, start

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@pytest.fixture
def run(tmp_path):
    return directory(tmp_path, snapshot=2)


def log_of(folder):
    (path,) = folder.glob('train-*.log')
    return path, path.read_text()


def test_a_log_begins_with_what_it_takes_to_repeat_the_run(run):
    folder, environ = run
    status, out = finish(folder, environ, '--seed', 5, '--iterations', 1)
    assert status == 0, out
    head = log_of(folder)[1].partition('Initializing solver')[0]
    assert re.search(
        r'^command: python .*child.py .*--seed 5 --iterations 1 in ', head, re.M
    )
    assert f' in {os.getcwd()}\n' in head
    assert f'python {platform.python_version()}' in head
    assert f'torch {torch.__version__}' in head
    if shutil.which('git') and os.path.isdir(f'{ROOT}/.git'):
        words = ['git', '-C', ROOT, 'rev-parse', 'HEAD']
        commit = subprocess.run(words, capture_output=True, text=True).stdout
        assert f'commit {commit.strip()}' in head
    assert 'on cpu, 1 thread' in head
    assert f'SBD_DIR={environ["SBD_DIR"]}' in head


def test_the_prototxts_of_a_run_outlive_their_edits(run):
    folder, environ = run
    names = ['solver.prototxt', 'train.prototxt', 'val.prototxt']
    before = {name: (folder / name).read_text() for name in names}
    status, out = finish(folder, environ, '--iterations', 2)
    assert status == 0, out
    place = log_of(folder)[0].with_suffix('')
    assert {p.name: p.read_text() for p in place.iterdir()} == before
    solver = folder / 'solver.prototxt'
    edited = before['solver.prototxt'].replace('momentum: 0.99', 'momentum: 0')
    solver.write_text(edited)
    status, out = finish(folder, environ, '--resume', '--iterations', 3)
    assert status == 0, out
    after = {**before, 'solver-2.prototxt': edited}
    assert {p.name: p.read_text() for p in place.iterdir()} == after
    warning = next(x for x in out.splitlines() if x.startswith('WARNING: '))
    assert 'WARNING: solver.prototxt has been edited since' in warning
    assert (
        f'compare solver.prototxt and solver-2.prototxt in {place}' in warning
    )
    lines = [x for x in out.splitlines() if x.startswith('prototxts: ')]
    assert 'solver-2.prototxt, train.prototxt, val.prototxt' in lines[0]


def test_warnings_and_what_ends_a_run_are_in_its_log(run):
    folder, environ = run
    set_rate(folder, '1e30')
    status, out = finish(folder, environ)
    assert status == 1
    warning = next(x for x in out.splitlines() if x.startswith('WARNING: '))
    lines = log_of(folder)[1].splitlines()
    assert warning in lines
    assert lines[-1] == out.splitlines()[-1]
    assert 'voc-fcn32s: the loss of iteration' in lines[-1]


def test_a_refusal_is_in_the_log(run):
    folder, environ = run
    path = os.path.join(environ['SBD_DIR'], 'img', '2008_000015.jpg')
    os.truncate(path, 100)
    status, out = finish(folder, environ)
    assert status == 1
    assert out.endswith('Mend them, or give --skip-bad\n')
    text = log_of(folder)[1]
    assert text.endswith('Mend them, or give --skip-bad\n') and path in text


def on_terminal(folder, environ, *options, **shape):
    """What a run writes on a terminal of 160 columns, if it ends well."""
    here, there = pty.openpty()
    size = struct.pack('HHHH', 50, 160, 0, 0)
    fcntl.ioctl(there, termios.TIOCSWINSZ, size)
    process = start(folder, environ, *options, **shape, stderr=there)
    os.close(there)
    found = b''
    try:
        while piece := os.read(here, 4096):
            found += piece
    except OSError:  # Linux, once nobody has the other end
        pass
    os.close(here)
    out, _ = process.communicate()
    assert process.returncode == 0, found.decode() + out
    return found.decode()


def test_a_terminal_gets_a_bar_with_speed_loss_and_what_is_left(run):
    folder, environ = run
    solver = folder / 'solver.prototxt'
    solver.write_text(solver.read_text().replace('display: 1', 'display: 7'))
    text = on_terminal(folder, environ, rounds=3, iterations=20)
    bars = re.findall(
        r'(\d+)/60 \[[\d:]+<[\d:]+, +[\d.]+(?:iter/s|s/iter), '
        r'loss (\S+), test in [\d:]+\]',
        text,
    )
    assert bars, text
    logged = re.findall(r'Iteration (\d+) \(.*, loss = (\S+)', text)
    assert [int(i) for i, _ in logged] == [*range(0, 60, 7)]
    for done, loss in bars:
        before = [x for i, x in logged if int(i) < int(done)]
        assert loss in before[-2:], 'the loss that was logged last'


def test_a_seed_is_that_of_the_files_and_prints_no_net(run):
    folder, environ = run
    status, out = finish(folder, environ, '--seed', 5, '--iterations', 3)
    assert status == 0, out
    losses = re.findall(r'Iteration \d .*, loss = (\S+)', out)
    assert len(losses) == 3 and 'layer {' not in out
    assert 'train_net: "train.prototxt"' in out and 'random_seed: 5' in out
    (folder / 'snapshot').rename(folder / 'other')
    train, solver = folder / 'train.prototxt', folder / 'solver.prototxt'
    text = train.read_text()
    assert text.count("'seed\\': 1337") == 1
    train.write_text(text.replace("'seed\\': 1337", "'seed\\': 5"))
    solver.write_text(f'{solver.read_text()}\nrandom_seed: 5\n')
    status, again = finish(folder, environ, '--iterations', 3)
    assert status == 0, again
    assert re.findall(r'Iteration \d .*, loss = (\S+)', again) == losses

    def shown(out):
        lines = out.partition('Initializing solver')[2].splitlines()
        return lines[: lines.index('')]

    assert shown(out) == shown(again)
