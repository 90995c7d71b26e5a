"""That a network directory is trained by one run at a time: two would take
each other's log, snapshots and half-written files for their own.

run.py uses it. The lock goes with the process, however that ends. Where files
cannot be locked (Windows, some network disks) nothing is held and nothing
refused.
"""

import contextlib
import errno
import os
import socket
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = 'snapshot/lock'


@contextlib.contextmanager
def alone(folder):
    """Within: no other run trains this directory.

    Raises: RuntimeError if one does; OSError if nothing can be written there
    """
    path = Path(folder, LOCK)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, 'ab+', buffering=0)
    except OSError as error:
        raise OSError(
            f'{path.parent} cannot be written ({error.strerror}), where a run '
            'keeps its snapshots: mend that, or copy the directory to another '
            'disk'
        ) from error
    with file:
        if fcntl and not locked(file):
            file.seek(0)
            who = file.read().decode(errors='replace').strip()
            raise RuntimeError(
                f'{folder} is being trained already, by '
                f'{who or "another process"}. Let that run end, or end it '
                '(Ctrl-C there); for a second one beside it copy the directory'
            )
        with contextlib.suppress(OSError):  # a full disk: told later
            file.truncate(0)
            name = f'process {os.getpid()} on {socket.gethostname()}\n'
            file.write(name.encode())
        yield


def locked(file):
    """Locks a file until it is closed. Gives: False if somebody else has"""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True
