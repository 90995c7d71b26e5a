"""A solver as one of several ranks: N of them train as one process with N
times the iter_size does.

Caffe: parallel.cpp, where the solvers share each iteration's images out as
well and add their gradients up before one update. Here the engine knows
nothing of it: `attach` changes a solver from outside. Unlike there, gradients
are clipped by the norm of the sum over all passes, as in one process. Not
here: sums while backward still runs; averages of BatchNorm over the ranks, of
which, as in Caffe, those of the first are kept.
"""

import json
import zlib

import torch
import torch.distributed as dist

from caffe import device, resume, set_random_seed
from caffe.proto import caffe_pb2 as pb
from training.ranks import connected

BUCKET = 1 << 22  # numbers that are summed at once, at least
SAME = ('Input', 'DummyData', 'Parameter')  # feed every rank alike


def attach(solver, ranks):
    """Lets a solver that has not begun train as one of several. What remains
    to be done: `begin`, and `add_up` before every update.

    Raises: ValueError if it does what cannot be shared out
    """
    if ranks.count == 1:
        return
    if 0 < solver.param.test_interval < solver.param.max_iter:
        raise ValueError(
            f'test_interval {solver.param.test_interval}: the engine cannot '
            f'share tests out to {ranks.count} ranks; leave it out, the '
            'recipe scores after every round'
        )
    for net in resume.nets(solver):
        deal(net, ranks)
    passes = pb.SolverParameter()
    passes.CopyFrom(solver.param)
    passes.iter_size = max(passes.iter_size, 1) * ranks.count
    solver.rule.param = passes  # it divides by them
    enter, write = solver.average.add, solver.snapshot

    def add(loss, i):
        losses = ranks.share(float(loss))
        enter(torch.tensor(sum(losses) / ranks.count), i)

    def snapshot():
        solver.carried['ranks'] = ranks.share(resume.random_states())
        return None if ranks.rank else write()

    solver.average.add, solver.snapshot = add, snapshot


def deal(net, ranks):
    """Shares out the images of a net's data layers."""
    for node, layer in zip(net.nodes, net.layers):
        if hasattr(layer, 'deal'):
            layer.deal(ranks.turn, ranks.count)
            layer.set_state(ranks.first(layer.state()))  # if it has no seed
        elif not node.bottoms and node.type not in SAME:
            raise ValueError(
                f"layer '{node.name}' ({node.type}) cannot share its images "
                f'out to {ranks.count} ranks: it has no `deal`, as a '
                'SegDataLayer has (data/seg_layer.py). Train without torchrun'
            )


def begin(solver, ranks, resumed):
    """Gives all ranks the weights of rank 0, and each its own random numbers.

    Takes: resumed: whether the solver has been restored
    Gives: lines about what does not go on as it stopped
    Raises: ValueError if rank 0 has another net or iteration
    """
    states, lines = solver.carried.pop('ranks', [None]), []
    if resumed and len(states) != ranks.count:
        lines.append(
            f'a run of {len(states)} ranks goes on with {ranks.count}. The '
            'order of the images goes on too, but an iteration takes '
            f'{ranks.count}/{len(states)} as many, and dropout draws other '
            'numbers'
        )
    if ranks.count == 1:
        return lines
    compare(solver, ranks)
    for tensors in buckets(item.blob.tensor for item in solver.net.learnable):
        exchange(tensors, lambda flat: dist.broadcast(flat, 0))
    if resumed and len(states) == ranks.count:
        resume.set_random_states(states[ranks.rank])
    else:
        device.generator()  # is there from now on
        known = json.dumps(ranks.first(resume.random_states()))
        if ranks.rank:
            set_random_seed(zlib.crc32(known.encode()) + ranks.rank)
    return lines


def compare(solver, ranks):
    mine = {'iteration': solver.iter}
    for item in solver.net.learnable:
        mine[item.name] = list(item.blob.shape)
    known = ranks.first(mine)
    for name in [*known, *mine]:
        if known.get(name) != mine.get(name):
            raise ValueError(
                f'{name} is {mine.get(name)} here, {known.get(name)} on rank '
                '0: all ranks need the same prototxt files and snapshots'
            )


def add_up(grads, ranks):
    """Sums tensors over all ranks, in place.

    Takes: grads: alike on all ranks, which have shared something since they
        computed them
    """
    if ranks.count > 1:
        for tensors in buckets(grads):
            exchange(tensors, dist.all_reduce)


def buckets(tensors):
    """Lists of tensors, in order, that together are worth an exchange."""
    bucket = []
    for tensor in tensors:
        bucket.append(tensor)
        if sum(x.numel() for x in bucket) >= BUCKET:
            yield bucket
            bucket = []
    if bucket:
        yield bucket


@torch.no_grad()
def exchange(tensors, act):
    """Lets act change tensors as if they were one, in C order."""
    in_place = len(tensors) == 1 and tensors[0].is_contiguous()
    with connected():
        flats = [tensor.reshape(-1) for tensor in tensors]
        flat = flats[0] if in_place else torch.cat(flats)
        act(flat)
    if in_place:
        return torch.autograd.graph.increment_version(tensors[0])
    parts = flat.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts):
        tensor.copy_(part.view(tensor.shape))
