"""Where VOC and SBD lie, what their splits hold, and where to get them.

A prototxt says `../data/pascal/VOC2011` (relative to its own folder, as
Berkeley wrote it). In turn these are tried: the environment variable
VOC_DIR or SBD_DIR; the path as it is; the path without its leading `..`
from the root of this repository. In each, the dataset may be the folder
itself or lie where its archive unpacks to. seg11valid, the 736 images of
all published scores, is VOC2011's segmentation val without SBD's train.
Not here: reading of images and labels (read.py).
"""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # of the repository


class Dataset:
    """A release of images and labels: how it is found and where it is from.

    Takes: env: environment variable that overrides the path; home: its path
        from the root of the repository; marks: folders it must have; below:
        where it may lie in a folder given ('': there), in this order; lists:
        where its split files are; source: where to get it
    """

    def __init__(self, name, env, home, marks, below, lists, source):
        self.name = name
        self.env = env
        self.home = home
        self.marks = marks
        self.below = below
        self.lists = lists
        self.source = source

    def find(self, given=None):
        """The dataset's folder, absolute.

        Takes: given: a path as a prototxt has it; None is the usual place
        Raises: FileNotFoundError that lists the paths tried and the remedy
        """
        tried = self.candidates(given)
        for path in tried:
            for below in self.below:
                root = path / below
                if all((root / mark).is_dir() for mark in self.marks):
                    return root.resolve()
        raise FileNotFoundError(
            f'no {self.name} (a folder with {" and ".join(self.marks)}) at '
            f'{" or ".join(str(path) for path in tried)}. {self.advice()}'
        )

    @property
    def is_there(self):
        """Whether it is in its usual place, or where its variable says."""
        try:
            return bool(self.find())
        except FileNotFoundError:
            return False

    def candidates(self, given=None):
        if os.environ.get(self.env):
            return [Path(os.environ[self.env]).expanduser().absolute()]
        return candidates(given or ROOT / self.home)

    def advice(self):
        return (
            f'Get it from {self.source} and unpack it to {ROOT / self.home}, '
            f'or name its folder in the environment variable {self.env} '
            f'(`solve.py` and `score`: --{self.option} DIR)'
        )

    def __str__(self):
        return self.name

    @property
    def option(self):
        """What commands call it: VOC_DIR -> voc"""
        return self.env.split('_')[0].lower()

    def split(self, root, name):
        """The ids of a split, in the order of its file.

        Takes: root: what `find` gave
        Raises: FileNotFoundError, ValueError if there is no such list or
            nothing in it
        """
        tried = self.split_files(root, name)
        for path in tried:
            if path.is_file():
                return read_ids(path)
        ids = self.derive(root, name)
        if ids is not None:
            return ids
        there = sorted({p.stem for t in tried for p in t.parent.glob('*.txt')})
        raise FileNotFoundError(
            f'no list of split {name!r} at '
            f'{" or ".join(str(path) for path in tried)}; there is '
            f'{", ".join(there) or "no list at all"}. Put one there: an id '
            f'per line. `python -m data` says what is known'
        )

    def split_files(self, root, name):
        return [Path(root, self.lists, f'{name}.txt')]

    def derive(self, root, name):
        """A split without a list of its own, from what the release has.

        Gives: ids, or None if it cannot be had from there
        """


class Voc(Dataset):
    """VOC's splits may also lie in data/pascal/, which survives a change of
    release: the published lists go with VOC2012's images as well."""

    def split_files(self, root, name):
        own = super().split_files(root, name)
        return own + [ROOT / 'data' / 'pascal' / f'{name}.txt']

    def derive(self, root, name):
        return seg11valid(root) if name == 'seg11valid' else None


