"""What a net holds, under the names that pycaffe gives it: layers, parameters,
names and indices of blobs. Caffe: _caffe.cpp, pycaffe.py; spec section C.9.
"""

from collections import OrderedDict


class Parts:
    """Takes, from its subclass Net: nodes, blobs, inputs, outputs."""

    @property
    def layers(self):
        """The layers in order: `.type`, `.blobs`; a Python layer is the very
        object that was made from its class."""
        return [getattr(node.op, 'layer', node) for node in self.nodes]

    @property
    def layer_dict(self):
        return OrderedDict(zip(self._layer_names, self.layers))

    @property
    def params(self):
        """Layer name -> its parameter blobs, for layers that have any."""
        return OrderedDict(
            (node.name, node.blobs) for node in self.nodes if node.blobs
        )

    @property
    def blob_loss_weights(self):
        weights = {
            id(top): weight
            for node in self.nodes
            for top, weight in zip(node.tops, node.loss_weights)
        }
        return OrderedDict(
            (name, weights[id(blob)]) for name, blob in self.blobs.items()
        )

    @property
    def top_names(self):
        return OrderedDict((n.name, list(n.top_names)) for n in self.nodes)

    @property
    def bottom_names(self):
        return OrderedDict(
            (n.name, list(n.op.param.bottom)) for n in self.nodes
        )

    # pycaffe's own names: lists, and indices into them -----------------------

    @property
    def _layer_names(self):
        return [node.name for node in self.nodes]

    @property
    def _blob_names(self):
        return list(self.blobs)

    @property
    def _blobs(self):
        return list(self.blobs.values())

    @property
    def _blob_loss_weights(self):
        return list(self.blob_loss_weights.values())

    @property
    def _inputs(self):
        return self._ids(self.inputs)

    @property
    def _outputs(self):
        return self._ids(self.outputs)

    def _top_ids(self, i):
        return self._ids(self.nodes[i].top_names)

    def _bottom_ids(self, i):
        return self._ids(self.nodes[i].op.param.bottom)

    def _ids(self, names):
        index = {name: i for i, name in enumerate(self.blobs)}
        return [index[name] for name in names]
