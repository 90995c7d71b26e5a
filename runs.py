"""One training run: what it needs before it starts, its start, its rounds,
its log. solve.py calls it; a recipe and the Caffe files say what to do.
"""

import contextlib
import logging
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

import caffe
import score
import surgery
from caffe.log import GlogFormatter, logger
from caffe.proto import model, text
from data.datasets import DATASETS
from needs import ids, needs, newest, starting_model
from weights.load import choose_device, zero_warnings

RED, PLAIN = '\033[31m', '\033[0m'


def run(folder, recipe, args):
    """Trains one network directory. Gives: exit status 0

    Takes: folder: with solver.prototxt; recipe: solve.Recipe; args: what
        solve.arguments parsed
    Raises: ValueError, OSError, RuntimeError, before the first iteration if
        anything is missing
    """
    for dataset in DATASETS:
        if value := getattr(args, dataset.option):
            os.environ[dataset.env] = str(Path(value).expanduser().resolve())
    given = [Path(f).resolve() if f and f not in ('newest', 'none') else f
             for f in (args.weights, args.resume)]
    os.chdir(folder)        # prototxt paths count from here, as in Caffe
    faults = missing(folder, recipe, *given, device=args.device)
    if faults:
        raise ValueError('not ready:\n    ' + '\n    '.join(faults))
    with recorded(folder):
        print(f'{folder.name} on {choose_device(args.device)}')
        solver = caffe.get_solver(settings(args.seed))
        if args.resume:
            solver.restore(str(newest(folder, 'solverstate')
                               if args.resume == 'newest' else given[1]))
        else:
            begin(solver.net, recipe,
                  [given[0]] if given[0] else
                  [starting_model(folder, name) for name in recipe.starts])
        rounds(solver, recipe, args.iterations)
    return 0


# before -------------------------------------------------------------------


def missing(folder, recipe, weights=None, resume=None, device='cpu'):
    """What must be there before this network can be trained, and is not: a
    line each, with what to do about it."""
    faults = []
    try:
        choose_device(device)
    except (ValueError, RuntimeError) as error:
        faults.append(f'{error} Without one: '
                      f'python {folder.name}/solve.py cpu')
    lacking = {}            # fault: what it keeps from being done
    for need in needs(folder, recipe, weights, resume):
        if need.fault:
            lacking.setdefault(need.fault, []).append(need.what)
    for fault, what in lacking.items():
        data = f'data to {" and ".join(what)} on: '
        faults.append(data * (what[0] in ('train', 'test')) + fault)
    return faults


# start --------------------------------------------------------------------


def settings(seed):
    """The SolverParameter of the working directory; a seed goes into dropout
    and into the training images' order."""
    param = text.read_solver('solver.prototxt')
    if seed is not None:
        param.random_seed = seed
        net = text.read_net(param.train_net)
        for layer in net.layer:
            if layer.type == 'Python':
                python = layer.python_param
                python.param_str = re.sub(r"('seed': )\d+", rf'\g<1>{seed}',
                                          python.param_str)
        param.ClearField('train_net')
        param.train_net_param.CopyFrom(net)
    return param


def begin(net, recipe, weights):
    """Gives a net its first weights and says what became of every parameter.

    Takes: weights: model files: one for each start of the recipe, or one
        instead of them; or ['none']
    Raises: ValueError if a file has nothing for this net, or they leave
        features without weights
    """
    up = [name for name in net.params if 'up' in name]
    start = ' and '.join(map(str, weights))
    if weights == ['none']:
        warn('no starting weights: every layer begins at its filler')
    else:
        print(f'starting from {start}')
        if recipe.plant and len(weights) == len(recipe.starts):
            recipe.plant(net, *map(stored, weights))
        else:
            copy_by_name(net, weights[0])
        warn_of_lost(net, recipe, start)
    surgery.interp(net, up)
    zero = zero_warnings(net)
    features = [x for x in zero if not re.search(r'layer score', x)]
    if features and weights != ['none']:
        raise ValueError('nothing can be learned:\n    '
                         + '\n    '.join(features))
    for line in zero:
        warn(line) if features else print(line.replace('WARNING: ', ''))


