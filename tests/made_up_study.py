"""Results as runs would leave them, for tests of what is made of them: counts,
kernels and pictures from fixed seeds, and logs in folders."""

import numpy as np

from ablations.result import BANDS, Counts, Kernels, Picture, Result
from score.log import METRICS
from surgery.bilinear import upsample_filt

LAYERS = {'upscore2': 4, 'upscore16': 32}


def counts(seed, skill, images, classes):
    """Takes: skill: share of the pixels that are right, roughly"""
    rng = np.random.default_rng([1, images])  # the same images for all
    true = rng.dirichlet(np.full(classes, 0.15), images)
    hard = rng.normal(0, 0.04, images)
    rng = np.random.default_rng([2, seed])
    hists = np.zeros((images, classes, classes), np.int64)
    for hist, share, less in zip(hists, true, hard):
        rows = rng.multinomial(20000, share)
        right = skill - less + rng.normal(0, 0.05, classes)
        hits = rng.binomial(rows, right.clip(0, 1))
        hist += rng.multinomial(rows - hits, np.full(classes, 1 / classes))
        hist[np.diag_indices(classes)] += hits
    total = hists.sum(0)
    bands = [near(total, 0.4 / (1 + width / 6)) for width in BANDS]
    ids = np.array([f'2007_{i:06}' for i in range(images)])
    losses = rng.gamma(2, 3e4, images)
    return Counts(ids, hists, np.stack(bands), losses)


def near(hist, wrong):
    """Counts of a band: fewer pixels, of which a larger share is wrong."""
    part = hist // 8
    moved = (np.diag(part) * wrong).astype(np.int64)
    part = part - np.diag(moved)
    part[:, 0] += moved
    return part


def kernels(seed, change, classes):
    """Takes: change: standard deviation of what was learned; 0: bilinear"""
    found = {}
    for layer, side in LAYERS.items():
        rng = np.random.default_rng([3, seed, side])
        noise = rng.normal(0, change, (classes, side, side))
        own = upsample_filt(side) + noise * upsample_filt(side)
        found[layer] = Kernels(own.astype(np.float32), min(1, 40 * change**2))
    return found


def pictures(seed, skill, classes, number=2):
    found = []
    for i in range(number):
        rng = np.random.default_rng([4, i])
        height, width = 90 + 30 * i, 125
        y, x = np.mgrid[:height, :width]
        label = np.zeros((height, width), np.uint8)
        for value in rng.integers(1, classes, 3):
            at = rng.uniform(0.2, 0.8, 2) * (height, width)
            far = np.hypot(y - at[0], x - at[1])
            label[far < 26] = 255
            label[far < 23] = value
        shift = 1 + round(
            20 * (1 - skill) * np.random.default_rng(seed).random()
        )
        prediction = np.roll(label, shift, 1)
        prediction[prediction == 255] = 0
        image = np.stack([label * 9 % 200, x + label % 50, y * 2], -1)
        image = (image + rng.integers(0, 30, image.shape)).astype(np.uint8)
        found.append(Picture(f'2007_{i:06}', image, label, prediction))
    return found


def log(skill, seed, iterations):
    rng = np.random.default_rng([5, seed])
    now, lines = '2016-05-20 12:00:00', []
    for i in range(0, iterations, 20):
        loss = 2e5 * (1.4 - skill) * np.exp(-3 * i / iterations) + 2e4
        loss *= rng.gamma(20, 1 / 20)
        lines.append(
            f'I0520 12:00:00.1 9 solver.cpp:2] Iteration {i}, loss = {loss}'
        )
        if i and i % (iterations // 10) == 0:
            lines.append(f'>>> {now} Begin seg tests')
            reached = skill * (1 - np.exp(-4 * i / iterations))
            lines += [
                f'>>> {now} Iteration {i} {metric} '
                f'{reached * (1 - 0.1 * k) + rng.normal(0, 0.004)}'
                for k, metric in enumerate(METRICS)
            ]
    return '\n'.join(lines) + '\n'


def result(root, run, skill, sizes, tests=('',), change=0.0, iterations=4000):
    """Takes: run: net, arm, seed; sizes: images, classes"""
    net, arm, seed = run
    images, classes = sizes
    folder = root / 'runs' / 'full' / arm / f'seed-{seed}' / net
    folder.mkdir(parents=True)
    (folder / 'train-1.log').write_text(log(skill, seed, iterations))
    number = 100 * seed + sum(map(ord, arm))
    facts = {
        'network': net,
        'edits': {} if arm == 'fixed' else {'upsampling': arm},
        'seed': seed,
        'iterations': iterations,
        'folder': str(folder),
        'command': 'ablate.py upsampling --seeds 3',
        'start': [str(root / 'vgg16-fcn.caffemodel')],
        'device': 'NVIDIA H100',
        'threads': 4,
        'torch': '2.11.0',
        'python': '3.12.3',
        'code': '3e88161',
        'began': '2026-11-20 10:11',
        'seconds': 3723.4 + seed,
        'iterations_per_second': 31.5 - 4 * change + 0.1 * seed,
        'memory': 3.21 + change,
    }
    scored = {
        test: counts(number + k, skill - 0.05 * k, images, classes)
        for k, test in enumerate(tests)
    }
    return Result(
        facts,
        scored,
        kernels(number, change, classes),
        pictures(number, skill, classes),
    )
