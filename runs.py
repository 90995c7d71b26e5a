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

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

import caffe
import score
import surgery
from caffe.log import GlogFormatter, logger
from caffe.ops.python import find_class
from caffe.proto import text
from weights.load import choose_device, zero_warnings
from weights.published import BY_DIRECTORY

ROOT = Path(__file__).resolve().parent
CLASSIFIERS = {         # starting model: how it is made
    'vgg16-fcn': 'python -m surgery vgg16 VGG_ILSVRC_16_layers.caffemodel',
    'alexnet-fcn': 'python -m surgery caffenet '
                   'bvlc_reference_caffenet.caffemodel',
}
RED, PLAIN = '\033[31m', '\033[0m'


def run(folder, recipe, args):
    """Trains one network directory. Gives: exit status 0

    Takes: folder: with solver.prototxt; recipe: solve.Recipe; args: what
        solve.arguments parsed
    Raises: ValueError, OSError, RuntimeError, before the first iteration if
        anything is missing
    """
    for name, value in (('VOC_DIR', args.voc), ('SBD_DIR', args.sbd)):
        if value:
            os.environ[name] = str(Path(value).expanduser().resolve())
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
                  given[0] or starting_model(folder, recipe.start))
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
    if resume == 'newest' and not newest(folder, 'solverstate'):
        faults.append(f'no .solverstate in {folder}/snapshot to resume from')
    elif resume not in (None, 'newest') and not resume.is_file():
        faults.append(f'{resume}: no such .solverstate')
    elif not resume and weights not in (None, 'none'):
        if not weights.is_file():
            faults.append(f'{weights}: no such model file')
    elif not resume and not weights:
        if not starting_model(folder, recipe.start):
            faults.append(advice(recipe.start))
    splits = {}
    for phase in ('train', 'test'):
        try:
            splits[phase] = ids(folder, phase)
        except (OSError, ValueError) as error:
            faults.append(f'data to {phase} on: {error}')
    both = set(splits.get('train', ())) & set(splits.get('test', ()))
    if both:
        faults.append(
            f'{len(both)} images ({sorted(both)[0]}, ...) are trained on and '
            'tested on: the scores would mean nothing. Choose disjoint splits')
    return faults


def ids(folder, phase):
    """The images that a net of this directory runs on, in order.

    Takes: phase: train or test
    """
    solver = text.read_solver(str(folder / 'solver.prototxt'))
    path = solver.train_net if phase == 'train' else solver.test_net[0]
    layer = text.read_net(str(folder / path)).layer[0]
    kind = find_class(layer.python_param.module, layer.python_param.layer,
                      [folder, folder.parent, ROOT / 'data'])
    source = kind(layer)
    source.param_str = layer.python_param.param_str
    source.params = source.read_params()
    return source.items()


def starting_model(folder, start):
    """The file a network begins from, or None: a published or converted one
    in weights/, or the last snapshot of the network before it."""
    before = folder.parent / start
    published = BY_DIRECTORY.get(start)
    names = [f'{start}.caffemodel']
    names += [published.file] if published and published.file else []
    places = [place / name for place in (before, ROOT / 'weights')
              for name in names]
    return next((p for p in places if p.is_file()),
                newest(before, 'caffemodel'))


def advice(start):
    if start in CLASSIFIERS:
        return (f'no starting weights {ROOT}/weights/{start}.caffemodel: make '
                f'them from the classifier, {CLASSIFIERS[start]}')
    file = BY_DIRECTORY[start].file
    return (f'no trained {start}, from which this net starts: train it, '
            f'python {start}/solve.py; or put its published weights, {file}, '
            f'into {ROOT}/weights ({BY_DIRECTORY[start].address})')


def newest(folder, kind):
    """The snapshot of the highest iteration in a network directory."""
    found = {int(re.search(r'_iter_(\d+)', path.name)[1]): path
             for path in (folder / 'snapshot').glob(f'*_iter_*.{kind}')}
    return found[max(found)] if found else None


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

    Raises: ValueError if the file has nothing for this net, or leaves
        features without weights
    """
    new = set(recipe.new)
    up = [name for name in net.params if 'up' in name]
    if weights == 'none':
        warn('no starting weights: every layer begins at its filler')
    else:
        report = net.copy_from(str(weights))
        print(f'starting from {weights}\n{report}')
        if not report.copied:
            raise ValueError(
                f'{weights}: no layer of it is in this net. It has '
                f'{", ".join(report.ignored) or "no parameters"}')
        lost = [name for name in report.untouched
                if name not in new and name not in up
                and name.startswith('score')]
        if lost:
            warn(f'{weights} has no {", ".join(lost)}: this net continues '
                 f'{recipe.start}, and these layers begin at zero instead. '
                 'To train all streams at once from the classifier, use '
                 'voc-fcn8s-atonce')
    surgery.interp(net, up)
    zero = [line for line in zero_warnings(net)
            if not re.search(r'layer score', line)]
    if zero and weights != 'none':
        raise ValueError('nothing can be learned:\n    ' + '\n    '.join(zero))
    for line in zero_warnings(net):
        warn(line) if zero else print(line.replace('WARNING: ', ''))


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
