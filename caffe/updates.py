"""The six update rules: from gradients to new weights, in place.

Caffe: sgd_solver.cpp and its siblings; spec section E.3. A rule works on
lists of tensors, all parameters with equal multipliers at once; nothing is
copied to the host and no temporary outgrows a batch of pieces. What Caffe
leaves in a parameter's diff, the update, is left there too. Not here: the rate
(policies.py) and the files that keep the history (snapshot.py).
"""

import math

import numpy as np
import torch

from caffe.log import logger, num
from caffe.pieces import alike, batches, dense, flat, l2_norm, relaid

f32 = np.float32  # Caffe's arithmetic, also for its scalars


class Rule:
    """Weights, their history, and how one step changes both.

    Takes: param: SolverParameter, read anew in every step; learnable: the
        net's list of Learnable
    """

    copies = 1  # histories per parameter
    rests = False  # lr_mult 0 and no history: nothing can ever change

    def __init__(self, param, learnable):
        self.param = param
        self.learnable = learnable
        # [copy][parameter]; None: all zeros, no memory
        self.history = [[None] * len(learnable) for _ in range(self.copies)]
        self.check()

    def check(self):
        """Raises RuntimeError where Caffe refuses the SolverParameter."""
        kind = self.param.regularization_type
        if self.param.weight_decay and kind not in ('L1', 'L2'):
            raise RuntimeError(f'Unknown regularization type: {kind}')

    @torch.no_grad()
    def step(self, rate, iteration):
        """Changes all weights and histories by one update.

        Takes: rate: the learning rate before lr_mult; iteration: counts from 0
        """
        self.check()
        scale = f32(self.clip()) / f32(max(self.param.iter_size, 1))
        groups = {}
        for i, item in enumerate(self.learnable):
            if self.rests and not item.lr_mult and self.history[0][i] is None:
                item.blob.grad = None
            else:
                key = item.lr_mult, item.decay_mult
                groups.setdefault(key, []).append(i)
        for (lr_mult, decay_mult), members in groups.items():
            lr = float(f32(rate) * f32(lr_mult))
            decay = float(f32(self.param.weight_decay) * f32(decay_mult))
            self.update(members, lr, decay, float(scale), iteration)

    def clip(self):
        """The factor that brings the norm of all gradients, taken together
        and before iter_size divides them, down to clip_gradients."""
        limit = f32(self.param.clip_gradients)
        if limit < 0:
            return 1.0
        norm = f32(l2_norm([item.blob.grad for item in self.learnable]))
        if not norm > limit:
            return 1.0
        factor = limit / norm
        logger.info(
            'Gradient clipping: scaling down gradients (L2 norm %s > %s) '
            'by scale factor %s',
            num(norm),
            num(limit),
            num(factor),
        )
        return factor

    def update(self, members, lr, decay, scale, iteration):
        """One step of the parameters `members`, which are alike."""
        columns = self.columns(members)
        for weights, grads, *history in batches(columns):
            self.regularize(weights, grads, decay, scale)
            self.rule(grads, history, lr, iteration)
            torch._foreach_sub_(weights, grads)

    def rule(self, grads, history, lr, iteration):
        """Turns gradients into updates, in place.

        Takes: grads, and each of history: lists of flat tensors
        """
        raise NotImplementedError

    def regularize(self, weights, grads, decay, scale):
        """grads = scale grads + decay (weights, or their signs for L1)"""
        if scale != 1:
            torch._foreach_mul_(grads, scale)
        if decay and self.param.regularization_type == 'L1':
            weights = torch._foreach_sign(weights)
        if decay:
            torch._foreach_add_(grads, weights, alpha=decay)

    def columns(self, members):
        """Gives: [weights, gradients, history, ...]: lists of flat views in
        memory order, which is the same for all that belongs together."""
        rows = []
        for i in members:
            blob = self.learnable[i].blob
            if not dense(blob.tensor):
                blob.tensor = blob.tensor.contiguous()
            weight, grad = blob.tensor, blob.grad
            if not alike(grad, weight):
                blob.grad = grad = relaid(grad, weight)
            row = [weight, grad]
            for history in self.history:
                if history[i] is None:
                    history[i] = torch.zeros_like(weight)
                elif not alike(history[i], weight):
                    history[i] = relaid(history[i], weight)
                row.append(history[i])
            rows.append([flat(tensor) for tensor in row])
        return [list(column) for column in zip(*rows)]


