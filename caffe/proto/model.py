"""Weights and solver states on disk: .caffemodel, .solverstate and HDF5.

Caffe: net.cpp (CopyTrainedLayersFrom, ToProto), sgd_solver.cpp (snapshot and
restore), upgrade_proto.cpp. Files of every age are read; what is written is
what Caffe 1.0 writes, in the binary formats byte for byte. The numbers never
become protobuf messages: see wire.py, blobs.py.
"""

from typing import NamedTuple

from google.protobuf.message import DecodeError

from . import files, hdf5
from .blobs import StoredBlob, blob_pieces, read_blob, total
from .caffe_pb2 import NetParameter, SolverState
from .explain import HOLDS, MODEL, STATE, explain, sort_of, what_is, wrong
from .files import is_hdf5
from .hdf5 import State, read_hdf5, write_hdf5
from .text import each
from .upgrade import upgrade_net
from .wire import LEN, Damage, delimiter, encode, fields

__all__ = [
    'Model',
    'State',
    'StoredBlob',
    'is_hdf5',
    'read_hdf5',
    'read_model',
    'read_state',
    'write_hdf5',
    'write_model',
    'write_state',
]

MOST_BYTES = 2**31 - 1
CHUNK = 1 << 20  # bytes; one huge write waits for huge pages of the cache


class Model(NamedTuple):
    """net: the upgraded NetParameter, its blobs taken out; blobs: for every
    layer of it a list of StoredBlob"""

    net: NetParameter
    blobs: list[list[StoredBlob]]


def read_model(path):
    """Reads a binary model of any age. The arrays are views of the file."""
    net, stored = read(path, NetParameter, 'net', MODEL)
    upgrade_net(net, path)
    blobs = [[stored[b.num] for b in layer.blobs] for layer in net.layer]
    for layer in net.layer:
        layer.ClearField('blobs')
    return Model(net, blobs)


def read_state(path):
    """Reads a solver state, HDF5 if its name ends in .h5, else binary."""
    if str(path).endswith('.h5'):
        return hdf5.read_state(path)
    state, stored = read(path, SolverState, 'state', STATE)
    blobs = [stored[b.num] for b in state.history]
    history = [blob.data.reshape(blob.shape) for blob in blobs]
    return State(state.iter, state.learned_net, state.current_step, history)


def read(path, message, kind, wanted):
    """Gives: the message with placeholders for its blobs; the StoredBlobs"""
    buf, stored = files.mapped(path), []
    if what_is(buf[:4096]):
        raise wrong(path, wanted)
    if sort_of(buf) not in (wanted, None):
        raise RuntimeError(f'{path} is not {wanted}: it is {sort_of(buf)}')
    try:
        found = message.FromString(strip(buf, 0, len(buf), kind, stored))
        check_text(found)
    except Damage as damage:
        what = explain(buf, kind, wanted, damage)
        raise RuntimeError(f'{path} {what}') from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise RuntimeError(
            f'{path} is damaged, or not {wanted}: {error}'
        ) from None
    if not found.IsInitialized() or not found.ListFields():
        raise RuntimeError(f'{path} is not {wanted}, or damaged')
    return found, stored


def strip(buf, pos, end, kind, stored):
    """Takes a message apart.

    Takes: kind: a key of HOLDS
    Gives: its bytes, each blob replaced by one whose num is the index of the
        StoredBlob that was appended to `stored`
    """
    parts = []
    for f in fields(buf, pos, end):
        inner = HOLDS[kind].get(f.number) if f.kind == LEN else None
        if inner is None:
            parts.append(buf[f.start : f.stop])
            continue
        if inner == 'blob':
            body = b'\x08' + encode(len(stored))
            stored.append(read_blob(buf, f.first, f.stop))
        else:
            body = strip(buf, f.first, f.stop, inner, stored)
        parts += delimiter(f.number, len(body)), body
    return b''.join(parts)


def check_text(message):
    """Refuses strings that are not UTF-8: protobuf gives them as bytes."""
    for field, value in message.ListFields():
        for one in each(value):
            if field.message_type:
                check_text(one)
            elif isinstance(one, bytes) and field.type != field.TYPE_BYTES:
                one.decode()


def write_model(path, net, blobs):
    """Takes: net: NetParameter without blobs; blobs: for every layer of it a
    list of (data, diff or None), arrays with the shapes of the blobs"""
    if len(blobs) != len(net.layer):
        raise ValueError(
            f'{len(net.layer)} layers, {len(blobs)} lists of blobs'
        )
    write(path, model_pieces(net, blobs))


def write_state(path, state):
    """Writes a State, HDF5 if the name ends in .h5, else binary."""
    if str(path).endswith('.h5'):
        hdf5.write_state(path, state)
    else:
        write(path, state_pieces(state))


def model_pieces(net, blobs):
    head = NetParameter()
    head.CopyFrom(net)
    head.ClearField('layer')
    yield head.SerializeToString()
    for layer, pairs in zip(net.layer, blobs):
        before, after = parted(layer, 7)
        pieces = [before]
        for data, diff in pairs:
            pieces += blob_pieces(7, data, diff)
        pieces.append(after)
        yield delimiter(100, total(pieces))
        yield from pieces


def state_pieces(state):
    message = SolverState(
        iter=state.iter,
        learned_net=state.learned_net,
        current_step=state.current_step,
    )
    before, after = parted(message, 3)
    yield before
    for values in state.history:
        yield from blob_pieces(3, values, None)
    yield after


def parted(message, number):
    """The bytes of a message before and after its field `number`."""
    data = message.SerializeToString()
    stop = len(data)
    starts = (f.start for f in fields(data, 0, stop) if f.number > number)
    cut = next(starts, stop)
    return data[:cut], data[cut:]


def write(path, pieces):
    with files.replacing(path) as temporary, open(temporary, 'wb') as out:
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > MOST_BYTES:
                raise RuntimeError(
                    f'{path}: Caffe reads files of up to {MOST_BYTES} bytes, '
                    'this one needs more: use snapshot_format: HDF5'
                )
            for at in range(0, len(piece), CHUNK):
                out.write(piece[at : at + CHUNK])
