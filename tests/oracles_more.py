"""More loop nests too dumb to be wrong: the layers that FCN descendants use,
one number at a time, from the formulas in Caffe's documentation.

Takes: arrays (float64 in the tests), N x C x H x W unless said otherwise
Gives: an array, or a list of them for several tops
"""

import math

import numpy as np
from oracles import normalizer, softmax

LEAST = 1e-20  # no probability counts as less


def prelu(x, slope):
    """slope: one per channel, or a scalar for all."""
    y = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        a = slope[place[1]] if slope.ndim else slope
        y[place] = x[place] if x[place] > 0 else a * x[place]
    return y


def groups(x, across):
    """The index of each image's channels, or of each image."""
    for n in range(x.shape[0]):
        if across:
            yield (n,)
        else:
            yield from ((n, c) for c in range(x.shape[1]))


def mvn(x, eps, across=False, divide=True):
    y = np.zeros(x.shape)
    for place in groups(x, across):
        values = [float(v) for v in x[place].ravel()]
        mean = sum(values) / len(values)
        var = sum((v - mean) ** 2 for v in values) / len(values)
        scale = math.sqrt(var) + eps if divide else 1
        y[place] = (x[place] - mean) / scale
    return y


def mvn_gradient(x, dy, eps):
    """Per channel, by the formula Caffe uses: exact only for eps = 0."""
    y, dx = mvn(x, eps), np.zeros(x.shape)
    for place in groups(x, False):
        count = x[place].size
        scale = math.sqrt(np.var(x[place])) + eps
        ups = sum(dy[place].ravel()) / count
        along = sum((dy[place] * y[place]).ravel()) / count
        dx[place] = (dy[place] - ups - y[place] * along) / scale
    return dx


TERMS = {
    'SUM': lambda v: v,
    'ASUM': abs,
    'SUMSQ': lambda v: v * v,
    'MEAN': lambda v: v,
}


def reduction(x, operation, axis, coeff):
    y = np.zeros(x.shape[:axis])
    for place in np.ndindex(*y.shape):
        values = np.ravel(x[place])
        total = sum(TERMS[operation](v) for v in values)
        y[place] = coeff * total / (len(values) if operation == 'MEAN' else 1)
    return y


def tile(x, axis, tiles):
    shape = list(x.shape)
    shape[axis] *= tiles
    y = np.zeros(shape)
    for place in np.ndindex(*shape):
        source = list(place)
        source[axis] %= x.shape[axis]
        y[place] = x[tuple(source)]
    return y


def embed(x, weight, bias=None):
    y = np.zeros((*x.shape, weight.shape[1]))
    for place in np.ndindex(*x.shape):
        for o in range(weight.shape[1]):
            y[place][o] = weight[int(x[place])][o]
            y[place][o] += 0 if bias is None else bias[o]
    return y


def batch_reindex(x, order):
    y = np.zeros((len(order), *x.shape[1:]))
    for i, index in enumerate(order):
        y[i] = x[int(index)]
    return y


def filtered(x, selector):
    kept = [item for item, s in zip(x, selector.ravel()) if s != 0]
    return np.array(kept).reshape(len(kept), *x.shape[1:])


def hinge(x, label, norm=1):
    total = 0.0
    for n, scores in enumerate(x.reshape(len(x), -1)):
        for k, score in enumerate(scores):
            signed = -score if k == int(label.ravel()[n]) else score
            total += max(0, 1 + signed) ** norm
    return total / len(x)


def multinomial(prob, label):
    total = 0.0
    for n, row in enumerate(prob.reshape(len(prob), -1)):
        total -= math.log(max(row[int(label.ravel()[n])], LEAST))
    return total / len(prob)


def contrastive(a, b, similar, margin=1.0, legacy=False):
    total = 0.0
    for n in range(len(a)):
        squared = sum((v - w) ** 2 for v, w in zip(a[n].ravel(), b[n].ravel()))
        if int(similar.ravel()[n]):
            total += squared
        elif legacy:
            total += max(margin - squared, 0)
        else:
            total += max(margin - math.sqrt(squared), 0) ** 2
    return total / len(a) / 2


def contrastive_gradient(a, b, similar, margin=1.0):
    """Of bottom 0, not legacy, by the formula Caffe uses."""
    grad = np.zeros(a.shape)
    for n in range(len(a)):
        difference = a[n] - b[n]
        distance = math.sqrt((difference**2).sum())
        if int(similar.ravel()[n]):
            grad[n] = difference
        elif distance < margin:
            grad[n] = -(margin - distance) / (distance + 1e-4) * difference
    return grad / len(a)


def infogain(x, label, matrix, axis=1, ignore=None, mode='VALID'):
    """Gives: [loss, probabilities]"""
    prob, classes = softmax(x, axis), x.shape[axis]
    before, after = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    rows = prob.reshape(before, classes, after)
    matrix = matrix.reshape(classes, classes)
    label = label.reshape(before, after)
    total, counted = 0.0, 0
    for i, j in np.ndindex(before, after):
        true = int(label[i, j])
        if true != ignore:
            for k in range(classes):
                total -= matrix[true, k] * math.log(max(rows[i, k, j], LEAST))
            counted += 1
    return [total / normalizer(mode, before, after, counted), prob]


def im2col(x, kernel, stride, pad, dilation, axis=1):
    """For any number of axes before and after the channels'."""
    sizes = x.shape[axis + 1 :]
    out = [
        int((i + 2 * p - d * (k - 1) - 1) / s) + 1
        for i, k, s, p, d in zip(sizes, kernel, stride, pad, dilation)
    ]
    y = np.zeros((*x.shape[:axis], x.shape[axis] * math.prod(kernel), *out))
    for batch in np.ndindex(*x.shape[:axis]):
        row = 0
        for c in range(x.shape[axis]):
            for tap in np.ndindex(*kernel):
                for place in np.ndindex(*out):
                    at = tuple(
                        o * s - p + t * d
                        for o, s, p, t, d in zip(
                            place, stride, pad, tap, dilation
                        )
                    )
                    if all(0 <= a < size for a, size in zip(at, sizes)):
                        y[(*batch, row, *place)] = x[(*batch, c, *at)]
                row += 1
    return y


def spp(x, height, ave=False):
    """Each level by itself: bins of equal size, those at the edges cut off by
    half of what is too much."""
    n, c, high, wide = x.shape
    columns = []
    for level in range(height):
        bins = 2**level
        kh, kw = math.ceil(high / bins), math.ceil(wide / bins)
        top = math.ceil((kh * bins - high) / 2)
        left = math.ceil((kw * bins - wide) / 2)
        for k in range(c):
            for r, s in np.ndindex(bins, bins):
                rows = range(r * kh - top, (r + 1) * kh - top)
                cols = range(s * kw - left, (s + 1) * kw - left)
                inside = [
                    x[:, k, row, col]
                    for row in rows
                    for col in cols
                    if 0 <= row < high and 0 <= col < wide
                ]
                if ave:  # padding counts, but not beyond it
                    area = len([row for row in rows if row < high + top])
                    area *= len([col for col in cols if col < wide + left])
                    columns.append(sum(inside) / area)
                else:
                    columns.append(np.max(inside, axis=0))
    y = np.stack(columns, axis=1)
    return y.reshape(n, c, 1, 1) if height == 1 else y
