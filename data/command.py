"""`python -m data`: what is there, what is missing, what to do next; and the
commands that prepare or look at datasets."""

import argparse
import os
from pathlib import Path

from data import check, classes, palette, places, shapes
from data.datasets import DATASETS, standing


def overview():
    """Prints what is there and what is missing, with the next command."""
    missing = []
    for kind in check.KINDS.values():
        try:
            print(f'{kind.name:14} {kind.dataset.find()}')
        except FileNotFoundError:
            missing.append(kind.name)
            print(f'{kind.name:14} missing. {kind.dataset.advice()}')
            continue
        for split in kind.splits:
            try:
                ids = check.reader(kind, split).indices
                note = standing(f'{kind.name} {split}', ids) or 'found'
                print(f'  {split:12} {len(ids)} ids, {note}')
            except (OSError, ValueError) as error:
                missing.append(split)
                print(f'  {split:12} {error}')
    if (shapes.HOME / shapes.STAMP).is_file():
        print(f'shapes         {shapes.HOME}')
    else:
        print('shapes         not made yet: `python -m data shapes` makes it')
    print(
        'next: `python -m data shapes`, a generated dataset for all commands '
        'that needs no download'
        if {'VOC', 'SBD', 'seg11valid'} & {*missing}
        else 'next: `python -m data check` opens every image and label'
    )


def splits():
    """Writes data/pascal/seg11valid.txt."""
    ids = places.seg11valid(places.VOC.find(), places.SBD.find())
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
        print(
            f'{target}: {", ".join(map(palette_name, sorted(set(label.flat))))}'
        )


def palette_name(value):
    names = dict(enumerate(classes.VOC)) | {classes.VOID: 'void'}
    return f'{value} {names.get(value, "(no VOC class)")}'


def parser():
    top = argparse.ArgumentParser(prog='python -m data', description=__doc__)
    commands = top.add_subparsers(dest='command')
    for name, text in (
        ('check', 'open every image and label of a dataset'),
        ('splits', 'derive data/pascal/seg11valid.txt from VOC2011 and SBD'),
    ):
        command = commands.add_parser(name, help=text)
        for dataset in DATASETS if name == 'check' else DATASETS[:2]:
            command.add_argument(
                f'--{dataset.option}', metavar='DIR', help=f'where {dataset} is'
            )
        if name == 'check':
            command.add_argument(
                'words',
                nargs='*',
                metavar='DATASET',
                help=f'{", ".join(check.WORDS)} (default: voc, which is VOC '
                'and SBD, and what else is there)',
            )
    command = commands.add_parser('shapes', help='write the generated dataset')
    command.add_argument('dir', nargs='?', default=shapes.HOME, type=Path)
    command = commands.add_parser('palette', help='masks to palette PNGs')
    command.add_argument('files', nargs='+', metavar='FILE')
    command.add_argument(
        '--foreground',
        type=int,
        metavar='C',
        help='class that white stands for',
    )
    command.add_argument('-o', dest='out', metavar='DIR', help='not in place')
    return top


def main(words=None):
    top = parser()
    given = top.parse_args(words)
    for dataset in DATASETS:  # the option is stronger than the variable
        if getattr(given, dataset.option, None):
            os.environ[dataset.env] = getattr(given, dataset.option)
    if given.command == 'check':
        strange = set(given.words) - {*check.WORDS}
        if strange:
            top.error(f'no dataset {strange.pop()}; {", ".join(check.WORDS)}')
        return 1 if check.check(given.words) else 0
    if given.command == 'splits':
        splits()
    elif given.command == 'shapes':
        shapes.write(given.dir)
    elif given.command == 'palette':
        convert(given.files, given.foreground, given.out)
    else:
        overview()
    return 0
