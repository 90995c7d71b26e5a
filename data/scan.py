"""Every item of a data layer's split opened once before a run, and what came
of it remembered until a file or the list changes.

What is checked is what the layer checks when it loads an item. `python -m data
check` looks at whole datasets instead (check.py).
"""

import contextlib
import hashlib
import json
import os
from functools import partial
from pathlib import Path

from data.parallel import each


def scan(layer, cache):
    """Loads all items of a layer that is not set up.

    Takes: layer: a SegDataLayer with its `params`; cache: path of the file in
        which sound splits are remembered
    Gives: {item: what is wrong with it}; the position of the item with the
        most numbers, None without a sound one
    """
    layer.indices = layer.items()
    key = fingerprint(layer)
    known = remembered(cache)
    if key in known:
        return {}, known[key]
    faults, most, largest = {}, 0, None
    items, layer.indices = layer.indices, []
    try:
        sizes = each(partial(size, layer), items, 'images looked at')
        for at, (count, fault) in enumerate(sizes):
            if fault:
                faults[items[at]] = fault
            elif count > most:
                most, largest = count, at
    finally:
        layer.indices = items
    if not faults:
        known[key] = largest
        with contextlib.suppress(OSError):  # a full disk: looked at once more
            cache.parent.mkdir(parents=True, exist_ok=True)
            cache.write_text(json.dumps(known))
    return faults, largest


def size(layer, item):
    """Gives: how many numbers an item has, what is wrong with it or None"""
    try:
        return layer.load(item)[0].size, None
    except (OSError, ValueError) as error:
        return 0, str(error)


def remembered(cache):
    try:
        known = json.loads(cache.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def fingerprint(layer):
    """Changes with the layer, its settings and list, and with the name, size
    and time of every file under its folders."""
    known = hashlib.sha256()
    known.update(repr((type(layer).__name__, layer.params)).encode())
    known.update(layer.digest().encode())
    folders = {x for x in vars(layer).values() if isinstance(x, Path)}
    for folder in sorted(folders):
        for place, below, names in os.walk(folder):
            below.sort()
            for name in sorted(names):
                path = os.path.join(place, name)
                try:
                    stat = os.stat(path)
                except OSError:
                    continue  # a dangling link: loading will tell
                known.update(
                    f'{path} {stat.st_size} {stat.st_mtime_ns}\n'.encode()
                )
    return known.hexdigest()
