"""VGG-16: the trunk of all FCNs but one, and the classifier it comes from.

Simonyan and Zisserman 2014, table 1, net D; made fully convolutional as in
FCN, section 4.1: fc6 and fc7 become 7 x 7 and 1 x 1 filters, fc8 goes.
conv1_1 pads by 100, so that even an image of one pixel leaves fc6 a window to
look at. `surgery` makes the trunk's first weights from the classifier's.
"""

from nets import table
from nets.table import CLASSIFIER_HEAD, LEARNED, net_of, pool


def conv(number, num_output, pad=1):
    return table.conv(number, num_output, 3, pad=pad, param=LEARNED)


def fc(number, kernel_size):
    return table.fc(
        number, 'Convolution', kernel_size=kernel_size, param=LEARNED
    )


BODY = (
    *conv('1_2', 64),
    pool(1, 2),  # 64 x 349 x 349
    *conv('2_1', 128),
    *conv('2_2', 128),
    pool(2, 2),  # 128 x 175 x 175
    *conv('3_1', 256),
    *conv('3_2', 256),
    *conv('3_3', 256),
    pool(3, 2),  # 256 x 88 x 88
    *conv('4_1', 512),
    *conv('4_2', 512),
    *conv('4_3', 512),
    pool(4, 2),  # 512 x 44 x 44
    *conv('5_1', 512),
    *conv('5_2', 512),
    *conv('5_3', 512),
    pool(5, 2),  # 512 x 22 x 22
)

TRUNK = (
    *conv('1_1', 64, pad=100),  # 3 x 500 x 500 -> 64 x 698 x 698
    *BODY,
    *fc(6, kernel_size=7),  # 4096 x 16 x 16
    *fc(7, kernel_size=1),  # 4096 x 16 x 16
)

CLASSIFIER = (*conv('1_1', 64), *BODY, *CLASSIFIER_HEAD)


def trunk():
    return net_of(TRUNK, 500)


def classifier():
    return net_of(CLASSIFIER, 224)
