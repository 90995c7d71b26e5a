"""One run of a study, from its edits to its result. It is trained as any
network directory is (training/run.py), so it can be stopped and goes on.
"""

import contextlib
import json
import platform
import shlex
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch

import miniature
import solve
from ablations import measure, result
from ablations.studies import apply
from ablations.variant import Variant
from caffe.proto.files import replacing
from score.log import read_log
from score.report import peak_memory
from training import checks, needs
from training import run as training
from training.repeat import commit
from weights.load import choose_device

KEEP = 1  # snapshots, and the best: a study has many runs
TRAINED = 'trained.json'  # facts of a training, though it is not measured


def variant_of(run, shapes):
    """What a run trains, as a Variant. Takes: shapes: see grid.Settings"""
    variant = Variant.read(run.source)
    solver, count = variant.solver, run.iterations
    if shapes:
        miniature.shrink(variant.nets.values(), solver, count, count)
    solver.max_iter = count
    solver.snapshot = min(solver.snapshot or count, count)
    return apply(variant, run.edits)


def prepare(run, shapes):
    """Writes a run's network directory, unless it is there.

    Raises: ValueError if another one is
    """
    must_be_current(run, shapes).write(run.folder)


def must_be_current(run, shapes):
    """Refuses a network directory that is not what a run is now. Gives:
    Variant that it is"""
    variant = variant_of(run, shapes)
    for name, content in variant.texts().items():
        path = run.folder / name
        if path.is_file() and path.read_text() != content:
            raise ValueError(
                f'{path} is not what this run would be trained with: the '
                f'network or the edits have changed since. Move {run.folder} '
                'away, or choose another --out'
            )
    return variant


def train(run, tests, shapes, device, options, start=None):
    """Trains and measures; goes on where it was stopped. Gives: whether it
    came to its end

    Takes: tests: see Study; options: of solve.py, which say where the data
        is; start: model file for networks that start from a classifier
    Raises: what training.run raises; ValueError if a run that this one needs
        has not finished
    """
    for need in run.needs:
        if not need.finished:
            raise ValueError(f'{need.name} has to be trained first')
    prepare(run, shapes)
    facts = trained(run, device, options, start)
    if not run.model.is_file():
        return False  # stopped by a signal
    counts, *more = measure.measure(run.folder, run.model, tests, device)
    if result.tests_of(run.folder):  # but not all of these
        counts = {**result.load(run.folder).counts, **counts}
    facts['tests'] = list(counts)
    result.save(result.Result(facts, counts, *more), run.folder)
    return True


def trained(run, device, options, start):
    """Trains, as far as signals let it. Gives: facts of a Result, of this and
    of earlier parts of the training"""
    recipe = solve.recipe_of(run.source)
    begins = starts(run, recipe, start)
    path, began = run.folder / TRAINED, time.time()
    before = json.loads(path.read_text()) if path.is_file() else {}
    if run.model.is_file():
        unknown = dict.fromkeys(('seconds', 'memory'))
        return before or {**facts_of(run, begins, device, began), **unknown}
    args = [device, *options, '--seed', str(run.seed), '--keep', str(KEEP)]
    state = needs.newest(run.folder, 'solverstate')
    args += ['--resume'] if state else ['--weights', str(begins)]
    args += ['--iterations', str(run.iterations)]
    parsed = solve.arguments(run.network, args)
    with looked_at_once(run.folder):
        training.run(run.folder, shortened(recipe, run.iterations), parsed)
    facts = facts_of(run, begins, device, began)
    if state and before:
        facts['began'] = before['began']
        facts['seconds'] += before['seconds']
    with replacing(path) as temporary:
        Path(temporary).write_text(json.dumps(facts))
    return facts


@contextlib.contextmanager
def looked_at_once(folder):
    """Shares with the other runs what is known of the images."""
    own = folder / checks.SCANNED
    common = folder.parents[2] / own.name
    if common.is_file() and not own.is_file():
        own.parent.mkdir(exist_ok=True)
        shutil.copyfile(common, own)
    yield
    if own.is_file():
        with replacing(common) as temporary:
            shutil.copyfile(own, temporary)


def starts(run, recipe, given):
    """The model file a run begins from."""
    if len(recipe.starts) > 1:
        raise ValueError(
            f'{run.network} starts from {" and ".join(recipe.starts)}, two '
            'files: studies are of networks that start from one'
        )
    if run.needs:
        return run.needs[0].model
    name = recipe.starts[0]
    if given and given.stem != name:
        raise ValueError(
            f'{run.network} starts from {name}, which --shapes has not: it has '
            f'{given.stem}'
        )
    path = given or needs.starting_model(run.source, name)
    if path is None:
        raise ValueError(needs.begun(run.source, name).fault)
    return path


def shortened(recipe, iterations):
    """The recipe with tests as often as published or, in a run too short for
    two of them, after its half and its end."""
    each = min(recipe.iterations, -(-iterations // 2))
    return recipe._replace(rounds=-(-iterations // each), iterations=each)


def facts_of(run, start, device, began):
    """The facts of a Result. Takes: began: seconds since the epoch"""
    chosen = choose_device(device)
    return {
        'network': run.network,
        'edits': run.edits,
        'seed': run.seed,
        'iterations': run.iterations,
        'folder': str(run.folder),
        'command': shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        'start': [str(start)],
        'device': chosen,
        'threads': torch.get_num_threads(),
        'torch': torch.__version__,
        'python': platform.python_version(),
        'code': commit(),
        'began': time.strftime('%Y-%m-%d %H:%M', time.localtime(began)),
        'seconds': time.time() - began,
        'iterations_per_second': speed_of(run.folder),
        'memory': peak_memory(chosen),
    }


def speed_of(folder):
    """The median of what a run's logs say; None where they say nothing."""
    speed = read_log(folder).train.get('speed')
    known = [] if speed is None else speed.value[speed.value > 0]
    return float(np.median(known)) if len(known) else None
