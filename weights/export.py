"""python -m weights export: a network with weights for other programs.

`.onnx` for onnxruntime and its kind, `.pt2` for torch.export.load: both take
N x 3 x height x width. What was written is run beside ours before it gets its
name. Not here: TorchScript, which PyTorch has deprecated.
"""

from pathlib import Path

import numpy as np
import torch

import caffe
from caffe.proto import files
from nets.module import NetModule, definition
from weights.load import load, located
from weights.onnx_graph import onnx_model

SIZES = ((97, 131), (160, 96), (225, 193))  # height x width, checked
TOLERANCE = 1e-3  # of the largest score
PIXELS = 0.999  # of an argmax that must agree: ties may go either way


def export(net, weights, target):
    """Takes: net: network directory, prototxt, or NetParameter; weights,
        target: paths
    Gives: lines to tell
    Raises: ValueError if the net cannot be written, or computes otherwise
    """
    suffix = Path(target).suffix
    if suffix not in WRITERS:
        raise ValueError(
            f'{target}: cannot tell the format; end the name in '
            f'{" or ".join(WRITERS)} (TorchScript is deprecated in PyTorch: '
            '.pt2 takes its place)'
        )
    folder = Path(net).name if isinstance(net, (str, Path)) else None
    built = caffe.Net(definition(net), caffe.TEST)
    lines = load(built, located(weights, folder))
    channels = [built.blobs[name].shape[1] for name in built.inputs]
    with files.replacing(target) as temporary:
        module, run, notes = WRITERS[suffix](built, temporary)
        if run is None:
            return [*lines, *notes, f'{target}: written, not checked']
        for size in SIZES:
            lines.append(agreement(module, run, channels, size, target))
    return [*lines, *notes, f'{target}: written']


def write_onnx(net, path):
    """Each write_...: gives our module, a function like it that runs the file
    (None: there is nothing to run it with), and lines to tell."""
    try:
        import onnx
    except ImportError:
        raise ValueError(
            '.onnx files need a package: pip install onnx (and onnxruntime, '
            'to check them)'
        ) from None
    onnx.save(onnx_model(net), path)
    outputs = len(net.outputs)
    module = NetModule(net)
    try:
        import onnxruntime
    except ImportError:
        return module, None, ['pip install onnxruntime to have it checked']
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider']
    )
    names = [value.name for value in session.get_inputs()]

    def run(*images):
        feed = {name: x.numpy() for name, x in zip(names, images)}
        return [torch.from_numpy(y) for y in session.run(None, feed)][:outputs]

    return module, run, []


def write_pt2(net, path):
    channels = [net.blobs[name].shape[1] for name in net.inputs]
    module = NetModule(net).requires_grad_(False)
    images = tuple(torch.zeros(2, c, 64, 80) for c in channels)
    open_axes = dict.fromkeys((0, 2, 3), torch.export.Dim.AUTO)
    program = torch.export.export(
        module, images, dynamic_shapes=((open_axes,) * len(images),)
    )
    with open(path, 'wb') as out:
        torch.export.save(program, out)
    with open(path, 'rb') as file:
        again = torch.export.load(file).module()
    least = max(int(r.lower) for r in program.range_constraints.values())

    def run(*images):
        return values(again(*images))

    return module, run, [f'for images of at least {least} x {least} pixels']


def values(output):
    return list(output.values()) if isinstance(output, dict) else [output]


@torch.no_grad()
def agreement(module, run, channels, size, target):
    """Runs ours and the file on one random image. Gives: a line to tell

    Raises: ValueError if they differ
    """
    rng = np.random.default_rng(size)
    images = [
        torch.from_numpy(rng.uniform(-120, 130, (1, c, *size)).astype('f4'))
        for c in channels
    ]
    same = pixels = 0
    worst = 0.0
    for ours, theirs in zip(values(module(*images)), run(*images)):
        if ours.shape != theirs.shape:
            raise ValueError(
                f'{target}: {tuple(theirs.shape)} comes out where ours gives '
                f'{tuple(ours.shape)}; nothing is written'
            )
        equal = ours.argmax(1) == theirs.argmax(1)
        same, pixels = same + int(equal.sum()), pixels + equal.numel()
        largest = ours.abs().max().clamp(min=1e-30)
        worst = max(worst, float((ours - theirs).abs().max() / largest))
    line = (
        f'{size[0]} x {size[1]}: argmax agrees on {same} of {pixels} pixels, '
        f'scores differ by up to {worst:.1e} of the largest'
    )
    if same < PIXELS * pixels or not worst <= TOLERANCE:
        raise ValueError(f'{target}: {line}; nothing is written')
    return line


WRITERS = {'.onnx': write_onnx, '.pt2': write_pt2}
