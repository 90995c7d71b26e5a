"""What changes while a solver runs: the learning rate, and the average of the
loss that is displayed.

Caffe: sgd_solver.cpp GetLearningRate, solver.cpp UpdateSmoothedLoss; spec
sections E.2 and E.4. Both in float32, as there.
"""

import numpy as np
import torch

from caffe.log import logger

f32 = np.float32


def fixed(param, i, step):
    return f32(param.base_lr), step


def step(param, i, step):
    if param.stepsize <= 0:
        raise RuntimeError(
            f"lr_policy 'step' needs a stepsize > 0, not {param.stepsize}"
        )
    step = i // param.stepsize
    return f32(param.base_lr) * power(param.gamma, step), step


def exp(param, i, step):
    return f32(param.base_lr) * power(param.gamma, i), step


def inv(param, i, step):
    base = f32(1) + f32(param.gamma) * f32(i)
    return f32(param.base_lr) * power(base, -param.power), step


def multistep(param, i, step):
    if step < len(param.stepvalue) and i >= param.stepvalue[step]:
        step += 1  # one at a time, as in Caffe
        logger.info('MultiStep Status: Iteration %d, step = %d', i, step)
    return f32(param.base_lr) * power(param.gamma, step), step


def poly(param, i, step):
    base = f32(1) - f32(i) / f32(param.max_iter)
    return f32(param.base_lr) * power(base, param.power), step


def sigmoid(param, i, step):
    x = -f32(param.gamma) * (f32(i) - f32(param.stepsize))
    return f32(param.base_lr) / (f32(1) + f32(np.exp(np.float64(x)))), step


POLICIES = {
    'fixed': fixed,
    'step': step,
    'exp': exp,
    'inv': inv,
    'multistep': multistep,
    'poly': poly,
    'sigmoid': sigmoid,
}


def learning_rate(param, i, step):
    """The rate of iteration i, before any lr_mult.

    Takes: param: SolverParameter; step: the number of steps taken so far
        (SolverState's current_step)
    Gives: (rate as numpy float32, the number of steps from now on)
    """
    policy = POLICIES.get(param.lr_policy)
    if policy is None:
        raise RuntimeError(
            f'Unknown learning rate policy: {param.lr_policy} '
            f'(known: {", ".join(POLICIES)})'
        )
    with np.errstate(all='ignore'):  # poly beyond max_iter is nan, in silence
        return policy(param, i, step)


def power(base, exponent):
    """C's powf: rounded to float32 once."""
    return f32(np.float64(base) ** np.float64(exponent))


class LossAverage:
    """The mean of the last `window` losses, updated as Caffe updates it.

    Losses may be 0-dim tensors on a GPU. They are kept there and read all at
    once when somebody wants to see the average.
    """

    WAITING = 1000  # losses not read yet, at most

    def __init__(self, window):
        self.window = window
        self.restart(0)

    def restart(self, start):
        """Forgets all; the next loss is that of iteration `start`."""
        self.start = start
        self.losses = []
        self.average = f32(0)
        self.waiting = []

    def add(self, loss, i):
        self.waiting.append((loss, i))
        if len(self.waiting) >= self.WAITING:
            self.settle()

    def value(self):
        self.settle()
        return float(self.average)

    def settle(self):
        if not self.waiting:
            return
        losses, places = zip(*self.waiting)
        self.waiting = []
        with np.errstate(all='ignore'):
            for loss, i in zip(torch.stack(losses).tolist(), places):
                self.enter(f32(loss), i)

    def enter(self, loss, i):
        if len(self.losses) < self.window:
            self.losses.append(loss)
            count = f32(len(self.losses))
            total = self.average * (count - f32(1)) + loss
            self.average = total / count
        else:
            place = (i - self.start) % self.window
            change = (loss - self.losses[place]) / f32(self.window)
            self.average += change
            self.losses[place] = loss
