"""One HTML page about a scoring run, whole in itself: it asks for no file and
no address, and can be kept, sent and printed.

Not here: the run (nets.py), its pictures (gallery.py), how a piece of the page
looks (page.py, report.css).
"""

import platform
import statistics
import time
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from score import protocols
from score.gallery import mistakes
from score.page import bars, document, example, matrix, percent, table
from score.table import METRICS

STYLE = Path(__file__).with_name('report.css')


class Scores(NamedTuple):
    """One task of a run.

    scored_on: the split's name, and how many images it has
    results: [(protocol, Metrics, published row or None)], the papers' first
    hist: C x C, rows = true; names, colours: of the classes
    gallery: gallery.Gallery; curves: text of an <svg>, or None
    """

    task: str
    scored_on: tuple
    results: list
    hist: np.ndarray
    names: list
    colours: np.ndarray
    gallery: object
    curves: object = None


class Pace:
    """How fast images go by, from one `end` to the next `begin` uncounted."""

    def __init__(self):
        self.seconds, self.pixels = [], []
        self.begin()

    def begin(self):
        self._since = time.perf_counter()

    def end(self, pixels):
        """Takes: pixels: of the image that is done, on the device too"""
        self.seconds.append(time.perf_counter() - self._since)
        self.pixels.append(pixels)

    def rows(self):
        later = self.seconds[1:] or self.seconds  # the first one warms up
        total = sum(later)
        each = 1e3 * statistics.median(later)
        pixels = sum(self.pixels[-len(later) :]) / 1e6
        first = 1e3 * self.seconds[0]
        return [
            ['images', str(len(self.seconds))],
            ['per image, median', f'{each:.1f} ms'],
            ['per image, slowest', f'{1e3 * max(later):.1f} ms'],
            ['the first image', f'{first:.1f} ms'],
            ['images per second', f'{len(later) / total:.2f}'],
            ['megapixels per second', f'{pixels / total:.2f}'],
        ]


def machine(device):
    """What the run was on. Takes: device: name of the GPU, or cpu"""
    if device == 'cpu':
        where = f'CPU, {torch.get_num_threads()} threads'
    else:
        where = device
    return [
        ['device', escape(where)],
        ['peak memory', memory(device)],
        [
            'PyTorch, Python',
            f'{torch.__version__}, {platform.python_version()}',
        ],
    ]


def memory(device):
    peak = peak_memory(device)
    if peak is None:
        return 'not known here'
    return f'{peak:.2f} GB of the {"process" if device == "cpu" else "GPU"}'


def peak_memory(device):
    """So far, in GB; None where it is not known. Takes: device: see machine"""
    if device != 'cpu':
        return torch.cuda.max_memory_allocated() / 1e9
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if platform.system() == 'Darwin' else 1024) / 1e9


def page(title, facts, scores, speed):
    """The whole page.

    Takes: title: of the page; facts: [[what, text]] at its top; scores: list
           of Scores; speed: [[what, text]], both as HTML
    Gives: str
    """
    parts = [f'<h1>{escape(title)}</h1>', table([], facts, 'facts')]
    for each in scores:
        several = f': {escape(each.task)}' * (len(scores) > 1)
        parts += _task(each, several)
    parts += ['<h2>Speed and memory</h2>', table([], speed, 'facts')]
    parts.append(
        '<p>Of this scoring run: reading the image, the forward pass, the '
        'loss, the counting.</p>'
    )
    return document(title, STYLE.read_text(), parts)


def _task(scores, several):
    """The sections of one task. Takes: several: what tells it from others"""
    parts = [f'<h2>Scores{several}</h2>']
    first = scores.results[0]
    parts.append(_tiles(first[1], first[2]))
    for protocol, result, row in scores.results:
        if len(scores.results) > 1:
            parts.append(f'<h3>{escape(protocol.text)}</h3>')
        same = row and (row.split, row.images) == scores.scored_on
        parts += _scores(result, row, same)
    if scores.curves:
        parts.append(f'<h2>Training{several}</h2>')
        parts.append(f'<div class="curves">{scores.curves}</div>')
    judged = protocols.judge(scores.hist, protocols.EVERY)
    parts.append(f'<h2>Classes{several}</h2>')
    parts.append(bars(judged, scores.hist, scores.names, scores.colours))
    parts += _confusions(scores.hist, scores.names, several)
    parts += _examples(scores.gallery, scores, several)
    return parts


def _tiles(result, row):
    text = ''
    for field, name in METRICS.items():
        there = row and getattr(row, field)
        below = f'published {percent(there)}' if there is not None else '&nbsp;'
        here = percent(100 * getattr(result, field))
        text += f'<div>{name}, %<b>{here}</b><small>{below}</small></div>'
    return f'<div class="tiles">{text}</div>'


def _scores(result, row, same):
    """The four metrics, beside a published row if there is one, and the gap
    if that is of the same images."""
    head, rows = ['', 'here'], []
    head += ['published'] if row else []
    head += ['gap'] if same else []
    for field, name in METRICS.items():
        here = 100 * getattr(result, field)
        cells = [name, percent(here)]
        there = row and getattr(row, field)
        cells += [percent(there)] if row else []
        gap = None if there is None else here - there
        cells += [percent(gap, '+')] if same else []
        rows.append(cells)
    if not np.isnan(result.loss):
        loss = ['loss per image', f'{result.loss:.6g}']
        rows.append(loss + [''] * (len(head) - 2))
    parts = [table(head, rows)]
    if row:
        other = '' if same else ' Other images than here: no gap to speak of.'
        parts.append(
            f'<p>Published: {escape(row.split)} ({row.images} images), '
            f'{escape(row.source)}.{other}</p>'
        )
    return parts


def _confusions(hist, names, several):
    rows = [
        [f'{escape(names[i])} taken for {escape(names[j])}', percent(100 * s)]
        for i, j, s in mistakes(hist, 10)
    ]
    parts = [
        f'<h2>Confusions{several}</h2>',
        '<p>Rows are true classes, columns predicted ones; a number is the '
        'percentage of the row, a colour the square root of it, so that what '
        'is rare can be seen. Classes that do not occur are left out.</p>',
        matrix(hist, names),
    ]
    if rows:
        parts.append('<h3>The largest</h3>')
        parts.append(table(['', 'of all pixels, %'], rows))
    return parts


def _examples(gallery, scores, several):
    parts = []
    for text, items in (('Worst', gallery.worst), ('Best', gallery.best)):
        if items:
            parts.append(f'<h2>{text} images{several}</h2>')
            parts.append(
                '<p>By the mean IU of the image itself. Error: red where the '
                'prediction is wrong, pale blue where it is not judged.</p>'
            )
        for item in items:
            parts.append(example(item, scores.names, scores.colours))
    return parts
