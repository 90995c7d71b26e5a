r"""Training logs as curves: Caffe's solver lines and Berkeley's `>>>` lines.

Caffe: the messages of solver.cpp and sgd_solver.cpp behind either of glog's
prefixes (`I0520 12:00:00.1 99 solver.cpp:239] `, newer ones with the year);
Berkeley: score.py. Other text is passed over, and lines may be torn by a
progress bar's carriage returns. Where a resumed run goes over iterations again,
what it says replaces what was there.
"""

import re
from typing import NamedTuple

import numpy as np

METRICS = ('overall accuracy', 'mean accuracy', 'mean IU', 'fwavacc')

_GLOG = r'[IWEF]\d{4,8} \d\d:\d\d:\d\d\.\d+ +\d+ [^\]\n]*\] '
_LINE = re.compile(
    _GLOG + r'Iteration (?P<train>\d+)(?: \([^)]*\))?, loss = (?P<loss>\S+)'
    '|' + _GLOG + r'Iteration (?P<at>\d+), lr = (?P<lr>\S+)'
    '|' + _GLOG + r'Iteration (?P<testing>\d+), Testing net \(#(?P<net>\d+)\)'
    '|' + _GLOG + r' +(?P<phase>Train|Test) net output #\d+: '
    r'(?P<output>\S+) = (?P<value>\S+)'
    r'|>>> \S+ \S+ (?P<begin>Begin seg tests)'
    r'|>>> \S+ \S+ Iteration (?P<seg>\d+) '
    r'(?P<metric>loss|' + '|'.join(METRICS) + r') (?P<score>\S+)'
)


class Curve(NamedTuple):
    """One quantity over a run; both arrays of the same length, by iteration."""

    iteration: np.ndarray  # int64
    value: np.ndarray  # float64


class Log(NamedTuple):
    """What a log holds. Each dict maps the names in the log to Curves.

    train: 'loss' (averaged over average_loss iterations), 'lr', and the train
           net's outputs as 'output NAME'
    test:  the outputs of Caffe's own tests as 'net J NAME'
    seg:   one dict per scored output (SIFT Flow has two): 'loss' and METRICS
    """

    path: str
    train: dict
    test: dict
    seg: list


def read_log(path):
    """Reads a training log; ValueError if nothing in it is one."""
    with open(path, encoding='utf-8', errors='replace') as file:
        found = parse(file.read())
    if not any(found):
        raise ValueError(
            f"{path}: no training log: neither a line of Caffe's solver "
            '("Iteration 20, loss = ...") nor a ">>>" line of seg_tests'
        )
    return Log(str(path), *found)


def parse(text):
    """The three parts of a Log from its text. Gives: train, test, seg."""
    train, test, seg = {}, {}, []
    now, net, head, scored = 0, '0', -1, None
    for line in re.split(r'[\r\n]+', text):
        found = _LINE.search(line)
        if found is None:
            continue
        m = found.groupdict()
        if m['train'] is not None:
            now, scored = int(m['train']), None
            _rewind((train, test, *seg), now)
            _note(train, 'loss', now, m['loss'])
        elif m['at'] is not None:
            _note(train, 'lr', int(m['at']), m['lr'])
        elif m['testing'] is not None:
            now, net = int(m['testing']), m['net']
        elif m['output'] is not None:
            if m['phase'] == 'Train':
                _note(train, f'output {m["output"]}', now, m['value'])
            else:
                _note(test, f'net {net} {m["output"]}', now, m['value'])
        elif m['begin'] is not None:
            head += 1
        else:
            if int(m['seg']) != scored:
                head, scored = 0, int(m['seg'])
            seg += [{} for _ in range(head + 1 - len(seg))]
            _note(seg[head], m['metric'], scored, m['score'])
    return _curves(train), _curves(test), [_curves(part) for part in seg]


def _note(part, name, iteration, text):
    try:
        part.setdefault(name, {})[iteration] = float(text)
    except ValueError:
        return  # a line cut off by a crash


def _rewind(parts, iteration):
    """Forgets what lies after an iteration that is being done (again)."""
    for part in parts:
        for points in part.values():
            while points and next(reversed(points)) > iteration:
                points.popitem()


def _curves(part):
    return {
        name: Curve(
            np.array(sorted(points), np.int64),
            np.array([points[i] for i in sorted(points)], np.float64),
        )
        for name, points in part.items()
    }
