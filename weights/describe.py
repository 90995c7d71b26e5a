"""python -m weights inspect: what a model file holds, as a table."""

from collections import Counter
from itertools import zip_longest
from math import prod, sqrt
from typing import NamedTuple

import numpy as np

import caffe
from caffe.proto import files, model
from caffe.proto.explain import STATE, sort_of
from caffe.proto.wire import LEN, fields
from nets.module import definition
from surgery.transplant import shapes_of, sized
from weights import formats
from weights.tables import parameter_name

CHUNK = 1 << 20  # numbers at a time: small enough to stay in the cache


class Numbers(NamedTuple):
    least: float
    most: float
    mean: float
    std: float
    zeros: int
    strange: int  # NaN or infinite; the others are then of the rest


def describe(path, net=None):
    """Takes: path: model file of any kind, or solver state
        net: network directory, prototxt or NetParameter to compare with
    Gives: lines
    """
    if is_state(path):
        return describe_state(path)
    held = formats.read(path)
    lines = [f'{path}: {held.kind}{version(path, held)}', *held.notes, '']
    lines += table(
        (parameter_name(layer, index), array)
        for layer, blobs in held.layers.items()
        for index, array in blobs.items()
    )
    if net is not None:
        lines += ['', f'in {net}:', *compared(held.layers, net)]
    return lines


def is_state(path):
    if files.is_hdf5(path):
        return '.solverstate' in str(path)
    return sort_of(files.mapped(path)) == STATE


def describe_state(path):
    state = model.read_state(str(path))
    return [
        f'{path}: solver state, iteration {state.iter}, learning-rate step '
        f'{state.current_step}, weights in {state.learned_net or "no file"}',
        '',
        *table((f'history {i}', a) for i, a in enumerate(state.history)),
    ]


def version(path, held):
    """Which of Caffe's ways to write a net a caffemodel uses."""
    if held.kind != formats.CAFFEMODEL:
        return ''
    buf, found = files.mapped(path), 'V2 (layer)'
    for f in fields(buf, 0, len(buf)):
        if f.number == 2 and f.kind == LEN:
            inner = next(fields(buf, f.first, f.stop), None)
            old = inner and inner.number == 1 and inner.kind == LEN
            found = 'V0 (layers { layer })' if old else 'V1 (layers)'
            break
    name = f', net {held.net.name!r}' if held.net.name else ''
    return f', format {found}{name}'


def table(arrays):
    """Takes: pairs of a name and an array. Gives: lines, the sum at the end"""
    rows = [('', 'shape', 'dtype', 'min', 'max', 'mean', 'std', 'zeros')]
    total = size = 0
    warnings = []
    for name, array in arrays:
        x = numbers(array)
        values = [f'{v:.4g}' for v in (x.least, x.most, x.mean, x.std)]
        zeros = f'{100 * x.zeros / max(1, array.size):.3g}%'
        rows.append((name, sized(array.shape), array.dtype, *values, zeros))
        total, size = total + array.size, size + array.nbytes
        if x.strange:
            warnings.append(f'WARNING: {name}: {x.strange} NaN or infinite')
        elif name.endswith('.weight') and x.zeros == array.size:
            warnings.append(f'WARNING: {name} is all zero')
    widths = [
        max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))
    ]
    lines = [
        '  '.join(
            f'{cell!s:{width}}' if i < 2 else f'{cell!s:>{width}}'
            for i, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    return [*lines, f'{total:,} parameters, {size / 1e6:,.1f} MB', *warnings]


def numbers(array):
    """Gives: Numbers, in float64 whatever the array is."""
    flat, zeros, strange = array.reshape(-1), 0, 0
    least, most, total, squares = np.inf, -np.inf, 0.0, 0.0
    for start in range(0, flat.size, CHUNK):
        part = flat[start : start + CHUNK].astype(np.float64)
        good = np.isfinite(part)
        if not good.all():
            strange += part.size - int(good.sum())
            part = part[good]
        if part.size:
            least, most = min(least, part.min()), max(most, part.max())
            zeros += part.size - np.count_nonzero(part)
            total, squares = total + part.sum(), squares + part @ part
    count = flat.size - strange
    if not count:
        return Numbers(*[float('nan')] * 4, 0, strange)
    mean = total / count
    std = sqrt(max(0.0, squares / count - mean * mean))
    return Numbers(least, most, mean, std, zeros, strange)


def compared(layers, net):
    """How the parameters of a file stand to those of a net."""
    have = shapes_of(caffe.Net(definition(net), caffe.TEST))
    found = {k: [a.shape for a in v.values()] for k, v in layers.items()}
    rows = []
    for layer in {**have, **found}:
        for i, (new, old) in enumerate(
            zip_longest(have.get(layer, []), found.get(layer, []))
        ):
            shapes = [sized(shape) for shape in (old, new) if shape is not None]
            if len(shapes) == 2 and old == new:
                shapes.pop()
            name = parameter_name(layer, i)
            rows.append((fate(old, new), name, ' -> '.join(shapes)))
    width = max(len(name) for _, name, _ in rows)
    lines = [
        f'{word:12}  {name:{width}}  {shape}' for word, name, shape in rows
    ]
    counts = Counter(word for word, _, _ in rows)
    return [*lines, ', '.join(f'{n} {word}' for word, n in counts.items())]


def fate(old, new):
    if old is None or new is None:
        return 'missing' if old is None else 'extra'
    if old == new:
        return 'matches'
    return 'coerced' if prod(old) == prod(new) else 'does not fit'
