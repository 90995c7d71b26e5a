"""A function for each of many items, over all cores, with a progress bar."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from tqdm import tqdm

FEW = 100  # so many are done sooner than processes start


def each(function, items, unit, workers=None):
    """Yields function(item) for every item, in order.

    Takes: function: of a module, so that other processes find it; workers:
        number of processes, None for one a core
    """
    items = list(items)
    bar = dict(total=len(items), unit=f' {unit}', disable=None)
    workers = workers or cores()
    if workers == 1 or len(items) < FEW:
        yield from tqdm(map(function, items), **bar)
        return
    # spawned, not forked: whoever calls may run threads (torch does)
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from tqdm(pool.map(function, items, chunksize=16), **bar)


def cores():
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
