"""coord_map for nets that exist as a NetParameter: where the pixels of a blob
lie, and the offsets of Crop layers that have none.

The first fully convolutional nets were written for a branch of Caffe whose
Crop found its offset itself. Caffe 1.0 takes a missing offset to be 0.
"""

import numpy as np

from caffe.coord_map import AxisMismatchException, crop
from caffe.net_spec import Function
from caffe.proto import caffe_pb2 as pb

WINDOWS = {
    'Convolution': 'convolution_param',
    'Deconvolution': 'convolution_param',
    'Im2col': 'convolution_param',
    'Pooling': 'pooling_param',
}
CANNOT = (  # what coord_map.crop may raise
    RuntimeError,
    AssertionError,
    AttributeError,
    KeyError,
    ValueError,
    AxisMismatchException,
)
DEFAULTS = {'stride': 1, 'pad': 0, 'dilation': 1}


def functions(param, align=False):
    """The layers as coord_map wants them, with Tops named as the blobs.

    Takes: param: NetParameter; align: gives Crop layers without an offset the
        one that aligns, if there is one
    Gives: list of (layer, Function, why its crop has no offset or None)
    """
    newest, found = {}, []
    for layer in param.layer:
        unknown = [name for name in layer.bottom if name not in newest]
        if unknown:
            raise RuntimeError(
                f"Unknown bottom blob '{unknown[0]}' (layer '{layer.name}')"
            )
        bottoms = [newest[name] for name in layer.bottom]
        fn = Function(kind(layer), bottoms, len(layer.top), False, {})
        fn.params, trouble = options(layer, bottoms, align)
        for name, top in zip(layer.top, fn.tops):
            top.name = name
            newest[name] = top
        found.append((layer, fn, trouble))
    return found


def kind(layer):
    """The type, or for a pooling of whole images one that has no map."""
    if layer.type == 'Pooling' and layer.pooling_param.global_pooling:
        return 'global Pooling'
    return layer.type


def options(layer, bottoms, align):
    """Gives: what coord_map needs to know of the layer, and trouble or None"""
    if layer.type in WINDOWS:
        p = getattr(layer, WINDOWS[layer.type])
        sizes = {what: window(p, what) for what in DEFAULTS}
        kernel = window(p, 'kernel')
        if kernel:
            sizes['kernel_size'] = kernel
        return {'axis': getattr(p, 'axis', 1), **sizes}, None
    if layer.type == 'Crop' and len(bottoms) == 2:
        p = layer.crop_param
        if align and not p.offset:
            try:
                return crop(*bottoms).fn.params['crop_param'], None
            except CANNOT as error:
                return {'axis': p.axis, 'offset': [0]}, error
        return {'axis': p.axis, 'offset': list(p.offset) or [0]}, None
    return {}, None


def window(p, what):
    """kernel, stride, pad or dilation: a list of one number for all axes, or
    of one for each; kernel: empty if there is none."""
    if what != 'dilation' and (
        p.HasField(f'{what}_h') or p.HasField(f'{what}_w')
    ):
        return [getattr(p, f'{what}_h'), getattr(p, f'{what}_w')]
    given = getattr(p, 'kernel_size' if what == 'kernel' else what, [])
    given = [given] if isinstance(given, int) else list(given)
    return given or [DEFAULTS[what]] if what in DEFAULTS else given


def missing_offsets(param):
    """Gives: list of (Crop layer without an offset, CropParameter that aligns
    its bottoms or None, why not)"""
    if not any(
        x.type == 'Crop' and not x.crop_param.offset for x in param.layer
    ):
        return []
    return [
        (layer, None if trouble else pb.CropParameter(**fn.params), trouble)
        for layer, fn, trouble in functions(param, align=True)
        if layer.type == 'Crop' and not layer.crop_param.offset
    ]


def warnings(param):
    """A line for each Crop layer that cuts at 0 and should not."""
    return [
        f"layer '{layer.name}': Crop without an offset cuts at 0, but "
        f"'{layer.bottom[0]}' and '{layer.bottom[1]}' show the same place at "
        f'offset {", ".join(map(str, aligned.offset))}: `python -m caffe '
        'upgrade OLD NEW` writes it'
        for layer, aligned, _ in missing_offsets(param)
        if aligned is not None and any(aligned.offset)
    ]


def apart(one, other):
    """How far two maps differ, in pixels of what they map to; None if their
    strides do."""
    (_, a1, b1), (_, a2, b2) = one, other
    if not np.allclose(a1, a2):
        return None
    return np.abs(np.subtract(b1, b2)).max()
