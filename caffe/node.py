"""Node: one layer in its place in a net, with the blobs it reads and writes;
how it runs forward and backward.

Every node differentiates itself: its forward runs on detached leaves, and its
backward turns the diffs of its tops into diffs of its bottoms and parameters.
So a pass can begin and end at any layer, blobs and diffs can be read and
written in between, and Python layers are nothing special. Caffe: layer.hpp.
"""

import torch

from caffe.ops.python import Python
from caffe.trace import Trace

NEVER, MAYBE, SURELY = range(3)  # will backward follow a forward pass?


class Node:
    """Takes: op: an Op that is set up; bottoms, tops: lists of Blobs;
    top_names: theirs"""

    def __init__(self, op, bottoms, tops, top_names):
        self.op = op
        self.name = op.param.name
        self.type = op.param.type
        self.bottoms = bottoms
        self.tops = tops
        self.top_names = top_names
        self.in_place = any(top in bottoms for top in tops)
        self.loss_weights = [0.0] * len(tops)
        self.need = False  # does backward run at all?
        self.need_bottoms = [False] * len(bottoms)
        self.need_params = []  # one per parameter blob
        self.specs = []  # its ParamSpec
        self.trace = None  # what autograd recorded
        self.replaced = None  # inputs that an in-place top took the place of
        self.seen = None  # bottom shapes of the last forward

    @property
    def blobs(self):
        return self.op.blobs

    @property
    def param_shapes(self):
        return [blob.shape for blob in self.blobs]

    def reshape(self):
        """Gives the tops the shapes that the bottoms imply."""
        op = self.op
        if isinstance(op, Python):
            op.ask('reshape', self.bottoms, self.tops)
        elif op.bottoms != (0, 0):
            self.seen = [blob.shape for blob in self.bottoms]
            shapes = self.blame(op.top_shapes, self.seen)
            for blob, shape in zip(self.tops, shapes):
                blob.reshape(*shape)

    # forward ----------------------------------------------------------------

    def forward(self, backward):
        """Computes the tops. backward: NEVER, MAYBE or SURELY follows."""
        op = self.op
        self.trace = self.replaced = None
        if isinstance(op, Python):
            for top in self.tops:
                if top not in self.bottoms:
                    top.revive()
            return op.run(self.bottoms, self.tops)
        if self.type == 'Split':
            return self.split(backward)
        shapes = [blob.shape for blob in self.bottoms]
        if shapes != self.seen:
            self.blame(op.top_shapes, shapes)
            self.seen = shapes
        by_autograd = self.need and op.backward is None and backward != NEVER
        inputs = self.inputs(outlive=by_autograd and self.in_place)
        params = [blob.tensor for blob in self.blobs]
        if by_autograd and backward == SURELY:
            outputs = self.record(inputs, params)
        else:
            if by_autograd and self.in_place:
                self.replaced = inputs
            with torch.no_grad():
                outputs = self.blame(op.forward, inputs, params)
        for blob, output in zip(self.tops, outputs):
            if output is not None:
                blob.tensor = output.detach()

    def split(self, backward):
        """The tops are the bottom, as in Caffe, from now on: who runs the
        net up to the bottom again changes them too. Where blobs are freed one
        by one they only have its values."""
        (bottom,) = self.bottoms
        for top in self.tops:
            if backward != NEVER:
                top.alias(bottom)
            else:
                top.part(bottom)
                top.tensor = self.blame(getattr, bottom, 'tensor')

    def inputs(self, outlive=False):
        """The bottoms' tensors. outlive: also where a top will be written over
        the memory of a bottom, because numpy looks at it."""
        return [
            blob.tensor.clone()
            if outlive and blob.watched and blob in self.tops
            else self.blame(getattr, blob, 'tensor')
            for blob in self.bottoms
        ]

    def record(self, inputs, params):
        """Runs forward under autograd, on leaves of its own."""
        self.trace = Trace(self, inputs, params)
        return self.trace.outputs

    def loss(self):
        """The weighted sum of the tops that are losses, or None. The weights
        are the tops' diffs, as in Caffe: who writes there changes the loss."""
        terms = [
            (top.tensor * top.grad).sum()
            for top, weight in zip(self.tops, self.loss_weights)
            if weight
        ]
        return sum(terms[1:], terms[0]) if terms else None

    # backward ---------------------------------------------------------------

    def backward(self, keep):
        """Overwrites the diffs of the bottoms that need one, adds to those of
        the parameters. keep: leave the tops' diffs and the trace in place."""
        if not self.need:
            return
        op = self.op
        if isinstance(op, Python):
            op.ask('backward', self.tops, self.need_bottoms, self.bottoms)
            return self.forget_diffs(keep)
        for j in op.fixed:
            if self.need_bottoms[j]:
                raise RuntimeError(
                    f"layer '{self.name}': {self.type} Layer cannot "
                    'backpropagate to label inputs.'
                )
        diffs = [top.grad for top in self.tops]
        if op.backward is None:
            to_bottoms, to_params = self.differentiate(diffs, keep)
        else:
            with torch.no_grad():
                to_bottoms, to_params = self.blame(
                    op.backward,
                    diffs,
                    [top.tensor for top in self.tops],
                    self.inputs(),
                    [blob.tensor for blob in self.blobs],
                    self.need_bottoms,
                    self.need_params,
                )
        taken = self.keeping(diffs, keep)
        to_bottoms = [own(diff, taken) for diff in to_bottoms]
        to_params = [own(diff, taken) for diff in to_params]
        self.forget_diffs(keep)
        for blob, diff, need in zip(
            self.bottoms, to_bottoms, self.need_bottoms
        ):
            if need:
                blob.grad = diff
        for blob, diff, need in zip(self.blobs, to_params, self.need_params):
            if need and diff is not None:
                blob.add_grad(diff.reshape(blob.shape))

    def differentiate(self, diffs, keep):
        """Gives: bottom diffs, parameter diffs, as autograd finds them."""
        params = [blob.tensor for blob in self.blobs]
        if self.trace is None or self.trace.stale(params):
            inputs = self.replaced or self.inputs()
            if self.trace is not None and self.in_place:
                inputs = self.trace.inputs
            self.record(inputs, params)
        found = self.blame(self.trace.gradients, diffs, keep)
        if not keep:
            self.trace = self.replaced = None
        return found[: len(self.bottoms)], found[len(self.bottoms) :]

    def keeping(self, diffs, keep):
        """The memory of those tops' diffs that stay as they are: kept, loss
        weights, or looked at. In place, a top's diff becomes the bottom's."""
        return {
            storage(diff)
            for top, diff, weight in zip(self.tops, diffs, self.loss_weights)
            if (keep or weight or top.grad_watched) and top not in self.bottoms
        }

    def forget_diffs(self, keep):
        for top, weight in zip(self.tops, self.loss_weights):
            if not keep and not weight and top not in self.bottoms:
                top.grad = None

    def blame(self, function, *args):
        """Calls; an error says which layer it happened in."""
        try:
            return function(*args)
        except RuntimeError as error:
            if type(error) is not RuntimeError:
                raise  # out of memory and other special ones
            raise RuntimeError(
                f"layer '{self.name}' ({self.type}): {error}"
            ) from error


def own(diff, taken):
    """The diff, copied if its memory is another blob's as well: a ReLU may
    overwrite its own in place."""
    if diff is not None:
        diff = diff.clone() if storage(diff) in taken else diff
        taken.add(storage(diff))
    return diff


def storage(tensor):
    return tensor.untyped_storage().data_ptr()
