"""Model files of every kind, read into arrays and written from them.

Caffe's own two are caffe/proto/model.py's, the flat tables of PyTorch and
numpy are tables.py. What a file is shows in its first bytes when it is read;
its suffix decides when it is written. Not here: gradients (`diff`), which only
Caffe's files can hold.
"""

import zipfile
from pathlib import Path
from typing import NamedTuple

from caffe.proto import caffe_pb2 as pb
from caffe.proto import files, model
from weights import tables

CAFFEMODEL, HDF5, PTH, SAFETENSORS, NPZ = (
    'caffemodel',
    'HDF5',
    'PyTorch state dict',
    'safetensors',
    'npz',
)
SUFFIXES = {  # the first that a name ends in
    '.caffemodel.h5': HDF5,
    '.h5': HDF5,
    '.hdf5': HDF5,
    '.caffemodel': CAFFEMODEL,
    '.pth': PTH,
    '.pt': PTH,
    '.safetensors': SAFETENSORS,
    '.npz': NPZ,
}


class Held(NamedTuple):
    """kind: of the file; layers: {layer: {index: array}} in its order; net:
    NetParameter without blobs, where the file has one; notes: what to tell"""

    kind: str
    layers: dict
    net: pb.NetParameter | None = None
    notes: tuple = ()


def kind_of(path):
    """What a model file is, by its content."""
    if files.is_hdf5(path):
        return HDF5
    head = bytes(files.mapped(path)[:16])
    if head.startswith(b'PK') and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return PTH if any(n.endswith('data.pkl') for n in names) else NPZ
    if head.startswith(b'PK'):
        return PTH if Path(path).suffix in ('.pth', '.pt') else NPZ
    if head[5:9] == b'\0\0\0{':  # the length of a header that is JSON
        return SAFETENSORS
    if head.startswith(b'\x80\x02'):  # PyTorch before 1.6
        return PTH
    return CAFFEMODEL


def read(path):
    """Reads a model file of any kind. Gives: Held

    Raises: ValueError or RuntimeError that names the file
    """
    path = str(path)
    return READERS[kind_of(path)](path)


def kind_to_write(path):
    for suffix, kind in SUFFIXES.items():
        if str(path).endswith(suffix):
            return kind
    raise ValueError(
        f'{path}: cannot tell the format; end the name in '
        + ', '.join(SUFFIXES)
    )


def write(path, layers, net=None):
    """Takes: layers: {layer: {index: array}}; net: NetParameter whose
    definition goes into a caffemodel, with all of these layers in it"""
    WRITERS[kind_to_write(path)](str(path), layers, net)


# Caffe's -------------------------------------------------------------------


def read_caffemodel(path):
    stored, layers, notes = model.read_model(path), {}, []
    for layer, blobs in zip(stored.net.layer, stored.blobs):
        if not blobs:
            continue
        if layer.name in layers:
            raise ValueError(f"{path}: two layers are called '{layer.name}'")
        layers[layer.name] = {
            i: blob.data.reshape(today(layer.type, i, blob))
            for i, blob in enumerate(blobs)
        }
        if any(blob.diff is not None for blob in blobs):
            notes = [f'{path} holds gradients too: they stay behind']
    return Held(CAFFEMODEL, layers, stored.net, tuple(notes))


def today(kind, index, blob):
    """The shape of a blob as Caffe 1.0 has it: the old form has four axes,
    filled up with 1 on the left.

    Takes: kind: type of the layer
    """
    if not blob.legacy:
        return blob.shape
    axes = 1 if index else {'InnerProduct': 2}.get(kind, 4)
    spare = 4 - axes
    return blob.shape[spare:] if set(blob.shape[:spare]) <= {1} else blob.shape


def read_hdf5(path):
    layers = {k: v for k, v in model.read_hdf5(path).items() if v}
    return Held(HDF5, layers)


def write_caffemodel(path, layers, net):
    if net is None:
        net = pb.NetParameter()
        for name in layers:
            net.layer.add(name=name)
    blobs = [
        [(array, None) for _, array in whole(layer.name, layers)]
        for layer in net.layer
    ]
    model.write_model(path, net, blobs)


def whole(name, layers):
    """The blobs of a layer in order; a caffemodel cannot leave one out."""
    blobs = sorted(layers.get(name, {}).items())
    for expected, (index, _) in enumerate(blobs):
        if index != expected:
            raise ValueError(
                f"layer '{name}' has blob {index} but no blob {expected}: a "
                'caffemodel cannot say that'
            )
    return blobs


def write_hdf5(path, layers, net):
    names = [layer.name for layer in net.layer] if net else list(layers)
    table = [
        (name, {i: (a, None) for i, a in layers.get(name, {}).items()})
        for name in names
    ]
    model.write_hdf5(path, table)


def table_reader(kind, function):
    def read_table(path):
        table, notes = function(path)
        return Held(kind, tables.nested(table, path), notes=tuple(notes))

    return read_table


def table_writer(function):
    def write_table(path, layers, net):
        function(path, tables.flat(layers))

    return write_table


READERS = {
    CAFFEMODEL: read_caffemodel,
    HDF5: read_hdf5,
    PTH: table_reader(PTH, tables.read_pth),
    SAFETENSORS: table_reader(SAFETENSORS, tables.read_safetensors),
    NPZ: table_reader(NPZ, tables.read_npz),
}
WRITERS = {
    CAFFEMODEL: write_caffemodel,
    HDF5: write_hdf5,
    PTH: table_writer(tables.write_pth),
    SAFETENSORS: table_writer(tables.write_safetensors),
    NPZ: table_writer(tables.write_npz),
}
