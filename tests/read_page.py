"""A study's page as a test reads it, and the numbers that it should have."""

import statistics
from html.parser import HTMLParser

import numpy as np

VOID_TAGS = {'meta', 'img', 'br'}


class Page(HTMLParser):
    """Tables as lists of rows of text, what is referred to, and all text;
    fails where tags do not match."""

    def __init__(self, path):
        super().__init__()
        self.open, self.sources, self.ids = [], [], []
        self.tables, self.said = [], ''
        self.feed(path.read_text(encoding='utf-8'))
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        keys = ('src', 'href', 'xlink:href')
        self.sources += [v for k, v in attrs if k in keys]
        self.ids += [v for k, v in attrs if k == 'id']
        if tag not in VOID_TAGS:
            self.open.append(tag)
        if tag == 'table':
            self.tables.append([])
        elif tag == 'tr':
            self.tables[-1].append([])
        elif tag in ('td', 'th'):
            self.tables[-1][-1].append('')

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.remove(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if 'style' not in self.open:
            self.said += data
        if {'td', 'th'} & set(self.open):
            self.tables[-1][-1][-1] += data

    def blocks(self, start):
        """Of the first table whose head has this: {block: {row: cells}}"""
        table = next(t for t in self.tables if start in (t or [[]])[0])
        found, block = {}, ''
        for name, *cells in table[1:]:
            if cells:
                found.setdefault(block, {})[name] = cells
            else:
                block = name
        return found


def scores(hists):
    """The four metrics in percent, without the code under test."""
    hist = hists.sum(0)
    total = hist.sum()
    accuracy, overlap, weighted = [], [], 0
    for i in range(len(hist)):
        row, column = hist[i].sum(), hist[:, i].sum()
        if row:
            accuracy.append(hist[i, i] / row)
        if row + column:
            overlap.append(hist[i, i] / (row + column - hist[i, i]))
            weighted += row * overlap[-1] / total
    means = [statistics.mean(map(float, v)) for v in (accuracy, overlap)]
    return [100 * v for v in (np.trace(hist) / total, *means, weighted)]


def text_of(values):
    """mean ± deviation, as the page has it."""
    return f'{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}'


def minus(text):
    return text.replace('-', '−')
