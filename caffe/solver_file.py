"""What a solver file asks for: its settings, one net to train, any number of
nets to test.

Caffe: upgrade_proto.cpp, solver.cpp Init, InitTrainNet, InitTestNets; spec
section E.1.
"""

import os
from pathlib import Path

from caffe import snapshot
from caffe.log import logger
from caffe.net import TEST, TRAIN, Net
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text

TRAIN_FIELDS = 'net', 'net_param', 'train_net', 'train_net_param'


def load(source):
    """A SolverParameter from the path of a prototxt, or the one given."""
    if isinstance(source, pb.SolverParameter):
        return source
    return text.read_solver(os.fspath(source))


def read(source):
    """Gives: (a SolverParameter of our own, the folder it comes from)"""
    param, folder = pb.SolverParameter(), os.getcwd()
    param.CopyFrom(load(source))
    if not isinstance(source, pb.SolverParameter):
        path = os.fspath(source)
        param.snapshot_prefix = snapshot.prefix(param, path)
        folder = os.path.dirname(os.path.abspath(path))
    return param, folder


def check(param):
    """What Caffe checks before it builds the nets."""
    if param.average_loss < 1:
        raise RuntimeError('average_loss should be non-negative.')
    if param.iter_size < 1:
        raise RuntimeError(f'iter_size must be > 0, not {param.iter_size}')
    if param.snapshot:
        snapshot.make_room(param.snapshot_prefix)


def train_net(param, folder):
    """Takes: folder: of the solver file: Python layers of a net that stands
    in the solver file itself are looked up there"""
    given = [field for field in TRAIN_FIELDS if param.HasField(field)]
    if len(given) != 1:
        raise RuntimeError(
            'SolverParameter must specify a train net using one of these '
            f'fields: {", ".join(TRAIN_FIELDS)}'
            + (f'; it has {" and ".join(given)}' if given else '')
        )
    field, source = given[0], getattr(param, given[0])
    if isinstance(source, str):
        logger.info('Creating training net from %s file: %s', field, source)
    else:
        logger.info('Creating training net specified in %s.', field)
    net = build(source, TRAIN, param.train_state, folder)
    load_weights(param, net)
    return net


def test_nets(param, folder, train):
    """The test nets, in Caffe's order. They share the weights of `train`."""
    sources = [(source, 'test_net_param') for source in param.test_net_param]
    sources += [(source, 'test_net file') for source in param.test_net]
    shared = [f for f in ('net_param', 'net') if param.HasField(f)]
    missing = len(param.test_iter) - len(sources)
    if missing < 0 or (missing and not shared):
        raise RuntimeError(
            'test_iter must be specified for each test network. '
            f'({len(param.test_iter)} test_iter, {len(sources)} test nets)'
        )
    for field in shared:
        kind = 'net_param' if field == 'net_param' else 'net file'
        sources += [(getattr(param, field), kind)] * missing
    if sources and param.test_interval <= 0:
        raise RuntimeError(
            f'test_interval must be > 0 for test nets, not '
            f'{param.test_interval}'
        )
    states = list(param.test_state) or [pb.NetState()] * len(sources)
    if len(states) != len(sources):
        raise RuntimeError(
            'test_state must be unspecified or specified once per test net: '
            f'{len(states)} test_state, {len(sources)} test nets'
        )
    nets = []
    for i, ((source, kind), state) in enumerate(zip(sources, states)):
        name = f'{kind}: {source}' if isinstance(source, str) else kind
        logger.info('Creating test net (#%d) specified by %s', i, name)
        nets.append(build(source, TEST, state, folder))
        share(nets[-1], param, train)
    return nets


def build(source, phase, state, folder):
    """Takes: source: path of a prototxt, or a NetParameter; state: what the
    solver adds to the net's own state"""
    definition, root = pb.NetParameter(), folder
    if isinstance(source, str):
        definition.CopyFrom(text.read_net(found(source, folder)))
        root = Path(source).resolve().parent
    else:
        definition.CopyFrom(source)
    merged = pb.NetState(phase=phase)
    merged.MergeFrom(definition.state)
    merged.MergeFrom(state)
    definition.state.CopyFrom(merged)
    return Net(definition, merged.phase, level=merged.level, root=root)


def found(path, folder):
    """The path, or an error that says where it would have been found: Caffe
    reads the paths in a solver file from the current directory."""
    if not os.path.isfile(path):
        there = os.path.isfile(os.path.join(folder, path))
        raise RuntimeError(
            f'File not found: {path}, seen from {os.getcwd()}'
            + (f'; it is in {folder}: run from there' if there else '')
        )
    return path


def load_weights(param, net):
    """Copies the solver's `weights`: files, also several with commas."""
    for files in param.weights:
        for path in filter(None, map(str.strip, files.split(','))):
            logger.info('Finetuning from %s', path)
            net.copy_from(path)


def share(net, param, train):
    """Aliases the weights of `train`, so that no copy of them ever exists.
    Caffe does so when it tests; what does not fit is an error only then."""
    try:
        net.share_with(train)
    except RuntimeError as error:
        logger.warning('test net: %s', error)
        load_weights(param, net)
    else:
        if set(net.params) - set(train.params):
            load_weights(param, net)
