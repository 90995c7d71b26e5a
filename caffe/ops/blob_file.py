"""Files that hold a single BlobProto: mean images, infogain matrices."""

from pathlib import Path

import numpy as np

from caffe.proto.blobs import read_blob
from caffe.proto.wire import Damage


def read_blob_file(path):
    """Gives: a float32 array of the blob's shape"""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RuntimeError(
            f'File not found: {path} ({error.strerror})'
        ) from None
    try:
        blob = read_blob(data, 0, len(data))
    except Damage as error:
        raise RuntimeError(
            f'Failed to parse BlobProto file: {path} ({error})'
        ) from None
    return blob.data.astype(np.float32).reshape(blob.shape)
