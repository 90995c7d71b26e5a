"""crop: cuts one blob to another's size where the two lie on each other.

Every spatial layer maps coordinates linearly: a point x of its input lies at
a * x + b of its output, per spatial axis. Composing these maps from one blob
back to a common ancestor and on to the other blob gives the offset between
the two, which depends on kernels, strides and pads but not on any image size.

pycaffe: coord_map.py. Works on net specs (Tops), before there is a net. Knows
no layer that mixes positions (InnerProduct) or joins branches (Concat). A
blob that is reached along two paths is taken to be aligned on both.
"""

import numpy as np

from caffe.net_spec import layers as L

# A map is (axis, a, b). axis: the channel axis, spatial ones follow; None =
# any. a, b: arrays, one number for all spatial axes or one for each.
IDENTITY = (None, 1, 0)

POINTWISE = frozenset(
    'AbsVal BatchNorm Bias BNLL Dropout Eltwise ELU Log LRN Exp MVN Power '
    'ReLU PReLU Scale Sigmoid Split TanH Threshold'.split()
)
FILTERS = frozenset(['Convolution', 'Pooling', 'Im2col'])
MAPPED = POINTWISE | FILTERS | {'Deconvolution', 'Crop'}
OWN_MESSAGES = ('convolution_param', 'pooling_param', 'crop_param')
LEGACY = frozenset(
    f'{what}_{side}' for what in ('pad', 'kernel', 'stride') for side in 'hw'
)


class UndefinedMapException(Exception):
    """A layer whose output positions are no linear map of its input's."""


class AxisMismatchException(Exception):
    """Two layers that count their spatial axes from different places."""


def options(fn):
    """A layer's own options, in a message of their own or not."""
    for message in OWN_MESSAGES:
        if message in fn.params:
            return fn.params[message]
    return fn.params


def window(fn):
    """Takes: fn: a layer that slides a window over its input
    Gives: axis, and arrays: stride, extent (the dilated kernel's), pad
    """
    given = options(fn)
    if LEGACY.intersection(given):
        raise AssertionError(
            f'{fn.tops[0]}: cropping does not support legacy _h/_w params'
        )
    if 'kernel_size' not in given:
        raise KeyError(f'{fn.tops[0]}: no kernel_size')
    kernel, stride, pad, dilation = (
        np.array(values, ndmin=1)
        for values in (
            given['kernel_size'],
            given.get('stride', 1),
            given.get('pad', 0),
            given.get('dilation', 1),
        )
    )
    return given.get('axis', 1), stride, (kernel - 1) * dilation + 1, pad


def map_of(fn):
    """The map of one layer, from its first bottom to its tops."""
    if fn.type_name in POINTWISE:
        return IDENTITY
    if fn.type_name in FILTERS:
        axis, stride, extent, pad = window(fn)
        return axis, 1 / stride, (pad - (extent - 1) / 2) / stride
    if fn.type_name == 'Deconvolution':
        axis, stride, extent, pad = window(fn)
        return axis, stride, (extent - 1) / 2 - pad
    if fn.type_name == 'Crop':
        given = options(fn)
        offset = np.array(given.get('offset', 0), ndmin=1)
        return given.get('axis', 2) - 1, 1, -offset
    raise UndefinedMapException(
        f'{fn.tops[0]}: {fn.type_name} maps no coordinates'
    )


def compose(outer, inner, blob):
    """The map that applies `inner`, to reach `blob`, then `outer`."""
    (axis1, a1, b1), (axis2, a2, b2) = outer, inner
    if None not in (axis1, axis2) and axis1 != axis2:
        raise AxisMismatchException(
            f'{blob}: channel axis {axis2} above, {axis1} below'
        )
    axis = axis2 if axis1 is None else axis1
    return axis, a1 * a2, a1 * b2 + b1


def inverse(map):
    axis, a, b = map
    return axis, 1 / a, -b / a


def spatial_bottoms(fn):
    """The blobs whose positions the layer keeps: Crop reads only the size
    of its second bottom."""
    return fn.inputs[:1] if fn.type_name == 'Crop' else fn.inputs


def ancestors(top):
    """Walks up from `top`, breadth first.

    Gives: pairs (blob, map from that blob to `top`), `top` itself first, as
        far up as layers have maps
    """
    seen, queue = {top}, [(top, IDENTITY)]
    for blob, below in queue:  # grows as we go
        yield blob, below
        try:
            above = compose(below, map_of(blob.fn), blob)
        except UndefinedMapException:
            continue
        for bottom in spatial_bottoms(blob.fn):
            if bottom not in seen:
                seen.add(bottom)
                queue.append((bottom, above))


def dead_ends(top):
    """The layers at which the walk up from `top` had to stop."""
    return [
        f'{blob} ({blob.fn.type_name})'
        for blob, _ in ancestors(top)
        if blob.fn.inputs and blob.fn.type_name not in MAPPED
    ]


def coord_map_from_to(top_from, top_to):
    """The map from the coordinates of one blob to those of another.

    Gives: (axis, a, b): x of top_from lies at a * x + b of top_to
    """
    maps_from = dict(ancestors(top_from))
    for blob, map_to in ancestors(top_to):
        if blob in maps_from:
            return compose(map_to, inverse(maps_from[blob]), blob)
    ends = ', '.join(dead_ends(top_from) + dead_ends(top_to)) or 'none'
    raise RuntimeError(
        'Could not compute map between tops; are they connected by spatial '
        f'layers? ({top_from} to {top_to}; layers without a map: {ends})'
    )


def crop(top_from, top_to):
    """A Crop layer that cuts `top_from` to the size of `top_to`, at the
    offset where the two show the same place."""
    axis, a, b = coord_map_from_to(top_from, top_to)
    where = f'({top_from} to {top_to})'
    if axis is None:
        raise AttributeError(
            f'no spatial layer to tell the axes to crop {where}'
        )
    if not np.allclose(a, 1):
        raise AssertionError(f'scale mismatch on crop (a = {a}) {where}')
    if np.any(b > 0):
        raise AssertionError(f'cannot crop negative offset (b = {b}) {where}')
    offset = -np.round(b).astype(int)
    if not np.allclose(-offset, b):
        raise AssertionError(f'cannot crop noninteger offset (b = {b}) {where}')
    return L.Crop(
        top_from,
        top_to,
        crop_param=dict(axis=axis + 1, offset=offset.tolist()),
    )
