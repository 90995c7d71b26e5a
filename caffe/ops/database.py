"""Data: images and labels from an LMDB of Datum messages. Caffe:
data_layer.cpp, db_lmdb.cpp, data_transformer.cpp.

The lmdb package is needed only here. Not here: LevelDB.
"""

import os
import weakref

import numpy as np
from google.protobuf.message import DecodeError

from caffe.ops.ahead import Ahead
from caffe.ops.base import Op
from caffe.ops.images import UNREADABLE, decode
from caffe.ops.transform import Transform, batch_of, warn_of_ignored
from caffe.proto import caffe_pb2 as pb


class Data(Op):
    """Tops: data, batch_size x C x H x W; label (may be left out),
    batch_size. In the order of the keys, and around again."""

    bottoms = (0, 0)
    tops = (1, 2)

    def setup(self, shapes):
        p, transform = self.param.data_param, self.param.transform_param
        if p.backend != pb.DataParameter.LMDB:
            raise RuntimeError(
                'Unknown database backend (LEVELDB, which no maintained '
                'Python package reads: convert it to LMDB and say `backend: '
                'LMDB`, or use HDF5Data, ImageData or a Python layer)'
            )
        if not p.batch_size:
            raise RuntimeError('Positive batch size required')
        if transform.force_color and transform.force_gray:
            raise RuntimeError('cannot set both force_color and force_gray')
        warn_of_ignored(
            p, 'rand_skip', 'scale', 'mean_file', 'crop_size', 'mirror'
        )
        source = Datums(p, Transform(transform, self.phase))
        _, first, _ = source.first()
        self.shapes = [
            (p.batch_size, *source.transform.shape(first)),
            (p.batch_size,),
        ][: len(self.param.top)]
        self.batches = Ahead(source.batch)

    def top_shapes(self, shapes):
        return self.shapes

    def forward(self, bottoms, params):
        return self.batches.take()[: len(self.param.top)]


class Datums:
    """The database and where we are in it.

    Takes: param: DataParameter; transform: what is done to each image
    """

    def __init__(self, param, transform):
        self.size, self.transform = param.batch_size, transform
        self.color = None
        if transform.param.force_color or transform.param.force_gray:
            self.color = transform.param.force_color
        if param.force_encoded_color:
            self.color = True
        self.database = open_database(param.source)
        self.items = iter(())

    def first(self):
        return self.read(next(iter(self.database)))

    def batch(self):
        images, labels = [], []
        for _ in range(self.size):
            key, image, label = self.read(self.next())
            images.append((f'item {key!r}', self.transform(image)))
            labels.append(label)
        return [batch_of(images), np.array(labels, np.float32)]

    def next(self):
        item = next(self.items, None)
        if item is None:  # at the end, or not begun
            self.items = iter(self.database)
            item = next(self.items)
        return item

    def read(self, item):
        """Takes: item: key and value. Gives: key, image, label"""
        key, value = item
        try:
            datum = pb.Datum.FromString(value)
            if datum.encoded:
                return key, decode(datum.data, self.color), datum.label
            return key, pixels(datum), datum.label
        except (*UNREADABLE, DecodeError) as error:
            raise RuntimeError(
                f'Could not decode datum {key!r} of {self.database.path} '
                f'({error})'
            ) from None


def pixels(datum):
    """C x H x W: uint8, or float32 where there are no bytes."""
    shape = datum.channels, datum.height, datum.width
    if datum.data:
        return np.frombuffer(datum.data, np.uint8).reshape(shape)
    return np.array(datum.float_data, np.float32).reshape(shape)


class Database:
    """An LMDB, open for reading. Iterates over (key, value), sorted."""

    def __init__(self, path):
        try:
            import lmdb
        except ImportError:
            raise RuntimeError(
                'Unknown database backend (LMDB needs the lmdb package: '
                'python -m pip install lmdb)'
            ) from None
        self.path = path
        try:
            self.env = lmdb.open(
                path, readonly=True, lock=False, subdir=os.path.isdir(path)
            )
        except lmdb.Error as error:
            raise RuntimeError(
                f'Failed to open LMDB {path} ({error})'
            ) from None
        if not self.env.stat()['entries']:
            raise RuntimeError(f'the LMDB {path} is empty')

    def __iter__(self):
        with self.env.begin() as transaction:
            yield from transaction.cursor()


OPEN = weakref.WeakValueDictionary()  # lmdb opens no file twice


def open_database(path):
    """The Database; nets that read the same file share it."""
    place = os.path.realpath(path)
    database = OPEN.get(place)
    if database is None:
        database = OPEN[place] = Database(path)
    return database
