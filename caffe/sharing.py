"""Which layer owns a parameter, and which others share it by `param.name`.

Caffe: net.cpp AppendParam, ShareWeights; spec section C.6.
"""

from typing import NamedTuple

from caffe.blob import Blob
from caffe.proto import caffe_pb2 as pb
from caffe.shape import shape_text

STRICT, PERMISSIVE = 0, 1  # ParamSpec.DimCheckMode


class Learnable(NamedTuple):
    """A parameter blob that the solver updates, listed once, by its owner."""

    blob: Blob
    lr_mult: float
    decay_mult: float
    name: str  # 'conv1_1[0]'


class Owners:
    """The parameter blobs of a net, each under its first layer; blobs with
    the same `param.name` are one."""

    def __init__(self):
        self.entries = []  # [blob, spec, name], owners only
        self.named = {}  # param.name -> (entry, node)

    def enter(self, node):
        """Registers the parameters of the next layer."""
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
        """Makes the blob one with the owner of its name. lr_mult and
        decay_mult may be said by either of them, or alike by both."""
        (owner, merged, _), first = self.named[spec.name]
        loose = spec.share_mode == PERMISSIVE
        kind = 'count' if loose else 'shape'
        if owner.count != blob.count if loose else owner.shape != blob.shape:
            raise RuntimeError(
                f"Cannot share param '{spec.name}' owned by layer "
                f"'{first.name}' with layer '{node.name}'; {kind} mismatch.  "
                f'Owner layer param shape is {shape_text(owner.shape)}; '
                f'sharing layer {"shape is" if loose else "expects shape"} '
                f'{shape_text(blob.shape)}'
            )
        for field in ('lr_mult', 'decay_mult'):
            if not spec.HasField(field):
                continue
            value = getattr(spec, field)
            if merged.HasField(field) and getattr(merged, field) != value:
                raise RuntimeError(
                    f"Shared param '{spec.name}' has mismatched {field}."
                )
            setattr(merged, field, value)
        blob.share(owner)

    def learnable(self):
        """Gives: list of Learnable, in order of first appearance"""
        return [
            Learnable(blob, spec.lr_mult, spec.decay_mult, name)
            for blob, spec, name in self.entries
        ]