class SGD(Rule):
    """h = momentum h + lr g; w -= h. The rate is inside the history, so a
    change of rate does not rescale the momentum."""

    rests = True

    def update(self, members, lr, decay, scale, iteration):
        weights, grads, history = self.columns(members)
        if decay and self.param.regularization_type == 'L1':
            for piece in batches([weights, grads]):
                self.regularize(*piece, decay, scale)
            decay, scale = 0.0, 1.0
        # One pass over memory. Its `lr` would stay outside the history, so
        # the gradient is divided by 1 / lr instead (and not used any more).
        inverse = 1 / (lr * scale) if lr * scale else math.inf
        torch._fused_sgd_(
            weights,
            grads,
            history,
            weight_decay=lr * decay,
            momentum=self.param.momentum,
            lr=1.0,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
            grad_scale=torch.full((), inverse, device=weights[0].device),
        )
        for i in members:  # the update is the history itself
            self.learnable[i].blob.lend_grad(self.history[0][i])


class Nesterov(Rule):
    """h0 = h; h = momentum h + lr g; update (1 + momentum) h - momentum h0,
    which is momentum h + lr g"""

    rests = True

    def rule(self, grads, history, lr, iteration):
        momentum = self.param.momentum
        torch._foreach_mul_(grads, lr)
        torch._foreach_mul_(history[0], momentum)
        torch._foreach_add_(history[0], grads)
        torch._foreach_add_(grads, history[0], alpha=momentum)


class AdaGrad(Rule):
    """h += g g; update lr g / (sqrt(h) + delta)"""

    def check(self):
        super().check()
        if self.param.momentum:
            raise RuntimeError('Momentum cannot be used with AdaGrad.')

    def rule(self, grads, history, lr, iteration):
        torch._foreach_addcmul_(history[0], grads, grads)
        divide_by_root(grads, history[0], self.param.delta)
        torch._foreach_mul_(grads, lr)


class RMSProp(Rule):
    """h = rms_decay h + (1 - rms_decay) g g; update as AdaGrad's"""

    def check(self):
        super().check()
        if self.param.momentum:
            raise RuntimeError('Momentum cannot be used with RMSProp.')
        if not 0 <= self.param.rms_decay < 1:
            raise RuntimeError('rms_decay should lie between 0 and 1.')

    def rule(self, grads, history, lr, iteration):
        average_squares(history[0], grads, self.param.rms_decay)
        divide_by_root(grads, history[0], self.param.delta)
        torch._foreach_mul_(grads, lr)


class AdaDelta(Rule):
    """h = m h + (1 - m) g g; u = g sqrt((h2 + delta) / (h + delta));
    h2 = m h2 + (1 - m) u u; update lr u, with m the momentum"""

    copies = 2

    def rule(self, grads, history, lr, iteration):
        momentum, delta = self.param.momentum, self.param.delta
        squares, updates = history
        average_squares(squares, grads, momentum)
        ratio = torch._foreach_add(updates, delta)
        torch._foreach_div_(ratio, torch._foreach_add(squares, delta))
        torch._foreach_sqrt_(ratio)
        torch._foreach_mul_(grads, ratio)
        average_squares(updates, grads, momentum)
        torch._foreach_mul_(grads, lr)


class Adam(Rule):
    """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g g; update
    lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + delta), t from 1"""

    copies = 2

    def rule(self, grads, history, lr, iteration):
        b1, b2 = self.param.momentum, self.param.momentum2
        first, second = history
        torch._foreach_mul_(first, b1)
        torch._foreach_add_(first, grads, alpha=float(f32(1) - f32(b1)))
        average_squares(second, grads, b2)
        t = iteration + 1
        torch._foreach_copy_(grads, first)
        divide_by_root(grads, second, self.param.delta)
        correction = math.sqrt(1 - b2**t) / (1 - b1**t)
        torch._foreach_mul_(grads, float(f32(lr) * f32(correction)))


RULES = {
    'AdaDelta': AdaDelta,
    'AdaGrad': AdaGrad,
    'Adam': Adam,
    'Nesterov': Nesterov,
    'RMSProp': RMSProp,
    'SGD': SGD,
}


def average_squares(averages, values, keep):
    """averages = keep averages + (1 - keep) values values"""
    torch._foreach_mul_(averages, keep)
    torch._foreach_addcmul_(
        averages, values, values, value=float(f32(1) - f32(keep))
    )


def divide_by_root(values, squares, delta):
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, delta)
    torch._foreach_div_(values, roots)
