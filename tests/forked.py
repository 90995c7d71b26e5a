"""Processes that begin where imports end: forked off one that has made them,
which saves seconds each. All else is a process's own: its id, its signals, its
files, its environment, its end.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import threading
from multiprocessing import forkserver, reduction
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[1]
PLACES = [str(ROOT / place) for place in ('', 'data', 'tests')]
CONTEXT = multiprocessing.get_context('forkserver')
CONTEXT.set_forkserver_preload(['pytest', 'solve', 'forked'])


class Forked:
    """A script that runs, once or several times beside each other. Has what is
    used here of a subprocess.Popen; what they print is one text.

    Takes: words: path of the script, its arguments; environs: of each process;
        stderr: a file descriptor; without, errors go where the output goes
    """

    def __init__(self, words, *environs, stderr=None):
        places = os.pathsep.join(PLACES)
        with mock.patch.dict(
            os.environ, PYTHONPATH=places, OMP_NUM_THREADS='1'
        ):
            forkserver.ensure_running()
        read, write = os.pipe()
        files = Given(write), Given(write if stderr is None else stderr)
        words = [str(word) for word in words]
        self.processes = [
            CONTEXT.Process(target=script, args=(words, dict(environ), *files))
            for environ in environs
        ]
        for process in self.processes:
            process.start()
        os.close(write)
        self.stdout = open(read)

    @property
    def returncode(self):
        """None while one runs; that of one that failed, if one did."""
        codes = [process.exitcode for process in self.processes]
        return None if None in codes else max(codes, key=abs)

    poll = returncode.fget

    def send_signal(self, number):
        for process in self.processes:
            if process.is_alive():
                os.kill(process.pid, number)

    def kill(self):
        for process in self.processes:
            process.kill()

    def wait(self, timeout=None):
        for process in self.processes:
            process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired('a script', timeout)
        return self.returncode

    def communicate(self, timeout=None):
        """What they still print; they are killed when the time is over."""
        clock = threading.Timer(timeout or 3600, self.kill)
        clock.start()
        with self.stdout:
            out = self.stdout.read()
        self.wait()
        clock.cancel()
        return out, None


class Given:
    """A file descriptor, for another process."""

    def __init__(self, fd):
        self.fd = fd

    def __reduce__(self):
        return taken, (reduction.DupFd(self.fd),)


def taken(given):
    return given.detach()


def script(words, environ, out, errors):
    """What a process runs."""
    os.environ.clear()
    os.environ.update(environ)
    os.dup2(out, 1)
    os.dup2(errors, 2)
    os.close(out)
    places = environ.get('PYTHONPATH', '').split(os.pathsep)
    sys.path[:0] = filter(None, places)
    sys.argv = words
    runpy.run_path(words[0], run_name='__main__')
