"""check_op: one helper that holds any op against an oracle: shapes, values,
gradients, memory formats.

Ops run in float64 here; gradients are compared with differences of the
oracle along random directions, so an op cannot vouch for itself.
"""

import numpy as np
import torch
from google.protobuf import text_format

from caffe.ops import op_class
from caffe.proto import caffe_pb2 as pb

TRAIN, TEST = 0, 1
SEED = 1337
STEP = 1e-6


def make_op(kind, params, shapes, tops=1, phase=TRAIN, in_place=False):
    """An op, set up for bottoms of these shapes.

    Takes: params: prototxt text inside `layer { }`
    """
    layer = pb.LayerParameter(name='it', type=kind)
    layer.bottom.extend(f'bottom{i}' for i in range(len(shapes)))
    layer.top.extend(
        'bottom0' if in_place and i == 0 else f'top{i}' for i in range(tops)
    )
    text_format.Merge(params, layer)
    op = op_class(kind)(layer, phase)
    op.setup([tuple(shape) for shape in shapes])
    return op


def random_arrays(shapes, seed=SEED):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def forward(op, bottoms, params=()):
    """The tops, as numpy arrays."""
    with torch.no_grad():
        tops = op.forward(tensors(bottoms), tensors(params))
    return [top.numpy() for top in tops]


def differentiate(op, bottoms, params, diffs, learn):
    """Gradients of sum(top * diff) as the engine computes them.

    Takes: bottoms, params: tensors; learn: which bottoms to differentiate
    Gives: (tops, bottom gradients, parameter gradients)
    """
    need = [i in learn for i in range(len(bottoms))]
    leaves = [x.detach().requires_grad_(n) for x, n in zip(bottoms, need)]
    weights = [p.detach().requires_grad_() for p in params]
    if op.backward is not None:
        with torch.no_grad():
            tops = op.forward(list(bottoms), list(params))
            found = op.backward(
                [d.clone() for d in diffs],
                tops,
                list(bottoms),
                list(params),
                need,
                [True] * len(params),
            )
        return (tops, *found)
    tops = op.forward(leaves, weights)
    wanted = [x for x in leaves + weights if x.requires_grad]
    pairs = [(t, d) for t, d in zip(tops, diffs) if t.requires_grad]
    found = iter(
        torch.autograd.grad(
            [t for t, _ in pairs],
            wanted,
            [d for _, d in pairs],
            allow_unused=True,
        )
    )
    return (
        tops,
        [next(found) if x.requires_grad else None for x in leaves],
        [next(found) for _ in weights],
    )


def tensors(arrays):
    return [torch.from_numpy(np.array(a, order='C')) for a in arrays]


def check_op(
    kind,
    params,
    shapes,
    oracle,
    *,
    inputs=None,
    tops=1,
    phase=TRAIN,
    learn=None,
    learn_params=True,
    keeps_format=True,
    tolerance=1e-7,
):
    """Compares an op with oracle(*bottoms, *parameters).

    Takes: inputs: {bottom index: array} for bottoms that are no plain random
        numbers; learn: indices of the bottoms to differentiate, default all
        but `inputs`; learn_params: differentiate the parameters; keeps_format:
        channels last in, channels last out
    Gives: the op, for further questions
    """
    inputs = inputs or {}
    op = make_op(kind, params, shapes, tops, phase)
    values = random_arrays([*shapes, *(blob.shape for blob in op.blobs)])
    bottoms = [inputs.get(i, x) for i, x in enumerate(values[: len(shapes)])]
    bottoms = [np.asarray(x, np.float64) for x in bottoms]
    weights = values[len(shapes) :]
    expected = listed(oracle(*bottoms, *weights))
    shapes_said = op.top_shapes([x.shape for x in bottoms])
    assert shapes_said == [np.shape(y) for y in expected], 'top_shapes'
    diffs = random_arrays([np.shape(y) for y in expected], SEED + 1)
    if learn is None:
        learn = [i for i in range(len(bottoms)) if i not in inputs]
    wanted = list(learn)
    if learn_params:
        wanted += range(len(bottoms), len(values))
    for layout in (torch.contiguous_format, torch.channels_last):
        laid = [
            t.contiguous(memory_format=layout) if t.dim() == 4 else t
            for t in tensors(bottoms)
        ]
        before = [t.clone() for t in laid]
        found, to_bottoms, to_params = differentiate(
            op, laid, tensors(weights), tensors(diffs), learn
        )
        check_tops(found, expected, tolerance, layout if keeps_format else None)
        for old, new in zip(before, laid):
            assert torch.equal(old, new), 'forward changed a bottom'
        check_gradients(
            oracle, bottoms + weights, diffs, wanted, to_bottoms + to_params
        )
    return op


def check_tops(found, expected, tolerance, layout):
    for got, want in zip(found, expected):
        assert got.dtype == torch.float64, f'a top is {got.dtype}'
        np.testing.assert_allclose(
            got.detach().numpy(), want, tolerance, tolerance, err_msg='top'
        )
        if layout is not None and got.dim() == 4:
            assert got.is_contiguous(memory_format=layout), (
                f'{layout} in, {got.stride()} out'
            )


def check_gradients(oracle, values, diffs, wanted, found):
    """Along random directions, one input at a time."""
    rng = np.random.default_rng(SEED + 2)

    def objective(i, direction, step):
        moved = list(values)
        moved[i] = moved[i] + step * direction
        return sum(np.sum(y * d) for y, d in zip(listed(oracle(*moved)), diffs))

    for i in wanted:
        for _ in range(3):
            direction = rng.standard_normal(values[i].shape)
            slope = (
                objective(i, direction, STEP) - objective(i, direction, -STEP)
            ) / (2 * STEP)
            assert found[i] is not None, f'no gradient for input {i}'
            got = float((found[i].numpy() * direction).sum())
            assert abs(got - slope) <= 1e-5 * max(1, abs(slope)), (
                f'gradient of input {i}: {got}, by differences {slope}'
            )


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]
