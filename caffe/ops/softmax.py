"""Softmax and SoftmaxWithLoss. Caffe: softmax_layer.cpp,
softmax_loss_layer.cpp; spec A.13, A.14."""

import math

import torch

from caffe.ops.base import Op
from caffe.ops.labels import Labels
from caffe.ops.losses import Loss
from caffe.proto import caffe_pb2 as pb
from caffe.shape import canonical

# No probability counts as less than float32's smallest normal number, so no
# position costs more than this (87.3).
MOST = -math.log(1.17549435e-38)


class Softmax(Op):
    """exp(x) / sum of exp(x) along `axis`."""

    def setup(self, shapes):
        self.axis = canonical(self.param.softmax_param.axis, shapes[0])

    def forward(self, bottoms, params):
        x, axis = along_memory(bottoms[0], self.axis)
        return [torch.softmax(x, axis).movedim(axis, self.axis)]


class SoftmaxWithLoss(Loss):
    """Minus the log of the probability of each label, summed and divided by
    what `normalization` says. A second top: the probabilities."""

    tops = (1, 2)
    in_place = 'SoftmaxWithLoss Layer does not allow in-place computation.'
    default_mode = pb.LossParameter.VALID

    def setup(self, shapes):
        super().setup(shapes)
        self.axis = canonical(self.param.softmax_param.axis, shapes[0])
        self.labels = Labels(self.ignore, self.axis)

    def top_shapes(self, shapes):
        self.check_first_dim(shapes)
        self.labels.check_shapes(*shapes)
        return [(), shapes[0]][: max(1, len(self.param.top))]

    def divisor(self, shape, valid):
        outer = math.prod(shape[: self.axis])
        return self.normalizer(outer, math.prod(shape[self.axis + 1 :]), valid)

    def forward(self, bottoms, params):
        scores, label = bottoms
        wrong = self.labels.watch(label, scores.shape[self.axis])
        index, valid = self.labels.find(label, scores.shape)
        x, axis = along_memory(scores, self.axis)
        logs = torch.log_softmax(x, axis)
        terms = logs.gather(axis, index.movedim(self.axis, axis))
        terms = terms.neg_().clamp_(max=MOST).movedim(axis, self.axis)
        if valid is not None:
            terms.masked_fill_(~valid, 0)
        loss = terms.sum() / self.divisor(scores.shape, valid)
        loss = loss if wrong is None else loss + wrong
        if len(self.param.top) < 2:
            return [loss]
        return [loss, logs.exp_().movedim(axis, self.axis)]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        """Probability minus 1 at the label, which the bound on the loss does
        not change."""
        scores, label = bottoms
        index, valid = self.labels.find(label, scores.shape)
        x, axis = along_memory(scores, self.axis)
        grad = torch.softmax(x, axis)
        index = index.movedim(self.axis, axis)
        grad.scatter_(axis, index, grad.gather(axis, index) - 1)
        weight = diffs[0] / self.divisor(scores.shape, valid)
        if valid is not None:
            weight = valid.movedim(self.axis, axis) * weight
        return [grad.mul_(weight).movedim(axis, self.axis), None], []

    def check(self):
        """Raises if the GPU has met a label that is no class (see Labels)."""
        self.labels.check()


def along_memory(x, axis):
    """The tensor and its class axis; where a pixel's classes lie side by side
    (channels last), that axis goes last, which torch needs not rearrange."""
    if x.stride(axis) == 1:
        return x.movedim(axis, -1), x.dim() - 1
    return x, axis
