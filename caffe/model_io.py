"""A net's weights from and to model files and other nets (methods of Net).

Caffe: net.cpp CopyTrainedLayersFrom, ShareTrainedLayersWith, ToProto, ToHDF5;
spec section C.8. Formats: caffe/proto/model.py. Whatever is wrong with a file
or does not fit is found before the first number is copied.
"""

import os
from typing import NamedTuple

import numpy as np
import torch

from caffe.log import logger
from caffe.proto import caffe_pb2 as pb
from caffe.proto import model
from caffe.shape import shape_text


class Loaded(NamedTuple):
    """What became of every parameter. Lists of layer names."""

    copied: list
    ignored: list  # in the file, not in the net
    untouched: list  # in the net, not in the file: left at their filler

    def __str__(self):
        rows = [
            ('copied', self.copied),
            ('ignored', self.ignored),
            ('left at their filler', self.untouched),
        ]
        return '\n'.join(
            f'{what}: {", ".join(names) or "none"}' for what, names in rows
        )


def copy_from(net, path):
    """Copies the weights of layers whose names match.

    Takes: path: binary caffemodel of any age, or HDF5
    Gives: Loaded
    Raises: RuntimeError in Caffe's words, before anything is changed
    """
    if model.is_hdf5(path):
        return load_hdf5(net, path)
    stored = model.read_model(os.fspath(path))
    nodes, plan, ignored = by_name(net.nodes), [], []
    for layer, blobs in zip(stored.net.layer, stored.blobs):
        node = nodes.get(layer.name)
        if node is None:
            logger.info('Ignoring source layer %s', layer.name)
            ignored += [layer.name] if blobs else []
            continue
        if not blobs:  # says nothing of its weights; Caffe would abort
            continue
        check_count(layer.name, len(blobs), len(node.blobs), path)
        for j, (source, blob) in enumerate(zip(blobs, node.blobs)):
            if not source.fits(blob.shape):
                raise RuntimeError(
                    mismatch('copy', j, layer.name, source.shape, blob.shape)
                    + f' (file: {path})'
                )
            plan.append((node, blob, source))
    for _, blob, source in plan:
        put(blob.tensor, source.data)
        if source.diff is not None and len(source.diff):
            put(blob.grad, source.diff)
    return account(net, {node.name for node, *_ in plan}, ignored)


def account(net, copied, ignored):
    have = [node.name for node in net.nodes if node.blobs]
    return Loaded(
        [n for n in have if n in copied],
        ignored,
        [n for n in have if n not in copied],
    )


def by_name(nodes):
    found = {}
    for node in nodes:
        found.setdefault(node.name, node)
    return found


def check_count(layer, source, target, path):
    if source != target:
        raise RuntimeError(
            f'Incompatible number of blobs for layer {layer}: '
            f'{source} in {path}, {target} in the net'
        )


def mismatch(verb, index, layer, source, target):
    advice = (
        ". To learn this layer's parameters from scratch rather than "
        'copying from a saved net, rename the layer.'
        if verb == 'copy'
        else ''
    )
    return (
        f"Cannot {verb} param {index} weights from layer '{layer}'; shape "
        f'mismatch.  Source param shape is {shape_text(source)}; target '
        f'param shape is {shape_text(target)}{advice}'
    )


def put(tensor, values):
    """Copies a flat numpy array of any number type into a tensor."""
    values = np.asarray(values).reshape(tensor.shape)
    if tensor.device.type == 'cpu':
        np.copyto(tensor.detach().numpy(), values, casting='same_kind')
        torch.autograd.graph.increment_version(tensor)  # numpy does not
    else:
        tensor.copy_(torch.from_numpy(np.array(values, np.float32)))


def share_with(net, other):
    """Aliases the data of equally named layers of another net, for good."""
    nodes = by_name(net.nodes)
    pairs = []
    for source in other.nodes:
        node = nodes.get(source.name)
        if node is None:
            logger.debug('Ignoring source layer %s', source.name)
            continue
        if len(source.blobs) != len(node.blobs):
            raise RuntimeError(
                f'Incompatible number of blobs for layer {source.name}'
            )
        for j, (theirs, ours) in enumerate(zip(source.blobs, node.blobs)):
            if theirs.shape != ours.shape:
                raise RuntimeError(
                    mismatch('share', j, source.name, theirs.shape, ours.shape)
                )
            pairs.append((ours, theirs))
    for ours, theirs in pairs:
        ours.share_data(theirs)


def save(net, path, diffs=False):
    """Writes a binary caffemodel. diffs: with the gradients beside."""
    out = pb.NetParameter(name=net.name)
    out.layer.extend(node.op.param for node in net.nodes)
    model.write_model(
        os.fspath(path),
        out,
        [[arrays(blob, diffs) for blob in node.blobs] for node in net.nodes],
    )


def arrays(blob, diffs):
    return (
        blob.tensor.cpu().numpy(),
        blob.grad.cpu().numpy() if diffs else None,
    )


def save_hdf5(net, path, diffs=False):
    """Writes the weights as HDF5; a shared blob only with its owner."""
    owned = {id(item.blob) for item in net.learnable}
    layers = [
        (
            node.name,
            {
                i: arrays(blob, diffs)
                for i, blob in enumerate(node.blobs)
                if id(blob) in owned
            },
        )
        for node in net.nodes
    ]
    model.write_hdf5(os.fspath(path), layers, diffs)


def load_hdf5(net, path):
    """Copies the weights of a `.caffemodel.h5`. Gives: Loaded"""
    nodes = {node.name: node for node in net.nodes}
    owned = {id(item.blob) for item in net.learnable}
    plan, ignored = [], []
    for name, datasets in model.read_hdf5(os.fspath(path)).items():
        node = nodes.get(name)
        if node is None:
            logger.info('Ignoring source layer %s', name)
            ignored += [name] if datasets else []
            continue
        if len(datasets) > len(node.blobs):
            check_count(name, len(datasets), len(node.blobs), path)
        for j, blob in enumerate(node.blobs):
            if j in datasets:
                plan.append((node, blob, fitting(datasets[j], blob, path)))
            elif id(blob) in owned:
                raise RuntimeError(
                    f'Incompatible number of blobs for layer '
                    f'{name}: {path} has no blob {j}'
                )
    for _, blob, values in plan:
        put(blob.tensor, values)
    return account(net, {node.name for node, *_ in plan}, ignored)


def fitting(values, blob, path):
    if tuple(values.shape) != blob.shape:
        raise RuntimeError(
            'Cannot load blob from hdf5; shape mismatch. Source shape is '
            f'{shape_text(values.shape)} target shape is '
            f'{shape_text(blob.shape)} (file: {path})'
        )
    return values
