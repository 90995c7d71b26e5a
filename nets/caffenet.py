"""CaffeNet: the trunk of FCN-AlexNet, and the classifier it comes from.

Krizhevsky et al. 2012 as Caffe trained it, which pools before it normalises;
made fully convolutional as in FCN, section 4.1 (see nets/vgg16.py). Its
layers have no multipliers: weights and biases learn and decay alike.
"""

from nets.table import CLASSIFIER_HEAD, conv, fc, net_of, norm, pool

BODY = (
    pool(1, 3),  # 96 x 86 x 86
    norm(1),
    *conv(2, 256, 5, pad=2, group=2),  # 256 x 86 x 86
    pool(2, 3),  # 256 x 43 x 43
    norm(2),
    *conv(3, 384, 3, pad=1),  # 384 x 43 x 43
    *conv(4, 384, 3, pad=1, group=2),
    *conv(5, 256, 3, pad=1, group=2),  # 256 x 43 x 43
    pool(5, 3),  # 256 x 21 x 21
)

TRUNK = (
    *conv(1, 96, 11, stride=4, pad=100),  # 3 x 500 x 500 -> 96 x 173 x 173
    *BODY,
    *fc(6, 'Convolution', kernel_size=6),  # 4096 x 16 x 16
    *fc(7, 'Convolution', kernel_size=1),  # 4096 x 16 x 16
)

CLASSIFIER = (*conv(1, 96, 11, stride=4), *BODY, *CLASSIFIER_HEAD)


def trunk():
    return net_of(TRUNK, 500)


def classifier():
    return net_of(CLASSIFIER, 227)
