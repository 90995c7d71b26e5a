"""Padding the image by 100, or fc6 by what keeps its size.

README of fcn.berkeleyvision.org, "Why pad the input?": without, "it is
possible, though less convenient, to calculate the exact offsets". Here they
are calculated, by caffe/alignment.py. Then a coarse stream, upsampled, is
larger than the finer one beside it, so it is the coarse one that is cropped.
At the border interpolation finds no neighbour and scores fade towards zero,
those of all classes alike.
"""

from functools import partial

from ablations.study import Edit, Study
from caffe.alignment import missing_offsets


def pad(variant, image):
    """Takes: image: whether the image is padded (100), or fc6 and, like the
    layers behind it, the first one (half a kernel)"""
    for net in variant.nets.values():
        first = first_layers(net)
        fc6 = [x for x in convolutions(net) if x.name.startswith('fc6')]
        if not first or not fc6:
            raise ValueError(
                f'{variant.network} has no convolution of its input, or none '
                'called fc6, to pad'
            )
        for layer in first:
            set_pad(layer, 100 if image else half_kernel(layer))
        for layer in fc6:
            set_pad(layer, 0 if image else half_kernel(layer))
        align(net, variant.network)


def convolutions(net):
    return [layer for layer in net.layer if layer.type == 'Convolution']


def first_layers(net):
    """The convolutions before which there is none."""
    found, inputs = [], set()
    for layer in net.layer:
        if set(layer.bottom) <= inputs:
            if layer.type == 'Convolution':
                found.append(layer)
            else:
                inputs.update(layer.top)
    return found


def half_kernel(layer):
    return layer.convolution_param.kernel_size[0] // 2


def set_pad(layer, value):
    options = layer.convolution_param
    options.ClearField('pad')
    if value:
        options.pad.append(value)


def align(net, network):
    """Gives every Crop the offset at which its bottoms show the same place;
    turns a Crop round whose offset would be negative.

    Raises: ValueError if there is no such offset
    """
    for layer in net.layer:
        if layer.type == 'Crop':
            layer.crop_param.ClearField('offset')
    turned = set()
    while True:
        found = missing_offsets(net)
        wrong = [(crop, why) for crop, offset, why in found if offset is None]
        if not wrong:
            break
        crop, why = wrong[0]
        both = readers(net, crop)
        if not both or crop.name in turned:
            raise ValueError(f"{network}: layer '{crop.name}': {why}")
        turned.add(turn(crop, both))
    for crop, offset, _ in found:
        crop.crop_param.MergeFrom(offset)


def readers(net, crop):
    """The layers that read a Crop's top beside what it was cropped to; none
    if one reads it alone and so depends on its size."""
    read = [layer for layer in net.layer if crop.top[0] in layer.bottom]
    pairs = [layer for layer in read if crop.bottom[1] in layer.bottom]
    return pairs if len(pairs) == len(read) else []


def turn(crop, pairs):
    """Cuts the other one of two blobs, b to the size of a instead of a to
    that of b. Gives: the Crop's name, as ever the blob's and a c"""
    (a, b), old = crop.bottom, crop.top[0]
    crop.name = new = f'{b}c'
    crop.bottom[:] = [b, a]
    crop.top[:] = [new]
    for layer in pairs:
        names = {old: a, b: new}
        layer.bottom[:] = [names.get(blob, blob) for blob in layer.bottom]
    return new


EDITS = {
    'padding': Edit(
        'what is padded: the image by 100, or fc6 by half its kernel',
        '100',
        {'100': partial(pad, image=True), 'fc6': partial(pad, image=False)},
    )
}
STUDY = Study(
    question='Does the padding by 100 cost anything?',
    answer='It "guarantees that the network output can be aligned to the '
    'input for any input size"; doing away with it is called possible, though '
    'less convenient (README of fcn.berkeleyvision.org). No published number '
    'without it is known.',
    method='The whole staged recipe; the first layer pads by 100, or by 1 '
    'while fc6, 7 x 7, pads by 3. All crop offsets are calculated anew, and '
    'scores have the size of the image in both arms.',
    nets=('voc-fcn32s', 'voc-fcn16s', 'voc-fcn8s'),
    arms={'image': {'padding': '100'}, 'fc6': {'padding': 'fc6'}},
)
