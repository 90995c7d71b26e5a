"""The six update rules: from gradients to new weights, in place.

Caffe: sgd_solver.cpp and its siblings; spec section E.3. Each docstring has
its formulas for one number, with g the gradient (clipped, averaged over
iter_size, decayed), h the history, lr the rate of this parameter.
"""

import math

import torch

from caffe.rule import Rule, f32


class SGD(Rule):
    """h = momentum h + lr g; w -= h. The rate is inside the history, so a
    change of rate does not rescale the momentum."""

    rests = True

    def update(self, members, lr, decay, scale, iteration):
        param = self.param
        if not param.momentum or param.regularization_type == 'L1':
            return super().update(members, lr, decay, scale, iteration)
        weights, grads, history = self.columns(members)
        # One pass over memory. Its `lr` would stay outside the history, so
        # the gradient is divided by 1 / lr instead (and not used any more).
        inverse = 1 / (lr * scale) if lr * scale else math.inf
        torch._fused_sgd_(
            weights,
            grads,
            history,
            weight_decay=lr * decay,
            momentum=param.momentum,
            lr=1.0,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
            grad_scale=torch.full((), inverse, device=weights[0].device),
        )
        for i in members:  # the update is the history itself
            self.learnable[i].blob.lend_grad(self.history[0][i])

    def rule(self, grads, history, lr, iteration):
        torch._foreach_mul_(grads, lr)
        torch._foreach_mul_(history[0], self.param.momentum)
        torch._foreach_add_(history[0], grads)
        torch._foreach_copy_(grads, history[0])


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


RULES = {
    rule.__name__: rule
    for rule in (SGD, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam)
}
