"""Arrays from and to the messages that files hold them in; and, as users know
caffe.io, images (images.py) and the Transformer (transformer.py).

Caffe: python/caffe/io.py; spec section F.3. Whole models are read and written
elsewhere, without a message for their numbers: proto/model.py.
"""

import numpy as np

from caffe.images import load_image, oversample, resize_image
from caffe.proto import caffe_pb2
from caffe.transformer import Transformer

__all__ = [
    'Transformer',
    'array_to_blobproto',
    'array_to_datum',
    'arraylist_to_blobprotovector_str',
    'blobproto_to_array',
    'blobprotovector_str_to_arraylist',
    'caffe_pb2',  # scripts write caffe.io.caffe_pb2
    'datum_to_array',
    'load_image',
    'oversample',
    'resize_image',
]

LEGACY = ('num', 'channels', 'height', 'width')


def blobproto_to_array(blob, return_diff=False):
    """The numbers of a BlobProto (a mean image, say), or its diff, as float64.

    Raises: ValueError if they are not as many as its shape asks for
    """
    values = np.array(numbers(blob, 'diff' if return_diff else 'data'))
    if any(blob.HasField(name) for name in LEGACY):
        return values.reshape([getattr(blob, name) for name in LEGACY])
    return values.reshape(tuple(blob.shape.dim))


def numbers(blob, what):
    """A blob holds floats or doubles; the doubles win, as in blob.cpp."""
    return getattr(blob, f'double_{what}') or getattr(blob, what)


def array_to_blobproto(arr, diff=None):
    """Takes: arr, diff: arrays of any shape. Gives: BlobProto with floats"""
    blob = caffe_pb2.BlobProto()
    blob.shape.dim.extend(arr.shape)
    blob.data.extend(arr.astype(float).flat)
    if diff is not None:
        blob.diff.extend(diff.astype(float).flat)
    return blob


def arraylist_to_blobprotovector_str(arraylist):
    """Several arrays as the bytes of a BlobProtoVector."""
    vector = caffe_pb2.BlobProtoVector()
    vector.blobs.extend(array_to_blobproto(arr) for arr in arraylist)
    return vector.SerializeToString()


def blobprotovector_str_to_arraylist(string):
    vector = caffe_pb2.BlobProtoVector.FromString(string)
    return [blobproto_to_array(blob) for blob in vector.blobs]


def array_to_datum(arr, label=None):
    """Takes: arr: K x H x W; uint8 goes into `data`, anything else into
    `float_data`. Gives: Datum"""
    if arr.ndim != 3:
        raise ValueError(f'Incorrect array shape. ({arr.shape}, not K x H x W)')
    channels, height, width = arr.shape
    datum = caffe_pb2.Datum(channels=channels, height=height, width=width)
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(float).flat)
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum):
    """Gives: K x H x W, uint8 or float64"""
    if datum.data:
        values = np.frombuffer(datum.data, np.uint8).copy()
    else:
        values = np.array(datum.float_data, float)
    return values.reshape(datum.channels, datum.height, datum.width)
