"""Label maps that lie in a MATLAB file as a plain matrix.

The releases of SIFT Flow, NYUDv2 and PASCAL-Context; SBD's structures:
read.read_mat. Numbers come out as they stand in the file, whatever its type.
"""

import numpy as np

from data.classes import VOID
from data.read import load_mat


def read_matrix(path, key, lowest, highest):
    """A map of whole numbers, all of them within the dataset's range.

    Gives: H x W int16
    """
    content = load_mat(path)
    if key not in content:
        names = [name for name in content if not name.startswith('__')]
        raise ValueError(
            f'{path}: no {key} in it (it has {", ".join(names) or "nothing"}): '
            f'a label of another dataset or another task'
        )
    label = np.asarray(content[key])
    if label.ndim != 2 or label.dtype.kind not in 'buif':
        raise ValueError(
            f'{path}: {key} is {label.dtype} of shape {label.shape}, not an '
            f'H x W map of classes'
        )
    strange = (label < lowest) | (label > highest) | (label != np.floor(label))
    if strange.any():
        raise ValueError(
            f'{path}: {key} has the value {label[strange][0]:g}, and '
            f'{strange.sum()} pixels in all that are not whole numbers from '
            f'{lowest} to {highest}. Fetch it again, or mark them as void'
        )
    return label.astype(np.int16)


def from_one(label):
    """Classes that begin at 1, and 0 or less for void, as a net counts them:
    from 0, void 255. The originals' uint8 arithmetic wraps 0 to it.

    Gives: H x W uint8
    """
    return np.where(label > 0, label - 1, VOID).astype(np.uint8)
