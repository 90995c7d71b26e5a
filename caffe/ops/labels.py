"""Labels as class indices: read from float blobs, checked against the number
of classes, for SoftmaxWithLoss and Accuracy. Spec A.14, A.17.

Caffe reads outside its memory where a label is no class. Here a label that is
neither a class nor `ignore_label` is an error: at once on the CPU; on a GPU,
where looking would make the host wait, it counts as ignored, turns the layer's
result into NaN, and raises as soon as somebody calls `check`.
"""

import math

import torch

from caffe.shape import shape_text


class Labels:
    """Takes: ignore: the label to leave out, or None; axis: that of the
    classes in the scores."""

    def __init__(self, ignore, axis):
        self.ignore = ignore
        self.axis = axis
        self.wrong = None  # on the device: (how many, one of them)
        self.classes = None

    def check_shapes(self, scores, labels):
        """Raises unless there is one label per position."""
        positions = math.prod(scores) // scores[self.axis]
        if math.prod(labels) != positions:
            raise RuntimeError(
                'Number of labels must match number of predictions: '
                f'{shape_text(labels)} for {positions} positions of scores '
                f'{shape_text(scores)}, classes along axis {self.axis}'
            )

    def find(self, label, shape):
        """Gives: index: int64, 1 along the class axis, 0 where invalid;
        valid: bool, the same shape, or None if every label counts."""
        index = label.long().reshape(
            *shape[: self.axis], 1, *shape[self.axis + 1 :]
        )
        if self.ignore is None and label.device.type == 'cpu':
            return index, None
        valid = (index >= 0) & (index < shape[self.axis])
        if self.ignore is not None:
            valid &= index != self.ignore
        return index.where(valid, 0), valid

    def watch(self, label, classes):
        """Looks for labels that are no class. Gives: None on the CPU, else a
        0-dim tensor to add to the layer's result: 0, or NaN if there are any.

        Raises: RuntimeError, on the CPU
        """
        label = label.flatten()
        wrong = ~((label > -1) & (label < classes))  # or it is NaN
        if self.ignore is not None:
            wrong &= label.trunc() != self.ignore
        if label.device.type == 'cpu':
            if wrong.any():
                self.refuse(
                    wrong.sum(), label[wrong].unique(), len(label), classes
                )
            return None
        count = wrong.sum()
        example = label.gather(0, wrong.int().argmax(0, keepdim=True))
        if self.wrong is not None:
            example = example.where(count > 0, self.wrong[1])
            self.wrong = count + self.wrong[0], example
        else:
            self.wrong = count, example
        self.classes = classes
        nan = torch.full((), math.nan, device=label.device)
        return nan.where(count > 0, torch.zeros_like(nan))

    def check(self):
        """Raises RuntimeError if a forward pass on the GPU since the last
        check saw a wrong label. Waits for the GPU."""
        if self.wrong is None:
            return
        (count, example), self.wrong = self.wrong, None
        if count:
            self.refuse(count, example, None, self.classes)

    def refuse(self, count, values, total, classes):
        shown = ', '.join(f'{float(value):g}' for value in values[:5])
        shown += ', ...' if len(values) > 5 else ''
        of = f' of {total}' if total else ''
        ignored = (
            'no ignore_label is set'
            if self.ignore is None
            else f'ignore_label is {self.ignore}'
        )
        raise RuntimeError(
            f'label {shown} at {int(count)}{of} pixels is not one of the '
            f'{classes} classes (0..{classes - 1}); {ignored}'
        )
