"""Many runs on one machine: each in a process of its own, some at a time.

A run that fails is told and stops no other but those that start from it. What
a run prints goes to output.txt in its folder.
"""

import os
import signal
import subprocess
import sys
import time

from tqdm import tqdm

from data.parallel import cores

OUTPUT = 'output.txt'
LOOK = 0.2  # seconds between two looks at what is running


class Jobs:
    """Takes: command: gives the words that do a Run; count: how many at a
    time; cpu: whether they share the processor's cores

    failed   {folder of a Run: message}
    """

    def __init__(self, command, count, cpu):
        self.command, self.count = command, count
        self.environ = dict(os.environ)
        if cpu and 'OMP_NUM_THREADS' not in os.environ:
            threads = max(1, cores() // count)
            self.environ['OMP_NUM_THREADS'] = str(threads)
        self.running = {}  # process: (Run, file, seconds, its size before)
        self.failed = {}
        self.stopped = False

    def do(self, runs):
        """Takes: runs: every one after those it needs. Gives: {folder:
        message} of those that failed"""
        waiting = [run for run in runs if not run.finished]
        done = len(runs) - len(waiting)
        if done:
            tell(f'{done} of {len(runs)} runs are there already')
        before = signal.signal(signal.SIGTERM, self.stop)
        try:
            with tqdm(
                total=len(runs), initial=done, unit='run', disable=quiet()
            ) as bar:
                while (waiting or self.running) and not self.stopped:
                    waiting = self.begin(waiting)
                    time.sleep(LOOK)
                    bar.update(self.collect())
        except KeyboardInterrupt:  # the terminal has told the children, too
            self.stop()
        except BaseException:
            self.stop()
            raise
        finally:
            self.wait()
            signal.signal(signal.SIGTERM, before)
        return self.failed

    def begin(self, waiting):
        """Starts what can be started. Gives: the rest"""
        rest = []
        for run in waiting:
            lost = [n for n in run.needs if n.folder in self.failed]
            if lost:
                self.fail(run, f'it starts from {lost[0].name}, which failed')
            elif len(self.running) < self.count and all(
                need.finished for need in run.needs
            ):
                self.start(run)
            else:
                rest.append(run)
        return rest

    def start(self, run):
        run.folder.mkdir(parents=True, exist_ok=True)
        file = open(run.folder / OUTPUT, 'a', buffering=1)
        begin = os.fstat(file.fileno()).st_size
        process = subprocess.Popen(
            self.command(run),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=self.environ,
        )
        self.running[process] = run, file, time.time(), begin

    def collect(self):
        """Gives: how many runs have come to their end"""
        ended = [p for p in self.running if p.poll() is not None]
        for process in ended:
            run, file, began, begin = self.running.pop(process)
            file.close()
            if run.finished:
                tell(f'{run.name}: {time.time() - began:.0f} s')
            elif not self.stopped:
                self.fail(run, last_words(run.folder / OUTPUT, begin))
        return len(ended)

    def fail(self, run, message):
        self.failed[run.folder] = message
        tell(f'FAILED {run.name}: {message}')

    def stop(self, *_):
        """Lets what is running keep its last iteration and end."""
        self.stopped = True
        for process in self.running:
            process.terminate()

    def wait(self):
        try:
            for process in self.running:
                process.wait()
        except KeyboardInterrupt:  # again: at once
            for process in self.running:
                process.kill()
            raise
        self.collect()


def last_words(path, begin):
    """The last lines of what a process said. Takes: begin: bytes before"""
    said = path.read_bytes()[begin:].decode(errors='replace')
    lines = said.strip().splitlines()
    return '\n'.join(lines[-5:]) or 'it said nothing'


def quiet():
    return not sys.stderr.isatty()


def tell(text):
    """A line that leaves a progress bar whole."""
    tqdm.write(text, file=sys.stdout)
    sys.stdout.flush()
