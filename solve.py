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
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
for folder in (ROOT / 'data', ROOT):  # data: for `module: "voc_layers"`
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from data.datasets import DATASETS  # noqa: E402
from training import needs, ranks, run  # noqa: E402
from weights.published import BY_DIRECTORY  # noqa: E402


class Recipe(NamedTuple):
    """What a network's training is, beyond its prototxt files.

    start       where its first weights come from: a network directory, or a
                file in weights/ without its ending; or a tuple of these
    new         layers that its start does not have; they begin at zero
    rounds      of `iterations` each, with seg_tests after every one
    tests       (score blob, label blob) of each task
    plant       puts the weights of `start` into the net where copying by
                name does not do: plant(net, *starts), which have `.params`
    """

    start: str | tuple
    new: tuple
    rounds: int
    iterations: int = 4000
    tests: tuple = (('score', 'label'),)
    plant: Callable | None = None

    @property
    def starts(self):
        return (self.start,) if isinstance(self.start, str) else self.start


def main(recipe_py, argv=None):
    """What a network directory's solve.py calls with its own path.

    Gives: exit status; errors a person can mend end in one message
    """
    folder = Path(recipe_py).resolve().parent
    args = arguments(folder.name, argv)
    try:
        return run.run(folder, recipe_of(folder), args)
    except (OSError, ValueError, RuntimeError) as error:
        return ranks.ended_by(error, folder.name)
    except KeyboardInterrupt:
        print(f'{folder.name}: stopped at once', file=sys.stderr)
        return 130


def arguments(network, argv, **more):
    more = more or {
        'prog': f'python {network}/solve.py',
        'description': f'Trains {network} by its recipe and solver.prototxt.',
    }
    parser = argparse.ArgumentParser(**more)
    add = parser.add_argument
    add(
        'device',
        nargs='?',
        default='0',
        help='GPU number; cpu or -1 for none; of several processes on a '
        'machine, started by torchrun, that of the first, and the others '
        'take the next (default: %(default)s)',
    )
    add(
        '--weights',
        metavar='FILE',
        help='start from these instead of what the recipe says; none: from '
        'nothing but the fillers',
    )
    add(
        '--iterations',
        type=int,
        metavar='N',
        help='stop after N iterations in all, if the recipe has more',
    )
    add(
        '--resume',
        nargs='?',
        const='newest',
        metavar='FILE',
        help='go on from a .solverstate; without, the newest of the last run',
    )
    for dataset in DATASETS:
        add(
            f'--{dataset.option}',
            metavar='DIR',
            help=f'{dataset}, instead of {dataset.home}',
        )
    add_how(add)
    args = parser.parse_args(argv)
    if args.resume and args.weights:
        parser.error('--resume brings its own weights: leave --weights out')
    if args.keep is not None and args.keep < 1:
        parser.error('--keep must be at least 1')
    if args.iterations is not None and args.iterations < 1:
        parser.error('--iterations must be at least 1')
    return args


def add_how(add):
    """The options of how a run goes about it. Takes: add: of a parser"""
    add(
        '--seed',
        type=int,
        metavar='N',
        help='of dropout, and of the image order instead of 1337; a run that '
        'is resumed goes on with its own',
    )
    add(
        '--keep',
        type=int,
        metavar='N',
        help='keep only the last N snapshots and the best by mean IU',
    )
    add(
        '--skip-bad',
        action='store_true',
        help='go on without training images that cannot be read',
    )
    add(
        '--tensorboard',
        action='store_true',
        help='write events for TensorBoard beside the log',
    )


def networks():
    """The network directories, the published ones first, in their order."""
    order = [*BY_DIRECTORY]
    found = {path.parent.name: path.parent for path in ROOT.glob('*/solve.py')}
    rank = {name: at for at, name in enumerate(order)}
    return [
        found[name]
        for name in sorted(
            found, key=lambda name: (rank.get(name, len(rank)), name)
        )
    ]


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
    """Prints what each network has, what it lacks, and the next command. What
    several lack is explained once, below."""
    notes = []
    for folder in networks():
        recipe = recipe_of(folder)
        print(folder.name)
        todo = needs.needs(folder, recipe)
        for need in todo:
            if need.fault and need.fault not in notes:
                notes.append(need.fault)
            lacks = [need.name] * bool(need.name) + ['missing']
            print(
                f'    {need.what:8}',
                need.found
                or f'{" ".join(lacks)} [{notes.index(need.fault) + 1}]',
            )
        print(f'    {"weights":8}', own_weights(folder))
        print(f'    {"next":8}', next_command(folder, recipe, todo))
    for number, note in enumerate(notes, 1):
        print(f'\n[{number}] {note}')
    print(
        '\npython <network>/solve.py --help tells the options; cpu for one '
        'without a GPU'
    )


def own_weights(folder):
    """What a network has been trained to, or who has."""
    path = needs.starting_model(folder, folder.name)
    if path:
        return needs.shown(path)
    published = BY_DIRECTORY.get(folder.name)
    if published and published.file:
        return f'none; published: python -m weights fetch {folder.name}'
    return 'none, and none were published'


def next_command(folder, recipe, todo):
    """What to do for a network, given its Needs."""
    for need in todo:
        if need.fault:
            return need.command
    end = recipe.rounds * recipe.iterations
    state = needs.newest(folder, 'solverstate')
    done = int(state.stem.split('_')[-1]) if state else 0
    if done < end:
        return f'python {folder.name}/solve.py' + ' --resume' * bool(done)
    model = needs.shown(needs.newest(folder, 'caffemodel'))
    return f'python -m score {folder.name} --weights {model}'


def cli(argv):
    if argv[:1] in (['-h'], ['--help']):
        text = argparse.RawDescriptionHelpFormatter
        what = {'prog': 'python solve.py <network>', 'description': __doc__}
        arguments('<network>', ['--help'], **what, formatter_class=text)
    if not argv:
        try:
            overview()
            sys.stdout.flush()
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    import solve  # so that recipes and this are one module

    sys.exit(solve.cli(sys.argv[1:]))
