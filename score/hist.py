"""Counts of pixels by (true, predicted) class, and the metrics made of them.

Paper: Long, Shelhamer, Darrell, CVPR 2015, section 5 (n_ij = rows true,
columns predicted; other toolkits transpose it). A class that occurs neither
in the truth nor in the prediction has no IU and drops out of the mean.
"""

from typing import NamedTuple

import numpy as np
import torch


class Metrics(NamedTuple):
    """Fractions in 0..1; nan where there is nothing to divide by."""

    overall_acc: float
    mean_acc: float
    mean_iu: float
    fwavacc: float
    class_acc: np.ndarray  # n, nan for classes absent from the truth
    class_iu: np.ndarray  # n, nan for classes absent from truth and prediction
    loss: float = float('nan')  # mean over images, where the net has a loss


def fast_hist(true, pred, n):
    """Count pixels by (true, predicted) class.

    Takes: true, pred: integer-valued arrays or tensors of as many elements,
           any shape; true outside [0, n) is ignored
    Gives: n x n int64, rows = true, columns = predicted; a tensor on the
           device of `pred` if that is a tensor, else an array
    """
    t, p = _flat(true), _flat(pred)
    if t.shape != p.shape:
        raise ValueError(
            f'{len(t)} true labels for {len(p)} predictions: not one to one'
        )
    t = t.to(p.device)
    counted = p[(t >= 0) & (t < n)]
    if len(counted) and not 0 <= counted.min() <= counted.max() < n:
        raise ValueError(
            f'predicted classes {counted.min():.0f} to {counted.max():.0f} '
            f'do not fit into 0 to {n - 1}'
        )
    hist = count(t, p, n)
    return hist if isinstance(pred, torch.Tensor) else hist.numpy()


def count(true, pred, n):
    """fast_hist of flat tensors on one device, `pred` known to be in range:
    ignored pixels go to a bin of their own that is dropped, so that nothing
    but the size of the bins depends on the data."""
    counted = (true >= 0) & (true < n)
    bins = torch.where(counted, true.long(), n) * n + pred.long() * counted
    return torch.bincount(bins, minlength=n * n + 1)[: n * n].view(n, n)


def _flat(labels):
    """A flat tensor wide enough for comparisons with any class number."""
    if not isinstance(labels, torch.Tensor):
        labels = np.asarray(labels)
        wide = np.int64 if labels.dtype.kind in 'iub' else np.float64
        labels = torch.from_numpy(labels.astype(wide))
    labels = labels.reshape(-1)
    return labels if labels.is_floating_point() else labels.long()


def argmax(scores):
    """Classes of the highest scores, the lowest class on ties.

    Takes: scores: C x H x W tensor
    Gives: H x W int64, on the same device
    """
    return scores.max(0).indices  # first maximum too, 4x argmax's speed on CPU


def metrics(hist, counted=True):
    """Berkeley's four metrics and the accuracy and IU of every class.

    Takes: hist: n x n, rows = true, columns = predicted; counted: n bools,
           which classes have a part in means over classes (protocols.py)
    """
    if isinstance(hist, torch.Tensor):
        hist = hist.cpu().numpy()
    hist = np.asarray(hist, np.float64)
    hits, rows, columns = np.diag(hist), hist.sum(1), hist.sum(0)
    acc, iu = _divide(hits, rows), _divide(hits, rows + columns - hits)
    acc, iu = (np.where(counted, values, np.nan) for values in (acc, iu))
    seen = (rows > 0) & counted
    return Metrics(
        overall_acc=float(_divide(hits.sum(), hist.sum())),
        mean_acc=_nanmean(acc),
        mean_iu=_nanmean(iu),
        fwavacc=float(_divide((rows[seen] * iu[seen]).sum(), hist.sum())),
        class_acc=acc,
        class_iu=iu,
    )


def _divide(a, b):
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b != 0)


def _nanmean(values):
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float('nan')
