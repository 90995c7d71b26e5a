"""Loop nests too dumb to be wrong: what each layer computes, one number at a
time, in numpy, from the formulas in Caffe's documentation and specification.

Takes: arrays (float64 in the tests), N x C x H x W unless said otherwise
Gives: an array, or a list of them for several tops
"""

import math

import numpy as np


def taps(small, large, kernel, stride, pad, dilation):
    """Which pixels of a convolution's smaller and larger plane meet under
    which weight: ((r, s), (row, column), (u, v)), padding left out."""
    for r, s, u, v in np.ndindex(*small, *kernel):
        row = r * stride[0] - pad[0] + u * dilation[0]
        column = s * stride[1] - pad[1] + v * dilation[1]
        if 0 <= row < large[0] and 0 <= column < large[1]:
            yield (r, s), (row, column), (u, v)


def conv(x, weight, bias, stride, pad, dilation, group):
    """Divides toward zero for the output size, as C does."""
    n, c, *large = x.shape
    outputs, per_group, *kernel = weight.shape
    small = [
        int((i + 2 * p - d * (k - 1) - 1) / s) + 1
        for i, k, s, p, d in zip(large, kernel, stride, pad, dilation)
    ]
    y = np.zeros((n, outputs, *small))
    for i, o, j in np.ndindex(n, outputs, per_group):
        source = x[i, o // (outputs // group) * per_group + j]
        for to, at, w in taps(small, large, kernel, stride, pad, dilation):
            y[i, o][to] += weight[o, j][w] * source[at]
    return y if bias is None else y + bias[:, None, None]


def deconv(x, weight, bias, stride, pad, dilation, group):
    """weight: (C, outputs / group, k, k)."""
    n, c, *small = x.shape
    _, per_group, *kernel = weight.shape
    large = [
        s * (i - 1) + d * (k - 1) + 1 - 2 * p
        for i, k, s, p, d in zip(small, kernel, stride, pad, dilation)
    ]
    y = np.zeros((n, per_group * group, *large))
    for i, j, o in np.ndindex(n, c, per_group):
        target = y[i, j // (c // group) * per_group + o]
        for at, to, w in taps(small, large, kernel, stride, pad, dilation):
            target[to] += weight[j, o][w] * x[i, j][at]
    return y if bias is None else y + bias[:, None, None]


def pool_size(size, k, s, p, padded, up=True):
    """padded: either axis has padding."""
    steps = (size + 2 * p - k) / s
    out = (math.ceil(steps) if up else math.floor(steps)) + 1
    if padded and (out - 1) * s >= size + p:
        out -= 1
    return out


def windows(shape, kernel, stride, pad, up):
    """For every output pixel: (its place, its rows, its columns, the number
    of pixels it would average over)."""
    (h, w), (kh, kw), (sh, sw), (ph, pw) = shape, kernel, stride, pad
    high = pool_size(h, kh, sh, ph, ph or pw, up)
    wide = pool_size(w, kw, sw, pw, ph or pw, up)
    found = []
    for r, s in np.ndindex(high, wide):
        top, left = r * sh - ph, s * sw - pw
        bottom, right = min(top + kh, h + ph), min(left + kw, w + pw)
        rows = range(max(top, 0), min(bottom, h))
        columns = range(max(left, 0), min(right, w))
        count = (bottom - top) * (right - left)
        found.append(((r, s), rows, columns, count))
    return (high, wide), found


def max_pool(x, kernel, stride=(1, 1), pad=(0, 0), up=True):
    """Gives: [maxima, where they are: row * width + column, -1 if nowhere]"""
    size, places = windows(x.shape[2:], kernel, stride, pad, up)
    y = np.full((*x.shape[:2], *size), np.finfo(np.float64).min)
    mask = np.full(y.shape, -1.0)
    for i, c in np.ndindex(x.shape[:2]):
        for (r, s), rows, columns, _ in places:
            for row in rows:
                for column in columns:
                    if x[i, c, row, column] > y[i, c, r, s]:
                        y[i, c, r, s] = x[i, c, row, column]
                        mask[i, c, r, s] = row * x.shape[3] + column
    return [y, mask]


def ave_pool(x, kernel, stride=(1, 1), pad=(0, 0), up=True):
    size, places = windows(x.shape[2:], kernel, stride, pad, up)
    y = np.zeros((*x.shape[:2], *size))
    for i, c in np.ndindex(x.shape[:2]):
        for (r, s), rows, columns, count in places:
            for row in rows:
                for column in columns:
                    y[i, c, r, s] += x[i, c, row, column]
            with np.errstate(invalid='ignore'):
                y[i, c, r, s] = np.divide(y[i, c, r, s], count)
    return y


def inner_product(x, weight, bias=None, axis=1, transpose=False):
    rows = x.reshape(math.prod(x.shape[:axis]), -1)
    weight = weight.T if transpose else weight
    y = np.zeros((len(rows), len(weight)))
    for i, o in np.ndindex(y.shape):
        for k in range(rows.shape[1]):
            y[i, o] += rows[i, k] * weight[o, k]
        if bias is not None:
            y[i, o] += bias[o]
    return y.reshape(*x.shape[:axis], len(weight))


def each(function, x):
    """A function of one number, applied to all."""
    y = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        y[place] = function(float(x[place]))
    return y


def lrn_across(x, size, alpha, beta, k):
    y = np.zeros(x.shape)
    for i, c, r, s in np.ndindex(x.shape):
        total = 0.0
        for other in range(c - (size - 1) // 2, c + (size - 1) // 2 + 1):
            if 0 <= other < x.shape[1]:
                total += x[i, other, r, s] ** 2
        y[i, c, r, s] = x[i, c, r, s] * (k + alpha / size * total) ** -beta
    return y


def lrn_within(x, size, alpha, beta):
    mean = ave_pool(x**2, (size, size), (1, 1), [(size - 1) // 2] * 2)
    return x * (1 + alpha * mean) ** -beta


def eltwise_max(*bottoms):
    """Gives: [maxima, the number of the bottom that each came from]"""
    y, winner = np.zeros(bottoms[0].shape), np.zeros(bottoms[0].shape, int)
    for place in np.ndindex(y.shape):
        values = [x[place] for x in bottoms]
        best = 0 if values[0] > values[1] else 1
        for i in range(2, len(values)):
            if values[i] > values[best]:
                best = i
        y[place], winner[place] = values[best], best
    return [y, winner]


def softmax(x, axis=1):
    y = np.zeros(x.shape)
    for place in np.ndindex(*x.shape[:axis], *x.shape[axis + 1 :]):
        place = (*place[:axis], slice(None), *place[axis:])
        powers = [math.exp(v - x[place].max()) for v in x[place]]
        y[place] = [power / sum(powers) for power in powers]
    return y


def softmax_loss(x, label, axis=1, ignore=None, mode='VALID'):
    prob = softmax(x, axis)
    before, after = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    prob = prob.reshape(before, x.shape[axis], after)
    label = label.reshape(before, after)
    total, counted = 0.0, 0
    for i, j in np.ndindex(before, after):
        if ignore is None or int(label[i, j]) != ignore:
            total -= math.log(max(prob[i, int(label[i, j]), j], 1.17549435e-38))
            counted += 1
    return total / normalizer(mode, before, after, counted)


def normalizer(mode, outer, inner, counted):
    per = dict(FULL=outer * inner, VALID=counted, BATCH_SIZE=outer, NONE=1)
    return max(1, per[mode])


def sigmoid_loss(x, target, ignore=None, mode='BATCH_SIZE'):
    total, counted = 0.0, 0
    for v, t in zip(x.ravel(), target.ravel()):
        if ignore is None or int(t) != ignore:
            p = 1 / (1 + math.exp(-v))
            total -= t * math.log(p) + (1 - t) * math.log(1 - p)
            counted += 1
    return total / normalizer(mode, len(x), x[0].size, counted)


def euclidean(a, b):
    total = sum((v - w) ** 2 for v, w in zip(a.ravel(), b.ravel()))
    return total / (2 * len(a))


def accuracy(x, label, axis=1, top_k=1, ignore=None):
    """Gives: [share of right labels, the same per class]"""
    x = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])
    right, total = [0] * x.shape[1], [0] * x.shape[1]
    for scores, true in zip(x, label.ravel().astype(int)):
        if true != ignore:
            better = sum(score >= scores[true] for score in scores) - 1
            right[true] += better < top_k
            total[true] += 1
    shares = [r / t if t else 0.0 for r, t in zip(right, total)]
    return [sum(right) / sum(total) if sum(total) else 0.0, np.array(shares)]


def batch_norm(x, eps, mean=None, var=None):
    """By the batch's own mean and biased variance, unless they are given."""
    y = np.zeros(x.shape)
    for c in range(x.shape[1]):
        m = x[:, c].mean() if mean is None else mean[c]
        v = ((x[:, c] - m) ** 2).mean() if var is None else var[c]
        y[:, c] = (x[:, c] - m) / math.sqrt(v + eps)
    return y


def laid_along(inner, shape, axis):
    """The small array repeated to `shape`: its axis 0 along `axis`."""
    y = np.zeros(shape)
    for place in np.ndindex(*shape):
        y[place] = inner[place[axis : axis + inner.ndim]]
    return y


def argmax(x, k, axis):
    """Gives: [indices, values] of the k largest along an axis, in descending
    order; of equal ones the larger index first"""
    rows = np.moveaxis(x, axis, -1)
    index, value = np.zeros((2, *rows.shape[:-1], k))
    for place in np.ndindex(rows.shape[:-1]):
        pairs = sorted((v, i) for i, v in enumerate(rows[place]))[::-1]
        for j in range(k):
            value[place][j], index[place][j] = pairs[j]
    return [np.moveaxis(index, -1, axis), np.moveaxis(value, -1, axis)]


def bilinear_kernel(size):
    factor = math.ceil(size / 2)
    centre = (size - 1) / (2 * factor)
    kernel = np.zeros((size, size))
    for y, x in np.ndindex(size, size):
        away = abs(y / factor - centre), abs(x / factor - centre)
        kernel[y, x] = (1 - away[0]) * (1 - away[1])
    return kernel
