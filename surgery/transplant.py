"""transplant and expand_score: parameters from one net into another.

Parameters go by layer name and keep their flat order, whatever the shapes, so
that a classifier's inner product (4096 x 25088) fills the filters that slide
(4096 x 512 x 7 x 7). Nothing is copied before everything is known to fit.
"""

from collections import Counter
from math import prod
from typing import NamedTuple

FATES = ('copied', 'coerced', 'dropped', 'left as it was')


class Blob(NamedTuple):
    """One parameter blob of a net: weights are number 0, biases 1."""

    layer: str
    index: int
    shape: tuple

    def __str__(self):
        return f'{self.layer}[{self.index}]'


class Move(NamedTuple):
    """What became of a parameter blob; one side is None where it has no
    partner."""

    fate: str
    old: Blob
    new: Blob

    def line(self):
        """What is printed while it happens, as Berkeley's scripts do."""
        old, new = self.old, self.new
        if self.fate == 'copied':
            return f'copying {old.layer}  ->  {new.layer} {new.index}'
        if self.fate == 'coerced':
            return (
                f'coercing {old.layer} {old.index} '
                f'from {old.shape} to {new.shape}'
            )
        return f'dropping {old.layer} {old.index}'

    def row(self):
        """What the report says: fate, who, which shape."""
        ends = [blob for blob in (self.old, self.new) if blob]
        names = dict.fromkeys(str(blob) for blob in ends)
        shapes = dict.fromkeys(sized(blob.shape) for blob in ends)
        return self.fate, ' -> '.join(names), ' -> '.join(shapes)


class Report:
    """Accounts for every parameter blob of two nets; str() is a table."""

    def __init__(self, moves):
        self.moves = moves

    def of(self, fate):
        """The moves of one fate: copied, coerced, dropped, left as it was."""
        return [move for move in self.moves if move.fate == fate]

    def __str__(self):
        rows = [move.row() for move in self.moves]
        width = max((len(names) for _, names, _ in rows), default=0)
        lines = [
            f'{fate:14}  {names:{width}}  {shapes}'
            for fate, names, shapes in rows
        ]
        counts = Counter(move.fate for move in self.moves)
        total = ', '.join(f'{counts[fate]} {fate}' for fate in FATES)
        return '\n'.join([*lines, f'parameter blobs: {total}'])


def sized(shape):
    return ' x '.join(map(str, shape)) or 'a single number'


def blobs_of(shapes):
    """Takes: {layer: [shape, ...]}. Gives: {(layer, index): Blob}"""
    return {
        (layer, index): Blob(layer, index, tuple(shape))
        for layer, each in shapes.items()
        for index, shape in enumerate(each)
    }


def plan(old_shapes, new_shapes, suffix=''):
    """Pairs the blobs of two nets, by layer name and index.

    Takes: {layer: [shape, ...]} of both; suffix: ends the new layers' names
    Gives: Report
    Raises: ValueError for a pair that does not hold equally many numbers
    """
    new_blobs = blobs_of(new_shapes)
    moves = []
    for (layer, index), old in blobs_of(old_shapes).items():
        new = new_blobs.pop((layer + suffix, index), None)
        if new is None:
            fate = 'dropped'
        elif old.shape == new.shape:
            fate = 'copied'
        else:
            fate = 'coerced'
            check_counts(old, new)
        moves.append(Move(fate, old, new))
    moves += [Move('left as it was', None, new) for new in new_blobs.values()]
    return Report(moves)


def check_counts(old, new):
    if prod(old.shape) != prod(new.shape):
        raise ValueError(
            f'{new}: {sized(old.shape)} holds {prod(old.shape)} numbers, '
            f'{sized(new.shape)} needs {prod(new.shape)}'
        )


def params_of(net, layer):
    if layer not in net.params:
        raise ValueError(f'{layer}: the net has no parameters of that name')
    return net.params[layer]


def shapes_of(net):
    return {
        layer: [tuple(blob.shape) for blob in blobs]
        for layer, blobs in net.params.items()
    }


def transplant(new_net, net, suffix=''):
    """Copies the parameters of `net` into the layers of `new_net` of the
    same names, or names with a suffix: one trunk of several.

    Gives: Report
    """
    report = plan(shapes_of(net), shapes_of(new_net), suffix)
    for move in report.moves:
        if move.old:
            print(move.line())
        if move.old and move.new:
            new = new_net.params[move.new.layer][move.new.index].data
            old = net.params[move.old.layer][move.old.index].data
            new[...] = old.reshape(new.shape)
    return report


def expand_score(new_net, new_layer, net, layer):
    """Copies a score layer into one with more classes: the old classes come
    first, the others stay what they are."""
    pairs = []
    for index, (new, old) in enumerate(
        zip(params_of(new_net, new_layer), params_of(net, layer))
    ):
        new, old = new.data, old.data
        if index:  # biases: (k,), or (1, 1, 1, k) in nets of old
            new, old = new.reshape(-1), old.reshape(-1)
        if old.shape[1:] != new.shape[1:] or len(old) > len(new):
            raise ValueError(
                f'{layer}[{index}] ({sized(old.shape)}) does not fit into '
                f'{new_layer}[{index}] ({sized(new.shape)})'
            )
        pairs.append((new, old))
    for new, old in pairs:
        new[: len(old)] = old


def add_inputs(new_net, new_layer, net, layer):
    """Copies a layer's filters into one that has further input channels: they
    see those as they saw the others on average (depth beside colour)."""
    (new, old), *biases = [
        (new.data, old.data)
        for new, old in zip(
            params_of(new_net, new_layer), params_of(net, layer)
        )
    ]
    k = old.shape[1]
    if new[:, :k].shape != old.shape:
        raise ValueError(
            f'{layer}[0] ({sized(old.shape)}) does not fit into '
            f'{new_layer}[0] ({sized(new.shape)})'
        )
    new[:, :k] = old
    new[:, k:] = old.mean(axis=1, keepdims=True)
    for new, old in biases:
        new[...] = old.reshape(new.shape)
