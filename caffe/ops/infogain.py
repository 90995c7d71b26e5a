"""InfogainLoss: SoftmaxWithLoss with a weight for every pair of label and
class; with a diagonal matrix, class weights. Caffe: infogain_loss_layer.cpp
since 1.0 (before, its bottom held probabilities)."""

import math

import torch

from caffe.ops.blob_file import read_blob_file
from caffe.ops.labels import Labels
from caffe.ops.losses import Loss
from caffe.ops.more_losses import LEAST
from caffe.proto import caffe_pb2 as pb
from caffe.shape import canonical, shape_text


class InfogainLoss(Loss):
    """Minus the sum over classes k of H[label, k] * log(probability of k),
    summed over positions and divided by what `normalization` says. H: bottom
    2, or the blob file `source`. A second top: the probabilities."""

    bottoms = (2, 3)
    tops = (1, 2)
    fixed = (1, 2)
    in_place = 'InfogainLoss Layer does not allow in-place computation.'
    default_mode = pb.LossParameter.VALID

    def setup(self, shapes):
        p = self.param.infogain_loss_param
        if self.param.loss_param.HasField('normalize'):
            raise RuntimeError(
                'normalize is deprecated. use "normalization" (VALID for '
                'normalize: true, BATCH_SIZE for false)'
            )
        super().setup(shapes)
        self.axis = canonical(p.axis, shapes[0])
        if canonical(self.param.softmax_param.axis, shapes[0]) != self.axis:
            raise RuntimeError(
                f'infogain_loss_param has its classes at axis {p.axis}, '
                f'softmax_param at {self.param.softmax_param.axis}: give one'
            )
        self.labels = Labels(self.ignore, self.axis)
        self.matrix = None
        if len(shapes) < 3:
            if not p.HasField('source'):
                raise RuntimeError('Infogain matrix source must be specified.')
            self.matrix = torch.from_numpy(read_blob_file(p.source))

    def top_shapes(self, shapes):
        self.check_first_dim(shapes)
        self.labels.check_shapes(*shapes[:2])
        classes = shapes[0][self.axis]
        given = tuple(shapes[2] if len(shapes) > 2 else self.matrix.shape)
        if math.prod(given) != classes**2:
            raise RuntimeError(
                f'an infogain matrix of shape {shape_text(given)} for '
                f'{classes} classes: it takes {classes} rows of {classes}'
            )
        return [(), shapes[0]][: max(1, len(self.param.top))]

    def read(self, bottoms):
        """Gives: log probabilities, classes last; the row of H for each label,
        likewise, 0 where it is ignored; the divisor"""
        scores, label, *given = bottoms
        x = scores.movedim(self.axis, -1)
        index, valid = self.labels.find(label, scores.shape)
        if given:
            matrix = given[0]
        else:  # stays on the device of the last pass
            matrix = self.matrix = self.matrix.to(scores)
        rows = matrix.reshape(x.shape[-1], -1)[index.squeeze(self.axis)]
        if valid is not None:
            rows.masked_fill_(~valid.movedim(self.axis, -1), 0)
        outer = math.prod(scores.shape[: self.axis])
        inner = math.prod(scores.shape[self.axis + 1 :])
        divisor = self.normalizer(outer, inner, valid)
        return torch.log_softmax(x, -1), rows, divisor

    def forward(self, bottoms, params):
        wrong = self.labels.watch(bottoms[1], bottoms[0].shape[self.axis])
        logs, rows, divisor = self.read(bottoms)
        loss = -(rows * logs.clamp(min=math.log(LEAST))).sum() / divisor
        loss = loss if wrong is None else loss + wrong
        if len(self.param.top) < 2:
            return [loss]
        return [loss, logs.exp_().movedim(-1, self.axis)]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        """Probability times the sum of the label's row, minus the row, which
        the bound on the loss does not change."""
        logs, rows, divisor = self.read(bottoms)
        grad = logs.exp_().mul_(rows.sum(-1, keepdim=True)).sub_(rows)
        grad = grad.mul_(diffs[0] / divisor).movedim(-1, self.axis)
        return [grad, *[None] * (len(bottoms) - 1)], []

    def check(self):
        """Raises if the GPU has met a label that is no class (see Labels)."""
        self.labels.check()
