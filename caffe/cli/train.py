"""`train`: runs a solver, from the start, from weights or from a snapshot.
Caffe: tools/caffe.cpp, train; util/signal_handler.cpp; spec sections E.8, H.
"""

import contextlib
import signal

from caffe import solver_file
from caffe.cli import gpus
from caffe.device import set_mode_cpu
from caffe.log import logger
from caffe.proto import caffe_pb2 as pb
from caffe.solver import get_solver

EFFECTS = {'stop': 'stop', 'snapshot': 'snapshot', 'none': None}


def train(flags):
    if not flags.solver:
        raise RuntimeError('Need a solver definition to train.')
    if flags.snapshot and flags.weights:
        raise RuntimeError(
            'Give a snapshot to resume training or weights to finetune but '
            'not both.'
        )
    effects = {
        'SIGHUP': effect(flags.sighup_effect),  # looked at first
        'SIGINT': effect(flags.sigint_effect),
    }
    param, _ = solver_file.read(flags.solver)
    param.train_state.level = flags.level
    param.train_state.stage.extend(flags.stage.split(','))
    if flags.snapshot or flags.weights:
        del param.weights[:]
    if flags.weights:
        param.weights.append(flags.weights)
    choose_gpu(flags.gpu, param)
    solver = get_solver(param)
    with requests(effects) as solver.action:
        if flags.snapshot:
            logger.info('Resuming from %s', flags.snapshot)
            solver.restore(flags.snapshot)
        logger.info('Starting Optimization')
        solver.solve()
        logger.info('Optimization Done.')


def choose_gpu(flag, param):
    """The -gpu flag; without, what the solver file says, if it says so."""
    wants = param.HasField('solver_mode') and (
        param.solver_mode == pb.SolverParameter.GPU
    )
    chosen = gpus.listed(flag or (str(param.device_id) if wants else ''))
    if len(chosen) > 1:
        raise RuntimeError(
            f'-gpu {flag}: training on several GPUs is not implemented; '
            f'give one of them, and iter_size {len(chosen)} in the solver for '
            'the same batches'
        )
    if not chosen:
        if flag == 'all':
            raise RuntimeError('-gpu all: PyTorch sees no GPU here')
        logger.info('Use CPU.')
        return set_mode_cpu()
    logger.info('Using GPUs %d', chosen[0])
    gpus.use(chosen[0])
    logger.info('GPU %d: %s', chosen[0], gpus.name(chosen[0]))
    param.device_id = chosen[0]


def effect(name):
    if name not in EFFECTS:
        raise RuntimeError(f'Invalid signal effect "{name}" was specified')
    return EFFECTS[name]


@contextlib.contextmanager
def requests(effects):
    """Catches signals and gives a function for Solver.action, which asks for
    the effect of one that came since it was last called.

    Takes: effects: name of a signal -> 'stop', 'snapshot' or None; the first
        wins where both came
    """
    numbers = {
        getattr(signal, name): wish
        for name, wish in effects.items()
        if hasattr(signal, name)  # Windows has no SIGHUP
    }
    came = set()
    before = {
        number: signal.signal(number, lambda number, frame: came.add(number))
        for number in numbers
    }

    def action():
        for number, wish in numbers.items():
            if number in came:
                came.discard(number)
                return wish

    try:
        yield action
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
