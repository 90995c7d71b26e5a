"""Many processes at a time: real ones, that stand for runs."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from ablations.jobs import OUTPUT, Jobs

DONE = 'done'
WORK = """
import os, sys, time
from pathlib import Path
folder, log = map(Path, sys.argv[1:3])
log.open('a').write(f'{folder.name} begins\\n')
print('threads', os.environ.get('OMP_NUM_THREADS'))
"""
FINISH = (
    "(folder / 'done').touch(); log.open('a').write(f'{folder.name} ends\\n')"
)


class Fake(NamedTuple):
    """What Jobs asks of a grid.Run."""

    folder: Path
    needs: tuple = ()
    script: str = WORK + FINISH

    @property
    def name(self):
        return self.folder.name

    @property
    def finished(self):
        return (self.folder / DONE).exists()


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)

    def make(count=2):
        def command(run):
            log = tmp_path / 'log'
            return [sys.executable, '-c', run.script, str(run.folder), str(log)]

        return Jobs(command, count, cpu=True)

    return make


def said(tmp_path):
    return (tmp_path / 'log').read_text().splitlines()


def test_what_is_needed_ends_before_what_needs_it_begins(jobs, tmp_path):
    first = Fake(tmp_path / 'first')
    second = Fake(tmp_path / 'second', (first,))
    assert jobs().do([first, second]) == {}
    order = said(tmp_path)
    assert order.index('first ends') < order.index('second begins')


def test_runs_go_on_beside_each_other(jobs, tmp_path):
    wait = """
while not (folder.parent / other / 'here').exists(): time.sleep(0.02)
"""
    meet = "other = sys.argv[1][:-1] + {'a': 'b', 'b': 'a'}[sys.argv[1][-1]]\n"
    meet += "(folder / 'here').touch()\n"
    runs = [
        Fake(tmp_path / name, (), WORK + meet + wait + FINISH) for name in 'ab'
    ]
    assert jobs(2).do(runs) == {}, 'each waits for the other to be there'


def test_a_failure_is_told_and_stops_only_what_needs_it(jobs, tmp_path, capsys):
    bad = Fake(tmp_path / 'bad', (), WORK + "sys.exit('the disk is on fire')")
    after = Fake(tmp_path / 'after', (bad,))
    other = Fake(tmp_path / 'other')
    failed = jobs(1).do([bad, after, other])
    assert 'the disk is on fire' in failed[bad.folder]
    assert failed[after.folder] == 'it starts from bad, which failed'
    assert set(failed) == {bad.folder, after.folder}
    assert other.finished
    assert 'FAILED bad: ' in capsys.readouterr().out


def test_what_is_finished_is_not_done_again(jobs, tmp_path, capsys):
    runs = [Fake(tmp_path / name) for name in 'ab']
    jobs().do(runs)
    jobs().do(runs)
    assert said(tmp_path).count('a begins') == 1
    assert '2 of 2 runs are there already' in capsys.readouterr().out


def test_a_failed_run_is_tried_again_the_next_time(jobs, tmp_path):
    mended = tmp_path / 'mended'
    script = f'{WORK}\nif not Path({str(mended)!r}).exists(): sys.exit(1)\n'
    run = Fake(tmp_path / 'run', (), script + FINISH)
    assert run.folder in jobs().do([run])
    mended.touch()
    assert jobs().do([run]) == {}


def test_the_cores_are_shared_out(jobs, tmp_path):
    run = Fake(tmp_path / 'run')
    jobs(1).do([run])
    cores = len(os.sched_getaffinity(0))
    assert f'threads {cores}' in (run.folder / OUTPUT).read_text()


def test_a_failure_is_told_without_what_was_said_before(jobs, tmp_path):
    run = Fake(tmp_path / 'run', (), "import sys; sys.exit('on fire')")
    for _ in range(2):
        assert jobs().do([run]) == {run.folder: 'on fire'}


WAIT = """
(folder / 'ready').touch()
while True: time.sleep(0.02)
"""
ENDS = 'import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))'
DEAF = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)'


def signalled(run, *signals):
    """A thread that sends these to this process once a run is ready."""

    def send():
        while not (run.folder / 'ready').exists():
            time.sleep(0.01)
        for number in signals:
            os.kill(os.getpid(), number)
            time.sleep(0.2)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize('how', [ENDS, 'not even imported'])
def test_sigterm_ends_the_children_and_is_no_failure(jobs, tmp_path, how):
    script = WORK + how * (how == ENDS) + WAIT  # else the signal kills it
    run = Fake(tmp_path / 'run', (), script)
    never = Fake(tmp_path / 'never', (run,))
    thread = signalled(run, signal.SIGTERM)
    work = jobs(1)
    assert work.do([run, never]) == {}
    thread.join()
    assert work.stopped
    assert not never.folder.exists(), 'nothing begins after the signal'


def test_a_second_ctrl_c_waits_for_nobody(jobs, tmp_path):
    run = Fake(tmp_path / 'run', (), WORK + DEAF + WAIT)
    thread = signalled(run, signal.SIGINT, signal.SIGINT)
    work = jobs(1)
    with pytest.raises(KeyboardInterrupt):
        work.do([run])
    thread.join()
    (process,) = work.running
    assert process.wait(timeout=10) == -signal.SIGKILL
