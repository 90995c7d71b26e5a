"""The embedded dataset: generated pictures of ten of VOC's classes, written in
the layouts of VOC2011 and SBD, so that everything that runs on those runs on
it, and crops of single objects to train a small classifier on first.

  DIR/pascal/VOC2011   JPEGImages, SegmentationClass, ImageSets/Segmentation
  DIR/sbdd/dataset     img, cls, train.txt, val.txt
  DIR/classify         img, train.txt, val.txt: lines of `name class`
  DIR/contact.png      some of the pictures beside their labels

As in the real pair, SBD has labels for every picture and none of them void,
VOC has palette PNGs with void borders for some, VOC val and SBD train share
ids, and seg11valid is VOC val without SBD train. Labels are the same on every
machine; a JPEG's bytes depend on the version of Pillow.
"""

import io
import json
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from data import classes, palette, places
from data.figures.picture import KINDS, crop, picture, voc_label
from data.parallel import each

HOME = places.ROOT / 'data' / 'shapes'
STAMP = 'made.json'  # says what has been written, and that it is complete
VERSION = 6  # of the pictures: another number makes `write` start over
SEED, CROP_SEED = 2015, 2016
CLASSES = [classes.VOC[kind] for kind in KINDS]  # of the crops, 0 first


def write(root=HOME, train=480, val=60, crops=1200, held_out=200):
    """Writes the dataset, unless it is there already.

    Takes: train, val: pictures to learn from and to score on; crops,
        held_out: the same for the classifier
    """
    root = Path(root)
    wanted = dict(
        version=VERSION, train=train, val=val, crops=crops, held_out=held_out
    )
    stamp = root / STAMP
    if stamp.is_file():
        if made(stamp) == dict(wanted, complete=True):
            print(f'{root}: {train} + {val} pictures, already there')
            return
    elif root.is_dir() and any(root.iterdir()):
        raise ValueError(
            f'{root} has other things in it; name a new or empty folder: '
            f'python -m data shapes DIR'
        )
    root.mkdir(parents=True, exist_ok=True)
    stamp.write_text(json.dumps(dict(wanted, complete=False)))
    sheet = _write_pictures(root, train, val)
    _write_crops(root / 'classify', crops, held_out)
    Image.fromarray(_contact(sheet)).save(root / 'contact.png')
    stamp.write_text(json.dumps(dict(wanted, complete=True)))
    print(
        f'{root}: {train} + {val} pictures, {crops} + {held_out} crops of '
        f'{len(CLASSES)} classes; look at contact.png there. Use it with '
        f'--voc {root} --sbd {root}'
    )


def made(stamp):
    """What a stamp says; None of one that was cut off while it was written."""
    try:
        return json.loads(stamp.read_text())
    except ValueError:
        return None


def splits(train, val):
    """The ids of each list.

    Gives: {file from the dataset's root: ids}
    """
    ids = [f'shapes_{number:04}' for number in range(train + val)]
    learn, score = ids[:train], ids[train:]
    shared = train // 12  # of SBD train in VOC val
    voc_train, voc_val = learn[: train // 4], learn[train - shared :] + score
    lists = 'pascal/VOC2011/ImageSets/Segmentation'
    return {
        'sbdd/dataset/train.txt': learn,
        'sbdd/dataset/val.txt': score,
        f'{lists}/train.txt': voc_train,
        f'{lists}/val.txt': voc_val,
        f'{lists}/trainval.txt': voc_train + voc_val,
        f'{lists}/seg11valid.txt': score,
    }


def _write_pictures(root, train, val):
    """Gives: the first held-out pictures with their labels, side by side"""
    voc, sbd = root / 'pascal/VOC2011', root / 'sbdd/dataset'
    lists = splits(train, val)
    for folder in (voc / 'JPEGImages', voc / 'SegmentationClass', sbd / 'img'):
        folder.mkdir(parents=True, exist_ok=True)
    (sbd / 'cls').mkdir(exist_ok=True)
    for file, ids in lists.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text('\n'.join(ids) + '\n')
    labelled = set(lists['pascal/VOC2011/ImageSets/Segmentation/trainval.txt'])
    job = partial(_write_picture, voc, sbd, labelled)
    return list(each(job, range(train + val), 'pictures'))[train:][:40]


def _write_picture(voc, sbd, labelled, number):
    name = f'shapes_{number:04}'
    image, classes, border = picture(SEED, number)
    jpeg = jpeg_bytes(image)
    (voc / 'JPEGImages' / f'{name}.jpg').write_bytes(jpeg)
    (sbd / 'img' / f'{name}.jpg').write_bytes(jpeg)
    (sbd / 'cls' / f'{name}.mat').write_bytes(mat_bytes(classes))
    label = voc_label(classes, border)
    if name in labelled:
        path = voc / 'SegmentationClass' / f'{name}.png'
        palette.save_label(path, label)
    return np.hstack([image, palette.COLOURS[label]])


def _write_crops(root, crops, held_out):
    (root / 'img').mkdir(parents=True, exist_ok=True)
    job = partial(_write_crop, root / 'img')
    lines = list(each(job, range(crops + held_out), 'crops'))
    for split, part in (('train', lines[:crops]), ('val', lines[crops:])):
        (root / f'{split}.txt').write_text('\n'.join(part) + '\n')


def _write_crop(folder, number):
    image, kind = crop(CROP_SEED, number)
    (folder / f'{number:04}.jpg').write_bytes(jpeg_bytes(image))
    return f'{number:04} {KINDS.index(kind)}'


def jpeg_bytes(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, 'JPEG', quality=92)
    return file.getvalue()


def mat_bytes(classes):
    """A MATLAB 5 file with GTcls(1).Segmentation, as SBD's, without the
    boundaries. Its first 116 bytes are free text, where scipy puts the date;
    here nothing changes from one day to the next."""
    present = np.unique(classes[classes > 0]).reshape(-1, 1)
    content = dict(Segmentation=classes, CategoriesPresent=present)
    file = io.BytesIO()
    savemat(file, {'GTcls': content}, do_compression=True, oned_as='column')
    text = b'MATLAB 5.0 MAT-file, generated label'
    return text.ljust(116) + file.getvalue()[116:]


def _contact(tiles, columns=5):
    """Tiles of different sizes on one white sheet."""
    high = max(tile.shape[0] for tile in tiles) + 4
    wide = max(tile.shape[1] for tile in tiles) + 4
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * high, columns * wide, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = i // columns * high, i % columns * wide
        sheet[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return sheet
