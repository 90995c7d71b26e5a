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

from data.palette import COLOURS, label_image
from score.hist import argmax, count, metrics

LOG_EVERY = 200  # images between two lines where there is no terminal


class Scored(NamedTuple):
    """One image of a data set; tensors stay where the scores were."""

    name: str
    pred: torch.Tensor  # H x W
    true: torch.Tensor  # H x W
    hist: torch.Tensor  # C x C
    loss: torch.Tensor  # no axes; nan where the net has none


def each_scored(net, dataset, *tasks):
    """Runs net.forward() once per id and yields a list of Scored each time.

    Takes: tasks: (scores, labels, loss): names of blobs, for each labelling
    """
    for blob in (name for task in tasks for name in task[:2]):
        if blob not in net.blobs:
            raise ValueError(
                f'the net has no blob {blob!r} to score; it has '
                + ', '.join(net.blobs)
            )
    for name in np.atleast_1d(dataset):
        net.forward()
        yield [_score_one(net, str(name), *task) for task in tasks]


@torch.no_grad()
def _score_one(net, name, layer, gt, loss_blob):
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
    if loss_blob in net.blobs:
        loss = _tensor(net.blobs[loss_blob]).reshape(-1)[0].double()
    return Scored(name, pred, true, hist, loss)


def _tensor(blob):
    tensor = getattr(blob, 'tensor', None)
    return torch.from_numpy(blob.data) if tensor is None else tensor.detach()


def compute_hist(net, save_dir, dataset, layer='score', gt='label', ranks=None):
    """The counts and the mean loss of a net over a data set.

    Takes: save_dir: where label maps go as palette PNGs, <id>.png; or None
           ranks: if several processes share the images out: gives this one's
           `part` of the ids, and `summed`, the Total.sums of all
    Gives: hist: C x C int64 array, rows = true, columns = predicted
           loss: mean of the blob `loss`; nan if the net has none
    """
    ids = np.atleast_1d(dataset)
    if not ids.size:
        raise ValueError('the list of ids is empty: there is nothing to score')
    total = Total(save_dir)
    part = ids if ranks is None else ranks.part(ids)
    images = each_scored(net, part, (layer, gt, 'loss'))
    for (image,) in progress(images, len(part)):
        total.add(image)
    return (
        total.result() if ranks is None else mean(*ranks.summed(*total.sums()))
    )


class Total:
    """Sums over images, and their label maps as files on the way.

    Takes: save_dir: see compute_hist; colours: of the label maps
    """

    def __init__(self, save_dir=None, colours=COLOURS):
        self.save_dir, self.colours = save_dir, colours
        self.hist = self.loss = self.seen = 0  # stay where the scores are
        if save_dir:
            os.makedirs(save_dir, exist_ok=True)

    def add(self, image):
        """Takes: image: Scored"""
        self.hist = self.hist + image.hist
        self.loss = self.loss + image.loss
        self.seen += 1
        if self.save_dir:
            path = os.path.join(self.save_dir, f'{image.name}.png')
            label_image(image.pred.cpu().numpy(), self.colours).save(path)

    def sums(self):
        """The counts, the loss, the number of images; no image: zeros. Only
        this goes to the host."""
        if not self.seen:
            return 0, 0.0, 0
        return self.hist.cpu().numpy(), self.loss.item(), self.seen

    def result(self):
        """What compute_hist gives"""
        return mean(*self.sums())


def mean(hist, loss, seen):
    return hist, loss / seen


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


def do_seg_tests(
    net, iter, save_format, dataset, layer='score', gt='label', ranks=None
):
    """Scores a net and prints Berkeley's lines.

    Takes: save_format: directory for the label maps with a place for the
           iteration, as 'scores/{}'; False for none
           ranks: see compute_hist
    Gives: Metrics
    """
    save_dir = save_format.format(iter) if save_format else None
    hist, loss = compute_hist(net, save_dir, dataset, layer, gt, ranks)
    result = metrics(hist)._replace(loss=loss)
    if 'loss' in net.blobs:
        _say(f'Iteration {iter} loss {loss}')
    _say(f'Iteration {iter} overall accuracy {result.overall_acc}')
    _say(f'Iteration {iter} mean accuracy {result.mean_acc}')
    _say(f'Iteration {iter} mean IU {result.mean_iu}')
    _say(f'Iteration {iter} fwavacc {result.fwavacc}')
    return result


def seg_tests(
    solver, save_format, dataset, layer='score', gt='label', ranks=None
):
    """Scores a solver's first test net with the weights it is training, and
    prints Berkeley's lines. Gives Metrics."""
    _say('Begin seg tests')
    net = solver.test_nets[0]
    net.share_with(solver.net)
    name = solver.iter, save_format
    return do_seg_tests(net, *name, dataset, layer, gt, ranks)


def _say(text):
    print('>>>', datetime.now(), text, flush=True)
