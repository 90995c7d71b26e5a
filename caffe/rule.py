"""What the six update rules have in common: parameters and their history,
clipping, decay, and the walk over memory.

Caffe: sgd_solver.cpp ApplyUpdate; spec section E.3. A rule works on lists of
tensors, all parameters with equal multipliers at once; nothing is copied to
the host and no temporary outgrows a batch of pieces. What Caffe leaves in a
parameter's diff, the update, is left there too. Not here: the rules themselves
(updates.py), the rates (policies.py), files of the history (snapshot.py).
"""

import numpy as np
import torch

from caffe.log import logger, num
from caffe.pieces import batches, dense, flat, l2_norm, shaped, stored_like

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
        text = 'scaling down gradients (L2 norm %s > %s) by scale factor %s'
        logger.info(
            f'Gradient clipping: {text}', num(norm), num(limit), num(factor)
        )
        return factor

    def update(self, members, lr, decay, scale, iteration):
        """One step of the parameters `members`, which are alike."""
        columns = self.columns(members)
        for weights, grads, *history in batches(columns):
            self.regularize(weights, grads, decay, scale)
            self.rule(grads, history, lr, iteration)
            torch._foreach_sub_(weights, grads)
        for i, update in zip(members, columns[1]):
            blob = self.learnable[i].blob
            blob.grad = shaped(update, blob.tensor)

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
            item = self.learnable[i]
            weight = item.blob.tensor
            if not dense(weight):
                raise RuntimeError(f'{item.name}: its tensor has gaps')
            for history in self.history:
                if history[i] is None:
                    history[i] = torch.zeros_like(weight)
                history[i] = stored_like(weight, history[i])
            row = [weight, stored_like(weight, item.blob.grad)]
            row += [history[i] for history in self.history]
            rows.append([flat(tensor) for tensor in row])
        return [list(column) for column in zip(*rows)]
