"""Builds the nodes of a net: makes each op, binds its blobs by name, shares
parameters, and settles which gradients will be needed.

Caffe: net.cpp Init, AppendTop, AppendParam; spec sections C.4 to C.6.
"""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import torch

from caffe.blob import Blob
from caffe.node import Node
from caffe.ops import op_class
from caffe.ops.base import shape_text
from caffe.ops.python import Python
from caffe.proto import caffe_pb2 as pb
from caffe.proto.blobs import read_blob

STRICT, PERMISSIVE = 0, 1               # ParamSpec.DimCheckMode


class Learnable(NamedTuple):
    """A parameter blob that the solver updates, listed once, by its owner."""

    blob: Blob
    lr_mult: float
    decay_mult: float
    name: str                           # 'conv1_1[0]'


class Built(NamedTuple):
    nodes: list
    blobs: OrderedDict                  # name -> Blob, in order of making
    inputs: list                        # names: tops of Input layers
    outputs: list                       # names: tops nobody reads, sorted
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
        bottoms = []
        for j, name in enumerate(layer.bottom):
            if name not in blobs:
                raise RuntimeError(f"Unknown bottom blob '{name}' (layer "
                                   f"'{layer.name}', bottom index {j})")
            bottoms.append(blobs[name])
            unread.discard(name)
        op = op_class(layer.type, layer.name)(layer, layer.phase)
        tops = bind_tops(layer, op, bottoms, blobs)
        unread.update(layer.top)
        if layer.type == 'Input':
            inputs.extend(layer.top)
        node = Node(op, bottoms, tops)
        set_up(node, roots)
        set_loss_weights(node)
        owners.enter(node)
        nodes.append(node)
    settle_backward(nodes, param.force_backward)
    allow_overwriting(nodes)
    return Built(nodes, blobs, inputs, sorted(unread), owners.learnable())


def bind_tops(layer, op, bottoms, blobs):
    check_counts(layer, op)
    tops = []
    for j, name in enumerate(layer.top):
        if j < len(layer.bottom) and layer.bottom[j] == name:
            if op.in_place != 'yes':
                raise RuntimeError(f"layer '{layer.name}' ({layer.type}): "
                                   f'{op.in_place}')
            tops.append(bottoms[j])
        elif name in blobs:
            raise RuntimeError(
                f"Top blob '{name}' produced by multiple sources. "
                f"(layer '{layer.name}')")
        else:
            blobs[name] = Blob()
            tops.append(blobs[name])
    if op.loss:                         # '(automatic)': seen by nobody
        tops += [Blob() for _ in range(op.tops[0] - len(tops))]
    return tops


def check_counts(layer, op):
    who = f"layer '{layer.name}': {layer.type} Layer"
    for verb, kind, (least, most), count in [
            ('takes', 'bottom blob(s) as input', op.bottoms,
             len(layer.bottom)),
            ('produces', 'top blob(s) as output',
             (0 if op.loss else op.tops[0], op.tops[1]), len(layer.top))]:
        if least == most != count:
            raise RuntimeError(f'{who} {verb} {least} {kind}. ({count} given)')
        if count < least:
            raise RuntimeError(
                f'{who} {verb} at least {least} {kind}. ({count} given)')
        if most is not None and count > most:
            raise RuntimeError(
                f'{who} {verb} at most {most} {kind}. ({count} given)')
    if op.equal_counts and len(layer.bottom) != len(layer.top):
        raise RuntimeError(f'{who} produces one top blob as output for each '
                           'bottom blob input.')


def set_up(node, roots):
    op, layer = node.op, node.op.param
    given = len(layer.param)            # BatchNorm adds specs of its own
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
            f'({len(specs)} given, it has {len(op.blobs)})')
    node.specs = [specs[i] if i < len(specs) else pb.ParamSpec()
                  for i in range(len(op.blobs))]
    node.need_params = [i >= given or spec.lr_mult != 0
                        for i, spec in enumerate(node.specs)]
    node.param_shapes = [blob.shape for blob in op.blobs]


def stored(blob_proto):
    data = blob_proto.SerializeToString()
    return read_blob(data, 0, len(data))


def take_blobs(blobs, given):
    """Copies values that the prototxt itself brings."""
    if len(blobs) != len(given):
        raise RuntimeError(f'Incompatible number of blobs: it brings '
                           f'{len(given)}, it has {len(blobs)}')
    for blob, source in zip(blobs, given):
        if not source.fits(blob.shape):
            raise RuntimeError(
                'Incorrect weight shape: expected shape '
                f'{shape_text(blob.shape)}; instead, shape was '
                f'{shape_text(source.shape)}')
        values = np.asarray(source.data, np.float32).reshape(blob.shape)
        blob.tensor.copy_(torch.from_numpy(values.copy()))


