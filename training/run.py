"""One training run: what it needs before it starts, its start, its rounds,
its log. solve.py calls it; a recipe and the Caffe files say what to do.
"""

import contextlib
import os
from pathlib import Path

from caffe import resume
from data.datasets import DATASETS
from data.seg_layer import SegDataLayer
from training import checks, events, parallel, repeat
from training.alone import alone
from training.kept import Kept, new_run
from training.needs import missing, newest, starting_model
from training.ranks import gpu_of, joined
from training.record import recorded, warn
from training.rounds import Run
from training.start import begin, go_on, solver_of
from weights.load import choose_device


def run(folder, recipe, args):
    """Trains one network directory. Gives: exit status 0

    Takes: folder: with solver.prototxt; recipe: solve.Recipe; args: what
        solve.arguments parsed
    Raises: ValueError, OSError, RuntimeError, before the first iteration if
        anything is missing
    """
    for dataset in DATASETS:
        if value := getattr(args, dataset.option):
            os.environ[dataset.env] = str(absolute(value))
    given = absolute(args.weights, 'none'), absolute(args.resume, 'newest')
    place = Path.cwd()
    os.chdir(folder)  # prototxt paths count from here, as in Caffe
    args.device = gpu_of(args.device)
    with joined(args.device) as ranks:
        with ranks.first_alone():
            faults = missing(folder, recipe, *given, device=args.device)
            faults += events.missing() if args.tensorboard else []
            if faults:
                raise ValueError('not ready:\n    ' + '\n    '.join(faults))
        with contextlib.nullcontext() if ranks.rank else alone(folder):
            train(folder, recipe, args, given, place, ranks)
    return 0


def absolute(path, *words):
    """Takes: words: what stands as it is, as None does"""
    if path in (None, *words):
        return path
    return Path(path).expanduser().resolve()


def train(folder, recipe, args, given, place, ranks):
    """Prepares a solver and trains.

    Takes: given: paths of the weights, and of the state, to begin with; or
        None; or 'none', and 'newest'; place: where the command was given;
        ranks: the Ranks that do this together, the first of which does what
        is done once
    """
    main = not ranks.rank
    record = recorded(folder, goes_on=bool(args.resume))
    with record if main else contextlib.nullcontext() as record:
        for line in repeat.head(place, ranks.command()):
            print(line)
        device = choose_device(args.device)
        others = f', {ranks.count} ranks' * (ranks.count > 1)
        print(f'{folder.name} on {device}, {repeat.threads()}{others}')
        SegDataLayer.skip_bad = args.skip_bad
        largest, lines = (
            checks.images(folder, args.skip_bad) if main else (None, [])
        )
        largest = ranks.first(largest)
        solver = solver_of(args.seed)
        parallel.attach(solver, ranks)
        kept = Kept(solver.param.snapshot_prefix)
        if main:
            kept.clean()
        first = [resume.layer_states(net) for net in solver.test_nets]
        if args.resume:
            state = given[1]
            if state == 'newest':
                state = newest(folder, 'solverstate')
            lines += go_on(solver, ranks.first(str(state)), args.seed)
            lines += kept.goes_on(solver)
        else:
            begin(
                solver.net,
                recipe,
                [given[0]]
                if given[0]
                else [starting_model(folder, name) for name in recipe.starts],
            )
            lines += kept.afresh()
            solver.run = new_run()
        lines += parallel.begin(solver, ranks, bool(args.resume))
        end = recipe.rounds * recipe.iterations
        end = end if args.iterations is None else min(end, args.iterations)
        lines += checks.room(solver, end, args.keep) if main else []
        lines += checks.lint(solver.param, solver.net.param)
        for line in lines:
            warn(line)
        if line := checks.memory(solver, largest):
            print(line)
        if main:
            kept.begin(solver.run)
            record.put_beside(solver)
            if args.tensorboard:
                record.write_events(solver, solver.iter in kept.scores())
        Run(folder, solver, recipe, end, args, kept, first, ranks).go()