def copy_by_name(net, path):
    report = net.copy_from(str(path))
    print(report)
    if not report.copied:
        raise ValueError(
            f'{path}: no layer of it is in this net. It has '
            f'{", ".join(report.ignored) or "no parameters"}')


def stored(path):
    """A model file as surgery wants a net: {layer: blobs} in `params`."""
    if model.is_hdf5(path):
        layers = {name: [arrays[i] for i in sorted(arrays)]
                  for name, arrays in model.read_hdf5(str(path)).items()}
    else:
        net, blobs = model.read_model(str(path))
        layers = {layer.name: [x.data.reshape(x.shape) for x in each]
                  for layer, each in zip(net.layer, blobs)}
    return SimpleNamespace(params={
        name: [SimpleNamespace(data=x, shape=x.shape) for x in arrays]
        for name, arrays in layers.items() if arrays})


def warn_of_lost(net, recipe, start):
    """Says which scores begin at zero although the start should have them."""
    lost = [name for name, blobs in net.params.items()
            if name.startswith('score') and name not in recipe.new
            and not blobs[0].tensor.any()]
    if lost:
        atonce = recipe.starts[0].startswith('voc-')
        warn(f'{start} has no {", ".join(lost)}: this net continues '
             f'{" and ".join(recipe.starts)}, and these layers begin at zero '
             'instead.' + ' To train all streams at once from the '
             'classifier, use voc-fcn8s-atonce' * atonce)


def warn(line):
    colour = sys.stderr.isatty()
    print(f'{RED if colour else ""}WARNING: {line}{PLAIN if colour else ""}',
          file=sys.stderr)


# run ----------------------------------------------------------------------


def rounds(solver, recipe, limit):
    """Steps and tests in turn until the schedule, or the limit, is reached;
    the last weights are always kept."""
    end = recipe.rounds * recipe.iterations
    end = end if limit is None else min(end, limit)
    for net in solver.test_nets[:1]:
        net.set_keep([blob for pair in recipe.tests for blob in pair])
    val = ids(Path.cwd(), 'test')
    with shown(solver, end):
        while solver.iter < end:
            steps = recipe.iterations - solver.iter % recipe.iterations
            solver.step(min(steps, end - solver.iter))
            if limit is None or solver.iter % recipe.iterations == 0:
                for layer, gt in recipe.tests:
                    score.seg_tests(solver, False, val, layer=layer, gt=gt)
    if solver.iter % (solver.param.snapshot or solver.iter + 1):
        solver.snapshot()


@contextlib.contextmanager
def shown(solver, end):
    """A progress bar on a terminal; a log has its lines."""
    if not sys.stderr.isatty():
        yield
        return
    with logging_redirect_tqdm([logger]), tqdm(
            total=end, initial=solver.iter, unit='iter') as bar:
        solver.add_callback(lambda: None, bar.update)
        yield


@contextlib.contextmanager
def recorded(folder):
    """Everything that is printed, and Caffe's log lines, into a file of this
    run as well."""
    path = folder / f'train-{datetime.now():%Y%m%d-%H%M%S}.log'
    with open(path, 'a', buffering=1) as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(GlogFormatter())
        logger.addHandler(handler)
        try:
            with contextlib.redirect_stdout(Tee(sys.stdout, file)):
                print(f'log: {path}')
                yield
        finally:
            logger.removeHandler(handler)


class Tee:
    """Writes to several files at once."""

    def __init__(self, *files):
        self.files = files

    def write(self, string):
        for file in self.files:
            file.write(string)
        return len(string)

    def flush(self):
        for file in self.files:
            file.flush()

    def isatty(self):
        return self.files[0].isatty()
