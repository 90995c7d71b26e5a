"""Whole datasets looked at before a run: every image and label of every
split opened, sizes and values compared, splits compared with each other.

What is checked of one item is what the data layers check when they load it.
Not here: what a run does about a bad item.
"""

from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np

from data.classes import VOID
from data.datasets import CONTEXT, NYUD, SIFTFLOW, standing
from data.nyud_layers import FOLDERS, NYUDSegDataLayer
from data.parallel import each
from data.pascalcontext_layers import PASCALContextSegDataLayer
from data.places import SBD, VOC, Dataset
from data.siftflow_layers import SIFTFlowSegDataLayer
from data.voc_layers import SBDDSegDataLayer, VOCSegDataLayer


class Kind(NamedTuple):
    """A dataset and what reads it; folders are the usual places."""

    name: str
    word: str  # on the command line
    dataset: Dataset
    layer: type
    settings: dict
    splits: tuple


MEAN = (0, 0, 0)
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            *('VOC', 'voc', VOC, VOCSegDataLayer),
            dict(voc_dir=None, mean=MEAN),
            ('train', 'val', 'seg11valid'),
        ),
        Kind(
            *('SBD', 'voc', SBD, SBDDSegDataLayer),
            dict(sbdd_dir=None, mean=MEAN),
            ('train', 'val'),
        ),
        Kind(
            *('SIFT Flow', 'siftflow', SIFTFLOW, SIFTFlowSegDataLayer),
            dict(siftflow_dir=None),
            ('trainval', 'test'),
        ),
        Kind(
            *('NYUDv2', 'nyud', NYUD, NYUDSegDataLayer),
            dict(nyud_dir=None),
            ('trainval', 'test'),
        ),
        Kind(
            *('PASCAL-Context', 'context', CONTEXT, PASCALContextSegDataLayer),
            dict(voc_dir=None, context_dir=None),
            ('train', 'val'),
        ),
    )
}
WORDS = tuple(dict.fromkeys(kind.word for kind in KINDS.values()))
# trained on, scored on: an id in both makes the score worthless
DISJOINT = (
    ('VOC train', 'VOC val'),
    ('VOC train', 'VOC seg11valid'),
    ('SBD train', 'SBD val'),
    ('SBD train', 'VOC seg11valid'),
    ('SIFT Flow trainval', 'SIFT Flow test'),
    ('NYUDv2 trainval', 'NYUDv2 test'),
    ('PASCAL-Context train', 'PASCAL-Context val'),
)


def reader(kind, split):
    """The layer of a dataset that has found its folders and its list, as
    `indices`; it reads everything that is there."""
    layer = kind.layer(None)
    layer.params = dict(kind.settings, split=split)
    layer.indices = layer.items()
    if kind.word == 'nyud':
        there = [k for k in FOLDERS if (layer.root / 'data' / k).is_dir()]
        layer.tops = ('color', *(k for k in there if k != 'color'), 'label')
    return layer


@cache
def _reader(name, split):  # one a process
    return reader(KINDS[name], split)


def look_at(item):
    """Opens one image and its labels.

    Takes: item: (dataset's name, id, a split it is in)
    Gives: (item, what is wrong or None, {label: pixels per value, 256 of them})
    """
    kind, name, split = item
    try:
        layer = _reader(kind, split)
        tops = dict(zip(layer.tops, layer.load(name)))
    except (ValueError, OSError) as error:
        return item, str(error), {}
    counts = {
        label: np.bincount(tops[label].ravel(), minlength=256)
        for label in layer.names
    }
    return item, None, counts


def check(words=(), workers=None, limit=20):
    """Prints what is in the datasets and what is wrong with them.

    Takes: words: of WORDS; none are VOC's and what else is there. limit: how
        many problems are printed
    Gives: number of problems; a dataset that is not there is one
    """
    problems, splits, items, roots = [], {}, {}, {}
    _reader.cache_clear()
    for kind in chosen(words):
        for name in kind.splits:
            try:
                layer = reader(kind, name)
            except (OSError, ValueError) as error:
                problems.append(str(error))
                continue
            if kind.name not in roots:
                print(f'{kind.name}: {layer.root}')
            roots[kind.name] = layer.root
            splits[f'{kind.name} {name}'] = kind, layer.indices
            items.update({(kind.name, i): name for i in layer.indices})
    problems = list(dict.fromkeys(problems))  # a missing dataset once
    problems += compare({split: ids for split, (_, ids) in splits.items()})
    counts, items = {}, [(*item, split) for item, split in items.items()]
    for item, fault, count in each(look_at, items, 'images', workers):
        if fault:
            problems.append(fault)
        else:
            counts[item[:2]] = count
    for split, (kind, ids) in splits.items():
        found = [counts[kind.name, i] for i in ids if (kind.name, i) in counts]
        report(split, ids, found, kind.layer.names)
    for text in problems[:limit]:
        print(f'PROBLEM {text}')
    if len(problems) > limit:
        print(f'... and {len(problems) - limit} more')
    print(f'{len(items)} items, {len(problems)} problems')
    return len(problems)


def chosen(words):
    """The datasets asked for; without words VOC's, and others that are
    there."""
    if words:
        return [kind for kind in KINDS.values() if kind.word in words]
    return [k for k in KINDS.values() if k.word == 'voc' or k.dataset.is_there]


def compare(splits):
    """What is wrong with the lists themselves: ids twice in one, or in two
    that must not share any."""
    problems = []
    for split, ids in splits.items():
        twice = [name for name, n in Counter(ids).items() if n > 1]
        if twice:
            problems.append(f'{split}: {_some(twice)} more than once')
    for one, other in DISJOINT:
        both = sorted(set(splits.get(one, ())) & set(splits.get(other, ())))
        if both:
            problems.append(
                f'{one} and {other} share {_some(both)}: scores on {other} '
                f'would be those of images trained on'
            )
    return problems


def report(split, ids, found, names):
    """Prints a split's size and, per class, the images and pixels it has.

    Takes: found: counts of its sound items, as look_at gives them; names: of
        the classes of each label
    """
    note = standing(split, ids)
    note = f', {note}' if note else ''
    print(f'{split}: {len(ids)} ids, {len(found)} sound{note}')
    for label, classes in names.items() if found else ():
        if len(names) > 1:
            print(f' {label}')
        table = np.array([counts[label] for counts in found])  # images x 256
        wide = max(12, *map(len, classes))
        judged = table.sum() - table[:, VOID].sum()
        for value, name in enumerate(classes):
            images = int((table[:, value] > 0).sum())
            share = table[:, value].sum() / max(judged, 1)
            if images:
                print(
                    f'  {value:2} {name:{wide}} {images:6} images {share:7.2%}'
                )
        print(f'  void {table[:, VOID].sum() / table.sum():.2%} of all pixels')


def _some(names):
    more = f' and {len(names) - 3} more' if len(names) > 3 else ''
    return f'{len(names)} ids ({", ".join(names[:3])}{more})'
