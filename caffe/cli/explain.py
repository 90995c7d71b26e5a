"""`explain`: the shape of every blob of a net, and where its pixels lie in the
image, without building the net.

stride: pixels of the image from one element to the next
offset: where in the image the centre of its first element lies, in pixels;
        for a Crop also what it cuts off its bottom

Not here: shapes behind Python layers that compute something.
"""

import re

import numpy as np

from caffe.alignment import apart, functions, warnings
from caffe.blob import Blob
from caffe.cli.upgrade import read_old
from caffe.coord_map import (
    IDENTITY,
    AxisMismatchException,
    UndefinedMapException,
    compose,
    inverse,
    map_of,
    spatial_bottoms,
)
from caffe.graph import filter_net
from caffe.net import TEST, TRAIN
from caffe.ops import op_class

OWN_SHAPES = ('Input', 'DummyData', 'Parameter')
COLOURS = 3  # channels of a data blob of which nothing is known


def explain(flags, path, *channels):
    """Takes: channels: 'depth=1', ...: of blobs that a data layer makes"""
    param = read_old(path)
    param.state.phase = TRAIN if flags.phase == 'TRAIN' else TEST
    param.state.level = flags.level
    param.state.stage.extend(filter(None, flags.stage.split(',')))
    param = filter_net(param)
    given = dict(one.partition('=')[::2] for one in channels)
    sources = Sources(param, size(flags.size), given)
    for line in lines(param, sources):
        print(line)


def size(flag):
    """(height, width), or None where none is given"""
    if not flag:
        return None
    if not re.fullmatch(r'\d+x\d+', flag):
        raise ValueError(f'size {flag}: give HEIGHTxWIDTH, as 500x500')
    return tuple(int(number) for number in flag.split('x'))


class Sources:
    """The shapes of blobs that come from outside the net.

    Takes: size: (height, width) for all of them; channels: name -> number
    """

    def __init__(self, param, size, channels):
        self.size = size
        self.channels = {name: int(n) for name, n in channels.items()}
        self.labels = {
            layer.bottom[1]
            for layer in param.layer
            if len(layer.bottom) > 1
            and (
                layer.type == 'Accuracy'
                or 1 in op_class(layer.type, layer.name).fixed
            )
        }

    def shapes(self, layer, op):
        if layer.type in OWN_SHAPES:
            op.setup([])
            made = op.top_shapes([])
            if layer.type != 'Parameter':
                made = [self.resized(shape) for shape in made]
            if all(made):
                return made
        if self.size is None:
            raise RuntimeError(
                'the size of what it reads is not in the net: give --size HxW'
            )
        return [(1, self.depth(top), *self.size) for top in layer.top]

    def resized(self, shape):
        return (
            (*shape[:2], *self.size) if self.size and len(shape) == 4 else shape
        )

    def depth(self, top):
        return self.channels.get(top, 1 if top in self.labels else COLOURS)


def lines(param, sources):
    """The table, row by row, then what is worth a remark; where a layer does
    not fit, the table so far, then its error."""
    rows = [('blob', 'layer', 'type', 'shape', 'stride', 'offset')]
    shapes, places, remarks, weights, wrong = {}, {}, [], 0, None
    for layer, fn, _ in functions(param):
        try:
            found, op = walk(layer, [shapes[b] for b in layer.bottom], sources)
        except RuntimeError as error:
            wrong = RuntimeError(
                f"layer '{layer.name}' ({layer.type}): {error}"
            )
            break
        weights += sum(blob.count for blob in op.blobs)
        before = {name: shapes[name] for name in layer.bottom}
        remarks += misaligned(layer, places)
        for top, shape in zip(fn.tops, found):
            place = locate(fn, shape, before, places)
            shapes[top.name], places[top.name] = shape, place
            if top.name not in layer.bottom:
                rows.append(row(top.name, layer, fn, shape, place))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for cells in rows:
        yield '  '.join(map(str.ljust, cells, widths)).rstrip()
    if not wrong:
        yield f'{weights} parameters'
    yield from remarks
    yield from warnings(param)
    if wrong:
        raise wrong


def walk(layer, bottoms, sources):
    """Gives: shapes of the tops, None where unknown; the op, set up with
    parameters that take no memory"""
    op = op_class(layer.type, layer.name)(layer, TEST)
    op.add_blob = lambda shape, filler=None: op.blobs.append(Blob(shape))
    if not layer.bottom:
        return sources.shapes(layer, op), op
    if None in bottoms or layer.type == 'Python':
        return [None] * len(layer.top), op
    op.setup(bottoms)
    return op.top_shapes(bottoms), op


def locate(fn, shape, before, places):
    """The map from a top's coordinates to the image's, or None."""
    if not fn.inputs:
        return IDENTITY if shape and len(shape) > 2 else None
    first = next(iter(spatial_bottoms(fn))).name
    if places[first] is None or shape is None:
        return None
    try:
        return compose(places[first], inverse(map_of(fn)), fn.tops[0])
    except (UndefinedMapException, KeyError):
        same = shape[2:] == before[first][2:]
        return places[first] if same and len(shape) > 2 else None
    except AxisMismatchException:
        return None


def misaligned(layer, places):
    """Remarks on bottoms that are put together element by element and do not
    show the same place."""
    known = [(b, places[b]) for b in layer.bottom if places[b] is not None]
    if layer.type == 'Crop' or len(known) < 2:
        return
    (first, place), *others = known
    for name, other in others:
        distance = apart(place, other)
        if distance != 0:
            far = 'at another stride' if distance is None else 'apart'
            pixels = '' if distance is None else f'{distance:g} pixels '
            yield (
                f"layer '{layer.name}' ({layer.type}): '{first}' and "
                f"'{name}' lie {pixels}{far}"
            )


def row(name, layer, fn, shape, place):
    stride, offset = ('-', '-') if place is None else map(numbers, place[1:])
    if layer.type == 'Crop':
        offset += f'  (cuts {numbers(fn.params["offset"])})'
    size = '?' if shape is None else ' x '.join(map(str, shape)) or 'scalar'
    return name, layer.name, layer.type, size, stride, offset


def numbers(values):
    """One number where all axes agree."""
    values = np.unique(np.atleast_1d(values)) if np.ptp(values) == 0 else values
    return ', '.join(f'{value:g}' for value in np.atleast_1d(values))
