"""What is seen of a run while it goes on: its log, its table, warnings, a
progress bar.

run.py uses it. A log that can no longer be written, as its terminal is gone
or its disk is full, ends no run.
"""

import contextlib
import logging
import re
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from caffe.log import GlogFormatter, logger
from score import sheet
from score.log import Reader
from training.events import Events
from training.repeat import keep_prototxts

RED, PLAIN = '\033[31m', '\033[0m'
warnings = logging.getLogger('training')
warnings.addHandler(logging.NullHandler())  # else logging prints them too
warnings.propagate = False


@contextlib.contextmanager
def shown(solver, end, every):
    """A progress bar on a terminal; a log has its lines.

    Takes: every: iterations from one test to the next
    """
    if not sys.stderr.isatty():
        yield
        return
    last = LastLoss()

    def advance():
        done = solver.iter + 1
        left, known = -done % every, [last.loss]
        if done + left <= end:
            known.append(f'test in {tqdm.format_interval(left / speed(bar))}')
        bar.set_postfix_str(', '.join(filter(None, known)), refresh=False)
        bar.update()

    with (
        handled(logger, last),
        logging_redirect_tqdm([logger]),
        contextlib.redirect_stdout(Above(sys.stdout)),
        tqdm(total=end, initial=solver.iter, unit='iter') as bar,
    ):
        solver.add_callback(lambda: None, advance)
        yield


class Above:
    """Writes whole lines to a file, above the bars of a terminal."""

    def __init__(self, file):
        self.file, self._rest = file, ''

    def write(self, text):
        whole, end, self._rest = (self._rest + text).rpartition('\n')
        if end:
            with tqdm.external_write_mode(sys.stderr):
                self.file.write(whole + end)
        return len(text)

    def flush(self):
        self.file.flush()

    def isatty(self):
        return self.file.isatty()


class LastLoss(logging.Handler):
    """Keeps the loss that was logged last: to ask the solver for it would let
    every iteration wait for the GPU."""

    loss = ''

    def emit(self, record):
        found = re.match(r'Iteration \d+ .*, loss = (\S+)', record.getMessage())
        self.loss = f'loss {found[1]}' if found else self.loss


def speed(bar):
    """Iterations per second; of one that takes for ever at the beginning."""
    known = bar.format_dict
    done = known['n'] - known['initial']
    return known['rate'] or done / (known['elapsed'] or 1) or 1e-9


@contextlib.contextmanager
def recorded(folder, goes_on=False):
    """Everything that is printed, Caffe's log lines, warnings, and what ends
    the run, into a file of this run as well; its numbers into metrics.csv.

    Takes: goes_on: append to the last log. Gives: Record
    """
    path = folder / f'train-{datetime.now():%Y%m%d-%H%M%S}.log'
    if goes_on:
        path = max(folder.glob('train-*.log'), default=path)
    table = folder / sheet.NAME
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(path, 'a', buffering=1))
        rows = stack.enter_context(sheet.Sheet(table))
        record = Record(path, rows.reader, Tee(file, rows), stack)
        for source, formatter in (logger, GlogFormatter()), (warnings, None):
            handler = logging.StreamHandler(record.log)
            stack.enter_context(handled(source, handler, formatter))
        out = Tee(sys.stdout, record.log)
        stack.enter_context(contextlib.redirect_stdout(out))
        print(f'log: {path}')
        try:
            yield record
        except BaseException as error:
            record.log.write(f'{folder.name}: {reason(error)}\n')
            raise


class Record(NamedTuple):
    """path: of the log; known: score.log.Reader of what metrics.csv has; log:
    Tee of what is written to; stack: closes it"""

    path: Path
    known: Reader
    log: 'Tee'
    stack: contextlib.ExitStack

    @property
    def place(self):
        """The folder for more of the run, beside the log."""
        return self.path.with_suffix('')

    def put_beside(self, solver):
        """The prototxts of a run that begins or goes on."""
        names, edited = keep_prototxts(solver, 'solver.prototxt', self.place)
        for before, now in edited:
            warn(
                f'{before} has been edited since this run began, and it goes '
                f'on with what it says now: compare {before} and {now} in '
                f'{self.place}'
            )
        print(f'prototxts: {", ".join(names)} in {self.place}')

    def write_events(self, solver, tested):
        """For TensorBoard, from now on. Takes: tested: whether the solver's
        iteration has its test already"""
        known = self.known if tested else None
        events = Events(self.place, solver.iter, known)
        self.stack.callback(events.close)
        self.log.files += (events,)


@contextlib.contextmanager
def handled(source, handler, formatter=None):
    """Within: a handler has what a logger is told."""
    handler.setFormatter(formatter)
    source.addHandler(handler)
    try:
        yield
    finally:
        source.removeHandler(handler)


def warn(line):
    """On stderr, in red on a terminal, and in the log."""
    colour = sys.stderr.isatty()
    line = f'WARNING: {line}'
    print(f'{RED}{line}{PLAIN}' if colour else line, file=sys.stderr)
    warnings.warning('%s', line)


def reason(error):
    """What a log says of the exception that ended its run."""
    if isinstance(error, KeyboardInterrupt):
        return 'stopped at once'
    if isinstance(error, (OSError, ValueError, RuntimeError)):
        return str(error)
    return ''.join(traceback.format_exception(error)).rstrip()


class Tee:
    """Writes to several files at once."""

    def __init__(self, *files):
        self.files = files

    def write(self, string):
        for file in self.files:
            with contextlib.suppress(OSError):
                file.write(string)
        return len(string)

    def flush(self):
        for file in self.files:
            with contextlib.suppress(OSError):
                file.flush()

    def isatty(self):
        return self.files[0].isatty()
