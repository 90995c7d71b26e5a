"""Neurons: ReLU, Sigmoid, TanH, Power, Dropout; each value by itself, in
place or not. Caffe: relu_layer.cpp and its siblings; spec A.7, A.8, A.20."""

import torch
from torch.nn import functional as F

from caffe.device import generator
from caffe.ops.base import Op

aten = torch.ops.aten


class Neuron(Op):
    @property
    def works_in_place(self):
        return self.param.top[0] == self.param.bottom[0]


class ReLU(Neuron):
    """max(x, 0) + negative_slope * min(x, 0)."""

    overwrite = False  # set by the net: the bottom is ours to overwrite

    def setup(self, shapes):
        self.slope = self.param.relu_param.negative_slope

    def forward(self, bottoms, params):
        (x,) = bottoms
        if self.slope:
            return [F.leaky_relu(x, self.slope, self.overwrite)]
        return [torch.relu_(x) if self.overwrite else torch.relu(x)]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        """Reads the bottom, which in place is the top: its sign says the
        same, unless negative_slope is below 0 (so it is in Caffe)."""
        (dy,), (x,) = diffs, bottoms
        # In place both diffs are one blob's: no second one in memory.
        dx = dy if self.works_in_place else torch.empty_like(dy)
        if self.slope:
            aten.leaky_relu_backward.grad_input(
                dy, x, self.slope, False, grad_input=dx
            )
        else:
            aten.threshold_backward.grad_input(dy, x, 0, grad_input=dx)
        return [dx], []


class Sigmoid(Neuron):
    """1 / (1 + exp(-x))."""

    def forward(self, bottoms, params):
        return [torch.sigmoid(bottoms[0])]


class TanH(Neuron):
    def forward(self, bottoms, params):
        return [torch.tanh(bottoms[0])]


class Power(Neuron):
    """(shift + scale * x) ^ power."""

    def forward(self, bottoms, params):
        p = self.param.power_param
        return [PowerFunction.apply(bottoms[0], p.power, p.scale, p.shift)]


class PowerFunction(torch.autograd.Function):
    """Caffe divides by the base to differentiate: 0 / 0 is NaN."""

    @staticmethod
    def forward(ctx, x, power, scale, shift):
        ctx.numbers = power, scale, shift
        if power * scale == 0:
            ctx.save_for_backward(x)
            return torch.full_like(x, shift).pow_(power)
        y = (x * scale).add_(shift)
        y = y if power == 1 else y.pow_(power)
        # The derivative needs x and y only where it is not a constant.
        ctx.save_for_backward(x, *[y] * (power not in (1, 2)))
        return y

    @staticmethod
    def backward(ctx, dy):
        power, scale, shift = ctx.numbers
        x, *y = ctx.saved_tensors
        if power * scale == 0:
            dx = torch.zeros_like(x)
        elif power == 1:
            dx = dy * scale
        elif power == 2:
            dx = (x * scale).add_(shift).mul_(2 * scale).mul_(dy)
        else:
            base = (x * scale).add_(shift)
            dx = (y[0] * (power * scale)).div_(base).mul_(dy)
        return dx, None, None, None


class Dropout(Neuron):
    """TRAIN: each value is zeroed with probability dropout_ratio, the others
    are scaled up to keep the mean. TEST: nothing happens."""

    def setup(self, shapes):
        self.ratio = self.param.dropout_param.dropout_ratio
        self.noise = None  # what the last forward multiplied by
        if not 0 < self.ratio < 1:
            raise RuntimeError(
                f'dropout_ratio must be above 0 and below 1, not {self.ratio:g}'
            )

    def forward(self, bottoms, params):
        (x,) = bottoms
        if self.phase == 1:
            self.noise = None
            return [x if self.works_in_place else x.clone()]
        keep = 1 - self.ratio
        self.noise = (
            torch.empty_like(x)
            .bernoulli_(keep, generator=generator(x.device))
            .div_(keep)
        )
        return [x * self.noise]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        (dy,) = diffs
        return [dy if self.noise is None else dy * self.noise], []
