"""Solvers: train a net as a solver.prototxt says; pycaffe's SGDSolver and its
siblings.

Caffe: solver.cpp, sgd_solver.cpp, _caffe.cpp; spec section E. The update rules
are updates.py, the rates policies.py, snapshots snapshot.py, tests testing.py,
the reading of a solver file solver_file.py. Losses stay where they are
computed: only a line of the log waits for them. Not here: several GPUs, signal
handlers (see Solver.action).
"""

import time

from google.protobuf import text_format

from caffe import snapshot, solver_file, testing
from caffe.device import set_random_seed
from caffe.log import logger, num
from caffe.policies import LossAverage, learning_rate
from caffe.updates import RULES


class Solver:
    """What all six have in common.

    Takes: source: path of a prototxt, or a SolverParameter; its paths are
        seen from the current directory
    Raises: RuntimeError in Caffe's words

    net, test_nets   the nets; the test nets share the weights of net
    iter             the number of updates so far
    param            the SolverParameter; what is written there (base_lr)
                     takes effect
    action           called after every update and before every test pass;
                     gives None, 'stop' or 'snapshot'
    keep_diffs       whether the diffs of blobs that are not parameters can be
                     read after step(); costs their memory. None: those of a
                     step's last pass
    run              a name of this training that its snapshots carry, if any
    carried          a dict of further plain values that they carry
    wait             called with the OSError of a snapshot that could not be
                     written; true to try again
    """

    type = None

    def __init__(self, source):
        param, folder = solver_file.read(source)
        logger.info(
            'Initializing solver from parameters: \n%s',
            text_format.MessageToString(param),
        )
        self.param = param
        solver_file.check(param)
        if param.random_seed >= 0:
            set_random_seed(param.random_seed)
        self.net = solver_file.train_net(param, folder)
        self.rule = RULES[self.type](param, self.net.learnable)
        self.test_nets = solver_file.test_nets(param, folder, self.net)
        self.iter = 0
        self.current_step = 0
        self.average = LossAverage(param.average_loss)
        self.action = lambda: None
        self.keep_diffs = None
        self.run, self.carried = '', {}
        self.stop = 0  # the iteration up to which `step` goes
        self.wait = lambda error: False
        self._continues = False
        self._callbacks = []
        self._stopped = False
        self._shown = 0  # iteration of the last line
        self._spent = 0  # seconds of training since then; Caffe forgets some
        logger.info('Solver scaffolding done.')

    # training ---------------------------------------------------------------

    def step(self, n):
        """n more iterations. The average of the displayed loss starts anew,
        unless this goes on with a step that a snapshot was taken in."""
        param, stop = self.param, self.iter + n
        if not self._continues:
            self.average.restart(self.iter)
        self.stop, self._continues = stop, False
        self._clock = time.perf_counter() - self._spent
        self._stopped = False
        while self.iter < stop:
            self.net.clear_param_diffs()
            if due(self.iter, param.test_interval) and (
                self.iter or param.test_initialization
            ):
                self.test_all()
                if self._stopped:
                    break
            for on_start, _ in self._callbacks:
                on_start()
            self._compute(last=self.iter + 1 == stop)
            for _, on_gradients_ready in self._callbacks:
                on_gradients_ready()
            self.apply_update()
            request = self.action()
            if due(self.iter, param.snapshot) or request == 'snapshot':
                self.snapshot()
            if request == 'stop':
                self._stopped = True
                break
        self._spent = time.perf_counter() - self._clock

    def _compute(self, last):
        """The gradients of one iteration, summed over its passes."""
        shown = due(self.iter, self.param.display)
        self.net.debug_info = shown and self.param.debug_info
        keep = last if self.keep_diffs is None else self.keep_diffs
        total = 0
        for _ in range(self.param.iter_size):
            loss = self.net.forward_loss()
            self.net.backward_pass(keep)
            total = loss + total
        self.average.add(total / self.param.iter_size, self.iter)
        if shown:
            seconds = time.perf_counter() - self._clock
            testing.display(self, self.iter - self._shown, seconds)
            self._shown = self.iter
            self._clock = time.perf_counter()

    def apply_update(self):
        """One update from the gradients as they are; counts as an iteration."""
        rate = self.lr
        if due(self.iter, self.param.display):
            logger.info('Iteration %d, lr = %s', self.iter, num(rate))
        self.rule.step(rate, self.iter)
        self.iter += 1

    @property
    def lr(self):
        """The rate of this iteration, before any lr_mult. As in Caffe, asking
        for it may take the next step of the multistep policy."""
        rate, self.current_step = learning_rate(
            self.param, self.iter, self.current_step
        )
        return float(rate)

    def solve(self, resume_file=None):
        """Trains up to max_iter; with a state, from there."""
        param = self.param
        logger.info('Solving %s', self.net.name)
        logger.info('Learning Rate Policy: %s', param.lr_policy)
        if resume_file is not None:
            logger.info('Restoring previous solver status from %s', resume_file)
            self.restore(resume_file)
        self.step(param.max_iter - self.iter)
        if param.snapshot_after_train and not due(self.iter, param.snapshot):
            self.snapshot()
        if self._stopped:
            logger.info('Optimization stopped early.')
            return
        if due(self.iter, param.display):
            self.average.add(self.net.forward_loss(), self.iter)
            loss = num(self.average.value())
            logger.info('Iteration %d, loss = %s', self.iter, loss)
        if due(self.iter, param.test_interval):
            self.test_all()
        logger.info('Optimization Done.')

    # testing ----------------------------------------------------------------

    def test_all(self):
        """Tests every test net, until `action` says stop."""
        for index in range(len(self.test_nets)):
            if not self._stopped:
                self.test(index)

    def test(self, index=0):
        """Logs the mean of every output over the net's test_iter passes."""
        testing.test(self, index)

    def interrupted(self):
        """Serves all pending requests; True once one of them was to stop."""
        while not self._stopped:
            request = self.action()
            if request == 'snapshot':
                self.snapshot()
            elif request == 'stop':
                self._stopped = True
            else:
                break
        return self._stopped

    # the rest of pycaffe's surface ------------------------------------------

    def snapshot(self):
        """Writes <snapshot_prefix>_iter_<iter>.caffemodel and .solverstate.

        Gives: path of the latter
        """
        return snapshot.write(self)

    def restore(self, state_file):
        """Takes: a .solverstate or .solverstate.h5, of Caffe or of ours"""
        self.stop = snapshot.restore(self, state_file) or self.iter
        self._continues = self.iter < self.stop
        self._shown, self._spent = self.iter, 0

    def add_callback(self, on_start, on_gradients_ready):
        """Two functions without arguments, called in every iteration."""
        self._callbacks.append((on_start, on_gradients_ready))

    def share_weights(self, net):
        """Lets another net use the weights of this one, now and later."""
        net.share_with(self.net)


class SGDSolver(Solver):
    type = 'SGD'


class NesterovSolver(Solver):
    type = 'Nesterov'


class AdaGradSolver(Solver):
    type = 'AdaGrad'


class RMSPropSolver(Solver):
    type = 'RMSProp'


class AdaDeltaSolver(Solver):
    type = 'AdaDelta'


class AdamSolver(Solver):
    type = 'Adam'


SOLVERS = {kind.type: kind for kind in Solver.__subclasses__()}


def get_solver(source):
    """The solver whose `type` the file names (SGD if none)."""
    kind = solver_file.load(source).type
    if kind not in SOLVERS:
        raise RuntimeError(
            f'Unknown solver type: {kind} '
            f'(known types: {", ".join(sorted(SOLVERS))})'
        )
    return SOLVERS[kind](source)


def due(iteration, interval):
    return interval != 0 and iteration % interval == 0
