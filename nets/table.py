"""Tables of layers: a trunk is data, and `stack` makes it part of a net.

Being data, a table is changed as data: without its Dropout rows, with another
first row. What branches (skips, two heads) is no table. What occurs twice is
written once, under names with a suffix.
"""

from typing import NamedTuple

from caffe import NetSpec
from caffe import layers as L
from caffe import params as P

# lr_mult and decay_mult of a layer's weights and biases, where nets say so:
# biases learn twice as fast and do not decay.
LEARNED = [dict(lr_mult=1, decay_mult=1), dict(lr_mult=2, decay_mult=0)]


class Row(NamedTuple):
    """One layer; it reads the row above."""

    name: str
    type: str
    options: dict


def conv(number, num_output, kernel_size, **options):
    options.update(num_output=num_output, kernel_size=kernel_size)
    return Row(f'conv{number}', 'Convolution', options), relu(number)


def relu(number):
    return Row(f'relu{number}', 'ReLU', dict(in_place=True))


def dropout(number):
    options = dict(dropout_ratio=0.5, in_place=True)
    return Row(f'drop{number}', 'Dropout', options)


def pool(number, kernel_size):
    options = dict(pool=P.Pooling.MAX, kernel_size=kernel_size, stride=2)
    return Row(f'pool{number}', 'Pooling', options)


def norm(number):
    options = dict(local_size=5, alpha=1e-4, beta=0.75)
    return Row(f'norm{number}', 'LRN', options)


def fc(number, type, **options):
    """A classifier's inner product, as such or as the filter it becomes."""
    options.update(num_output=4096)
    return Row(f'fc{number}', type, options), relu(number), dropout(number)


# How both ILSVRC classifiers end.
CLASSIFIER_HEAD = (
    *fc(6, 'InnerProduct'),
    *fc(7, 'InnerProduct'),
    Row('fc8', 'InnerProduct', dict(num_output=1000)),
    Row('prob', 'Softmax', {}),
)


def stack(n, top, table):
    """Adds the table's layers to the net spec `n`, on `top`. Gives: the last
    blob."""
    for row in table:
        top = n[row.name] = getattr(L, row.type)(top, **row.options)
    return top


class Suffixed:
    """A net spec of which all names end alike, for what occurs twice in a
    net: with the suffix '_sem', `t.score_fr` is `n.score_fr_sem`. The c of a
    cropped blob stays last: `t.score_pool4c` is `n.score_pool4_semc`."""

    def __init__(self, n, suffix):
        vars(self).update(_n=n, _suffix=suffix)

    def _name(self, name):
        stem = name[:-1] if name.endswith('c') else name
        return stem + self._suffix + name[len(stem) :]

    def __setitem__(self, name, top):
        self._n[self._name(name)] = top

    def __getitem__(self, name):
        return self._n[self._name(name)]

    __setattr__ = __setitem__
    __getattr__ = __getitem__  # only for names Python does not find


def net_of(table, size):
    """The NetParameter of a table alone, on one size x size image."""
    n = NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, size, size]))
    stack(n, n.data, table)
    return n.to_proto()
