"""Fillers: the values a parameter has before anything is learned or loaded.

Caffe: filler.hpp; spec section B. The distributions are Caffe's, the random
sequences are torch's.
"""

import math

import torch

from caffe.proto import caffe_pb2 as pb
from caffe.shape import shape_text


def fill(tensor, filler, generator):
    """Overwrites the tensor.

    Takes: filler: FillerParameter; generator: torch.Generator of the tensor's
        device
    Raises: RuntimeError for an unknown filler or one that cannot fill this
        shape
    """
    kind = filler.type
    if kind not in FILLERS:
        raise RuntimeError(
            f'Unknown filler name: {kind} (known: {", ".join(FILLERS)})'
        )
    if not tensor.numel():
        raise RuntimeError(
            f'cannot fill an empty blob, {shape_text(tensor.shape)}'
        )
    if filler.sparse != -1 and kind != 'gaussian':
        raise RuntimeError(
            'Sparsity not supported by this Filler. '
            f'({kind}, sparse: {filler.sparse})'
        )
    with torch.no_grad():
        FILLERS[kind](tensor, filler, generator)


def constant(tensor, filler, generator):
    tensor.fill_(filler.value)


def uniform(tensor, filler, generator):
    if filler.min > filler.max:
        raise RuntimeError(
            f'uniform filler: min {filler.min:g} is above max {filler.max:g}'
        )
    tensor.uniform_(filler.min, filler.max, generator=generator)


def gaussian(tensor, filler, generator):
    """N(mean, std). `sparse` leaves about that many values per column of a
    (num_output, inputs) matrix, the others become zero."""
    if filler.std <= 0:
        raise RuntimeError(
            f'gaussian filler: std must be positive, not {filler.std:g}'
        )
    tensor.normal_(filler.mean, filler.std, generator=generator)
    if filler.sparse == -1:
        return
    if filler.sparse < 0 or not tensor.dim():
        raise RuntimeError(
            f'gaussian filler: sparse: {filler.sparse} for '
            f'shape {shape_text(tensor.shape)}'
        )
    keep = min(1.0, filler.sparse / tensor.shape[0])
    tensor.mul_(torch.empty_like(tensor).bernoulli_(keep, generator=generator))


def positive_unitball(tensor, filler, generator):
    """Non-negative, and a sum of 1 at each index of axis 0."""
    tensor.uniform_(0, 1, generator=generator)
    rows = tensor.view(tensor.shape[0] if tensor.dim() else 1, -1)
    rows.div_(rows.sum(1, keepdim=True))


def xavier(tensor, filler, generator):
    reach = math.sqrt(3 / fan(tensor.shape, filler))
    tensor.uniform_(-reach, reach, generator=generator)


def msra(tensor, filler, generator):
    std = math.sqrt(2 / fan(tensor.shape, filler))
    tensor.normal_(0, std, generator=generator)


def bilinear(tensor, filler, generator):
    """The kernel of bilinear upsampling, for every pair of channels (net
    surgery's interp fills the diagonal only)."""
    if tensor.dim() != 4 or tensor.shape[2] != tensor.shape[3]:
        raise RuntimeError(
            'bilinear filler: needs 4 axes and a square '
            f'kernel, not {shape_text(tensor.shape)}'
        )
    size = tensor.shape[3]
    factor = math.ceil(size / 2)
    centre = (size - 1) / (2 * factor)
    steps = torch.arange(size, dtype=torch.float64) / factor - centre
    line = 1 - steps.abs()
    tensor.copy_(line[:, None] * line)


def fan(shape, filler):
    """How many terms a weight's outputs (FAN_IN) or inputs (FAN_OUT) sum.

    Read off a Convolution's (out, in, k, k); for a Deconvolution and a
    transposed InnerProduct the two change places, as they do in Caffe.
    """
    count = math.prod(shape)
    into = count / shape[0] if shape else count
    out = count / shape[1] if len(shape) > 1 else count
    norm = pb.FillerParameter
    return {
        norm.FAN_IN: into,
        norm.FAN_OUT: out,
        norm.AVERAGE: (into + out) / 2,
    }[filler.variance_norm]


FILLERS = {
    'bilinear': bilinear,
    'constant': constant,
    'gaussian': gaussian,
    'msra': msra,
    'positive_unitball': positive_unitball,
    'uniform': uniform,
    'xavier': xavier,
}
