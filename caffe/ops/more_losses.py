"""HingeLoss, ContrastiveLoss, MultinomialLogisticLoss. Caffe:
hinge_loss_layer.cpp, contrastive_loss_layer.cpp,
multinomial_logistic_loss_layer.cpp. All are averages over the batch."""

import math

import torch

from caffe.ops.base import Op
from caffe.ops.labels import Labels
from caffe.ops.losses import Loss
from caffe.proto import caffe_pb2 as pb
from caffe.shape import shape_text

LEAST = 1e-20  # no probability counts as less (Caffe: kLOG_THRESHOLD)


class ClassLoss(Loss):
    """Scores, a row of classes for each item of the batch, and a label for
    each item."""

    def setup(self, shapes):
        self.labels = Labels(None, 1)

    def top_shapes(self, shapes):
        self.check_first_dim(shapes)
        self.labels.check_shapes(rows_of(shapes[0]), shapes[1])
        return [()]

    def forward(self, bottoms, params):
        wrong = self.labels.watch(bottoms[1], rows_of(bottoms[0].shape)[1])
        x, index = self.read(bottoms)
        loss = self.total(x, index) / len(x)
        return [loss if wrong is None else loss + wrong]

    def read(self, bottoms):
        """Gives: scores as items x classes, the labels' places in them"""
        x = bottoms[0].reshape(rows_of(bottoms[0].shape))
        return x, self.labels.find(bottoms[1], x.shape)[0]

    def total(self, x, index):
        """The sum over items. Takes: what `read` gives"""
        raise NotImplementedError

    def check(self):
        """Raises if the GPU has met a label that is no class (see Labels)."""
        self.labels.check()


def rows_of(shape):
    return shape[0], math.prod(shape[1:])


class HingeLoss(ClassLoss):
    """How far each score is on the wrong side of its margin: the label's
    below 1, any other above -1; summed (norm: L1) or squared first (L2)."""

    def total(self, x, index):
        signed = x.scatter(1, index, -x.gather(1, index))
        beyond = torch.relu(1 + signed)
        if self.param.hinge_loss_param.norm == pb.HingeLossParameter.L2:
            beyond = beyond.square()
        return beyond.sum()


class MultinomialLogisticLoss(ClassLoss):
    """Minus the log of the probability of each label; the bottom holds
    probabilities (SoftmaxWithLoss takes scores)."""

    def total(self, x, index):
        return -x.gather(1, index).clamp(min=LEAST).log().sum()

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        """Also where the bound on the probability makes the loss flat."""
        x, index = self.read(bottoms)
        own = x.gather(1, index).clamp(min=LEAST)
        grad = torch.zeros_like(x).scatter_(1, index, -diffs[0] / len(x) / own)
        return [grad.reshape(bottoms[0].shape), None], []


class ContrastiveLoss(Op):
    """Half the squared distance of pairs that are similar (bottom 2 is not
    0), half the square of what the distance of others lacks to `margin`. With
    `legacy_version`, half of what the squared distance lacks."""

    bottoms = (3, 3)
    loss = True
    in_place = Loss.in_place

    def top_shapes(self, shapes):
        a, b, similar = (tuple([*shape, 1, 1, 1, 1][:4]) for shape in shapes)
        if max(map(len, shapes)) > 4 or a[2:] != (1, 1) or a != b:
            raise RuntimeError(
                'ContrastiveLoss compares two blobs N x C x 1 x 1, not '
                f'{shape_text(shapes[0])} and {shape_text(shapes[1])}'
            )
        if similar != (a[0], 1, 1, 1):
            raise RuntimeError(
                f'ContrastiveLoss takes one similarity for each of {a[0]} '
                f'pairs, not {shape_text(shapes[2])}'
            )
        return [()]

    def read(self, bottoms):
        """Gives: differences (pairs x numbers), squared distances, whether
        each pair is similar (the latter two: pairs x 1)"""
        difference = (bottoms[0] - bottoms[1]).flatten(1)
        squared = difference.square().sum(1, keepdim=True)
        return difference, squared, bottoms[2].reshape(-1, 1).trunc() != 0

    def lacking(self, squared):
        p = self.param.contrastive_loss_param
        distance = squared if p.legacy_version else squared.sqrt()
        return (p.margin - distance).clamp_(min=0)

    def forward(self, bottoms, params):
        _, squared, similar = self.read(bottoms)
        other = self.lacking(squared)
        if not self.param.contrastive_loss_param.legacy_version:
            other = other.square_()
        terms = torch.where(similar, squared, other)
        return [terms.sum() / (2 * len(terms))]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        """Caffe adds 1e-4 to the distance that it divides by."""
        difference, squared, similar = self.read(bottoms)
        lacking = self.lacking(squared)
        if self.param.contrastive_loss_param.legacy_version:
            other = (lacking > 0).to(lacking.dtype)
        else:
            other = lacking / (squared.sqrt() + 1e-4)
        factor = torch.where(similar, 1, -other) * (diffs[0] / len(difference))
        grad = (difference * factor).reshape(bottoms[0].shape)
        return [grad, -grad.reshape(bottoms[1].shape), None], []
