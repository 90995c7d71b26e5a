"""Tensors seen as flat stretches of memory, cut into pieces of a handy size,
for elementwise work over many of them (updates.py).

Only the order in memory counts, so any dense memory format will do.
"""

import torch

# Numbers per batch of pieces: on a CPU what its cache holds, on a GPU what
# keeps it busy while temporaries stay small.
BATCH = {'cpu': 1 << 18, 'cuda': 1 << 25}


def batches(columns):
    """Cuts flat tensors into pieces, and deals the pieces out in batches.

    Takes: columns: lists of flat tensors, alike from list to list
    Gives: lists of pieces, one list per column, of at most BATCH numbers each
    """
    size = BATCH.get(columns[0][0].device.type, BATCH['cuda'])
    batch, held = [], 0
    for row in zip(*columns):
        for piece in zip(*(tensor.split(size) for tensor in row)):
            if batch and held + len(piece[0]) > size:
                yield [list(column) for column in zip(*batch)]
                batch, held = [], 0
            batch.append(piece)
            held += len(piece[0])
    if batch:
        yield [list(column) for column in zip(*batch)]


def l2_norm(tensors):
    """The norm of all numbers together. Piecewise: a float32 sum of 1e8
    squares in one go would lose the later ones."""
    columns = [[flat(t if dense(t) else t.contiguous()) for t in tensors]]
    norms = [
        norm for (pieces,) in batches(columns)
        for norm in torch._foreach_norm(pieces)
    ]  # fmt: skip
    return torch.stack(norms).double().norm().item()


def dense(tensor):
    """Does the tensor fill one stretch of memory, in whatever order?"""
    return alike(tensor, torch.empty_like(tensor, device='meta'), anywhere=True)


def alike(tensor, other, anywhere=False):
    """Do both store their numbers in the same order, on the same device?"""
    return (anywhere or tensor.device == other.device) and all(
        size == 1 or a == b
        for size, a, b in zip(tensor.shape, tensor.stride(), other.stride())
    )


def relaid(tensor, like):
    """A copy stored as `like` is."""
    return torch.empty_like(like).copy_(tensor)


def flat(tensor):
    return tensor.detach().as_strided(
        (tensor.numel(),), (1,), tensor.storage_offset()
    )
