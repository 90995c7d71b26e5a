"""The numbers of a study's page: what is compared with what, and the means
over seeds. page.py and tables.py write them down, figures.py draws them.
"""

import math
from typing import NamedTuple

import numpy as np

import networks
from ablations.statistics import band_scores, paired, spread
from score.hist import metrics
from score.table import METRICS

DRAWS, SEED = 2000, 2015  # of the bootstrap


class Line(NamedTuple):
    """A row of a table, a line of a figure. results: of every seed; none where
    no run has finished"""

    label: str
    net: str
    arm: str
    test: str
    results: list

    def counts(self):
        return [result.counts[self.test] for result in self.results]

    def facts(self, name):
        """Of the runs that know it."""
        found = (result.facts.get(name) for result in self.results)
        return [value for value in found if value is not None]


class Group(NamedTuple):
    """Lines that are compared with the first of them. net, test: what all
    have in common, where that is not said by the study"""

    net: str
    test: str
    lines: list

    @property
    def title(self):
        return ', '.join(filter(None, (self.net, self.test)))


class Row(NamedTuple):
    """A line in numbers. Metrics are fractions, 0 to 1.

    scores      {field of Metrics: (mean, standard deviation over seeds)}
    difference  statistics.Difference of mean IU; None for the first line and
                where there is nothing to compare it with
    by_seed     the same of every seed by itself, as fractions
    published   mean IU in percent, or None
    pace        mean of the iterations per second, nan if not known
    memory      the largest of the runs in GB, nan if not known
    """

    line: Line
    scores: dict
    difference: object
    by_seed: list
    published: float
    pace: float
    memory: float


def groups(study, cells):
    """Takes: cells: {(net, arm, test): [Result]}, see page.write"""
    nets = list(dict.fromkeys(net for net, _, _ in cells)) or study.nets
    arms, tests = list(study.arms), list(study.tests)

    def line(label, *key):
        return Line(label, *key, cells.get(key, []))

    if len(arms) > 1:
        several = len(tests) > 1
        return [
            Group(net, test * several, [line(a, net, a, test) for a in arms])
            for net in nets
            for test in tests
        ]
    arm = arms[0]
    if len(tests) > 1:
        return [
            Group(net, '', [line(t, net, arm, t) for t in tests])
            for net in nets
        ]
    return [Group('', '', [line(net, net, arm, tests[0]) for net in nets])]


def trained(study, cells):
    """The groups of what does not depend on a test: each run once."""
    first = next(iter(study.tests))
    return groups(study._replace(tests={first: {}}), cells)


def rows(group, published):
    """Gives: a Row for each line. Takes: published: of the Study"""
    return [row(line, group.lines[0], published) for line in group.lines]


def row(line, first, published):
    pairs = [] if line is first else paired_seeds(line, first)
    totals = [metrics(counts.hists.sum(0)) for counts in line.counts()]
    return Row(
        line,
        {
            field: spread_of([getattr(total, field) for total in totals])
            for field in METRICS
        },
        paired(*zip(*pairs), DRAWS, SEED) if pairs else None,
        [mean_iu(other) - mean_iu(one) for one, other in pairs],
        published_of(line, published),
        mean(line.facts('iterations_per_second')),
        max(line.facts('memory'), default=math.nan),
    )


def published_of(line, published):
    """Mean IU in percent, or None"""
    key = line.net, line.arm, line.test
    return published.get(key, published.get(key[:2]))


def paired_seeds(line, first):
    """Counts of the first line and of another one, for every seed that both
    have; none if they are of different images or classes."""
    sides = [dict(zip(e.facts('seed'), e.counts())) for e in (line, first)]
    pairs = [(sides[1][s], sides[0][s]) for s in sides[0] if s in sides[1]]
    return pairs if all(alike(*pair) for pair in pairs) else []


def mean_iu(counts):
    return metrics(counts.hists.sum(0)).mean_iu


def alike(one, other):
    return one.hists.shape == other.hists.shape and np.array_equal(
        one.ids, other.ids
    )


def bands(line):
    """Of accuracy and of mean IU, each: [(mean, standard deviation) for every
    width of BANDS], fractions"""
    found = [band_scores(counts.bands) for counts in line.counts()]
    return [[spread_of(seeds) for seeds in zip(*each)] for each in zip(*found)]


def spread_of(values):
    """Mean and standard deviation; nan where no run has finished."""
    return spread(values) if len(values) else (math.nan, math.nan)


def mean(values):
    return float(np.mean(values)) if len(values) else math.nan


def runs(cells):
    """Every Result once, in order. Gives: [(net, arm, Result)]"""
    found = {}
    for (net, arm, _), results in cells.items():
        for result in results:
            found.setdefault(result.facts['folder'], (net, arm, result))
    return list(found.values())


def names_of(network, count):
    """The names of a network's classes; their numbers, where its data layer
    does not say. Takes: count: of the classes, which tells its tasks apart"""
    try:
        path = networks.prototxt(networks.folder(network), 'test')
        found = networks.source(path).layer.names.values()
    except (AttributeError, FileNotFoundError, ValueError):
        found = []  # a folder that has gone, or a data layer of another kind
    numbers = [str(i) for i in range(count)]
    return next((list(n) for n in found if len(n) == count), numbers)