VOC = Voc(
    name='PASCAL VOC',
    env='VOC_DIR',
    home='data/pascal/VOC2011',
    marks=('JPEGImages', 'SegmentationClass'),
    below=(
        '',
        'VOC2011',
        'VOCdevkit/VOC2011',
        'TrainVal/VOCdevkit/VOC2011',
        'pascal/VOC2011',
        'VOC2012',
        'VOCdevkit/VOC2012',
    ),
    lists='ImageSets/Segmentation',
    source=(
        'http://host.robots.ox.ac.uk/pascal/VOC/voc2011/'
        'VOCtrainval_25-May-2011.tar '
        '(MD5 6c3384ef61512963050cb5d687e5bf1e; VOC2012, whose images include '
        "VOC2011's: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/"
        'VOCtrainval_11-May-2012.tar, MD5 6cd6e144f989b92b3379bac3b3de84fd)'
    ),
)

SBD = Dataset(
    name='SBD',
    env='SBD_DIR',
    home='data/sbdd/dataset',
    marks=('img', 'cls'),
    below=('', 'dataset', 'benchmark_RELEASE/dataset', 'sbdd/dataset'),
    lists='',
    source=(
        'http://www.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/'
        'semantic_contours/benchmark.tgz (also under www2.eecs.berkeley.edu; '
        'home page http://home.bharathh.info/pubs/codes/SBD/download.html; '
        'MD5 82b4d87ceb2ed10f6038a1cba92111cb)'
    ),
)


def candidates(given):
    """Where a path of a prototxt may point, absolute."""
    given = Path(given).expanduser()
    if given.is_absolute():
        return [given]
    parts = list(given.parts)
    while parts and parts[0] == '..':
        parts.pop(0)
    return list(dict.fromkeys([Path.cwd() / given, ROOT.joinpath(*parts)]))


def existing(given, advice):
    """The first of a path's candidates that is there."""
    tried = candidates(given)
    for path in tried:
        if path.exists():
            return path.resolve()
    where = ' or '.join(str(path) for path in tried)
    raise FileNotFoundError(f'nothing at {where}. {advice}')


def read_ids(path):
    """One id per line, blank lines left out."""
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}: no such list')
    ids = [line.strip() for line in Path(path).read_text().splitlines()]
    ids = [name for name in ids if name]
    if not ids:
        raise ValueError(f'{path}: an empty list; a split has an id per line')
    return ids


SEG11VALID = 736, '33d3d44294e02741'  # ids, digest


def digest(ids):
    """The first 16 hex digits of the SHA-256 of the ids, a line each."""
    return hashlib.sha256('\n'.join(ids).encode()).hexdigest()[:16]


def is_seg11valid(ids):
    return (len(ids), digest(sorted(ids))) == SEG11VALID


def seg11valid(voc_root, sbd_root=None):
    """Derives the split: VOC2011 segmentation val without SBD train.

    Raises: FileNotFoundError, ValueError saying what is missing or that the
        outcome is not the published list
    """
    val = Path(voc_root, VOC.lists, 'val.txt')
    if not val.is_file():
        raise FileNotFoundError(
            f'no seg11valid.txt in {val.parent} or {ROOT}/data/pascal, and no '
            f'{val} to derive it from. {VOC.advice()}'
        )
    try:
        train = SBD.split(sbd_root or SBD.find(), 'train')
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'no seg11valid.txt in {val.parent} or {ROOT}/data/pascal; to '
            f'derive it (VOC2011 val without SBD train), SBD is needed: {error}'
        ) from None
    ids = sorted(set(read_ids(val)) - set(train))
    if not is_seg11valid(ids):
        raise ValueError(
            f'{val} without {len(train)} ids of SBD train leaves {len(ids)} '
            f'ids with digest {digest(ids)}; the published seg11valid has '
            f'{SEG11VALID[0]}, {SEG11VALID[1]}. It comes from VOC2011 (VOC2012 '
            f'has a longer val) and SBD as released: name them with `python '
            f'-m data splits --voc DIR --sbd DIR`, or put the published list '
            f'at {ROOT}/data/pascal/seg11valid.txt'
        )
    return ids
