"""VOC and SBD, SIFT Flow, NYUDv2 and PASCAL-Context in their real layouts, a
few images of some thousand pixels each: for tests that need a dataset whole.

Each writer fills a folder and gives the environment variables that name it.
Numbers in label files are as in the releases, void included.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from data import classes, palette
from data.pascalcontext_layers import RENAMED

SUBSET = 'spatial_envelope_256x256_static_8outdoorcategories'
SIFTFLOW = {
    'trainval': [
        'forest_for121',
        'coast_land111',
        'street_bost64',
        'highway_gre5',
    ],
    'test': ['coast_natu975', 'insidecity_art947'],
}
NYUD = {'train': ['5003', '5005'], 'val': ['5010'], 'test': ['5001', '5002']}
CONTEXT = {
    'train': ['2008_000008', '2008_000015', '2008_000019'],
    'val': ['2008_000002', '2008_000003'],
}


VOC = {'train': ['2007_000032', '2007_000039'], 'val': ['2007_000033']}


def scene(rng, values, height, width):
    """Blocks of a few values. Gives: H x W map of these, H x W x 3 picture in
    which each has a colour, with noise on it"""
    table = rng.choice(values, (3, 4))
    rows, columns = (
        np.arange(height) * 3 // height,
        np.arange(width) * 4 // width,
    )
    label = table[rows][:, columns]
    colour = np.random.default_rng(7).integers(30, 226, (500, 3))
    noise = rng.integers(-20, 21, (height, width, 3))
    return label, (colour[label] + noise).clip(0, 255).astype(np.uint8)


def each(lists, seed):
    """Every id with a generator and a size of its own."""
    for number, name in enumerate(sum(lists.values(), [])):
        rng = np.random.default_rng([seed, number])
        yield name, rng, 33 + 4 * number, 48 - 3 * number


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def save_mat(path, **content):
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, content)


def write_lists(folder, lists):
    folder.mkdir(parents=True, exist_ok=True)
    for name, ids in lists.items():
        (folder / f'{name}.txt').write_text('\n'.join(ids) + '\n')


def write_voc(root):
    """VOC2011 and SBD; seg11valid is VOC's val, and SBD has the rest."""
    voc, sbd = Path(root, 'pascal', 'VOC2011'), Path(root, 'sbdd', 'dataset')
    (voc / 'SegmentationClass').mkdir(parents=True, exist_ok=True)
    for name, rng, height, width in each(VOC, 0):
        label, pixels = scene(rng, np.arange(21), height, width)
        save(sbd / 'img' / f'{name}.jpg', pixels, quality=95)
        save_mat(
            sbd / 'cls' / f'{name}.mat',
            GTcls=dict(Segmentation=label.astype(np.uint8)),
        )
        label[0, :5] = 255
        save(voc / 'JPEGImages' / f'{name}.jpg', pixels, quality=95)
        path = voc / 'SegmentationClass' / f'{name}.png'
        palette.save_label(path, label)
    lists = dict(VOC, seg11valid=VOC['val'])
    write_lists(voc / 'ImageSets' / 'Segmentation', lists)
    write_lists(sbd, VOC)
    return {'VOC_DIR': str(voc), 'SBD_DIR': str(sbd)}


def write_siftflow(root):
    """With Berkeley's lists put in, as their repository has them."""
    root = Path(root)
    for name, rng, height, width in each(SIFTFLOW, 1):
        sem, pixels = scene(rng, np.arange(34), height, width)
        sem[0, :5] = 0  # void
        geo = np.where(sem == 28, 1, 2 + sem % 2)  # 28 is sky
        geo[0, :5] = [-1, 0, -1, 0, -1]
        save(root / 'Images' / SUBSET / f'{name}.jpg', pixels, quality=95)
        names = np.array(classes.SIFTFLOW, object)
        save_mat(
            root / 'SemanticLabels' / SUBSET / f'{name}.mat',
            S=sem.astype(np.uint8),
            names=names,
        )
        save_mat(
            root / 'GeoLabels' / SUBSET / f'{name}.mat',
            S=geo.astype(np.float64),
        )
    write_lists(root, SIFTFLOW)
    listing = [f'{SUBSET}\\{name}.jpg' for name in SIFTFLOW['test']]
    (root / 'TestSet1.txt').write_text('\r\n'.join(listing))
    return {'SIFTFLOW_DIR': str(root)}


def write_nyud(root):
    """Without a list trainval, as Berkeley's repository."""
    root = Path(root)
    for name, rng, height, width in each(NYUD, 2):
        label, pixels = scene(rng, np.arange(41), height, width)
        label[0, :5] = 0  # void
        depth = 1500 + 100 * label + rng.integers(0, 50, label.shape)
        depth[1, :3] = 0  # not measured
        hha = np.stack([depth // 40, label * 5, label * 3 + 90], 2)
        images = {
            'images': pixels,
            'depth': depth.astype(np.uint16),
            'hha': hha.clip(0, 255).astype(np.uint8),
        }
        for folder, array in images.items():
            save(root / 'data' / folder / f'img_{name}.png', array)
        save_mat(
            root / 'segmentation' / f'img_{name}.mat',
            segmentation=label.astype(np.uint8),
        )
    write_lists(root, NYUD)
    return {'NYUD_DIR': str(root)}


def write_context(root):
    """Two folders: pascal/VOC2010 and pascal-context."""
    root = Path(root)
    voc, context = root / 'pascal' / 'VOC2010', root / 'pascal-context'
    names = context_names()
    for name, rng, height, width in each(CONTEXT, 3):
        known = [1 + names.index(RENAMED.get(c, c)) for c in FEW]
        label, pixels = scene(rng, [*known, 431, 7], height, width)
        label[0, :5] = 459
        save(voc / 'JPEGImages' / f'{name}.jpg', pixels, quality=95)
        save_mat(
            context / 'trainval' / f'{name}.mat',
            LabelMap=label.astype(np.uint16),
        )
    write_lists(voc / 'ImageSets' / 'Main', CONTEXT)
    (context / 'labels.txt').write_text(numbered(names))
    (context / '59_labels.txt').write_text(numbered(classes.CONTEXT[1:]))
    return {'VOC_DIR': str(root / 'pascal'), 'CONTEXT_DIR': str(context)}


FEW = ['aeroplane', 'diningtable', 'clothes', 'bedcloth', 'sky', 'wood']


def context_names():
    """459 names, the 59 among them under the names they have there."""
    few = [RENAMED.get(name, name) for name in classes.CONTEXT[1:]]
    others = [f'thing {number:03}' for number in range(459 - len(few))]
    mixed = np.random.default_rng(59).permutation(few + others)
    return [str(name) for name in mixed]


def numbered(names, first=1):
    rows = (f'{number}: {name}' for number, name in enumerate(names, first))
    return '\n'.join(rows) + '\n'
