"""What is kept of a finished run, in its folder:

  result.json    what was run, where, how fast; whether it is complete
  counts.npz     of every image of the test split, for every test
  kernels.npz    the upsampling kernels, as far as a page shows them
  pictures.npz   some images, labels and predictions

result.json is written last: a folder that has it is a finished run.
"""

import json
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from caffe.proto.files import replacing

NAME = 'result.json'
BANDS = (1, 2, 4, 8, 16, 32)  # pixels on either side of void


class Counts(NamedTuple):
    """One scoring of a split of N images into C classes.

    ids     N strings
    hists   N x C x C integers, rows = true, columns = predicted
    bands   len(BANDS) x C x C integers, over all images: of the pixels that
            are no further from a void one
    losses  N floats; nan where the net has no loss
    """

    ids: np.ndarray
    hists: np.ndarray
    bands: np.ndarray
    losses: np.ndarray


class Kernels(NamedTuple):
    """What one Deconvolution layer became.

    own      C x k x k: each class's kernel to itself
    between  fraction, 0 to 1, of the weights' energy (sum of squares) that
             lies between different classes
    """

    own: np.ndarray
    between: float


class Picture(NamedTuple):
    """image: H x W x 3 uint8; label, prediction: H x W uint8, 255 = void"""

    name: str
    image: np.ndarray
    label: np.ndarray
    prediction: np.ndarray


class Result(NamedTuple):
    """A finished run.

    facts     what result.json holds: network, edits {name: value}, seed,
              iterations, folder, command, start (list of paths), device,
              threads, torch, python, code (commit), began (text), seconds (of
              training), iterations_per_second, memory (GB), tests (names of
              counts); code, seconds, iterations_per_second and memory are
              None where not known
    counts    {name of a test: Counts}
    kernels   {layer: Kernels}
    pictures  list of Picture, of the first test
    """

    facts: dict
    counts: dict
    kernels: dict
    pictures: list


def save(result, folder):
    folder = Path(folder)
    for name, groups in (
        ('counts', result.counts),
        ('kernels', result.kernels),
        ('pictures', dict(enumerate(result.pictures))),
    ):
        arrays = {
            f'{group}:{field}': value
            for group, each in groups.items()
            for field, value in each._asdict().items()
        }
        with replacing(folder / f'{name}.npz') as temporary:
            with open(temporary, 'wb') as file:
                np.savez_compressed(file, **arrays)
    with replacing(folder / NAME) as temporary:
        Path(temporary).write_text(json.dumps(result.facts, indent=1) + '\n')


def tests_of(folder):
    """The names of the tests that a run has, None if it is not finished.
    Raises: ValueError if the file is damaged"""
    path = Path(folder, NAME)
    try:
        return facts_in(path)['tests']
    except FileNotFoundError:
        return None
    except KeyError:
        raise damaged(path, 'it names no tests') from None


def facts_in(path):
    try:
        facts = json.loads(path.read_text())
    except ValueError as error:
        raise damaged(path, error) from error
    if not isinstance(facts, dict):
        raise damaged(path, 'it holds no facts')
    return facts


def load(folder):
    """Gives: Result. Raises: FileNotFoundError if the run is not finished;
    ValueError if a file is damaged"""
    folder = Path(folder)
    facts = facts_in(folder / NAME)
    counts = grouped(folder / 'counts.npz', Counts)
    kernels = grouped(folder / 'kernels.npz', Kernels)
    pictures = grouped(folder / 'pictures.npz', Picture)
    kernels = {
        k: v._replace(between=float(v.between)) for k, v in kernels.items()
    }
    pictures = [p._replace(name=str(p.name)) for p in pictures.values()]
    return Result(facts, counts, kernels, pictures)


def grouped(path, kind):
    """{what stands before the colon: kind} of an archive, in its order."""
    found = {}
    try:
        with open(path, 'rb') as file, np.load(file) as arrays:
            for key in arrays:
                group, _, field = key.rpartition(':')
                found.setdefault(group, {})[field] = arrays[key]
        return {group: kind(**fields) for group, fields in found.items()}
    except BROKEN as error:
        raise damaged(path, error) from error


# numpy's, of archives cut short or changed; TypeError: a field is not there
BROKEN = (OSError, ValueError, EOFError, TypeError, NotImplementedError)
BROKEN += (zipfile.BadZipFile, zlib.error, SyntaxError)


def damaged(path, error):
    return ValueError(
        f'{path}: cannot be read: {error}. Remove {path.parent / NAME}, and '
        'the run is measured again'
    )
