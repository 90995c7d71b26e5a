"""What Caffe's SolverState has no field for, in a file beside it: random
state, positions in the data, the average of the displayed loss.

Not in Caffe, which draws anew and starts its data over. JSON, and only what
continues a run bit by bit on the device it ran on. A Python layer that has
`state()` (plain values) and `set_state(values)` is asked for its position;
Caffe's own data layers start over, which is logged.
"""

import base64
import json
import os

import numpy as np
import torch

from caffe import device
from caffe.log import logger
from caffe.proto.files import replacing

VERSION = 1
OVER = ('Data', 'ImageData', 'HDF5Data', 'WindowData', 'MemoryData')


def beside(state):
    """The path of a .solverstate's companion."""
    head, _, _ = os.fspath(state).rpartition('.solverstate')
    return f'{head}.resume.json'


def write(solver, state):
    """Takes: state: path of the .solverstate this goes with"""
    average = solver.average
    average.settle()
    known = {
        'version': VERSION,
        'iter': solver.iter,
        'stop': solver.stop,
        'run': solver.run,
        'carried': solver.carried,
        'average': {
            'start': average.start,
            'value': float(average.average),
            'losses': [float(loss) for loss in average.losses],
        },
        'random': random_states(),
        'layers': [layer_states(net) for net in nets(solver)],
    }
    with replacing(beside(state)) as temporary:
        with open(temporary, 'w') as file:
            json.dump(known, file)


def read(state, iteration):
    """What was written with a state. Gives: None if Caffe wrote the state, or
    someone moved it without its companion

    Raises: RuntimeError if the file beside is of something else
    """
    path = beside(state)
    try:
        with open(path) as file:
            known = json.load(file)
        fits = known['version'] == VERSION and known['iter'] == iteration
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise RuntimeError(
            f'{path} does not belong to {state} (iteration {iteration}). '
            'Without that file the run goes on as in Caffe: the images start '
            'over, the random numbers differ'
        )
    return known


def restore(solver, known):
    """Takes: known: what `read` gave"""
    for net, states in zip(nets(solver), known['layers']):
        set_layer_states(net, states)
    solver.run = known.get('run', '')
    solver.carried = known.get('carried', {})
    average, saved = solver.average, known['average']
    average.restart(saved['start'])
    average.losses = [np.float32(loss) for loss in saved['losses']]
    average.average = np.float32(saved['value'])
    set_random_states(known['random'])


def random_states():
    """{device: state of its generator}, in JSON's types"""
    return {
        str(where): base64.b64encode(
            generator.get_state().numpy().tobytes()
        ).decode()
        for where, generator in device.generators().items()
    }


def set_random_states(states):
    """Takes: states: what `random_states` gave, here or on another device"""
    here = str(device.device())
    for where, text in states.items():
        if where in ('cpu', here):
            array = np.frombuffer(base64.b64decode(text), np.uint8)
            device.generator(torch.device(where)).set_state(
                torch.from_numpy(array.copy())
            )
    if here not in states and here != 'cpu':
        logger.warning(
            'resuming on %s what ran on %s: dropout draws other numbers',
            here,
            ', '.join(states),
        )


def nets(solver):
    return [solver.net, *solver.test_nets]


def layer_states(net):
    """{name: state} of the Python layers that offer one."""
    return {
        name: layer.state()
        for name, layer in net.layer_dict.items()
        if hasattr(layer, 'set_state')
    }


def set_layer_states(net, states):
    for name, layer in net.layer_dict.items():
        if hasattr(layer, 'set_state') and name in states:
            layer.set_state(states[name])
        elif layer.type in OVER:
            logger.warning(
                "layer '%s': %s starts its data over, as in Caffe",
                name,
                layer.type,
            )
