"""Indices: positions along an axis, read from a float blob and checked as
labels are (labels.py): at once on the CPU; on a GPU a wrong one turns the
result into NaN and is an error when somebody looks."""

from caffe.ops.labels import Labels


class Indices(Labels):
    """Takes: message: what to say of a wrong one: a function of (one of the
    wrong values, how many positions there are)"""

    def __init__(self, message):
        super().__init__(ignore=None, axis=0)
        self.message = message

    def watch(self, blob, count):
        return super().watch(blob, count) if blob.numel() else None

    def read(self, blob, count):
        """Gives: flat int64 positions, kept within 0..count - 1"""
        return blob.flatten().long().clamp(0, max(0, count - 1))

    def refuse(self, count, values, total, classes):
        raise RuntimeError(self.message(float(values[0]), classes))
