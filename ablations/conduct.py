"""Studies from their command to their pages: data, runs, what came of them."""

import logging
import os
import shlex
import sys
from pathlib import Path

import demo
import miniature
import networks
from ablations import bound_page, grid, page, result
from ablations.jobs import Jobs
from ablations.studies import STUDIES, upper_bound
from ablations.train import train
from caffe.log import logger
from data import shapes
from data.datasets import DATASETS
from data.parallel import cores

SHAPES_ITERATIONS = 250  # of each network, unless --iterations says others
NOTE = (
    'Slim networks on generated pictures, a few hundred iterations with Adam: '
    'what this page says, it says of these. It shows that the study works; '
    'without --shapes it is done on the papers’ data.'
)
GENERATED = 'The labels are those of generated pictures, not of VOC.'
PROGRAM = sys.executable, str(networks.ROOT / 'ablate.py')
TRUNK = networks.ROOT / 'demo/vgg16-fcn/vgg16-fcn.caffemodel'


def studies(args):
    """Takes: args: of ablate.py. Gives: exit status

    Raises: ValueError, OSError if a study cannot begin
    """
    settings = grid.Settings(
        Path(args.out).resolve(),
        args.seeds,
        args.iterations or (SHAPES_ITERATIONS if args.shapes else None),
        args.shapes,
    )
    runs = grid.in_order(
        run
        for name in args.studies
        for cell in grid.cells(name, settings, args.nets).values()
        for run in cell
    )
    if args.print:
        for run in runs:
            if not run.finished:
                print(line(command(args, settings, run)))
        return 0
    if not args.only:
        logger.setLevel(logging.WARNING)  # the runs have logs of their own
    options, start = data(args)
    if args.only:
        return only(args, runs, settings, options, start)
    work = jobs(args, settings)
    failed = work.do(runs)
    if work.stopped:
        print('stopped; the same command goes on')
        return 0
    for name in args.studies:
        print(write(name, args, settings, failed))
    if failed:
        print(f'{len(failed)} of {len(runs)} runs failed', file=sys.stderr)
    return 1 if failed else 0


def data(args):
    """Gives: options of solve.py that say where the data is; the model file
    to start from, None for what the recipes say"""
    options = []
    for dataset in DATASETS:
        if place := getattr(args, dataset.option):
            os.environ[dataset.env] = str(Path(place).expanduser().resolve())
            options += [f'--{dataset.option}', os.environ[dataset.env]]
    if not args.shapes:
        return options, None
    if options:
        raise ValueError(f'--shapes brings its data: leave out {options[0]}')
    shapes.write(shapes.HOME)
    os.environ['VOC_DIR'] = os.environ['SBD_DIR'] = str(shapes.HOME)
    demo.train_classifier(TRUNK, shapes.HOME, miniature.CLASSIFIER)
    return ['--voc', str(shapes.HOME), '--sbd', str(shapes.HOME)], TRUNK


def command(args, settings, run):
    """The words after `ablate.py` that do one run."""
    words = [word for word in args.argv if word != '--print']
    return ['--only', run.name, *words]


def only(args, runs, settings, options, start):
    """Does one run. Gives: exit status"""
    found = [run for run in runs if run.name == args.only]
    if not found:
        raise ValueError(f'--only {args.only}: no such run of this study')
    tests = {}
    for name in args.studies:
        tests |= STUDIES[name].tests
    tests = {name: tests[name] for name in found[0].tests}
    train(found[0], tests, args.shapes, args.device, options, start)
    return 0


def jobs(args, settings):
    return Jobs(
        lambda run: [*PROGRAM, *command(args, settings, run)],
        args.jobs or (cores() if args.shapes else 1),
        cpu=args.device == 'cpu',
    )


def write(name, args, settings, failed):
    """The page of a study, of what has finished. Gives: its path"""
    study, out = STUDIES[name], settings.out / name
    out.mkdir(parents=True, exist_ok=True)
    commands = [line(args.argv)]
    if not study.arms:
        bound = upper_bound.run((args.nets or study.nets)[0])
        note = GENERATED if args.shapes else ''
        return bound_page.write(name, study, bound, out, commands, note)
    cells, lost = {}, []
    for (net, arm), runs in grid.cells(name, settings, args.nets).items():
        results = [result.load(run.folder) for run in runs if run.finished]
        for test in study.tests:
            cells[net, arm, test] = results
        for run in runs:
            commands.append(line(command(args, settings, run)))
            if run.folder in failed:
                lost.append((run.name, failed[run.folder]))
    note = NOTE if args.shapes else ''
    return page.write(name, study, cells, lost, out, commands, note)


def line(words):
    return shlex.join(['python', 'ablate.py', *words])
