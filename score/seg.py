"""Scoring of a net on a data set: compute_hist, do_seg_tests, seg_tests.

Berkeley: score.py (same names, arguments and `>>>` lines). The net's own data
layer brings images and labels; the list of ids only says how many forward
passes there are and what the pictures are called, so its order and length
must be those of the layer's split.
Not here: anything that depends on the engine. A net is what has forward() and
blobs; real pycaffe's will do.
"""

import os
import sys
from datetime import datetime
from typing import NamedTuple

import numpy as np
import torch

from score.hist import argmax, count, metrics
from score.palette import label_image

LOG_EVERY = 200  # images between two lines where there is no terminal


class Scored(NamedTuple):
    """One image of a data set; tensors stay where the scores were."""

    name: str
    pred: torch.Tensor  # H x W
    true: torch.Tensor  # H x W
    hist: torch.Tensor  # C x C
    loss: torch.Tensor  # no axes; nan where the net has none


def each_scored(net, dataset, layer='score', gt='label'):
    """Runs net.forward() once per id and yields a Scored each time."""
    for blob in (layer, gt):
        if blob not in net.blobs:
            raise ValueError(
                f'the net has no blob {blob!r} to score; it has '
                + ', '.join(net.blobs)
            )
    for name in np.atleast_1d(dataset):
        net.forward()
        yield _score_one(net, str(name), layer, gt)


@torch.no_grad()
def _score_one(net, name, layer, gt):
    scores, true = _tensor(net.blobs[layer]), _tensor(net.blobs[gt])
    if scores.dim() != 4 or scores.shape[0] != 1:
        raise ValueError(
            f'{name}: scores of one image have shape 1 x C x H x W, '
            f'blob {layer!r} has {tuple(scores.shape)}'
        )
    _, n, h, w = scores.shape
    if true.numel() != h * w or true.shape[-1] != w:
        raise ValueError(
            f'{name}: blob {gt!r} has shape {tuple(true.shape)}, '
            f'blob {layer!r} {tuple(scores.shape)}: sizes differ'
        )
    pred, true = argmax(scores[0]), true.reshape(h, w).to(scores.device)
    hist = count(true.reshape(-1), pred.reshape(-1), n)
    loss = scores.new_full((), float('nan'), dtype=torch.float64)
    if 'loss' in net.blobs:
        loss = _tensor(net.blobs['loss']).reshape(-1)[0].double()
    return Scored(name, pred, true, hist, loss)


def _tensor(blob):
    tensor = getattr(blob, 'tensor', None)
    return torch.from_numpy(blob.data) if tensor is None else tensor.detach()


def compute_hist(net, save_dir, dataset, layer='score', gt='label'):
    """The counts and the mean loss of a net over a data set.

    Takes: save_dir: where label maps go as palette PNGs, <id>.png; or None
    Gives: hist: C x C int64 array, rows = true, columns = predicted
           loss: mean of the blob `loss`; nan if the net has none
    """
    ids = np.atleast_1d(dataset)
    if not ids.size:
        raise ValueError('the list of ids is empty: there is nothing to score')
    images = progress(each_scored(net, ids, layer, gt), len(ids))
    return add_up(images, save_dir)


def add_up(images, save_dir=None):
    """Sums of what each_scored yields, and the label maps on the way. Gives
    what compute_hist gives."""
    if save_dir:
        os.makedirs(save_dir, exist_ok=True)
    hist = loss = seen = 0  # grow on the device; only the sums go to the host
    for image in images:
        hist, loss, seen = hist + image.hist, loss + image.loss, seen + 1
        if save_dir:
            path = os.path.join(save_dir, f'{image.name}.png')
            label_image(image.pred.cpu().numpy()).save(path)
    return hist.cpu().numpy(), loss.item() / seen


def progress(images, total, what='scored'):
    """Passes images through with a bar on a terminal, else with a plain line
    now and then, which keeps log files readable."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(images, what, total, unit='image', leave=False)
        return
    for i, image in enumerate(images, 1):
        yield image
        if i % LOG_EVERY == 0 and i < total:
            print(f'{what} {i} of {total} images', file=sys.stderr, flush=True)


def do_seg_tests(net, iter, save_format, dataset, layer='score', gt='label'):
    """Scores a net and prints Berkeley's lines.

    Takes: save_format: directory for the label maps with a place for the
           iteration, as 'scores/{}'; False for none
    Gives: Metrics
    """
    save_dir = save_format.format(iter) if save_format else None
    hist, loss = compute_hist(net, save_dir, dataset, layer, gt)
    result = metrics(hist)._replace(loss=loss)
    if 'loss' in net.blobs:
        _say(f'Iteration {iter} loss {loss}')
    _say(f'Iteration {iter} overall accuracy {result.overall_acc}')
    _say(f'Iteration {iter} mean accuracy {result.mean_acc}')
    _say(f'Iteration {iter} mean IU {result.mean_iu}')
    _say(f'Iteration {iter} fwavacc {result.fwavacc}')
    return result


def seg_tests(solver, save_format, dataset, layer='score', gt='label'):
    """Scores a solver's first test net with the weights it is training, and
    prints Berkeley's lines. Gives Metrics."""
    _say('Begin seg tests')
    net = solver.test_nets[0]
    net.share_with(solver.net)
    return do_seg_tests(net, solver.iter, save_format, dataset, layer, gt)


def _say(text):
    print('>>>', datetime.now(), text, flush=True)
