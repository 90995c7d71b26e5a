"""The update rules one number at a time, and parameters to try them on."""

import math
from types import SimpleNamespace

import numpy as np
import torch

from caffe.blob import Blob
from caffe.proto import caffe_pb2 as pb
from caffe.updates import RULES

SHAPES = (4, 3, 5, 2), (7,), (3, 11), (6,)
MULTS = (1, 1), (2, 0), (1, 1), (0.5, 3)  # lr_mult, decay_mult


def parameters(rng, shapes=SHAPES, mults=MULTS):
    items = []
    for k, (shape, (lr_mult, decay_mult)) in enumerate(zip(shapes, mults)):
        blob = Blob(shape)
        blob.tensor = torch.tensor(rng.normal(size=shape), dtype=torch.float32)
        items.append(
            SimpleNamespace(
                blob=blob,
                lr_mult=lr_mult,
                decay_mult=decay_mult,
                name=f'p{k}[0]',
            )
        )
    return items


def settings(kind, **more):
    fields = {'momentum': 0.9, 'weight_decay': 0.05, 'delta': 1e-3, **more}
    if kind in ('AdaGrad', 'RMSProp'):
        fields['momentum'] = 0
    return pb.SolverParameter(type=kind, **fields)


def one_number(kind, param, g, h, lr, t):
    """The table of spec E.3 for a single weight.

    Takes: h: its histories, a list that is changed
    Gives: the update
    """
    m, delta = param.momentum, param.delta
    if kind == 'SGD':
        h[0] = m * h[0] + lr * g
        return h[0]
    if kind == 'Nesterov':
        before = h[0]
        h[0] = m * before + lr * g
        return (1 + m) * h[0] - m * before
    if kind == 'AdaGrad':
        h[0] += g * g
        return lr * g / (math.sqrt(h[0]) + delta)
    if kind == 'RMSProp':
        h[0] = param.rms_decay * h[0] + (1 - param.rms_decay) * g * g
        return lr * g / (math.sqrt(h[0]) + delta)
    if kind == 'AdaDelta':
        h[0] = m * h[0] + (1 - m) * g * g
        u = g * math.sqrt((h[1] + delta) / (h[0] + delta))
        h[1] = m * h[1] + (1 - m) * u * u
        return lr * u
    b2 = param.momentum2
    h[0] = m * h[0] + (1 - m) * g
    h[1] = b2 * h[1] + (1 - b2) * g * g
    correction = math.sqrt(1 - b2**t) / (1 - m**t)
    return lr * correction * h[0] / (math.sqrt(h[1]) + delta)


class ByLoops:
    """What Caffe's solver does to flat lists of Python floats."""

    def __init__(self, kind, param, items):
        self.kind, self.param, self.items = kind, param, items
        self.weights = [i.blob.tensor.flatten().tolist() for i in items]
        self.history = [[[0.0, 0.0] for _ in w] for w in self.weights]
        self.t = 0

    def step(self, rate, grads):
        param = self.param
        self.t += 1
        norm = math.sqrt(sum(g * g for grad in grads for g in grad))
        scale = 1 / param.iter_size
        if 0 <= param.clip_gradients < norm:
            scale *= param.clip_gradients / norm
        self.updates = []
        for item, w, grad, h in zip(
            self.items, self.weights, grads, self.history
        ):
            self.updates.append([])
            for j, g in enumerate(grad):
                pull = w[j]
                if param.regularization_type == 'L1':
                    pull = (w[j] > 0) - (w[j] < 0)
                g = scale * g + param.weight_decay * item.decay_mult * pull
                lr = rate * item.lr_mult
                update = one_number(self.kind, param, g, h[j], lr, self.t)
                self.updates[-1].append(update)
                w[j] -= update


def run(kind, rates, param=None, rng=None, items=None):
    """Several steps by both. Gives: (rule, ByLoops)"""
    rng = rng or np.random.default_rng(7)
    items = items or parameters(rng)
    param = param or settings(kind)
    rule, loops = RULES[kind](param, items), ByLoops(kind, param, items)
    for t, rate in enumerate(rates):
        grads = [rng.normal(size=item.blob.shape) for item in items]
        for item, grad in zip(items, grads):
            item.blob.grad = torch.tensor(grad, dtype=torch.float32)
        rule.step(np.float32(rate), t)
        loops.step(rate, [grad.ravel().tolist() for grad in grads])
    return rule, loops


def assert_agree(rule, loops, rtol=3e-6):
    for k, item in enumerate(rule.learnable):
        rows = [(item.blob.tensor, loops.weights[k], 'weights')]
        rows += [(item.blob.grad, loops.updates[k], 'update')]
        for copy, histories in enumerate(rule.history):
            expected = [h[copy] for h in loops.history[k]]
            rows.append((histories[k], expected, f'history {copy}'))
        for ours, expected, what in rows:
            ours = ours.cpu().flatten().double().numpy()
            atol = rtol * max(map(abs, expected))
            np.testing.assert_allclose(
                ours, expected, rtol, atol, err_msg=f'{what} of {item.name}'
            )
