"""What is seen of a run while it goes on: its log, its table, a progress bar.

run.py uses it. A log that can no longer be written, as its terminal is gone
or its disk is full, ends no run.
"""

import contextlib
import logging
import sys
from datetime import datetime

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from caffe.log import GlogFormatter, logger
from score import sheet


@contextlib.contextmanager
def shown(solver, end):
    """A progress bar on a terminal; a log has its lines."""
    if not sys.stderr.isatty():
        yield
        return
    with (
        logging_redirect_tqdm([logger]),
        tqdm(total=end, initial=solver.iter, unit='iter') as bar,
    ):
        solver.add_callback(lambda: None, bar.update)
        yield


@contextlib.contextmanager
def recorded(folder, goes_on=False):
    """Everything that is printed, and Caffe's log lines, into a file of this
    run as well; its numbers into metrics.csv.

    Takes: goes_on: append to the last log
    """
    path = folder / f'train-{datetime.now():%Y%m%d-%H%M%S}.log'
    if goes_on:
        path = max(folder.glob('train-*.log'), default=path)
    table = folder / sheet.NAME
    with open(path, 'a', buffering=1) as file, sheet.Sheet(table) as rows:
        handler = logging.StreamHandler(Tee(file, rows))
        handler.setFormatter(GlogFormatter())
        logger.addHandler(handler)
        try:
            with contextlib.redirect_stdout(Tee(sys.stdout, file, rows)):
                print(f'log: {path}')
                yield
        finally:
            logger.removeHandler(handler)


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
