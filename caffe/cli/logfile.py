"""The log in a file as well, as glog wrote it with -log_dir: a file for every
run, and `caffe.INFO`, which points to the newest.
"""

import contextlib
import getpass
import logging
import os
import platform
import time
from pathlib import Path

from caffe.log import GlogFormatter, logger


@contextlib.contextmanager
def open_in(folder):
    """Takes: folder: '' for GLOG_log_dir or, without that, no file"""
    folder = folder or os.environ.get('GLOG_log_dir')
    if not folder:
        yield
        return
    handler = logging.FileHandler(new_file(Path(folder)))
    handler.setFormatter(GlogFormatter())
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def new_file(folder):
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime('%Y%m%d-%H%M%S')
    who = f'{platform.node()}.{user()}'
    path = folder / f'caffe.{who}.log.INFO.{stamp}.{os.getpid()}'
    newest = folder / 'caffe.INFO'
    with contextlib.suppress(OSError):  # a system without symbolic links
        if newest.is_symlink():
            newest.unlink()
        newest.symlink_to(path.name)
    return path


def user():
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a user database
        return 'unknown'
