"""Net: a NetParameter brought to life; pycaffe's caffe.Net.

Caffe: net.cpp, _caffe.cpp, pycaffe.py; spec sections C.7 to C.9. What runs is
a flat list of nodes (node.py), made by build.py; model files are model_io.py.
"""

import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from caffe import model_io
from caffe.build import build
from caffe.graph import filter_net, insert_splits
from caffe.log import logger
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text
from caffe.proto.upgrade import upgrade_net

TRAIN, TEST = 0, 1


class Net:
    """Net(file, phase, level=0, stages=None, weights=None), or the old form
    Net(file, weights, phase).

    Takes: file: path of a prototxt, or a NetParameter; then root is the
        folder beside which Python layers are looked up
    Raises: RuntimeError in Caffe's words for whatever cannot be built
    """

    def __init__(self, network_file, *args, phase=None, level=0, stages=None,
                 weights=None, root=None):
        args = list(args)
        if args and isinstance(args[0], (str, os.PathLike)):
            weights = args.pop(0)       # the old form
            logger.warning('DEPRECATION WARNING - deprecated use of Python '
                           'interface')
            logger.warning('Use this instead (with the named "weights" '
                           'parameter):')
            logger.warning("Net('%s', %s, weights='%s')", network_file,
                           *args[:1], weights)
        given = dict(zip(('phase', 'level', 'stages', 'weights'), args))
        phase = given.get('phase', phase)
        if phase not in (TRAIN, TEST):
            raise TypeError('Net needs a phase: caffe.TRAIN or caffe.TEST')
        weights = given.get('weights', weights)
        if weights is not None:
            must_open(weights)
        param, roots = read(network_file, root)
        param.state.phase = phase
        param.state.level = given.get('level', level)
        param.state.stage.extend(given.get('stages', stages) or [])
        self._build(param, roots)
        if weights is not None:
            self.copy_from(weights)

    def _build(self, param, roots):
        self.param = insert_splits(filter_net(param))
        self.name = param.name
        self.phase = param.state.phase
        built = build(self.param, roots)
        self.nodes, self.learnable = built.nodes, built.learnable
        self.blobs = built.blobs
        self.inputs, self.outputs = built.inputs, built.outputs
        self._index = {node.name: i for i, node in enumerate(self.nodes)}
        self._record = self.phase == TRAIN or param.force_backward
        self._last_use = {}
        self._callbacks = {kind: [] for kind in (
            'before_forward', 'after_forward',
            'before_backward', 'after_backward')}
        for node in reversed(self.nodes):
            logger.debug('%s %s backward computation.', node.name,
                         'needs' if node.need else 'does not need')
        logger.debug('Network initialization done.')

    # what it holds ----------------------------------------------------------

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
        return OrderedDict((node.name, node.blobs)
                           for node in self.nodes if node.blobs)

    @property
    def blob_loss_weights(self):
        weights = {id(top): weight for node in self.nodes
                   for top, weight in zip(node.tops, node.loss_weights)}
        return OrderedDict((name, weights.get(id(blob), 0.0))
                           for name, blob in self.blobs.items())

    @property
    def top_names(self):
        return OrderedDict((n.name, list(n.op.param.top)) for n in self.nodes)

    @property
    def bottom_names(self):
        return OrderedDict((n.name, list(n.op.param.bottom))
                           for n in self.nodes)

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
        return [self._blob_names.index(name) for name in self.inputs]

    @property
    def _outputs(self):
        return [self._blob_names.index(name) for name in self.outputs]

    def _top_ids(self, i):
        return [self._blob_names.index(n) for n in self.nodes[i].op.param.top]

    def _bottom_ids(self, i):
        return [self._blob_names.index(n)
                for n in self.nodes[i].op.param.bottom]

    # forward ----------------------------------------------------------------

    def forward(self, blobs=None, start=None, end=None, **kwargs):
        """Runs the layers from start to end, both included.

        Takes: blobs: names of further blobs to return; kwargs: an array for
            each input, or none
        Gives: name -> blob.data of the outputs (of the tops of `end`), views
        """
        first, last = self._span(start, end)
        if kwargs:
            self._fill(kwargs, self.inputs, 'data',
                       'Input blob arguments do not match net inputs.',
                       'Input is not batch sized')
        self._forward(first, last, need_loss=False)
        tops = self.nodes[last].op.param.top if end else self.outputs
        return {name: self.blobs[name].data
                for name in [*tops, *(blobs or [])]}

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
        for i in range(first, last + 1):
            node = self.nodes[i]
            self._call('before_forward', i)
            node.forward(self._record)
            loss = node.loss()
            if loss is not None:
                total = loss if total is None else total + loss
            for blob in self._last_use.get(i, ()):
                blob.free()
            self._call('after_forward', i)
        return torch.zeros(()) if total is None else total

    def set_keep(self, names):
        """In a net that will not run backward, gives each blob's memory back
        after its last reader has run; None keeps them all.

        Takes: names: the blobs to keep, besides inputs and outputs
        """
        self._last_use = {}
        if names is None:
            return
        kept = {*names, *self.inputs, *self.outputs}
        last = {}
        for i, node in enumerate(self.nodes):
            for blob in node.bottoms + node.tops:
                last[id(blob)] = i
        for name, blob in self.blobs.items():
            if name not in kept:
                self._last_use.setdefault(last[id(blob)], []).append(blob)

    # backward ---------------------------------------------------------------

    def backward(self, diffs=None, start=None, end=None, **kwargs):
        """Runs the layers backward from start (default the last) to end.

        Takes: diffs: names of further blobs whose diffs to return; kwargs: a
            diff for each output, or none
        Gives: name -> blob.diff of the inputs (of the bottoms of `end`), views
        """
        first, last = self._span(end, start)
        if kwargs:
            self._fill(kwargs, self.outputs, 'diff',
                       'Top diff arguments do not match net outputs.',
                       'Diff is not batch sized')
        self._backward(last, first)
        names = self.nodes[first].op.param.bottom if end else self.inputs
        return {name: self.blobs[name].diff
                for name in [*names, *(diffs or [])]}

    def _backward(self, start, end, keep=True):
        for i in range(start, end - 1, -1):
            self._call('before_backward', i)
            self.nodes[i].backward(keep)
            self._call('after_backward', i)

    def backward_pass(self, keep=True):
        """One backward pass. keep=False: frees the diffs of blobs on the way,
        for who needs only those of the parameters."""
        self._backward(len(self.nodes) - 1, 0, keep)

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
                raise ValueError(f"'{name}' is not in list of layers: "
                                 f'{", ".join(self._index)}')
        return (0 if first is None else self._index[first],
                len(self.nodes) - 1 if last is None else self._index[last])

    def _fill(self, arrays, names, side, mismatch, unsized):
        if set(arrays) != set(names):
            raise Exception(f'{mismatch} (given {sorted(arrays)}, '
                            f'the net has {sorted(names)})')
        for name, array in arrays.items():
            array, blob = np.asarray(array), self.blobs[name]
            if array.shape[:1] != blob.shape[:1]:
                raise Exception(f"{unsized}: '{name}' is {array.shape}, "
                                f'its blob {blob.shape}')
            getattr(blob, side)[...] = array.reshape(blob.shape)

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

    # files ------------------------------------------------------------------

    copy_from = model_io.copy_from
    share_with = model_io.share_with
    save = model_io.save
    save_hdf5 = model_io.save_hdf5
    load_hdf5 = model_io.load_hdf5


def read(source, root):
    """A NetParameter of our own to change, and where Python layers may be."""
    param = pb.NetParameter()
    if isinstance(source, pb.NetParameter):
        param.CopyFrom(source)
        upgrade_net(param)
    else:
        must_open(source)
        param.CopyFrom(text.read_net(os.fspath(source)))
        root = root or Path(source).resolve().parent
    if root is None:
        return param, []
    parent = Path(root).resolve().parent
    return param, [Path(root), parent, parent / 'data']


def must_open(path):
    try:
        with open(path, 'rb'):
            pass
    except OSError as error:
        raise RuntimeError(f'Could not open file {os.fspath(path)} '
                           f'({error.strerror})') from None
