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
from ablations.ready import must_be_ready
from ablations.studies import STUDIES, upper_bound
from ablations.train import must_be_current, train
from ablations.turns import in_turn
from caffe.log import logger
from data import shapes
from data.datasets import DATASETS
from data.parallel import cores

SHAPES_ITERATIONS = 200  # of each network, unless --iterations says others
NOTE = (
    'Slim networks on generated pictures, a few hundred iterations with Adam '
    'at one rate for all: what this page says, it says of these. It shows that '
    'the study works; without --shapes it is done on the papers’ data.'
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
                print(line(command(args, run)))
        return 0
    if not args.only:
        logger.setLevel(logging.WARNING)  # the runs have logs of their own
    if 'upper-bound' in args.studies:
        upper_bound.must_be_one_split(args.nets or ())
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f'--out {args.out}: {error.strerror}') from error
    options, start = data(args)
    if args.only:
        return only(args, runs, options, start)
    wanted = [run for run in runs if not run.finished]
    must_be_ready(wanted, args.shapes, args.device, start)
    work = jobs(args)
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
    with in_turn(TRUNK.parent):
        shapes.write(shapes.HOME)
        demo.train_classifier(TRUNK, shapes.HOME, miniature.CLASSIFIER)
    os.environ['VOC_DIR'] = os.environ['SBD_DIR'] = str(shapes.HOME)
    return ['--voc', str(shapes.HOME), '--sbd', str(shapes.HOME)], TRUNK


def command(args, run):
    """The words after `ablate.py` that do one run."""
    words = [word for word in args.argv if word != '--print']
    return ['--only', run.name, *words]


def only(args, runs, options, start):
    """Does one run. Gives: exit status"""
    run = next((run for run in runs if run.name == args.only), None)
    if run is None:
        raise ValueError(f'--only {args.only}: no such run of this study')
    tests = {}
    for name in args.studies:
        tests |= STUDIES[name].tests
    tests = {name: tests[name] for name in run.tests}
    with in_turn(run.folder):
        if run.finished:
            print(f'{run.name}: already there')
            return 0
        must_be_ready([run], args.shapes, args.device, start)
        train(run, tests, args.shapes, args.device, options, start)
    return 0


def jobs(args):
    return Jobs(
        lambda run: [*PROGRAM, *command(args, run)],
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
    if args.shapes:
        study = study._replace(published={})  # of other images
    cells = {}
    found = grid.cells(name, settings, args.nets)
    for (net, arm), runs in found.items():
        results = [loaded(run, args.shapes, failed) for run in runs]
        for test in study.tests:
            cells[net, arm, test] = [each for each in results if each]
    runs = grid.in_order(run for cell in found.values() for run in cell)
    commands += [line(command(args, run)) for run in runs]
    lost = [(r.name, failed[r.folder]) for r in runs if r.folder in failed]
    note = NOTE if args.shapes else ''
    return page.write(name, study, cells, lost, out, commands, note)


def loaded(run, as_shapes, failed):
    """The Result of a run; None if there is none, or it is damaged or of
    another net: then it is among the failed."""
    if not run.finished:
        return None
    try:
        must_be_current(run, as_shapes)
        return result.load(run.folder)
    except ValueError as error:
        failed[run.folder] = str(error)
        return None


def line(words):
    return shlex.join(['python', 'ablate.py', *words])
