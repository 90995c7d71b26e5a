"""What `debug_info: true` prints: the mean magnitude of every blob and diff,
layer by layer. Caffe: net.cpp ForwardDebugInfo, BackwardDebugInfo; spec C.7.
"""

import torch

from caffe.log import logger, num


def forward(node):
    for name, top in zip(node.top_names, node.tops):
        show('Forward', node, 'top', name, 'data', top.tensor)
    for i, (blob, spec) in enumerate(zip(node.blobs, node.specs)):
        show('Forward', node, 'param', spec.name or i, 'data', blob.tensor)


def backward(node):
    names = node.op.param.bottom
    for name, blob, need in zip(names, node.bottoms, node.need_bottoms):
        if need:
            show('Backward', node, 'bottom', name, 'diff', blob.grad)
    for i, (blob, need) in enumerate(zip(node.blobs, node.need_params)):
        if need:
            show('Backward', node, 'param', i, 'diff', blob.grad)


def show(way, node, role, name, side, tensor):
    mean = tensor.abs().mean(dtype=torch.float64) if tensor.numel() else 0
    logger.info(
        '    [%s] Layer %s, %s blob %s %s: %s',
        way,
        node.name,
        role,
        name,
        side,
        num(mean),
    )


def norms(learnable):
    """L1 and L2 norms of all parameters and of their diffs."""
    sums = []
    for power in (1, 2):
        for side in ('tensor', 'grad'):
            values = [getattr(item.blob, side) for item in learnable]
            total = sum(
                x.abs().pow(power).sum(dtype=torch.float64) for x in values
            )
            sums.append(num(float(total) ** (1 / power)))
    logger.error(
        '    [Backward] All net params (data, diff): L1 norm = (%s, %s); '
        'L2 norm = (%s, %s)',
        *sums,
    )
