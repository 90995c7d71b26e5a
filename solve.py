"""The driver: one training run of one network directory.

    python solve.py                      what there is, what is missing
    python solve.py voc-fcn8s 0          the same as python voc-fcn8s/solve.py 0
    python voc-fcn8s/solve.py cpu --iterations 2 --weights FILE

A directory's own solve.py holds its recipe. Berkeley: */solve.py.
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
for folder in (ROOT / 'data', ROOT):    # data: for `module: "voc_layers"`
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import runs  # noqa: E402


class Recipe(NamedTuple):
    """What a network's training is, beyond its prototxt files.

    start       where its first weights come from: a network directory, or a
                file in weights/ without its ending
    new         layers that its start does not have; they begin at zero
    rounds      of `iterations` each, with seg_tests after every one
    tests       (score blob, label blob) of each task
    """

    start: str
    new: tuple
    rounds: int
    iterations: int = 4000
    tests: tuple = (('score', 'label'),)


def main(recipe_py, argv=None):
    """What a network directory's solve.py calls with its own path.

    Gives: exit status; errors a person can mend end in one message
    """
    folder = Path(recipe_py).resolve().parent
    args = arguments(folder.name, argv)
    try:
        return runs.run(folder, recipe_of(folder), args)
    except (OSError, ValueError, RuntimeError) as error:
        print(f'{folder.name}: {error}', file=sys.stderr)
        return 1


def arguments(network, argv):
    parser = argparse.ArgumentParser(
        f'python {network}/solve.py',
        description=f"Trains {network} by its recipe and solver.prototxt.")
    add = parser.add_argument
    add('device', nargs='?', default='0',
        help='GPU number; cpu or -1 for none (default: %(default)s)')
    add('--weights', metavar='FILE',
        help='start from these instead of what the recipe says')
    add('--iterations', type=int, metavar='N',
        help='stop after N iterations in all')
    add('--resume', nargs='?', const='newest', metavar='FILE',
        help='go on from a .solverstate; without FILE, from the newest')
    add('--voc', metavar='DIR', help='VOC2011, instead of data/pascal/VOC2011')
    add('--sbd', metavar='DIR', help='SBD, instead of data/sbdd/dataset')
    add('--seed', type=int, metavar='N',
        help='of dropout, and of the image order instead of 1337')
    args = parser.parse_args(argv)
    if args.resume and args.weights:
        parser.error('--resume brings its own weights: leave --weights out')
    if args.iterations is not None and args.iterations < 1:
        parser.error('--iterations must be at least 1')
    return args


def networks():
    """The network directories, in the order of the paper."""
    order = ('32s', '16s', '8s', 'atonce', 'alexnet')
    found = [path.parent for path in ROOT.glob('*/solve.py')]
    return sorted(found, key=lambda path: (
        path.name.split('-')[0] != 'voc', path.name.split('-')[0],
        max((i for i, word in enumerate(order) if word in path.name),
            default=0)))


def recipe_of(folder):
    """The RECIPE of a directory's solve.py; a directory elsewhere may lack
    one and take that of the network it is named after."""
    for path in (folder / 'solve.py', ROOT / folder.name / 'solve.py'):
        if path.is_file():
            spec = importlib.util.spec_from_file_location('recipe', path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module.RECIPE
    raise FileNotFoundError(f'no recipe for {folder}: it has no solve.py')


def overview():
    """Prints each network with what it is waiting for."""
    for folder in networks():
        missing = runs.missing(folder, recipe_of(folder))
        print(f'{folder.name:22}{"ready" if not missing else "needs"}')
        for fault in missing:
            print(f'    {fault}')
    print('\nTo train one: python <network>/solve.py [GPU | cpu]')


def cli(argv):
    if not argv or argv[0].startswith('-'):
        overview()
        return 0
    folder = Path(argv[0])
    if not (folder / 'solver.prototxt').is_file():
        folder = ROOT / argv[0]
    if not (folder / 'solver.prototxt').is_file():
        names = ', '.join(path.name for path in networks())
        print(f'solve.py: no network {argv[0]}; have {names}', file=sys.stderr)
        return 2
    os.chdir(ROOT)
    return main(folder / 'solve.py', argv[1:])


if __name__ == '__main__':
    import solve            # so that recipes and this are one module
    sys.exit(solve.cli(sys.argv[1:]))
