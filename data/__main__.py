"""`python -m data`: what is there, what is missing, what to do next; and the
commands that prepare or look at datasets."""

import argparse
import os
import sys
from pathlib import Path

from data import check, palette, places, shapes


def overview(voc=None, sbd=None):
    """Prints what is there and what is missing, with the next command."""
    missing = False
    for dataset, given in ((places.VOC, voc), (places.SBD, sbd)):
        try:
            root = dataset.find(given)
            print(f'{dataset.name:12} {root}')
        except FileNotFoundError:
            missing = True
            print(f'{dataset.name:12} missing. {dataset.advice()}')
    try:
        ids = places.VOC.split(places.VOC.find(voc), 'seg11valid')
        print(f'seg11valid   {len(ids)} ids')
    except (OSError, ValueError) as error:
        missing = True
        print(f'seg11valid   missing. {error}')
    if (shapes.HOME / shapes.STAMP).is_file():
        print(f'shapes       {shapes.HOME}')
    else:
        print('shapes       not made yet: `python -m data shapes` does it')
    print(
        'next: `python -m data shapes` for the generated dataset, which needs '
        'no download'
        if missing
        else 'next: `python -m data check` opens every image and label'
    )


def splits(voc=None, sbd=None):
    """Writes data/pascal/seg11valid.txt."""
    root = places.VOC.find(voc)
    ids = places.seg11valid(root, places.SBD.find(sbd))
    path = places.ROOT / 'data' / 'pascal' / 'seg11valid.txt'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(ids) + '\n')
    print(f'{path}: {len(ids)} ids, as published')


def convert(files, foreground=None, out=None):
    """Rewrites masks as palette PNGs, in place or into the folder `out`."""
    for path in map(Path, files):
        label = palette.convert(path, foreground)
        if label is None:
            print(f'{path}: is a palette PNG already')
            continue
        target = Path(out or path.parent) / f'{path.stem}.png'
        target.parent.mkdir(parents=True, exist_ok=True)
        palette.save_label(target, label)
        print(f'{target}: {", ".join(map(palette_name, sorted(set(label.flat))))}')


def palette_name(value):
    names = dict(enumerate(palette.CLASSES)) | {palette.VOID: 'void'}
    return f'{value} {names.get(value, "(no VOC class)")}'


def parser():
    top = argparse.ArgumentParser(prog='python -m data', description=__doc__)
    commands = top.add_subparsers(dest='command')
    for name, text in (
        ('check', 'open every image and label of VOC and SBD'),
        ('splits', 'derive data/pascal/seg11valid.txt from VOC2011 and SBD'),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument('--voc', metavar='DIR', help='holds JPEGImages')
        command.add_argument('--sbd', metavar='DIR', help='holds img and cls')
    command = commands.add_parser('shapes', help='write the generated dataset')
    command.add_argument('dir', nargs='?', default=shapes.HOME, type=Path)
    command = commands.add_parser('palette', help='masks to palette PNGs')
    command.add_argument('files', nargs='+', metavar='FILE')
    command.add_argument(
        '--foreground', type=int, metavar='C', help='class that white stands for'
    )
    command.add_argument('-o', dest='out', metavar='DIR', help='not in place')
    return top


def main(words=None):
    given = parser().parse_args(words)
    for name in ('voc', 'sbd'):  # the option is stronger than the variable
        if getattr(given, name, None):
            os.environ[f'{name.upper()}_DIR'] = getattr(given, name)
    if given.command == 'check':
        return 1 if check.check() else 0
    if given.command == 'splits':
        splits()
    elif given.command == 'shapes':
        shapes.write(given.dir)
    elif given.command == 'palette':
        convert(given.files, given.foreground, given.out)
    else:
        overview()
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
