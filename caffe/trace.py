"""Trace: one forward run of an op as autograd recorded it, for ops that do not
define backward themselves.
"""

import torch


class Trace:
    """One forward run of a node as autograd recorded it."""

    def __init__(self, node, inputs, params):
        self.inputs = leaves(inputs, node.need_bottoms)
        self.params = leaves(params, node.need_params)
        with torch.enable_grad():
            self.outputs = node.blame(node.op.forward, self.inputs, self.params)
        self.watched = [*self.inputs, *self.params]
        if not node.op.overwritable:
            self.watched += [y for y in self.outputs if y is not None]
        self.versions = [x._version for x in self.watched]

    def stale(self, params):
        """Has torch changed what was recorded, or has the mode changed?"""
        return self.versions != [x._version for x in self.watched] or any(
            ours.device != now.device or ours.data_ptr() != now.data_ptr()
            for ours, now in zip(self.params, params)
        )

    def gradients(self, diffs, keep):
        """A gradient, or None, for each input and then each parameter."""
        sought = [*self.inputs, *self.params]
        wanted = [x for x in sought if x.requires_grad]
        pairs = [
            (y, diff)
            for y, diff in zip(self.outputs, diffs)
            if y is not None and y.requires_grad
        ]
        found = iter([None] * len(wanted))
        if pairs and wanted:
            found = iter(
                torch.autograd.grad(
                    [y for y, _ in pairs],
                    wanted,
                    [diff for _, diff in pairs],
                    retain_graph=keep,
                    allow_unused=True,
                )
            )
        return [next(found) if x.requires_grad else None for x in sought]


def leaves(tensors, needs):
    return [x.detach().requires_grad_(n) for x, n in zip(tensors, needs)]
