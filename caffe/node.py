"""Node: one layer in its place in a net, with the blobs it reads and writes;
how it runs forward and backward.

Every node differentiates itself: its forward runs on detached leaves, and its
backward turns the diffs of its tops into diffs of its bottoms and parameters.
So a pass can begin and end at any layer, blobs and diffs can be read and
written in between, and Python layers are nothing special. Caffe: layer.hpp.
"""

import torch

from caffe.ops.python import Python


class Node:
    """Takes: op: an Op that is set up; bottoms, tops: lists of Blobs"""

    def __init__(self, op, bottoms, tops):
        self.op = op
        self.name = op.param.name
        self.type = op.param.type
        self.bottoms = bottoms
        self.tops = tops
        self.in_place = any(top in bottoms for top in tops)
        self.loss_weights = [0.0] * len(tops)
        self.need = False               # does backward run at all?
        self.need_bottoms = [False] * len(bottoms)
        self.need_params = []           # one per parameter blob
        self.param_shapes = []          # the op's own; a shared blob's may
        self.specs = []                 # differ (share_mode PERMISSIVE)
        self.graph = None               # (inputs, params, outputs) of autograd
        self.kept = None                # inputs that an in-place top replaced
        self.seen = None                # bottom shapes of the last forward

    @property
    def blobs(self):
        return self.op.blobs

    def params(self):
        return [blob.tensor.view(shape)
                for blob, shape in zip(self.blobs, self.param_shapes)]

    def reshape(self):
        """Gives the tops the shapes that the bottoms imply."""
        op = self.op
        if isinstance(op, Python):
            op.layer.reshape(self.bottoms, self.tops)
        elif op.bottoms != (0, 0):
            self.seen = [blob.shape for blob in self.bottoms]
            shapes = self.blame(op.top_shapes, self.seen)
            for blob, shape in zip(self.tops, shapes):
                blob.reshape(*shape)

    def forward(self, record):
        """Computes the tops. record: keep what backward needs."""
        op = self.op
        self.graph = self.kept = None
        if isinstance(op, Python):
            return op.run(self.bottoms, self.tops)
        shapes = [blob.shape for blob in self.bottoms]
        if shapes != self.seen:
            self.blame(op.top_shapes, shapes)
            self.seen = shapes
        inputs = [blob.tensor for blob in self.bottoms]
        params = self.params()
        if record and self.need and op.backward is None:
            outputs = self.blame(self.trace, inputs, params)
        else:
            if self.in_place and self.need and op.backward is None:
                self.kept = inputs
            with torch.no_grad():
                outputs = self.blame(op.forward, inputs, params)
        for blob, output in zip(self.tops, outputs):
            if output is not None:
                blob.tensor = output.detach()

    def trace(self, inputs, params):
        """Runs forward under autograd, on leaves of its own."""
        inputs = [x.detach().requires_grad_(need)
                  for x, need in zip(inputs, self.need_bottoms)]
        params = [p.detach().requires_grad_(need)
                  for p, need in zip(params, self.need_params)]
        with torch.enable_grad():
            outputs = self.op.forward(inputs, params)
        self.graph = inputs, params, outputs
        return outputs

    def loss(self):
        """The weighted sum of the tops that are losses, or None. The weights
        are the tops' diffs, as in Caffe: who writes there changes the loss."""
        terms = [(top.tensor * top.grad).sum()
                 for top, weight in zip(self.tops, self.loss_weights) if weight]
        return sum(terms[1:], terms[0]) if terms else None

    def backward(self, keep):
        """Overwrites the diffs of the bottoms that need one, adds to those of
        the parameters. keep: leave the tops' diffs and the graph in place."""
        if not self.need:
            return
        op = self.op
        if isinstance(op, Python):
            op.layer.backward(self.tops, self.need_bottoms, self.bottoms)
            return
        diffs = [top.grad for top in self.tops]
        if op.backward is None:
            to_bottoms, to_params = self.blame(self.differentiate, diffs, keep)
        else:
            with torch.no_grad():
                to_bottoms, to_params = self.blame(
                    op.backward, diffs,
                    [top.tensor for top in self.tops],
                    [bottom.tensor for bottom in self.bottoms],
                    self.params(),
                    self.need_bottoms, self.need_params)
        to_bottoms = self.separate(to_bottoms, diffs if keep else [])
        if not keep:
            self.graph = self.kept = None
            self.forget_diffs()
        for blob, diff, need in zip(self.bottoms, to_bottoms,
                                    self.need_bottoms):
            if need:
                blob.grad = diff
        for blob, diff, need in zip(self.blobs, to_params, self.need_params):
            if need and diff is not None:
                blob.add_grad(diff.reshape(blob.shape))

    def differentiate(self, diffs, keep):
        if self.graph is None:          # a TEST pass recorded nothing
            self.trace(self.kept or [b.tensor for b in self.bottoms],
                       self.params())
        inputs, params, outputs = self.graph
        leaves = [x for x in inputs + params if x.requires_grad]
        pairs = [(y, d) for y, d in zip(outputs, diffs)
                 if y is not None and y.requires_grad]
        found = [None] * len(leaves)
        if pairs and leaves:
            found = torch.autograd.grad(
                [y for y, _ in pairs], leaves, [d for _, d in pairs],
                retain_graph=keep, allow_unused=True)
        found = iter(found)
        return ([next(found) if x.requires_grad else None for x in inputs],
                [next(found) if p.requires_grad else None for p in params])

    def separate(self, to_bottoms, diffs):
        """Copies diffs that would share memory with another blob's: a ReLU
        may overwrite its own in place."""
        taken = set() if self.in_place else {storage(d) for d in diffs}
        out = []
        for diff in to_bottoms:
            if diff is not None:
                diff = diff.clone() if storage(diff) in taken else diff
                taken.add(storage(diff))
            out.append(diff)
        return out

    def forget_diffs(self):
        for top, weight in zip(self.tops, self.loss_weights):
            if not weight and top not in self.bottoms:
                top.grad = None

    def blame(self, function, *args):
        """Calls; an error says which layer it happened in."""
        try:
            return function(*args)
        except RuntimeError as error:
            if type(error) is not RuntimeError:
                raise                   # out of memory and other special ones
            raise RuntimeError(
                f"layer '{self.name}' ({self.type}): {error}") from error


def storage(tensor):
    return tensor.untyped_storage().data_ptr()
