"""What can be known before the first iteration of a run: images that cannot
be read, a disk that is too small, a learning rate that does not fit the loss,
a GPU too small for the largest image, a net that cannot learn.

run.py calls it. What a run lacks altogether is told before by needs.py; what
goes wrong later, watch.py tells.
"""

import shutil
from pathlib import Path

import torch

from caffe import device, resume, snapshot
from caffe.proto import caffe_pb2 as pb
from data.scan import scan
from training import needs

SCANNED = 'snapshot/scanned.json'
LIMIT = 10  # bad images listed
GB = 1e9


def images(folder, skip_bad=False):
    """Opens all images and labels of both splits.

    Gives: position of the largest training image; lines about bad images
        that will be skipped
    Raises: ValueError that lists the bad ones
    """
    largest, lines = {}, []
    for phase in ('train', 'test'):
        layer = needs.data_layer(folder, phase)
        if not hasattr(layer, 'digest'):
            continue  # a layer of one's own that only shares the settings
        cache = folder / SCANNED
        faults, largest[phase] = scan(layer, cache)
        if not faults:
            continue
        listed = [f'{item}: {fault}' for item, fault in faults.items()]
        more = len(listed) - LIMIT
        listed[LIMIT:] = [f'... and {more} more'] * (more > 0)
        head = f'{len(faults)} of {len(layer.indices)} {phase} images are bad'
        text = f'{head}:\n    ' + '\n    '.join(listed)
        if phase == 'test':
            raise ValueError(f'{text}\nScores need every image: mend these')
        if not skip_bad:
            raise ValueError(f'{text}\nMend them, or give --skip-bad')
        lines.append(f'{text}\nThey will be skipped')
    return largest.get('train'), lines


def room(solver, end, keep=None):
    """Lines about the disk that snapshots go to.

    Raises: ValueError or RuntimeError if not one fits, or none can be written
    """
    param = solver.param
    snapshot.make_room(param.snapshot_prefix)
    folder = Path(param.snapshot_prefix).parent
    numbers = sum(item.blob.count for item in solver.net.learnable)
    one = 4 * numbers * (1 + solver.rule.copies) + 1e6
    free = shutil.disk_usage(folder).free
    if solver.iter >= end:
        return []
    if free < one:
        raise ValueError(
            f'{folder.resolve()} has {free / GB:.3g} GB left, a snapshot '
            f'takes {one / GB:.3g} GB'
        )
    every = param.snapshot or end or 1
    left = -(-end // every) - solver.iter // every
    count = min(left, keep + 2) if keep else left
    if free > one * max(count, 1):
        return []
    return [
        f'{count} snapshots of {one / GB:.3g} GB do not fit into the '
        f'{free / GB:.3g} GB left in {folder.resolve()}: the run will pause '
        'when it is full; --keep N keeps the last N and the best'
    ]


def lint(param, net):
    """Lines about a rate that does not fit how the loss is normalised.

    Takes: param: SolverParameter; net: the train net's NetParameter
    """
    if param.type not in ('SGD', 'Nesterov'):
        return []
    lines, modes = [], pb.LossParameter
    for layer in net.layer:
        if layer.type != 'SoftmaxWithLoss':
            continue
        loss = layer.loss_param
        mode = loss.normalization
        if loss.HasField('normalize') and not loss.HasField('normalization'):
            mode = modes.VALID if loss.normalize else modes.BATCH_SIZE
        sums = mode in (modes.NONE, modes.BATCH_SIZE)
        if sums and param.base_lr > 1e-8:
            lines.append(
                f"layer '{layer.name}' sums its loss over all pixels, for "
                f'which base_lr {param.base_lr:g} is high (published: 1e-10 '
                'and below): the loss will likely become nan'
            )
        if not sums and param.base_lr < 1e-7:
            lines.append(
                f"layer '{layer.name}' averages its loss over the pixels, "
                f'for which base_lr {param.base_lr:g} is low: hardly '
                'anything will be learned; summed (normalize: false) it is '
                'some 1e5 times as large'
            )
    return lines


def memory(solver, largest):
    """Runs the largest image through the train net on a GPU, forward and
    backward; the run begins as if that had not been.

    Gives: a line about it, None on a CPU
    Raises: ValueError if the GPU is too small; then the solver is spent
    """
    if device.device().type == 'cpu' or largest is None:
        return None
    net = solver.net
    layer = next(x for x in net.layers if hasattr(x, 'upcoming'))
    states = resume.layer_states(net)
    generator = device.generator()
    drawn, averages = generator.get_state(), running(net)
    layer.upcoming = (largest,) * layer.batch
    item = layer.indices[largest]
    torch.cuda.reset_peak_memory_stats()
    try:
        held = histories(solver.rule)
        net.forward_loss()
        net.backward_pass(False)
        torch.cuda.synchronize()
    except torch.OutOfMemoryError as error:
        shape = ' x '.join(map(str, net.nodes[0].tops[0].shape))
        raise ValueError(
            f'the largest training image, {item} ({shape}), does not fit into '
            f'the memory of the GPU: {error}'
        ) from error
    del held
    resume.set_layer_states(net, states)
    generator.set_state(drawn)
    for blob, values in averages:
        blob.tensor.copy_(values)
    net.clear_param_diffs()
    peak = torch.cuda.max_memory_allocated()
    return (
        f'the largest training image, {item}, takes {peak / GB:.2f} GB of the '
        'GPU'
    )


def running(net):
    """What a forward pass changes in a net: BatchNorm's averages.

    Gives: list of (blob, its values)
    """
    return [
        (blob, blob.tensor.clone())
        for name, blobs in net.params.items()
        if net.layer_dict[name].type == 'BatchNorm'
        for blob in blobs
    ]


def histories(rule):
    """Tensors as large as what the first update will add to a rule's."""
    return [
        torch.empty_like(item.blob.tensor)
        for copy in rule.history
        for item, history in zip(rule.learnable, copy)
        if history is None and (item.lr_mult or not rule.rests)
    ]


def learns(net):
    """Whether the gradient of a score layer's weights is not zero; true for
    a net without any.

    Takes: net: a train net after a backward pass
    """
    scores = [
        item
        for item in net.learnable
        if item.name.startswith('score') and item.lr_mult
    ]
    return not scores or any(bool(item.blob.grad.any()) for item in scores)
