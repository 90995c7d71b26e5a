"""One training run: what it needs before it starts, its start, its rounds,
its log. solve.py calls it; a recipe and the Caffe files say what to do.
"""

import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import caffe
import surgery
from caffe import resume
from caffe.proto import model, text
from data.datasets import DATASETS
from data.seg_layer import SegDataLayer
from training import checks
from training.kept import Kept
from training.needs import needs, newest, starting_model
from training.record import recorded
from training.rounds import Run
from weights.load import choose_device, copy, zero_warnings

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
    given = [
        Path(f).resolve() if f and f not in ('newest', 'none') else f
        for f in (args.weights, args.resume)
    ]
    os.chdir(folder)  # prototxt paths count from here, as in Caffe
    faults = missing(folder, recipe, *given, device=args.device)
    if faults:
        raise ValueError('not ready:\n    ' + '\n    '.join(faults))
    with recorded(folder, goes_on=bool(args.resume)):
        print(f'{folder.name} on {choose_device(args.device)}')
        SegDataLayer.skip_bad = args.skip_bad
        largest, lines = checks.images(folder, args.skip_bad)
        solver = caffe.get_solver(settings(args.seed))
        kept = Kept(solver.param.snapshot_prefix)
        kept.clean()
        first = [resume.layer_states(net) for net in solver.test_nets]
        if args.resume:
            solver.restore(
                str(
                    newest(folder, 'solverstate')
                    if args.resume == 'newest'
                    else given[1]
                )
            )
        else:
            begin(
                solver.net,
                recipe,
                [given[0]]
                if given[0]
                else [starting_model(folder, name) for name in recipe.starts],
            )
        end = recipe.rounds * recipe.iterations
        end = end if args.iterations is None else min(end, args.iterations)
        lines += checks.room(solver, end, args.keep)
        lines += checks.lint(solver.param, solver.net.param)
        for line in lines:
            warn(line)
        if line := checks.memory(solver, largest):
            print(line)
        Run(folder, solver, recipe, end, args, kept, first).go()
    return 0


# before -------------------------------------------------------------------


def missing(folder, recipe, weights=None, resume=None, device='cpu'):
    """What must be there before this network can be trained, and is not: a
    line each, with what to do about it."""
    faults = []
    try:
        choose_device(device)
    except (ValueError, RuntimeError) as error:
        faults.append(f'{error} Without one: python {folder.name}/solve.py cpu')
    lacking = {}  # fault: what it keeps from being done
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
                python.param_str = re.sub(
                    r"('seed': )\d+", rf'\g<1>{seed}', python.param_str
                )
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
        raise ValueError(
            'nothing can be learned:\n    ' + '\n    '.join(features)
        )
    for line in zero:
        line = line.replace('WARNING: ', '')
        warn(line) if features else print(line)


def copy_by_name(net, path):
    report = copy(net, path)
    print(report)
    if not report.copied:
        raise ValueError(
            f'{path}: no layer of it is in this net. It has '
            f'{", ".join(report.ignored) or "no parameters"}'
        )


def stored(path):
    """A model file as surgery wants a net: {layer: blobs} in `params`."""
    if model.is_hdf5(path):
        layers = {
            name: [arrays[i] for i in sorted(arrays)]
            for name, arrays in model.read_hdf5(str(path)).items()
        }
    else:
        net, blobs = model.read_model(str(path))
        layers = {
            layer.name: [x.data.reshape(x.shape) for x in each]
            for layer, each in zip(net.layer, blobs)
        }
    return SimpleNamespace(
        params={
            name: [SimpleNamespace(data=x, shape=x.shape) for x in arrays]
            for name, arrays in layers.items()
            if arrays
        }
    )


def warn_of_lost(net, recipe, start):
    """Says which scores begin at zero although the start should have them."""
    lost = [
        name
        for name, blobs in net.params.items()
        if name.startswith('score')
        and name not in recipe.new
        and not blobs[0].tensor.any()
    ]
    if lost:
        atonce = recipe.starts[0].startswith('voc-')
        warn(
            f'{start} has no {", ".join(lost)}: this net continues '
            f'{" and ".join(recipe.starts)}, and these layers begin at zero '
            'instead.' + ' To train all streams at once from the '
            'classifier, use voc-fcn8s-atonce' * atonce
        )


def warn(line):
    colour = sys.stderr.isatty()
    print(
        f'{RED if colour else ""}WARNING: {line}{PLAIN if colour else ""}',
        file=sys.stderr,
    )
