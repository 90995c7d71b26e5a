"""Says what a file is that cannot be read, and where it is damaged.

Not Caffe's: it reports a parse error, or nothing at all.
"""

import contextlib
import re

from . import files
from .wire import LEN, VARINT, Damage, fields

# message -> {number of a length-delimited field: what it holds}
HOLDS = {
    'net': {100: 'layer', 2: 'v1'},
    'layer': {7: 'blob'},
    'v1': {1: 'v0', 6: 'blob'},
    'v0': {50: 'blob'},
    'state': {3: 'blob'},
}
NAME = {'layer': 1, 'v1': 4, 'v0': 1}  # where these have their names

MODEL = 'a caffemodel'
STATE = 'a solverstate'
TEXT = 'text (a prototxt?)'

SIGNS = (
    (files.HDF5, 'an HDF5 file'),
    (
        b'version https://git-lfs',
        'a git-lfs pointer (`git lfs pull` fetches the file itself)',
    ),
    (b'PK\x03\x04', 'a zip archive, as PyTorch and numpy write them'),
    (b'\x1f\x8b', 'a gzip archive (unpack it first)'),
    (b'\x80\x02', 'a pickle'),
)
MARKUP = re.compile(rb'\s*<(!doctype|html|\?xml|head|body)', re.IGNORECASE)
CONTROL = re.compile(rb'[\x00-\x08\x0e-\x1f\x7f]')


def what_is(head):
    """What a file is that begins with these bytes, in words that follow
    "is"; None for what may be a protobuf message."""
    for sign, name in SIGNS:
        if head.startswith(sign):
            return name
    if MARKUP.match(head):
        return 'an HTML page (what a failed download leaves)'
    if not CONTROL.search(head):
        return TEXT
    return None


def wrong(path, wanted):
    """The RuntimeError for a file that is not what it should be."""
    with open(path, 'rb') as file:
        head = file.read(4096)
    is_what = what_is(head) or f'something that begins with {head[:8]!r}'
    return RuntimeError(f'{path} is not {wanted}: it is {is_what}')


def sort_of(buf):
    """Which of Caffe's files begins so; None where that is open."""
    seen = []
    with contextlib.suppress(Damage):
        for f in fields(buf, 0, len(buf)):
            seen.append((f.number, f.kind))
            if len(seen) == 2:
                break
    if seen[:1] in ([(1, LEN)], [(2, LEN)], [(100, LEN)]):
        return MODEL
    if seen == [(1, VARINT), (2, VARINT)]:
        return 'a blob (a mean image?)'
    return STATE if seen[:1] == [(1, VARINT)] else None


def explain(buf, kind, wanted, damage):
    """What is wrong with a file, in words that follow its path."""
    inside = None
    try:
        for f in fields(buf, 0, len(buf)):
            if f.kind == LEN and f.number in HOLDS[kind]:
                inside = named(buf, f.first, f.stop, HOLDS[kind][f.number])
            if damage.at < f.stop:
                break
    except Damage as short:  # then it is this one: nothing failed before
        f = short.field
        if f and f.kind == LEN and f.number in HOLDS[kind]:
            inside = named(buf, f.first, len(buf), HOLDS[kind][f.number])
            return (
                f'is truncated: {inside} should end at byte {f.stop}, '
                f'the file ends at byte {len(buf)}'
            )
        if inside:
            return f'is truncated or damaged at byte {short.at}, after {inside}'
    if not inside:
        return f'is not {wanted}: byte {damage.at}: {damage}'
    return f'is damaged in {inside}, at byte {damage.at}: {damage}'


def named(buf, pos, end, kind):
    """What a part of a file is called, as far as it can be read."""
    with contextlib.suppress(Damage):
        for f in fields(buf, pos, end):
            inner = HOLDS.get(kind, {}).get(f.number)
            if f.kind == LEN and inner == 'v0':
                return named(buf, f.first, f.stop, inner)
            if f.kind == LEN and f.number == NAME.get(kind):
                name = buf[f.first : min(f.stop, f.first + 80)]
                return f'layer {name.decode(errors="replace")!r}'
    return 'a history blob' if kind == 'blob' else 'a layer without a name'
