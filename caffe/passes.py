"""How a net runs: forward, backward, from any layer to any other, with
callbacks and with blobs freed on the way. Caffe: net.cpp, pycaffe.py; spec
section C.7.
"""

import numpy as np
import torch

from caffe import debug
from caffe.build import AUTOMATIC
from caffe.device import device
from caffe.node import NEVER

CALLBACKS = 'before_forward after_forward before_backward after_backward'


class Passes:
    """Takes, from its subclass Net: nodes, blobs, inputs, outputs, learnable;
    usual: whether backward is to be expected, as node.py says it."""

    def _get_ready(self, usual):
        self._index = {node.name: i for i, node in enumerate(self.nodes)}
        self._usual = usual
        self._keep = None
        self._last_use = {}
        self._callbacks = {kind: [] for kind in CALLBACKS.split()}

    # forward ----------------------------------------------------------------

    def forward(self, blobs=None, start=None, end=None, **kwargs):
        """Runs the layers from start to end, both included.

        Takes: blobs: names of further blobs to return; kwargs: an array for
            each input, or none
        Gives: name -> blob.data of the outputs (of the tops of `end`), views
        """
        first, last = self._span(start, end)
        if kwargs:
            self._fill(
                kwargs,
                self.inputs,
                'data',
                'Input blob arguments do not match net inputs.',
                'Input is not batch sized',
            )
        self._forward(first, last, need_loss=False)
        if device().type != 'cpu':
            self.check()
        tops = self.outputs if end is None else self.nodes[last].top_names
        return {name: self.blobs[name].data for name in [*tops, *(blobs or [])]}

    def _forward(self, first, last, need_loss=True):
        """Forward by layer indices; gives the summed loss as a float."""
        total = self._run(first, last)
        return float(total) if need_loss else None

    def forward_loss(self):
        """One forward pass. Gives: the summed weighted loss, a 0-dim tensor
        that stays on the device."""
        return self._run(0, len(self.nodes) - 1)

    def _run(self, first, last):
        total = None
        backward = self._usual if self._keep is None else NEVER
        for i in range(first, last + 1):
            node = self.nodes[i]
            self._call('before_forward', i)
            node.forward(backward)
            loss = node.loss()
            if loss is not None:
                total = loss if total is None else total + loss
            if self.debug_info:
                debug.forward(node)
            self._call('after_forward', i)
            for name in self._last_use.get(i, ()):
                self.blobs[name].free(name)
        return torch.zeros((), device=device()) if total is None else total

    def check(self):
        """Raises what a layer on a GPU has noted and not raised, so as not to
        wait: labels that are no class. Waits for the GPU."""
        for node in self.nodes:
            node.blame(node.op.check)

    def set_keep(self, names):
        """Before passes that no backward pass follows: gives each blob's
        memory back after its last reader has run. None keeps them all again.

        Takes: names: the blobs to keep, besides inputs and outputs
        """
        self._keep, self._last_use = names, {}
        if names is None:
            return
        kept = {*names, *self.inputs, *self.outputs, AUTOMATIC}
        last = {}
        for i, node in enumerate(self.nodes):
            if node.op.bottoms == (0, 0):  # it may fill its tops only once
                kept.update(node.top_names)
            for blob in node.bottoms + node.tops:
                last[id(blob)] = i
        for name, blob in self.blobs.items():
            if name not in kept:
                self._last_use.setdefault(last[id(blob)], []).append(name)

    # backward ---------------------------------------------------------------

    def backward(self, diffs=None, start=None, end=None, **kwargs):
        """Runs the layers backward from start (default the last) to end.

        Takes: diffs: names of further blobs whose diffs to return; kwargs: a
            diff for each output, or none
        Gives: name -> blob.diff of the inputs (of the bottoms of `end`), views
        """
        first, last = self._span(end, start)
        if kwargs:
            self._fill(
                kwargs,
                self.outputs,
                'diff',
                'Top diff arguments do not match net outputs.',
                'Diff is not batch sized',
            )
        self._backward(last, first)
        bottoms = self.nodes[first].op.param.bottom
        names = self.inputs if end is None else bottoms
        return {
            name: self.blobs[name].diff for name in [*names, *(diffs or [])]
        }

    def _backward(self, start, end, keep=True):
        for i in range(start, end - 1, -1):
            node = self.nodes[i]
            self._call('before_backward', i)
            node.backward(keep)
            if self.debug_info and node.need:
                debug.backward(node)
            self._call('after_backward', i)

    def backward_pass(self, keep=True):
        """One backward pass. keep=False: frees the diffs of blobs on the way,
        for who needs only those of the parameters."""
        self._backward(len(self.nodes) - 1, 0, keep)
        if self.debug_info:
            debug.norms(self.learnable)

    def clear_param_diffs(self):
        for item in self.learnable:
            item.blob.grad = None

    # both -------------------------------------------------------------------

    def reshape(self):
        """Lets every layer adapt its tops, without computing anything."""
        for node in self.nodes:
            node.reshape()

    def _span(self, first, last):
        for name in (first, last):
            if name is not None and name not in self._index:
                raise ValueError(
                    f"'{name}' is not in list of layers: "
                    f'{", ".join(self._index)}'
                )
        return (
            0 if first is None else self._index[first],
            len(self.nodes) - 1 if last is None else self._index[last],
        )

    def _fill(self, arrays, names, side, mismatch, unsized):
        if set(arrays) != set(names):
            raise Exception(
                f'{mismatch} (given {sorted(arrays)}, the net has '
                f'{sorted(names)})'
            )
        for name, array in arrays.items():
            array, blob = np.asarray(array), self.blobs[name]
            if array.shape[:1] != blob.shape[:1]:
                raise Exception(
                    f"{unsized}: '{name}' is {array.shape}, its blob "
                    f'{blob.shape}'
                )
            getattr(blob, side)[...] = array

    def _call(self, kind, index):
        for function in self._callbacks[kind]:
            function(index)

    def before_forward(self, function):
        self._callbacks['before_forward'].append(function)

    def after_forward(self, function):
        self._callbacks['after_forward'].append(function)

    def before_backward(self, function):
        self._callbacks['before_backward'].append(function)

    def after_backward(self, function):
        self._callbacks['after_backward'].append(function)
