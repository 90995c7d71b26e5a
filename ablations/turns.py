"""One process at a time: two studies that share runs, the elements of a job
array, and what a killed study left running do each thing once.

A lock goes with its process, however that ends. Where files cannot be locked
(Windows, some network disks) nobody waits.
"""

import contextlib
import time
from pathlib import Path

from training.alone import locked

NAME = 'lock'
LOOK = 0.2  # seconds between two looks at whether the other has left


@contextlib.contextmanager
def in_turn(folder):
    """Within: no other process is here with this folder. Waits until the one
    that is has left, and says so. The folder is made if need be."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / NAME, 'a') as file:
        if not locked(file):
            print(f'{folder}: waiting for another process that is at it')
            while not locked(file):
                time.sleep(LOOK)
        yield
