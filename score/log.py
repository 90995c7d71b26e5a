r"""Training logs as curves: Caffe's solver lines and Berkeley's `>>>` lines.

Caffe: the messages of solver.cpp and sgd_solver.cpp behind either of glog's
prefixes (`I0520 12:00:00.1 99 solver.cpp:239] `, newer ones with the year);
Berkeley: score.py. Other text is passed over, and lines may be torn by a
progress bar's carriage returns. Where a resumed run goes over iterations again,
what it says replaces what was there.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

METRICS = ('overall accuracy', 'mean accuracy', 'mean IU', 'fwavacc')

_GLOG = r'[IWEF]\d{4,8} \d\d:\d\d:\d\d\.\d+ +\d+ [^\]\n]*\] '
_LINE = re.compile(
    _GLOG
    + r'Iteration (?P<train>\d+)(?: \((?:(?P<speed>\S+) iter/s, )?[^)]*\))?'
    r', loss = (?P<loss>\S+)'
    '|' + _GLOG + r'Iteration (?P<at>\d+), lr = (?P<lr>\S+)'
    '|' + _GLOG + r'Iteration (?P<testing>\d+), Testing net \(#(?P<net>\d+)\)'
    '|' + _GLOG + r' +(?P<phase>Train|Test) net output #\d+: '
    r'(?P<output>\S+) = (?P<value>\S+)'
    r'|>>> \S+ \S+ (?P<begin>Begin seg tests)'
    r'|>>> \S+ \S+ Iteration (?P<seg>\d+) '
    r'(?P<metric>loss|' + '|'.join(METRICS) + r') (?P<score>\S+)'
)

# In the first line there is no speed yet: 0, or random bits from Caffe.
UNTIMED = re.compile(r'0|-.*|.*e-\d+')


class Curve(NamedTuple):
    """One quantity over a run; both arrays of the same length, by iteration."""

    iteration: np.ndarray  # int64
    value: np.ndarray  # float64


class Log(NamedTuple):
    """What a log holds. Each dict maps the names in the log to Curves.

    train: 'loss' (averaged over average_loss iterations), 'lr', 'speed' (in
           iterations per second, where the log has it), and the train net's
           outputs as 'output NAME'
    test:  the outputs of Caffe's own tests as 'net J NAME'
    seg:   one dict per scored output (SIFT Flow has two): 'loss' and METRICS
    """

    path: str
    train: dict
    test: dict
    seg: list


def read_log(path):
    """Reads a training log, or all those of a run's directory as one;
    ValueError if nothing in it is one."""
    found = parse('\n'.join(map(_text, files_of(path))))
    if not any(found):
        raise ValueError(
            f"{path}: no training log: neither a line of Caffe's solver "
            '("Iteration 20, loss = ...") nor a ">>>" line of seg_tests'
        )
    return Log(str(path), *found)


def files_of(path):
    """The logs of a run, oldest first. Takes: path: a log, or a directory"""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'{path}: no such log, and no such directory')
    if not path.is_dir():
        return [path]
    found = sorted(path.glob('train-*.log')) or sorted(path.glob('*.log'))
    if not found:
        raise FileNotFoundError(
            f'{path}: no log (*.log) in it; training writes one'
        )
    return found


def _text(path):
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


def parse(text):
    """The three parts of a Log from its text. Gives: train, test, seg."""
    reader = Reader()
    for line in re.split(r'[\r\n]+', text):
        reader.feed(line)
    seg = [_curves(part) for part in reader.seg]
    while seg and not seg[-1]:
        seg.pop()
    return _curves(reader.train), _curves(reader.test), seg


class Lines:
    """Written to like a file; `take` gets every line once it has ended."""

    _rest = ''  # of a line that has not ended

    def write(self, text):
        *lines, self._rest = (self._rest + text).replace('\r', '\n').split('\n')
        for line in lines:
            self.take(line)
        return len(text)

    def flush(self):
        """Nothing is held back but a line that has not ended."""

    def close(self):
        self.write('\n')


class Reader:
    """Takes a log line by line. train, test and seg are as in Log, with
    {iteration: value} in place of Curves."""

    def __init__(self):
        self.train, self.test, self.seg = {}, {}, []
        self._now, self._net, self._head, self._scored = 0, '0', -1, None

    def feed(self, line):
        """Gives: the iteration that the line told something about training or
        seg_tests of, else None"""
        found = _LINE.search(line)
        if found is None:
            return None
        m = found.groupdict()
        if m['train'] is not None:
            return self._trained(int(m['train']), m)
        if m['at'] is not None:
            return _note(self.train, 'lr', int(m['at']), m['lr'])
        if m['seg'] is not None:
            return self._tested(int(m['seg']), m)
        if m['begin'] is not None:
            self._head += 1
        elif m['testing'] is not None:
            self._now, self._net = int(m['testing']), m['net']
        elif m['phase'] == 'Train':
            name = f'output {m["output"]}'
            _note(self.train, name, self._now, m['value'])
        else:
            name = f'net {self._net} {m["output"]}'
            _note(self.test, name, self._now, m['value'])
        return None

    def _trained(self, iteration, m):
        self._now, self._scored = iteration, None
        self.rewind(iteration)
        self.train.get('speed', {}).pop(iteration, None)
        if m['speed'] is not None and not UNTIMED.fullmatch(m['speed']):
            _note(self.train, 'speed', iteration, m['speed'])
        return _note(self.train, 'loss', iteration, m['loss'])

    def _tested(self, iteration, m):
        if iteration != self._scored:
            self._head, self._scored = 0, iteration
        self.seg += [{} for _ in range(self._head + 1 - len(self.seg))]
        return _note(self.seg[self._head], m['metric'], iteration, m['score'])

    def rewind(self, iteration):
        """Forgets what lies after an iteration that is being done (again)."""
        for part in (self.train, self.test, *self.seg):
            for points in part.values():
                while points and next(reversed(points)) > iteration:
                    points.popitem()


def _note(part, name, iteration, text):
    """Gives: the iteration"""
    try:
        part.setdefault(name, {})[iteration] = float(text)
    except ValueError:
        pass  # a line cut off by a crash
    return iteration


def _curves(part):
    return {
        name: Curve(
            np.array(sorted(points), np.int64),
            np.array([points[i] for i in sorted(points)], np.float64),
        )
        for name, points in part.items()
        if points  # not all taken back by a run that began anew
    }
