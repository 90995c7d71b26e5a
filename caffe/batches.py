"""Any number of items through a net of a fixed batch size (methods of Net).

Caffe: pycaffe.py, _Net_forward_all and its kin; spec section C.9. The batch
size is that of the net's first blob; the last batch is filled up with zeros,
whose results are dropped.
"""

from itertools import zip_longest

import numpy as np


def forward_all(net, blobs=None, **kwargs):
    """Takes: blobs: names of further blobs to return; kwargs: name of an
        input -> an array of any number of items
    Gives: name -> array of as many items, copied
    """
    outs = {name: [] for name in [*net.outputs, *(blobs or [])]}
    for batch in batches(net, kwargs):
        keep(outs, net.forward(blobs=blobs, **batch))
    return packed(outs, count(kwargs))


def forward_backward_all(net, blobs=None, diffs=None, **kwargs):
    """Takes: kwargs: arrays for the inputs, diffs for the outputs
    Gives: (name -> array) of the outputs and blobs, (name -> array) of the
        diffs of the inputs and of the blobs in `diffs`
    """
    fed = {name: kwargs[name] for name in net.inputs if name in kwargs}
    led = {name: kwargs[name] for name in net.outputs if name in kwargs}
    if unknown := set(kwargs) - set(fed) - set(led):
        raise Exception(
            f'{", ".join(sorted(unknown))}: neither inputs nor outputs of the '
            'net'
        )
    outs = {name: [] for name in [*net.outputs, *(blobs or [])]}
    back = {name: [] for name in [*net.inputs, *(diffs or [])]}
    for forth, down in zip_longest(
        batches(net, fed), batches(net, led), fillvalue={}
    ):
        keep(outs, net.forward(blobs=blobs, **forth))
        keep(back, net.backward(diffs=diffs, **down))
    items = count(fed or led)
    return packed(outs, items), packed(back, items)


def batches(net, arrays):
    """Cuts the arrays into batches, all of the net's size."""
    if not arrays:
        return
    size, items = len(next(iter(net.blobs.values())).data), count(arrays)
    for start in range(0, items, size):
        stop = min(start + size, items)
        yield {
            name: filled(array[start:stop], size)
            for name, array in arrays.items()
        }


def filled(array, size):
    missing = size - len(array)
    if not missing:
        return array
    return np.concatenate([array, np.zeros((missing, *array.shape[1:]))])


def count(arrays):
    """How many items there are, the same in every array."""
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        raise Exception(f'arrays of different numbers of items: {counts}')
    return next(iter(counts.values()), 0)


def keep(lists, arrays):
    for name, array in arrays.items():
        if not array.ndim:
            raise TypeError(
                f"blob '{name}' is one number for a whole batch: it cannot be "
                'told item by item'
            )
        lists[name].extend(array.copy())


def packed(lists, items):
    """Arrays of as many items as were given, without the filling."""
    return {name: np.asarray(rows)[:items] for name, rows in lists.items()}
