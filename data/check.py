"""A whole dataset looked at before a run: every image and label of every
split opened, sizes and values compared, splits compared with each other.

What is checked of one item is what the data layers check when they load it
(read.py). Not here: what a run does about a bad item.
"""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from tqdm import tqdm

from data.palette import CLASSES, VOID
from data.places import SBD, VOC, is_seg11valid
from data.read import check_label, read_image, read_mat, read_palette

SPLITS = {'VOC': ('train', 'val', 'seg11valid'), 'SBD': ('train', 'val')}
# trained on, scored on: an id in both makes the score worthless
DISJOINT = (
    ('VOC train', 'VOC val'),
    ('VOC train', 'VOC seg11valid'),
    ('SBD train', 'SBD val'),
    ('SBD train', 'VOC seg11valid'),
)


def look_at(item):
    """Opens one image and its label.

    Takes: item: (dataset's name, its folder, id)
    Gives: (item, what is wrong or None, pixels per value: 256 numbers or None)
    """
    kind, root, name = item
    try:
        if kind == 'VOC':
            image = root / 'JPEGImages' / f'{name}.jpg'
            path = root / 'SegmentationClass' / f'{name}.png'
            pixels, label = read_image(image), read_palette(path)
        else:
            image = root / 'img' / f'{name}.jpg'
            path = root / 'cls' / f'{name}.mat'
            pixels = read_image(image)
            label = read_mat(path, 'GTcls', 'Segmentation')
        check_label(label, path, pixels, len(CLASSES))
    except (ValueError, OSError) as error:
        return item, str(error), None
    return item, None, np.bincount(label.ravel(), minlength=256)


def scan(items, workers=None):
    """look_at for every item, in parallel, with a progress bar; yields as
    they come, in order."""
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(look_at, items, chunksize=16)
        yield from tqdm(found, total=len(items), unit=' images', disable=None)


def check(voc=None, sbd=None, workers=None, limit=20):
    """Prints what is in the datasets and what is wrong with them.

    Takes: voc, sbd: folders; None is the usual place. limit: how many
        problems of a kind are printed
    Gives: number of problems; a dataset that is not there is one
    """
    problems, splits, items = [], {}, {}
    for kind, dataset, given in (('VOC', VOC, voc), ('SBD', SBD, sbd)):
        try:
            root = dataset.find(given)
        except FileNotFoundError as error:
            problems.append(str(error))
            continue
        print(f'{kind}: {root}')
        for name in SPLITS[kind]:
            try:
                ids = dataset.split(root, name)
            except (OSError, ValueError) as error:
                problems.append(str(error))
                continue
            splits[f'{kind} {name}'] = ids
            items.update(((kind, root, i), None) for i in ids)
    problems += compare(splits)
    counts = {}
    for item, fault, count in scan(list(items), workers):
        if fault:
            problems.append(fault)
        else:
            counts[item[0], item[2]] = count
    for split, ids in splits.items():
        report(split, ids, counts)
    for text in problems[:limit]:
        print(f'PROBLEM {text}')
    if len(problems) > limit:
        print(f'... and {len(problems) - limit} more')
    print(f'{len(items)} items, {len(problems)} problems')
    return len(problems)


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


def report(split, ids, counts):
    """Prints a split's size and, per class, the images and pixels it has."""
    kind = split.split()[0]
    found = [counts[kind, name] for name in ids if (kind, name) in counts]
    note = ''
    if split == 'VOC seg11valid':
        published = is_seg11valid(ids)
        note = ', the published list' if published else ', NOT the published'
    print(f'{split}: {len(ids)} ids, {len(found)} sound{note}')
    if not found:
        return
    table = np.array(found)  # images x 256
    judged = table.sum() - table[:, VOID].sum()
    for value, name in enumerate(CLASSES):
        images = int((table[:, value] > 0).sum())
        share = table[:, value].sum() / max(judged, 1)
        if images:
            print(f'  {value:2} {name:12} {images:6} images {share:7.2%}')
    print(f'  void {table[:, VOID].sum() / table.sum():.2%} of all pixels')


def _some(names):
    more = f' and {len(names) - 3} more' if len(names) > 3 else ''
    return f'{len(names)} ids ({", ".join(names[:3])}{more})'
