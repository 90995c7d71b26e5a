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
    return order(tensor) == order(torch.empty_like(tensor, device='meta'))


def order(tensor):
    """How the numbers follow each other in memory."""
    return [
        stride
        for size, stride in zip(tensor.shape, tensor.stride())
        if size != 1
    ]


def stored_like(model, tensor):
    """The tensor, or a copy that lies in memory as `model` does."""
    if tensor.device == model.device and order(tensor) == order(model):
        return tensor
    return torch.empty_like(model).copy_(tensor)


def flat(tensor):
    """A dense tensor as one axis, in memory order."""
    return tensor.detach().as_strided(
        (tensor.numel(),), (1,), tensor.storage_offset()
    )


def shaped(flat, like):
    """The flat view as a tensor that lies in memory as `like` does."""
    return flat.as_strided(like.shape, like.stride(), flat.storage_offset())
