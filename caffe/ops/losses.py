"""What losses have in common, EuclideanLoss and SigmoidCrossEntropyLoss.
Caffe: loss_layer.cpp, euclidean_loss_layer.cpp,
sigmoid_cross_entropy_loss_layer.cpp; spec A.14 to A.16.

The tops are unweighted scalars: the net multiplies by loss_weight.
"""

import math

import torch
from torch.nn import functional as F

from caffe.ops.base import Op
from caffe.proto import caffe_pb2 as pb
from caffe.shape import shape_text


class Loss(Op):
    """Two bottoms, predictions and targets; a scalar top."""

    bottoms = (2, 2)
    loss = True
    fixed = (1,)
    in_place = 'a loss cannot work in place'
    default_mode = None  # of normalization, where none is given

    def setup(self, shapes):
        p = self.param.loss_param
        self.ignore = p.ignore_label if p.HasField('ignore_label') else None
        self.mode = self.default_mode
        if p.HasField('normalization'):
            self.mode = p.normalization
        elif p.HasField('normalize'):
            self.mode = p.VALID if p.normalize else p.BATCH_SIZE

    def check_first_dim(self, shapes):
        if shapes[0][:1] != shapes[1][:1]:
            raise RuntimeError(
                'The data and label should have the same first dimension. '
                f'({shape_text(shapes[0])} vs. {shape_text(shapes[1])})'
            )

    def normalizer(self, outer, inner, valid):
        """What the sum is divided by: at least 1; a number, or a tensor if it
        depends on the labels.

        Takes: outer, inner: batch size, positions in one of the batch;
            valid: bool tensor, or None if every position counts
        """
        p = pb.LossParameter
        if self.mode == p.VALID and valid is not None:
            return valid.sum().clamp(min=1)
        return max(
            1,
            {
                p.FULL: outer * inner,
                p.VALID: outer * inner,
                p.BATCH_SIZE: outer,
                p.NONE: 1,
            }[self.mode],
        )


class EuclideanLoss(Loss):
    """Half the squared distance, averaged over the batch. Either bottom may
    be the one to learn."""

    fixed = ()

    def top_shapes(self, shapes):
        self.check_first_dim(shapes)
        if math.prod(shapes[0][1:]) != math.prod(shapes[1][1:]):
            raise RuntimeError(
                'Inputs must have the same dimension. '
                f'({shape_text(shapes[0])} vs. {shape_text(shapes[1])})'
            )
        return [()]

    def forward(self, bottoms, params):
        a, b = bottoms
        difference = a - b.reshape(a.shape)
        return [difference.square().sum() / (2 * a.shape[0])]


class SigmoidCrossEntropyLoss(Loss):
    """Cross entropy of independent probabilities sigmoid(x) with targets in
    [0, 1]."""

    default_mode = pb.LossParameter.BATCH_SIZE

    def top_shapes(self, shapes):
        self.check_first_dim(shapes)
        if math.prod(shapes[0]) != math.prod(shapes[1]):
            raise RuntimeError(
                'SIGMOID_CROSS_ENTROPY_LOSS layer inputs must have the same '
                f'count. ({shape_text(shapes[0])} vs. '
                f'{shape_text(shapes[1])})'
            )
        return [()]

    def read(self, bottoms):
        """Gives: scores, targets of their shape, valid or None, divisor"""
        x, target = bottoms[0], bottoms[1].reshape(bottoms[0].shape)
        valid = None if self.ignore is None else target.long() != self.ignore
        outer = x.shape[0]
        divisor = self.normalizer(outer, x.numel() // outer, valid)
        return x, target, valid, divisor

    def forward(self, bottoms, params):
        x, target, valid, divisor = self.read(bottoms)
        terms = F.binary_cross_entropy_with_logits(x, target, reduction='none')
        if valid is not None:
            terms.masked_fill_(~valid, 0)
        return [terms.sum() / divisor]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        x, target, valid, divisor = self.read(bottoms)
        grad = torch.sigmoid(x).sub_(target)
        if valid is not None:
            grad.masked_fill_(~valid, 0)
        return [grad.mul_(diffs[0] / divisor), None], []
