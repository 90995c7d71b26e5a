"""Accuracy: how many labels the scores get right. Caffe: accuracy_layer.cpp;
spec A.17."""

import torch

from caffe.ops.base import Op
from caffe.ops.labels import Labels
from caffe.shape import canonical


class Accuracy(Op):
    """The share of positions whose label is among the `top_k` best scores; a
    tie with the label's score counts against it. A second top: the same per
    class, 0 for classes that do not occur."""

    bottoms = (2, 2)
    tops = (1, 2)
    in_place = 'Accuracy Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.accuracy_param
        self.axis = canonical(p.axis, shapes[0])
        ignore = p.ignore_label if p.HasField('ignore_label') else None
        self.labels = Labels(ignore, self.axis)

    def top_shapes(self, shapes):
        top_k = self.param.accuracy_param.top_k
        classes = shapes[0][self.axis]
        self.labels.check_shapes(*shapes)
        if top_k > classes:
            raise RuntimeError(
                'top_k must be less than or equal to the '
                f'number of classes. ({top_k} vs. {classes})'
            )
        return [(), (classes,)][: len(self.param.top)]

    def forward(self, bottoms, params):
        scores, label = bottoms
        classes = scores.shape[self.axis]
        wrong = self.labels.watch(label, classes)
        index, valid = self.labels.find(label, scores.shape)
        own = scores.gather(self.axis, index)
        rivals = (scores >= own).sum(self.axis, keepdim=True)  # and itself
        right = rivals <= self.param.accuracy_param.top_k
        counted = torch.ones_like(right) if valid is None else valid
        right = right & counted
        share = ratio(right.sum(), counted.sum(), scores.dtype)
        share = share if wrong is None else share + wrong
        if len(self.param.top) < 2:
            return [share]
        return [
            share,
            ratio(
                per_class(right, index, classes),
                per_class(counted, index, classes),
                scores.dtype,
            ),
        ]

    def backward(self, *args):
        raise RuntimeError('Not Implemented Yet (Accuracy has no gradient)')

    def check(self):
        """Raises if the GPU has met a label that is no class (see Labels)."""
        self.labels.check()


def ratio(part, whole, dtype):
    """part / whole, 0 where there is nothing."""
    return part.to(dtype) / whole.clamp(min=1).to(dtype)


def per_class(flags, index, classes):
    counts = torch.zeros(classes, dtype=torch.int64, device=flags.device)
    return counts.scatter_add_(0, index.flatten(), flags.flatten().long())