def set_loss_weights(node):
    """A loss weight lives in the top's diff (layer.hpp SetLossWeights)."""
    layer = node.op.param
    given = list(layer.loss_weight)
    if given and len(given) != len(layer.top):
        raise RuntimeError(
            f"layer '{node.name}': loss_weight must be unspecified or "
            'specified once per top blob.')
    if node.op.loss and not given:
        given = [1.0] + [0.0] * (len(node.tops) - 1)
        layer.loss_weight.extend(given[:len(layer.top)])
    for k, (top, weight) in enumerate(zip(node.tops, given)):
        if weight:
            node.loss_weights[k] = weight
            top.grad = torch.full_like(top.tensor, weight)


class Owners:
    """The parameter blobs of a net, each under its first layer; blobs with
    the same `param.name` are one."""

    def __init__(self):
        self.entries = []               # [blob, spec, name], owners only
        self.named = {}                 # param.name -> (entry, node)

    def enter(self, node):
        for i, (blob, spec) in enumerate(zip(node.blobs, node.specs)):
            if spec.name and spec.name in self.named:
                self.join(node, blob, spec)
                continue
            copy = pb.ParamSpec()
            copy.CopyFrom(spec)
            entry = [blob, copy, f'{node.name}[{i}]']
            self.entries.append(entry)
            if spec.name:
                self.named[spec.name] = entry, node

    def join(self, node, blob, spec):
        (owner, merged, _), first = self.named[spec.name]
        loose = spec.share_mode == PERMISSIVE
        kind = 'count' if loose else 'shape'
        if (owner.count != blob.count if loose else owner.shape != blob.shape):
            raise RuntimeError(
                f"Cannot share param '{spec.name}' owned by layer "
                f"'{first.name}' with layer '{node.name}'; {kind} mismatch.  "
                f'Owner layer param shape is {shape_text(owner.shape)}; '
                f'sharing layer {"shape is" if loose else "expects shape"} '
                f'{shape_text(blob.shape)}')
        for field in ('lr_mult', 'decay_mult'):
            if not spec.HasField(field):
                continue
            value = getattr(spec, field)
            if merged.HasField(field) and getattr(merged, field) != value:
                raise RuntimeError(f"Shared param '{spec.name}' has "
                                   f'mismatched {field}.')
            setattr(merged, field, value)
        blob.share(owner)

    def learnable(self):
        return [Learnable(blob, spec.lr_mult, spec.decay_mult, name)
                for blob, spec, name in self.entries]


def settle_backward(nodes, force):
    """Marks the nodes, bottoms and parameters that backward must reach."""
    flagged = {}                        # id of blob -> may carry a gradient
    for node in nodes:
        reached = [flagged.get(id(blob), False) for blob in node.bottoms]
        node.need = any(reached) or any(node.need_params)
        given = list(node.op.param.propagate_down)
        if given and len(given) != len(reached):
            raise RuntimeError(
                f"layer '{node.name}': propagate_down param must be specified "
                f'either 0 or bottom_size times ({len(given)} given)')
        node.need_bottoms = given or reached
        for top in node.tops:
            flagged[id(top)] = node.need
    under_loss, cut = set(), set()
    for node in reversed(nodes):
        tops = [id(top) for top in node.tops]
        contributes = any(node.loss_weights) or not under_loss.isdisjoint(tops)
        if tops and cut.issuperset(tops):
            node.need = False
            node.need_bottoms = [False] * len(node.bottoms)
        node.need = node.need and contributes
        for j, bottom in enumerate(node.bottoms):
            if contributes:
                under_loss.add(id(bottom))
            else:
                node.need_bottoms[j] = False
            if not node.need_bottoms[j]:
                cut.add(id(bottom))
        if force:
            node.need = True
            node.need_bottoms = [need or j not in node.op.fixed
                                 for j, need in enumerate(node.need_bottoms)]
            node.need_params = [True] * len(node.blobs)
        for j in node.op.fixed:
            if j < len(node.bottoms) and node.need and node.need_bottoms[j]:
                raise RuntimeError(
                    f"layer '{node.name}': {node.type} Layer cannot "
                    'backpropagate to label inputs.')


def allow_overwriting(nodes):
    """Lets an in-place op write over memory that nothing else reads."""
    makers = {}
    for node in nodes:
        maker = makers.get(id(node.bottoms[0])) if node.bottoms else None
        node.op.overwrite = bool(
            node.in_place and maker is not None and maker.op.overwritable)
        for top in node.tops:
            makers[id(top)] = node
