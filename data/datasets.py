"""Where SIFT Flow, NYUDv2 and PASCAL-Context lie, and what their splits hold.

Found as VOC is (places.py). A list is looked for in the dataset's folder and
in its usual place in data/; without one, a split is derived from what the
releases have, if that gives the published ids. Any list that is there is
taken as it is; `standing` says whether it is the published one. Its order
matters where images are drawn at random: a seed chooses positions in it.
"""

import os
from pathlib import PureWindowsPath
from typing import NamedTuple

from data import places
from data.matlab import read_matrix
from data.places import SBD, SEG11VALID, VOC, Dataset, digest, read_ids


class Known(NamedTuple):
    """A published list; None where it is not known."""

    count: int
    ordered: str = None  # digest of the ids as published
    sorted: str = None  # the same of the sorted ids


KNOWN = {
    'VOC seg11valid': Known(*SEG11VALID, SEG11VALID[1]),
    'SIFT Flow trainval': Known(2486, '4321de2b16455687', '646d97910f15f0c0'),
    'SIFT Flow test': Known(200, 'd9d024d06b1ed213', '772854924eb149c3'),
    'NYUDv2 train': Known(381, '8db94b4a9b33494c', 'f29b0c2b58cf2991'),
    'NYUDv2 val': Known(414, sorted='140f799a3016db88'),
    'NYUDv2 trainval': Known(795),
    'NYUDv2 test': Known(654, 'f717536bdff71424', '0b128b3a51a20438'),
    'PASCAL-Context train': Known(4998),
    'PASCAL-Context val': Known(5105),
}


def standing(split, ids):
    """What is to be said of a list. Takes: split: key of KNOWN, or another"""
    known = KNOWN.get(split)
    if known is None:
        return ''
    if digest(ids) == known.ordered:
        return 'the published list'
    if digest(sorted(ids)) == known.sorted:
        return 'the published ids' + ', in another order' * bool(known.ordered)
    if len(ids) == known.count and not known.sorted:
        return 'as many as published'
    return f'not the published list, which has {known.count}'


class Listed(Dataset):
    """A dataset whose lists may also lie in its usual place, wherever the
    images are; what it derives must be the published ids."""

    def split_files(self, root, name):
        own = super().split_files(root, name)
        return own + [places.ROOT / self.home / f'{name}.txt']

    def published(self, name, ids, source):
        known = KNOWN[f'{self.name} {name}']
        if digest(sorted(ids)) != known.sorted:
            raise ValueError(
                f'{self.name} {name} derived from {source} has {len(ids)} ids '
                f'with digest {digest(sorted(ids))}; the published list has '
                f'{known.count}, {known.sorted}. Unpack the release again, or '
                f'put a list of your own at {source.parent / name}.txt'
            )
        return ids


class SiftFlow(Listed):
    """TestSet1.txt names the test images; the others, but for two without
    annotations, are trained on."""

    images = 'Images/spatial_envelope_256x256_static_8outdoorcategories'
    unannotated = {'highway_bost181', 'street_urb506'}

    def derive(self, root, name):
        source = root / 'TestSet1.txt'
        if name not in ('test', 'trainval') or not source.is_file():
            return None
        # lines like spatial_envelope_...\coast_natu975.jpg
        test = [PureWindowsPath(line).stem for line in read_ids(source)]
        self.published('test', test, source)
        if name == 'test':
            return test
        ids = {path.stem for path in (root / self.images).glob('*.jpg')}
        return self.published(
            name, sorted(ids - {*test} - self.unannotated), source
        )


class Nyud(Listed):
    """trainval is train, then val; or what NYUDv2's own splits.mat says. An
    id is 5000 more than the image's number there."""

    first, last = 5001, 6449

    def derive(self, root, name):
        if name == 'trainval':
            parts = [self.part(root, part) for part in ('train', 'val')]
            if all(parts):
                return parts[0] + parts[1]
        source = root / 'splits.mat'
        if name not in ('trainval', 'test') or not source.is_file():
            return None
        numbers = read_matrix(source, 'testNdxs', 1, self.last - 5000)
        test = [str(5000 + number) for number in sorted(numbers.ravel())]
        self.published('test', test, source)
        if name == 'test':
            return test
        every = map(str, range(self.first, self.last + 1))
        return [name for name in every if name not in set(test)]

    def part(self, root, name):
        for path in self.split_files(root, name):
            if path.is_file():
                return read_ids(path)
        return None


SIFTFLOW = SiftFlow(
    name='SIFT Flow',
    env='SIFTFLOW_DIR',
    home='data/sift-flow',
    marks=('Images', 'SemanticLabels', 'GeoLabels'),
    below=('', 'SiftFlowDataset', 'sift-flow'),
    lists='',
    source=(
        'http://www.cs.unc.edu/~jtighe/Papers/ECCV10/siftflow/'
        'SiftFlowDataset.zip'
    ),
)

NYUD = Nyud(
    name='NYUDv2',
    env='NYUD_DIR',
    home='data/nyud',
    marks=('data/images', 'segmentation'),
    below=('', 'nyud'),
    lists='',
    source=(
        'http://dl.caffe.berkeleyvision.org/nyud.tar.gz (its labels and HHA '
        'are those of http://people.eecs.berkeley.edu/~sgupta/cvpr13/data.tgz)'
    ),
)


class Voc2010(Dataset):
    """PASCAL-Context's images, and its lists, if it has none of its own."""

    def split_files(self, root, name):
        own = CONTEXT.candidates() if os.environ.get(CONTEXT.env) else []
        folders = [*own, places.ROOT / CONTEXT.home]
        files = [folder / f'{name}.txt' for folder in folders]
        return files + super().split_files(root, name)


VOC2010 = Voc2010(
    name='PASCAL VOC2010',
    env='VOC_DIR',
    home='data/pascal/VOC2010',
    marks=('JPEGImages', 'ImageSets/Main'),
    # whoever works with two releases names one of them, or what holds both
    below=(
        'VOC2010',
        'VOCdevkit/VOC2010',
        'pascal/VOC2010',
        '../VOC2010',
        '',
    ),
    lists='ImageSets/Main',
    source=(
        'http://host.robots.ox.ac.uk/pascal/VOC/voc2010/'
        'VOCtrainval_03-May-2010.tar (MD5 da459979d0c395079b5c75ee67908abb)'
    ),
)

CONTEXT = Dataset(
    name='PASCAL-Context',
    env='CONTEXT_DIR',
    home='data/pascal-context',
    marks=('trainval',),
    below=('', 'pascal-context'),
    lists='',
    source=(
        'http://www.cs.stanford.edu/~roozbeh/pascal-context/ (trainval.tar.gz '
        'and labels.txt; the images are those of VOC2010)'
    ),
)

DATASETS = (
    VOC,
    SBD,
    SIFTFLOW,
    NYUD,
    CONTEXT,
)  # each with a variable of its own
