"""One training run: what it needs before it starts, its start, its rounds,
its log. solve.py calls it; a recipe and the Caffe files say what to do.
"""

import contextlib
import os
import re
from pathlib import Path
from types import SimpleNamespace

import caffe
import surgery
from caffe import resume
from caffe.proto import text
from data.datasets import DATASETS
from data.seg_layer import SegDataLayer
from training import checks, events, parallel, repeat
from training.kept import Kept, new_run
from training.needs import missing, newest, starting_model
from training.ranks import gpu_of, joined
from training.record import recorded, warn
from training.rounds import Run
from weights import formats
from weights.load import (
    choose_device,
    copy,
    refuse_strangers,
    zero_warnings,
)


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
    place = Path.cwd()
    os.chdir(folder)  # prototxt paths count from here, as in Caffe
    args.device = gpu_of(args.device)
    with joined(args.device) as ranks:
        with ranks.first_alone():
            faults = missing(folder, recipe, *given, device=args.device)
            faults += events.missing() if args.tensorboard else []
            if faults:
                raise ValueError('not ready:\n    ' + '\n    '.join(faults))
        train(folder, recipe, args, given, place, ranks)
    return 0


def train(folder, recipe, args, given, place, ranks):
    """Prepares a solver and trains.

    Takes: given: path of the weights, and of the state, to begin with, or
        None; place: where the command was given; ranks: the Ranks that do
        this together, the first of which does what is done once
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
            state = (
                newest(folder, 'solverstate')
                if args.resume == 'newest'
                else given[1]
            )
            solver.restore(ranks.first(str(state)))
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


# start --------------------------------------------------------------------


def solver_of(seed):
    """The solver of the working directory; a seed goes into dropout and into
    the training images' order."""
    param = text.read_solver('solver.prototxt')
    if seed is None:
        return caffe.get_solver(param)
    param.random_seed = seed
    solver = caffe.get_solver(param)
    for node in solver.net.nodes:
        if node.type == 'Python' and not node.bottoms:
            layer, own = node.op.layer, rf'\g<1>{seed}'
            layer.param_str = re.sub(r"('seed': )\d+", own, layer.param_str)
            node.op.ask('setup', node.bottoms, node.tops)
            node.reshape()
    return solver


def begin(net, recipe, weights):
    """Gives a net its first weights and says what became of every parameter.

    Takes: weights: model files: one for each start of the recipe, or one
        instead of them; or ['none']
    Raises: ValueError if a file has nothing for this net, or they leave
        features without weights
    """
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
    surgery.interp(net, upsampling(net))
    zero = zero_warnings(net)
    features = [x for x in zero if not re.search(r'layer score', x)]
    if features and weights != ['none']:
        raise ValueError(
            'nothing can be learned:\n    ' + '\n    '.join(features)
        )
    for line in zero:
        line = line.replace('WARNING: ', '')
        warn(line) if features else print(line)


def upsampling(net):
    """The layers that are made bilinear: as Berkeley, those with `up` in their
    name; but not one with a filler of its own, nor one that learns and has
    been given weights."""
    found = []
    for layer in net.param.layer:
        if layer.name not in net.params or 'up' not in layer.name:
            continue
        filled = layer.convolution_param.HasField('weight_filler')
        learns = not layer.param or layer.param[0].lr_mult
        given = net.params[layer.name][0].tensor.any()
        if not filled and not (learns and given):
            found.append(layer.name)
    return found


def copy_by_name(net, path):
    report = copy(net, path)
    print(report)
    if not report.copied:
        raise ValueError(
            f'{path}: no layer of it is in this net. It has '
            f'{", ".join(report.ignored) or "no parameters"}'
        )


def stored(path):
    """A model file as surgery wants a net: {layer: blobs} in `params`.

    Raises: ValueError if a number in it is none
    """
    held = formats.read(path)
    refuse_strangers(held, path)
    return SimpleNamespace(
        params={
            name: [
                SimpleNamespace(data=blobs[i], shape=blobs[i].shape)
                for i in sorted(blobs)
            ]
            for name, blobs in held.layers.items()
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
