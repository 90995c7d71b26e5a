"""BlobProto on disk: numbers with a shape, read without copying them.

Caffe: blob.cpp, FromProto, ToProto, ShapeEquals; the fields are in
caffe.proto. Packed and unpacked numbers are read, packed ones written.
"""

import math
from typing import NamedTuple

import numpy as np

from .wire import (
    I32,
    I64,
    LEN,
    VARINT,
    Damage,
    delimiter,
    encode,
    field,
    fields,
    signed,
    varint,
)

MOST_AXES = 32
MOST_NUMBERS = 2**31 - 1

# field number -> what it holds and as which numbers
NUMBERS = {
    5: ('data', '<f4'),
    6: ('diff', '<f4'),
    8: ('data', '<f8'),
    9: ('diff', '<f8'),
}
SHAPE = 7
LEGACY = (1, 2, 3, 4)  # num, channels, height, width


class StoredBlob(NamedTuple):
    """A blob as a file holds it.

    shape   tuple of ints; in the old form num, channels, height, width
    legacy  whether it is in the old form
    data    flat read-only array, float32 or float64
    diff    the same, or None
    """

    shape: tuple
    legacy: bool
    data: np.ndarray
    diff: np.ndarray | None

    def fits(self, shape):
        """Whether a Blob of this shape can take the numbers. The old form has
        four axes always, padded with 1 on the left."""
        shape = tuple(shape)
        if self.legacy:
            shape = (1,) * (4 - len(shape)) + shape
        return self.shape == shape


def read_blob(buf, pos, end):
    start, legacy, dims = pos, {}, []
    found = {number: [] for number in NUMBERS}
    while pos < end:
        f = field(buf, pos, end)
        pos = f.stop
        if f.number in NUMBERS:
            dtype = np.dtype(NUMBERS[f.number][1])
            pos = read_numbers(buf, f, end, dtype, found[f.number])
        elif f.number == SHAPE and f.kind == LEN:
            dims += read_dims(buf, f.first, f.stop)
        elif f.number in LEGACY and f.kind == VARINT:
            legacy[f.number] = signed(varint(buf, f.first, end)[0], 32)
    if legacy:
        dims = [legacy.get(number, 0) for number in LEGACY]
    data = joined(found[8] or found[5])
    diff = joined(found[9] or found[6])
    check(dims, data, diff, start)
    return StoredBlob(
        tuple(dims), bool(legacy), data, diff if len(diff) else None
    )


def read_dims(buf, pos, end):
    dims = []
    for f in fields(buf, pos, end):
        if f.number == 1 and f.kind in (LEN, VARINT):
            pos = f.first
            while pos < f.stop:
                value, pos = varint(buf, pos, f.stop)
                dims.append(signed(value, 64))
    return dims


def read_numbers(buf, f, end, dtype, chunks):
    """Appends the numbers of one field to chunks; unpacked ones up to the
    first that is something else. Gives: the position after them"""
    size = dtype.itemsize
    if f.kind == LEN:
        count, odd = divmod(f.stop - f.first, size)
        if odd:
            raise Damage(f'half a number after {count} of them', f.start)
        if count:
            chunks.append(np.frombuffer(buf, dtype, count, f.first))
        return f.stop
    if f.kind != (I32 if size == 4 else I64):
        return f.stop  # something unknown: protobuf skips it too
    tag = np.frombuffer(buf, np.uint8, f.first - f.start, f.start)
    one = np.dtype([('tag', np.uint8, tag.shape), ('value', dtype)])
    pos, most = f.start, 1
    while True:
        # twice as far each time: runs of one must not scan the whole blob
        count = min(most, (end - pos) // one.itemsize)
        if not count:
            return pos
        run = np.frombuffer(buf, one, count, pos)
        same = (run['tag'] == tag).all(axis=1)
        good = count if same.all() else int(same.argmin())
        chunks.append(run['value'][:good])
        pos += good * one.itemsize
        if good < count:
            return pos
        most *= 2


def joined(chunks):
    if len(chunks) == 1 and chunks[0].flags.c_contiguous:
        return chunks[0]
    values = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    values.flags.writeable = False
    return values


def check(dims, data, diff, at):
    shape, count = tuple(dims), math.prod(dims)
    if len(shape) > MOST_AXES:
        raise Damage(f'a blob of {len(shape)} axes', at)
    if min(shape, default=0) < 0 or count > MOST_NUMBERS:
        raise Damage(f'a blob of shape {shape}', at)
    for values in (data, diff):
        if len(values) != count and (values is data or len(values)):
            what = f'a blob of shape {shape} with {len(values)} numbers'
            raise Damage(what, at)


def blob_pieces(number, data, diff):
    """A BlobProto as field `number`, in pieces that are ready to be written.

    Takes: data: an array of any shape, float64 stays so, others become
        float32; diff: the same or None
    Gives: a list of bytes and contiguous arrays; the arrays are not copied
    """
    axes = b''.join(encode(n) for n in np.shape(data))
    shape = delimiter(1, len(axes)) + axes if axes else b''
    content = {SHAPE: shape}
    for what, values in (('data', data), ('diff', diff)):
        if values is not None and np.size(values):
            wide = np.asarray(values).dtype == np.float64
            dtype = '<f8' if wide else '<f4'
            key = next(n for n in NUMBERS if NUMBERS[n] == (what, dtype))
            content[key] = np.ascontiguousarray(values, dtype).data.cast('B')
    pieces = []
    for key in sorted(content):
        if len(content[key]):
            pieces += [delimiter(key, len(content[key])), content[key]]
    return [delimiter(number, total(pieces)), *pieces]


def total(pieces):
    return sum(map(len, pieces))
