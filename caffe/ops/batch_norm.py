"""BatchNorm: normalises each channel; Scale behind it learns factor and
shift. Caffe: batch_norm_layer.cpp; spec A.18."""

import torch
from torch.nn import functional as F

from caffe.ops.base import Op
from caffe.shape import shape_text


class BatchNorm(Op):
    """(x - mean) / sqrt(var + eps), by the batch's own statistics in TRAIN
    and by the accumulated ones in TEST (or as use_global_stats says).

    Blobs: sum of means (C,), sum of variances (C,), and the number of terms
    in them (1,); all three decay by moving_average_fraction per pass.
    """

    overwritable = True

    def setup(self, shapes):
        p = self.param.batch_norm_param
        self.use_global = (
            p.use_global_stats
            if p.HasField('use_global_stats')
            else self.phase == 1
        )
        self.fraction, self.eps = p.moving_average_fraction, p.eps
        self.channels = channels(shapes[0])
        for shape in [(self.channels,), (self.channels,), (1,)]:
            self.add_blob(shape)
        if any(spec.lr_mult != 0 for spec in self.param.param):
            raise RuntimeError(
                'Cannot configure batch normalization statistics as layer '
                'parameters.'
            )
        while len(self.param.param) < 3:
            self.param.param.add(lr_mult=0)

    def top_shapes(self, shapes):
        if channels(shapes[0]) != self.channels:
            raise RuntimeError(
                f'{channels(shapes[0])} channels in {shape_text(shapes[0])}, '
                f'the statistics are of {self.channels}'
            )
        return [shapes[0]]

    def forward(self, bottoms, params):
        (x,) = bottoms
        x = x if x.dim() > 1 else x[:, None]
        y = self.by_global(x, params) if self.use_global else self.by_batch(x)
        return [y.reshape(bottoms[0].shape)]

    def by_global(self, x, params):
        mean, var, terms = (p.detach() for p in params)
        factor = torch.where(terms == 0, 0, 1 / terms)
        return F.batch_norm(x, mean * factor, var * factor, eps=self.eps)

    def by_batch(self, x):
        """torch leaves the mean and the unbiased variance of this batch in
        the running statistics if those have no inertia."""
        mean, var = x.new_zeros(self.channels), x.new_zeros(self.channels)
        if x.numel() > self.channels:
            y = F.batch_norm(
                x, mean, var, training=True, momentum=1.0, eps=self.eps
            )
        else:  # one value per channel: its own mean
            mean, y = x.detach().flatten(), x - x
        with torch.no_grad():
            for blob, term in zip(self.blobs, (mean, var, 1.0)):
                blob.tensor = blob.tensor.mul_(self.fraction).add_(term)
        return y


def channels(shape):
    return shape[1] if len(shape) > 1 else 1
