"""From features to a score for every pixel: the layers above the trunk.

Long, Shelhamer and Darrell, Fully Convolutional Networks for Semantic
Segmentation, sections 3.3, 4.2 and 4.3. A net.py names the blobs.
"""

from caffe import layers as L
from caffe import params as P
from caffe.coord_map import crop
from nets.table import LEARNED

__all__ = ['score', 'scale', 'upsample', 'crop', 'concat', 'fuse', 'loss']


def score(features, classes):
    """1 x 1 filters. All zero at first: a new stream begins by adding
    nothing to what the older ones say."""
    return L.Convolution(
        features, num_output=classes, kernel_size=1, param=LEARNED
    )


def scale(features, value):
    """A fixed factor for each channel: the finer a layer, the greater its
    features, and streams that start at once should start alike."""
    return L.Scale(
        features,
        filler=dict(type='constant', value=value),
        param=dict(lr_mult=0),
    )


def upsample(scores, classes, factor, kernel_size=None):
    """Makes scores `factor` times as large. Fixed; it has no filler, so it
    gives zeros until `surgery.interp` makes it bilinear."""
    options = dict(
        num_output=classes,
        kernel_size=kernel_size or 2 * factor,
        stride=factor,
        bias_term=False,
    )
    return L.Deconvolution(
        scores, convolution_param=options, param=dict(lr_mult=0)
    )


def concat(*images):
    """One image that has the channels of all."""
    return L.Concat(*images)


def fuse(*scores, **options):
    """Adds up streams of one size; coeff=[...]: each times a number."""
    return L.Eltwise(*scores, operation=P.Eltwise.SUM, **options)


def loss(scores, label, normalize=False):
    """Softmax loss, summed over an image's pixels; normalize=True: their
    mean. Pixels labelled 255 do not count."""
    return L.SoftmaxWithLoss(
        scores, label, loss_param=dict(ignore_label=255, normalize=normalize)
    )
