"""Builds the nodes of a net: makes each op, binds its blobs by name, takes in
its parameters and loss weights.

Caffe: net.cpp Init, AppendTop; layer.hpp SetUp; spec sections A.0, C.4 to C.6.
Sharing of parameters is sharing.py; what backward must reach is need.py.
"""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import torch

from caffe.blob import Blob
from caffe.log import logger
from caffe.need import allow_overwriting, settle_backward
from caffe.node import Node
from caffe.ops import op_class
from caffe.ops.python import Python
from caffe.proto import caffe_pb2 as pb
from caffe.proto.blobs import read_blob
from caffe.shape import shape_text
from caffe.sharing import Owners

# The name of every top that a loss layer has and the prototxt does not list.
AUTOMATIC = '(automatic)'


class Built(NamedTuple):
    nodes: list
    blobs: OrderedDict  # name -> Blob, in order of making
    inputs: list  # names: tops of Input layers
    outputs: list  # names: tops nobody reads, sorted
    learnable: list


def build(param, roots):
    """Takes: param: filtered NetParameter with splits and its state's phase
    roots: folders in which Python layer modules are looked up first."""
    blobs, unread = OrderedDict(), set()
    nodes, inputs = [], []
    owners = Owners()
    for layer in param.layer:
        if not layer.HasField('phase'):
            layer.phase = param.state.phase
        bottoms = [blobs[name] for name in layer.bottom]
        unread.difference_update(layer.bottom)
        op = op_class(layer.type, layer.name)(layer, layer.phase)
        node = Node(op, bottoms, *bind_tops(layer, op, bottoms, blobs))
        unread.update(layer.top)
        if layer.type == 'Input':
            inputs.extend(layer.top)
        set_up(node, roots)
        set_loss_weights(node)
        owners.enter(node)
        nodes.append(node)
    settle_backward(nodes, param.force_backward)
    allow_overwriting(nodes)
    for name in sorted(unread):
        logger.debug('This network produces output %s', name)
    logger.debug('Network initialization done.')
    return Built(nodes, blobs, inputs, sorted(unread), owners.learnable())


def bind_tops(layer, op, bottoms, blobs):
    """Gives: the tops' Blobs, new or, in place, a bottom's; their names"""
    check_counts(layer, op)
    tops, names = [], list(layer.top)
    for j, name in enumerate(names):
        if j < len(layer.bottom) and layer.bottom[j] == name:
            if op.in_place != 'yes':
                raise RuntimeError(
                    f"layer '{layer.name}' ({layer.type}): {op.in_place}"
                )
            tops.append(bottoms[j])
        elif name in blobs:
            raise RuntimeError(
                f"Top blob '{name}' produced by multiple sources. "
                f"(layer '{layer.name}')"
            )
        else:
            blobs[name] = Blob()
            tops.append(blobs[name])
    while op.loss and len(tops) < op.tops[0]:
        blobs[AUTOMATIC] = Blob()
        tops.append(blobs[AUTOMATIC])
        names.append(AUTOMATIC)
    return tops, names


def check_counts(layer, op):
    """Refuses more or fewer blobs than the layer type takes and makes."""
    who = f"layer '{layer.name}': {layer.type} Layer"
    fewest = 0 if op.loss else op.tops[0]
    for verb, kind, (least, most), names in [
        ('takes', 'bottom blob(s) as input', op.bottoms, layer.bottom),
        ('produces', 'top blob(s) as output', (fewest, op.tops[1]), layer.top),
    ]:
        count = len(names)
        limit = None
        if least == most != count:
            limit = f'{least}'
        elif count < least:
            limit = f'at least {least}'
        elif most is not None and count > most:
            limit = f'at most {most}'
        if limit:
            raise RuntimeError(f'{who} {verb} {limit} {kind}. ({count} given)')
    if op.equal_counts and len(layer.bottom) != len(layer.top):
        raise RuntimeError(
            f'{who} produces one top blob as output for each bottom blob '
            f'input. ({len(layer.bottom)} bottoms, {len(layer.top)} tops)'
        )


def set_up(node, roots):
    """Sets the op up: parameter blobs, shapes of the tops, ParamSpecs."""
    op, layer = node.op, node.op.param
    given = len(layer.param)  # BatchNorm adds specs of its own
    if isinstance(op, Python):
        op.connect(node.bottoms, node.tops, roots)
    else:
        shapes = [blob.shape for blob in node.bottoms]
        node.blame(op.setup, shapes)
        for blob, shape in zip(node.tops, node.blame(op.top_shapes, shapes)):
            blob.reshape(*shape)
        for blob, value in zip(node.tops, op.initial_tops() or []):
            if value is not None:
                blob.tensor = value
    if layer.blobs:
        node.blame(take_blobs, op.blobs, [stored(b) for b in layer.blobs])
        del layer.blobs[:]
    specs = layer.param
    if len(specs) > len(op.blobs):
        raise RuntimeError(
            f"Too many params specified for layer '{node.name}' "
            f'({len(specs)} given, it has {len(op.blobs)})'
        )
    node.specs = [
        specs[i] if i < len(specs) else pb.ParamSpec()
        for i in range(len(op.blobs))
    ]
    node.need_params = [
        i >= given or spec.lr_mult != 0 for i, spec in enumerate(node.specs)
    ]


def stored(blob_proto):
    data = blob_proto.SerializeToString()
    return read_blob(data, 0, len(data))


def take_blobs(blobs, given):
    """Copies values that the prototxt itself brings."""
    if len(blobs) != len(given):
        raise RuntimeError(
            f'Incompatible number of blobs: {len(given)} given, it has '
            f'{len(blobs)}'
        )
    for blob, source in zip(blobs, given):
        if not source.fits(blob.shape):
            raise RuntimeError(
                'Incorrect weight shape: expected shape '
                f'{shape_text(blob.shape)}; instead, shape was '
                f'{shape_text(source.shape)}'
            )
        values = np.asarray(source.data, np.float32).reshape(blob.shape)
        blob.tensor.copy_(torch.from_numpy(values.copy()))


def set_loss_weights(node):
    """A loss weight lives in the top's diff (layer.hpp SetLossWeights)."""
    weights = node.op.param.loss_weight
    if node.op.loss and not weights:
        weights.extend([1.0, *[0.0] * (len(node.tops) - 1)])
    if weights and len(weights) != len(node.tops):
        raise RuntimeError(
            f"layer '{node.name}': loss_weight must be unspecified or "
            f'specified once per top blob. ({len(weights)} given for '
            f'{len(node.tops)} tops)'
        )
    for k, (top, weight) in enumerate(zip(node.tops, weights)):
        if weight:
            node.loss_weights[k] = weight
            top.grad = torch.full_like(top.tensor, weight)
