"""A network as a torch.nn.Module: what nets.load gives.

The module runs the ops of the engine, caffe/ops, as the pure functions they
are; autograd, autocast, torch.compile and torch.export see plain torch.
Parameters keep Caffe's layouts and have torch's names: blob 0 of a layer is
its weight, blob 1 its bias. Not here: layers that read data by themselves,
Python layers, statistics of BatchNorm learned in passing.
"""

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

import caffe
import networks
from caffe.proto import caffe_pb2 as pb
from nets.prototxt import fed
from weights.load import interpolate, located, quiet
from weights.load import load as fill
from weights.tables import NAMES


def plain(message):
    """A message as Python sees it best: torch.compile cannot look into one."""
    fields = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type and not is_one(value):
            value = tuple(plain(each) for each in value)
        elif field.message_type:
            value = plain(value)
        elif not isinstance(value, (bool, int, float, str, bytes)):
            value = tuple(value)
        fields[field.name] = value
    return SimpleNamespace(**fields)


def is_one(value):
    return hasattr(value, 'ListFields')


class Layer(nn.Module):
    """One op and its parameters.

    Takes: node: of a caffe.Net, which gives its parameters away; shared:
        {memory of a blob: Parameter}, for blobs of several layers
    """

    def __init__(self, node, shared):
        super().__init__()
        self.op, self.shapes = node.op, node.param_shapes
        for i, (blob, learned) in enumerate(zip(node.blobs, node.need_params)):
            key = id(blob._data)
            if key not in shared:
                shared[key] = nn.Parameter(blob.tensor, learned)
            self.register_parameter(NAMES.get(i, str(i)), shared[key])
        self.op.blobs, self.op.param = [], plain(self.op.param)

    def forward(self, *bottoms):
        params = [
            p if p.shape == shape else p.view(shape)
            for p, shape in zip(self._parameters.values(), self.shapes)
        ]
        return self.op.forward(list(bottoms), params)

    def extra_repr(self):
        sizes = [' x '.join(map(str, shape)) for shape in self.shapes]
        return ', '.join([self.op.param.type, *sizes])


class Dropout(Layer):
    """Caffe's dropout, which is torch's, from torch's generator."""

    def forward(self, bottom):
        return [F.dropout(bottom, self.op.ratio, self.training)]


class Filter(Layer):
    """A Convolution or Deconvolution. Where sizes are symbols, or autocast
    chooses the precision, torch chooses the way as well."""

    def forward(self, *bottoms):
        op, device = self.op, bottoms[0].device.type
        traced = torch.compiler.is_compiling()
        images = op.axis == 1 and len(op.kernel) == 2
        if not images or not (traced or torch.is_autocast_enabled(device)):
            return super().forward(*bottoms)
        weight, bias = self.weight, getattr(self, 'bias', None)
        if op.transposed:
            rest = op.stride, op.pad, 0, op.group, op.dilation
            return [F.conv_transpose2d(x, weight, bias, *rest) for x in bottoms]
        rest = op.stride, op.pad, op.dilation, op.group
        return [F.conv2d(x, weight, bias, *rest) for x in bottoms]


KINDS = {'Convolution': Filter, 'Deconvolution': Filter, 'Dropout': Dropout}


class Step(NamedTuple):
    """layer: its name; the names of its blobs; those nobody reads later"""

    layer: str
    bottoms: tuple
    tops: tuple
    done: tuple


class NetModule(nn.Module):
    """Takes: net: a caffe.Net in phase TEST that begins with Input layers. It
    gives its parameters away and is of no use afterwards."""

    def __init__(self, net):
        super().__init__()
        self._inputs, self._outputs = list(net.inputs), list(net.outputs)
        nodes = [node for node in net.nodes if node.type != 'Input']
        check_types(nodes)
        shared = {}
        for node in nodes:
            self._add(node.name, KINDS.get(node.type, Layer)(node, shared))
        self._steps = steps(nodes, self._outputs)
        self.eval()

    def _add(self, name, layer):
        taken = name in self._modules
        try:
            self.add_module(name, layer)
        except KeyError as error:
            raise ValueError(
                f'layer {name!r} cannot be a part of a torch module: '
                f'{error.args[0]}; rename it'
            ) from None
        if taken:
            raise ValueError(f'two layers are called {name!r}; rename one')

    def forward(self, *inputs):
        """Takes: a tensor for each input, N x C x H x W
        Gives: the output; if there are several, {name: tensor}"""
        if len(inputs) != len(self._inputs):
            raise TypeError(
                f'the net takes {", ".join(self._inputs)}: '
                f'{len(inputs)} tensors given'
            )
        blobs = dict(zip(self._inputs, inputs))
        for step in self._steps:
            layer = self._modules[step.layer]
            tops = layer(*[blobs[name] for name in step.bottoms])
            blobs.update(zip(step.tops, tops))
            for name in step.done:
                del blobs[name]
        if len(self._outputs) == 1:
            return blobs[self._outputs[0]]
        return {name: blobs[name] for name in self._outputs}

    def train(self, mode=True):
        for name, layer in self._modules.items() if mode else ():
            op = layer.op
            if op.param.type == 'BatchNorm' and not (
                op.param.batch_norm_param.use_global_stats
            ):
                raise NotImplementedError(
                    f'layer {name!r}: BatchNorm learns its statistics only '
                    'under caffe.SGDSolver; set use_global_stats: true to '
                    'train with those it has'
                )
        return super().train(mode)


def check_types(nodes):
    for node in nodes:
        if node.type == 'Python' or node.op.bottoms == (0, 0):
            raise ValueError(
                f'layer {node.name!r} ({node.type}) reads data by itself; a '
                'torch module needs a net that begins with Input layers, as '
                'a deploy.prototxt does'
            )


def steps(nodes, kept):
    """The plan of a forward pass."""
    last = {}
    for i, node in enumerate(nodes):
        for name in (*node.op.param.bottom, *node.op.param.top):
            last[name] = i
    return [
        Step(
            node.name,
            tuple(node.op.param.bottom),
            tuple(node.op.param.top),
            tuple(n for n in last if last[n] == i and n not in kept),
        )
        for i, node in enumerate(nodes)
    ]


def definition(net):
    """The NetParameter of a network that is fed with images, with dropout
    where it has a training net.

    Takes: net: network directory, prototxt, or NetParameter
    """
    if isinstance(net, pb.NetParameter):
        return net
    path = networks.deploy_file(net)
    deploy = networks.read_deploy(path)
    train = networks.prototxt(path.parent, 'train')
    if Path(net).suffix == '.prototxt' or train is None:
        return deploy
    shapes = {}
    for layer in deploy.layer:
        if layer.type == 'Input':
            dims = [tuple(s.dim) for s in layer.input_param.shape]
            shapes.update(zip(layer.top, dims * (len(layer.top) // len(dims))))
    return fed(networks.read(train), **shapes)


def load(net, weights=None):
    """See nets.load."""
    folder, notices = None, []
    if isinstance(net, (str, Path)):
        folder = Path(net).name
    with quiet():
        built = caffe.Net(definition(net), caffe.TEST)
        if weights is None:
            interpolate(built)
        else:
            notices = fill(built, located(weights, folder))
    for notice in notices:
        warnings.warn(notice, stacklevel=3)
    return NetModule(built)
