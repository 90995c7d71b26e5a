"""The log on stderr, in the line format of Caffe's logging library (glog).

Spec: 'Global conventions'. Every line goes through Python's logging, logger
'caffe'. The handler is installed on import unless the application has given
that logger one of its own; GLOG_minloglevel (0 INFO .. 3 FATAL) is honoured.
Not here: glog's log files.
"""

import logging
import os
import sys
import threading
import time

logger = logging.getLogger('caffe')

LEVELS = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


class GlogFormatter(logging.Formatter):
    """`I20261120 17:50:17.335378 18247 solver.py:45] message`"""

    def format(self, record):
        severity = 'IWEF'[sum(record.levelno >= at for at in LEVELS[1:])]
        day = time.strftime('%Y%m%d %H:%M:%S', time.localtime(record.created))
        text = (
            f'{severity}{day}.{int(record.created % 1 * 1e6):06d} '
            f'{threading.get_native_id()} {record.filename}:{record.lineno}] '
            f'{record.getMessage()}'
        )
        if record.exc_info:
            text += '\n' + self.formatException(record.exc_info)
        return text


class StderrHandler(logging.StreamHandler):
    """Writes to whatever sys.stderr is at that moment: a notebook, a test or
    `tqdm.contrib.logging.logging_redirect_tqdm([caffe.log.logger])` may have
    put something else there."""

    def __init__(self):
        logging.Handler.__init__(self)

    @property
    def stream(self):
        return sys.stderr


def install():
    """Sets the logger up, unless the application has done so."""
    if logger.handlers:
        return
    handler = StderrHandler()
    handler.setFormatter(GlogFormatter())
    logger.addHandler(handler)
    logger.propagate = False  # else a configured root prints it again
    if logger.level == logging.NOTSET:
        init_log(os.environ.get('GLOG_minloglevel') or 0)


def init_log(level=0, stderr=True):
    """Sets the lowest severity that is shown.

    Takes: level: 0 INFO, 1 WARNING, 2 ERROR, 3 FATAL; stderr: False leaves
        only errors on stderr
    """
    try:
        logger.setLevel(LEVELS[max(0, min(int(level), 3))])
    except ValueError:
        raise RuntimeError(
            f'log level {level!r}: have 0 INFO, 1 WARNING, 2 ERROR, 3 FATAL'
        ) from None
    for handler in logger.handlers:
        if isinstance(handler, StderrHandler):
            handler.setLevel(logging.NOTSET if stderr else logging.ERROR)


def log(message):
    """Logs a line at INFO, as from the place of the call."""
    logger.info('%s', message, stacklevel=2)


def num(value):
    """A number as a C++ stream prints it: six significant digits."""
    return format(float(value), 'g')


install()
