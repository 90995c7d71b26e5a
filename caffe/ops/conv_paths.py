"""How to compute a convolution: four ways with the same numbers.

  direct         torch's kernels on the memory format that comes in
  channels last  the same with N x H x W x C memory: on a CPU the shallow
                 layers of an FCN run up to twice as fast
  matrix         unfold and one matrix product: on a CPU, for layers with more
                 weights than unfolded pixels (fc6 and fc7), whose weights a
                 direct kernel would first rearrange at every pass
  depthwise      channel by channel, for a deconvolution that nobody learns and
                 whose kernels between different channels are all zero, as
                 bilinear interpolation's are

GPUs go direct or depthwise. The measurements are in benchmarks/README.md.
"""

import torch
from torch.nn import functional as F

LAST = torch.channels_last
# Below this many pixels per channel the two memory formats run alike.
CHANNELS_LAST_FROM = 32


def way(op, x, weight):
    """Takes: op: a Convolution; x: N x C x H x W"""
    if (
        x.device.type != 'cpu'
        or x.dim() != 4
        or op.group != 1
        or op.transposed
        or max(op.dilation) > 1
    ):
        return 'direct'
    height, width = top_size(op, x)
    pixels = x.shape[0] * height * width
    if op.outputs > pixels or op.kernel == (1, 1) == op.stride:
        return 'matrix'
    if pixels >= CHANNELS_LAST_FROM * x.shape[1]:
        return 'channels last'
    return 'direct'


def top_size(op, x):
    return [
        op.size(*each)
        for each in zip(x.shape[2:], op.kernel, op.stride, op.pad, op.dilation)
    ]


def forward(op, x, weight, bias):
    """y = weight * x + bias for one bottom, N x C x spatial..."""
    own = diagonal(op, weight)
    if own is not None:
        return F.conv_transpose2d(
            x.contiguous(),
            own,
            bias,
            op.stride,
            op.pad,
            0,
            len(own),
            op.dilation,
        )
    how = way(op, x, weight)
    if how == 'matrix':
        return matrix_forward(op, x, weight, bias)
    if how == 'channels last':
        x = last(x)
    elif x.dim() == 4:
        x = x.contiguous()
    if not op.kernel:  # no spatial axes
        return (
            F.conv1d(x[..., None], weight[..., None], bias, groups=op.group)[
                ..., 0
            ]
            if not op.transposed
            else (
                F.conv_transpose1d(
                    x[..., None], weight[..., None], bias, groups=op.group
                )[..., 0]
            )
        )
    return torch.convolution(
        x,
        weight,
        bias,
        op.stride,
        op.pad,
        op.dilation,
        op.transposed,
        [0] * len(op.kernel),
        op.group,
    )


def backward(op, dy, x, weight, need_x, need_weight, need_bias):
    """Gives: (dx, dweight, dbias), None where not needed."""
    own = None if need_weight or need_bias else diagonal(op, weight)
    if own is not None:
        dx = F.conv2d(
            dy.contiguous(),
            own,
            None,
            op.stride,
            op.pad,
            op.dilation,
            len(own),
        )
        return dx, None, None
    how = way(op, x, weight)
    if how == 'matrix':
        return matrix_backward(
            op, dy, x, weight, need_x, need_weight, need_bias
        )
    if how == 'channels last':
        if not need_x and min(op.pad) >= max(op.kernel) and op.stride == (1, 1):
            return None, *image_backward(op, dy, x, need_weight, need_bias)
        x, dy = last(x), last(dy)
    elif x.dim() == 4:
        x, dy = x.contiguous(), dy.contiguous()
    spatial = len(op.kernel)
    if not spatial:
        x, dy, weight = x[..., None], dy[..., None], weight[..., None]
    grads = torch.ops.aten.convolution_backward(
        dy,
        x,
        weight,
        [op.outputs],
        op.stride or [1],
        op.pad or [0],
        op.dilation or [1],
        op.transposed,
        [0] * (spatial or 1),
        op.group,
        [need_x, need_weight, need_bias],
    )
    if grads[0] is not None and how == 'channels last':
        grads = (last(grads[0]), *grads[1:])
    if not spatial:
        grads = [g if g is None or g.dim() < 3 else g[..., 0] for g in grads]
    return grads


