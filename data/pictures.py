"""Pictures as people have them: files named, folders of them, any format.

As a viewer shows a picture, so it is read: turned by its EXIF orientation,
transparent pixels on white. (Datasets are read as their pixels lie: read.py.)
What a depth camera saw lies beside a picture: see `companion`.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = {'.jpg', '.jpeg', '.png', '.bmp', '.gif', '.ppm', '.tif', '.webp'}


def read_picture(path):
    """Gives: H x W x 3 RGB uint8"""
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith('I'):  # 16 bits a pixel
            deep = np.asarray(image).astype(np.int64)
            grey = (deep >> 8 if deep.max() > 255 else deep).astype(np.uint8)
            image = Image.fromarray(grey)
        if 'A' in image.mode or 'transparency' in image.info:
            image = image.convert('RGBA')
            white = Image.new('RGBA', image.size, 'white')
            image = Image.alpha_composite(white, image)
        return np.array(image.convert('RGB'))


def picture_files(places, companions=()):
    """The files named, and those with a picture's suffix in folders named.

    Takes: companions: kinds of files that lie beside pictures and are none
    """
    beside = tuple(f'_{kind}' for kind in companions)
    files = []
    for place in map(Path, places):
        if place.is_dir():
            found = sorted(
                path
                for path in place.iterdir()
                if path.suffix.lower() in SUFFIXES
                and not path.stem.endswith(beside)
            )
            if not found:
                raise FileNotFoundError(f'{place}: no image in this folder')
            files += found
        else:
            files.append(place)
    return list(dict.fromkeys(files))


def companion(path, kind, folder=None):
    """What belongs to a picture: its depth, or its HHA.

    Takes: kind: depth or hha; folder: where these are, under the picture's
           name; without one: room_depth.png beside room.jpg, else
           ../depth/room.png, as NYUDv2 lies
    """
    path = Path(path)
    places = [path.with_name(f'{path.stem}_{kind}.png')]
    places.append(path.parent.parent / kind / f'{path.stem}.png')
    if folder:
        places = [Path(folder, f'{path.stem}.png')]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError(
        f'no {kind} for it at {" or ".join(map(str, places))}; put it there, '
        f'or name its folder with --{kind}'
    )


def output_files(files, out, tasks):
    """(image, (label map, overlay) of each task) for each image, none in
    another's place."""
    taken = {file.resolve(): file for file in files}
    marks = [f'_{task}' for task in tasks] if tasks[1:] else ['']
    jobs = []
    for file in files:
        stems = [out / f'{file.stem}{mark}' for mark in marks]
        targets = [(Path(f'{s}.png'), Path(f'{s}_overlay.jpg')) for s in stems]
        for target in (path for pair in targets for path in pair):
            other = taken.setdefault(target.resolve(), file)
            if other is not file or target.resolve() == file.resolve():
                raise ValueError(
                    f'{target}, for {file}, would take the place of {other} '
                    'or of what is written for it; give -o another folder, '
                    'or images of one name one at a time'
                )
        jobs.append((file, targets))
    return jobs
