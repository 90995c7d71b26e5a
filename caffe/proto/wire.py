"""The protobuf wire format, as far as files full of numbers need it.

A model of 538 MB is a few hundred small fields and a few huge packed arrays:
this walks over the fields, so that `blobs` can hand out the arrays as views of
the mapped file and protobuf gets the small rest. Specified in protobuf's
encoding documentation. Not here: groups, which no Caffe file has.
"""

from typing import NamedTuple

VARINT, I64, LEN, I32 = 0, 1, 2, 5


class Damage(Exception):
    """What is wrong with the bytes from `at` on; the field that does not fit
    in there, if it is that."""

    def __init__(self, what, at, field=None):
        super().__init__(what)
        self.at = at
        self.field = field


class Field(NamedTuple):
    number: int
    kind: int
    start: int  # of the tag
    first: int  # of the value
    stop: int


def varint(buf, pos, end):
    """Gives: the unsigned number at pos; the position after it"""
    value = 0
    for i, byte in enumerate(buf[pos : min(end, pos + 10)]):
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value & 2**64 - 1, pos + i + 1
    raise Damage('an unfinished number', pos)


def signed(value, bits):
    value &= 2**bits - 1
    return value - 2**bits if value >> bits - 1 else value


def field(buf, pos, end):
    """The field at pos of a message that ends at `end`."""
    tag, first = varint(buf, pos, end)
    number, kind = tag >> 3, tag & 7
    if kind == VARINT:
        stop = varint(buf, first, end)[1]
    elif kind == LEN:
        size, first = varint(buf, first, end)
        stop = first + size
    elif kind in (I32, I64):
        stop = first + (4 if kind == I32 else 8)
    else:
        raise Damage(f'no field has wire type {kind}', pos)
    if number == 0:
        raise Damage('no field has number 0', pos)
    f = Field(number, kind, pos, first, stop)
    if stop > end:
        what = f'a field up to byte {stop} of a message up to byte {end}'
        raise Damage(what, pos, f)
    return f


def fields(buf, pos, end):
    while pos < end:
        f = field(buf, pos, end)
        yield f
        pos = f.stop


def encode(value):
    """A number >= 0 as a varint."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimiter(number, size):
    """What precedes the `size` bytes of a length-delimited field."""
    return encode(number << 3 | LEN) + encode(size)