def last(x):
    """The tensor in channels last, under the strides that torch itself writes:
    where an axis has length 1 any stride will do, but torch goes by it, takes
    the tensor for NCHW and rearranges it."""
    n, c, h, w = x.shape
    x = x.contiguous(memory_format=LAST)
    return x.as_strided(x.shape, (h * w * c, 1, w * c, c))


# depthwise -----------------------------------------------------------------


def diagonal(op, weight):
    """The kernels from each channel to itself, C x 1 x k x k, if there are no
    others; else None. Looked for again when the weight may have changed."""
    if not (
        op.transposed
        and op.frozen
        and op.blobs
        and op.group == 1
        and weight.dim() == 4
        and op.outputs == op.channels > 1
    ):
        return None
    stamp = op.blobs[0].stamp
    if stamp is None or stamp != op.stamp:
        op.stamp, op.own = stamp, None
        own = weight.diagonal().permute(2, 0, 1)
        if own.count_nonzero() == weight.count_nonzero():
            op.own = own[:, None].contiguous()
    return op.own


# matrix --------------------------------------------------------------------


def columns(op, x):
    """The unfolded input, (C k k) x (N H' W')."""
    if op.kernel == (1, 1) == op.stride and not any(op.pad):
        return x.permute(1, 0, 2, 3).reshape(x.shape[1], -1)
    cols = F.unfold(x, op.kernel, 1, op.pad, op.stride)  # N x Ckk x L
    return (
        cols[0]
        if len(cols) == 1
        else (cols.permute(1, 0, 2).reshape(cols.shape[1], -1))
    )


def matrix_forward(op, x, weight, bias):
    rows = weight.reshape(op.outputs, -1)
    cols = columns(op, x)
    height, width = top_size(op, x)
    if op.outputs < cols.shape[0] and is_channels_last(x):
        y = cols.t() @ rows.t()  # NHW x O
        y = y if bias is None else y.add_(bias)
        return y.view(x.shape[0], height, width, -1).permute(0, 3, 1, 2)
    y = rows @ cols  # O x NHW
    if bias is not None:
        y.add_(bias[:, None])
    return y.view(op.outputs, x.shape[0], height, width).transpose(0, 1)


def is_channels_last(x):
    return x.is_contiguous(memory_format=LAST) and not x.is_contiguous()


def matrix_backward(op, dy, x, weight, need_x, need_weight, need_bias):
    rows = weight.reshape(op.outputs, -1)
    flat = dy.permute(1, 0, 2, 3).reshape(op.outputs, -1)  # O x NHW
    dx = dweight = None
    if need_weight:
        dweight = (flat @ columns(op, x).t()).view(weight.shape)
    if need_x:
        cols = rows.t() @ flat  # Ckk x NHW
        if op.kernel == (1, 1) == op.stride and not any(op.pad):
            dx = cols.view(x.shape[1], x.shape[0], *x.shape[2:])
            dx = dx.transpose(0, 1)
        else:
            cols = cols.view(cols.shape[0], x.shape[0], -1).transpose(0, 1)
            dx = F.fold(cols, x.shape[2:], op.kernel, 1, op.pad, op.stride)
    return dx, dweight, flat.sum(1) if need_bias else None


def image_backward(op, dy, x, need_weight, need_bias):
    """The parameters' gradients of a first layer with wide padding (conv1_1
    pads by 100): only windows that touch the image see anything but zeros.
    """
    rim = [k - 1 for k in op.kernel]
    near = dy[
        :,
        :,
        op.pad[0] - rim[0] : dy.shape[2] - op.pad[0] + rim[0],
        op.pad[1] - rim[1] : dy.shape[3] - op.pad[1] + rim[1],
    ]
    dweight = dbias = None
    if need_weight:
        cols = F.unfold(x, op.kernel, 1, rim)  # N x Ckk x L
        near = near.permute(0, 2, 3, 1).reshape(len(x), -1, op.outputs)
        dweight = (
            torch.bmm(cols, near)
            .sum(0)
            .t()
            .reshape(op.outputs, x.shape[1], *op.kernel)
        )
    if need_bias:
        dbias = dy.sum((0, 2, 3))
    return dweight, dbias
