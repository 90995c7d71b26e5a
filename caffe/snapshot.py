"""Snapshots of a solver: the weights beside the state that continues them.

Caffe: solver.cpp Snapshot and CheckSnapshotWritePermissions, sgd_solver.cpp
SnapshotSolverState and RestoreSolverState; spec sections E.1 and E.8. What
Caffe has no field for is resume.py's. The state comes last, so that whoever
finds one has all of it.
"""

import contextlib
import os
import tempfile

import numpy as np
import torch

from caffe import resume
from caffe.log import logger
from caffe.proto import caffe_pb2 as pb
from caffe.proto import files, model
from caffe.shape import shape_text


def prefix(param, path):
    """Where the snapshots of the solver file `path` go, by Caffe's rules for
    an absent prefix and for one that names a directory."""
    stem = os.path.splitext(path)[0]
    if not param.HasField('snapshot_prefix'):
        logger.info('snapshot_prefix was not specified and is set to %s', stem)
        return stem
    given = param.snapshot_prefix
    if os.path.isdir(given):
        given = os.path.join(given, os.path.basename(stem))
        logger.info(
            'snapshot_prefix was a directory and is replaced to %s', given
        )
    return given


def make_room(given):
    """Makes the directory of a snapshot prefix, if need be, and tries it.

    Raises: RuntimeError if nothing can be written there
    """
    folder = os.path.dirname(given) or '.'
    try:
        if not os.path.isdir(folder):
            os.makedirs(folder)
            logger.info('Created snapshot directory %s', folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RuntimeError(
            f"Cannot write to snapshot prefix '{given}'.  Make sure that the "
            f'directory exists and is writable. ({error.strerror})'
        ) from None


def write(solver):
    """Writes the model, what resume.py adds, and the state of this iteration;
    again and again while the solver's `wait` asks for it.

    Gives: path of the state
    """
    while True:
        try:
            return _write(solver)
        except OSError as error:
            if not solver.wait(error):
                raise


def _write(solver):
    param, net = solver.param, solver.net
    make_room(param.snapshot_prefix)
    stem = f'{param.snapshot_prefix}_iter_{solver.iter}'
    hdf5 = param.snapshot_format == pb.SolverParameter.HDF5
    kind, end = ('HDF5', '.h5') if hdf5 else ('binary proto', '')
    weights, state = stem + '.caffemodel' + end, stem + '.solverstate' + end
    logger.info('Snapshotting to %s file %s', kind, weights)
    save = net.save_hdf5 if hdf5 else net.save
    with files.replacing(weights) as temporary:
        save(temporary, diffs=param.snapshot_diff)
        for old in (state, resume.beside(state)):  # of other weights
            with contextlib.suppress(FileNotFoundError):
                os.unlink(old)
    resume.write(solver, state)
    logger.info('Snapshotting solver state to %s file %s', kind, state)
    model.write_state(
        state,
        model.State(
            solver.iter, weights, solver.current_step, arrays(solver.rule)
        ),
    )
    return state


def arrays(rule):
    """The history in Caffe's order: copy after copy, each over all
    parameters."""
    return [
        np.broadcast_to(np.float32(0), item.blob.shape)
        if history is None
        else history.contiguous().cpu().numpy()
        for histories in rule.history
        for item, history in zip(rule.learnable, histories)
    ]


def restore(solver, path):
    """Continues from a state: weights, history, iteration, rate step, and
    what resume.py has of it.

    Gives: the iteration up to which the running step went; None if Caffe
        wrote the state
    Raises: RuntimeError before anything has changed, if it does not fit
    """
    path = os.fspath(path)
    refuse_a_model(path)
    state = model.read_state(path)
    logger.info('SGDSolver: restoring history')
    histories = fitting(solver.rule, state.history, path)
    known = resume.read(path, state.iter)
    if state.learned_net:
        solver.net.copy_from(beside(path, state.learned_net))
    solver.rule.history = histories
    solver.iter = state.iter
    solver.current_step = state.current_step
    if known is None:
        logger.info(
            'no %s: as in Caffe, the data start over and the random numbers '
            'are others than without a pause',
            resume.beside(path),
        )
        return None
    resume.restore(solver, known)
    return known['stop']


def refuse_a_model(path):
    if not os.path.isfile(path):
        raise RuntimeError(f'Could not open file {path}')
    head, mark, tail = path.rpartition('.caffemodel')
    if mark and tail in ('', '.h5'):
        raise RuntimeError(
            f'{path} holds the weights of a net, not the state of a solver: '
            f'give the .solverstate ({head}.solverstate{tail})'
        )


def beside(path, learned_net):
    """The model of a state: where the state says, seen from the current
    directory as Caffe does, else in the state's own directory."""
    moved = os.path.join(os.path.dirname(path), os.path.basename(learned_net))
    if not os.path.exists(learned_net) and os.path.exists(moved):
        return moved
    return learned_net


def fitting(rule, stored, path):
    """Tensors like Rule.history from the arrays of a state."""
    count = len(rule.learnable)
    if len(stored) != count * rule.copies:
        raise RuntimeError(
            f'Incorrect length of history blobs. {path} has {len(stored)}, '
            f'this solver {count * rule.copies}: {rule.copies} for each of '
            f'its {count} parameters'
        )
    return [
        [
            tensor(item, values, path)
            for item, values in zip(rule.learnable, stored[k * count :])
        ]
        for k in range(rule.copies)
    ]


def tensor(item, values, path):
    shape = tuple(item.blob.shape)
    if values.size != item.blob.count:
        raise RuntimeError(
            f'{path}: history of {item.name} is {shape_text(values.shape)}, '
            f'the parameter {shape_text(shape)}'
        )
    if not item.lr_mult and not values.any():
        return None
    values = np.array(values, np.float32).reshape(shape)
    return torch.from_numpy(values).to(item.blob.tensor.device)
