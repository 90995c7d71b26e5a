"""How a run begins: its solver, and the weights, or the state, that it starts
from. Berkeley: surgery.interp and copy_from in */solve.py.
"""

import os
import re
from types import SimpleNamespace

import caffe
import surgery
from caffe import resume, snapshot
from caffe.proto import model, text
from training.record import warn
from weights import formats
from weights.load import copy, refuse_strangers, zero_warnings


def solver_of(seed):
    """The solver of the working directory; a seed goes into dropout and into
    the training images' order."""
    param = text.read_solver('solver.prototxt')
    param.snapshot_prefix = snapshot.prefix(param, 'solver.prototxt')
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


def go_on(solver, state, seed):
    """Restores a solver. Gives: lines about what does not go on as it stopped

    Takes: state: path; seed: what was asked for, None if nothing was
    Raises: ValueError if the net has a layer that the state knows nothing of
    """
    learned = model.read_state(state).learned_net
    weights = os.path.abspath(snapshot.beside(state, learned))
    known = formats.read(weights).layers
    if lost := [name for name in solver.net.params if name not in known]:
        raise ValueError(
            f'{weights} has no weights for {", ".join(lost)}: train.prototxt '
            'is not the one that this run began with. Put it back; or begin '
            f'another run from these weights: --weights {weights}'
        )
    solver.restore(state)
    companion = resume.beside(state)
    if not os.path.isfile(companion):
        return [
            f'{companion} is not there: as in Caffe, the order of the images '
            'starts over and dropout draws other numbers'
        ]
    if seed is not None:
        print('--seed changes nothing: the run goes on with its own numbers')
    return []


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
