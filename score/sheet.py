"""metrics.csv: a training run as a table, from the lines of its log.

One row per iteration that the log tells of: its loss, rate and speed, and what
seg_tests found after it; more columns, numbered, where a net has several tasks.
A Sheet is written to like a log file and reads with score.log, so during a run
and from its finished log it comes out the same. The file is complete after
every line; a row that changes, or that a resumed run does again, is cut off
and written anew.
"""

import csv
import io
import os
import sys
from pathlib import Path

from score.log import METRICS, Lines, Reader

NAME = 'metrics.csv'
TRAIN = {'loss': 'loss', 'lr': 'lr', 'iterations per second': 'speed'}
SEG = {'test loss': 'loss', **{name: name for name in METRICS}}


class Sheet(Lines):
    """A file that turns log lines into rows.

    Takes: path: of the table; if it is there its rows stay, as far as the
           lines do not go over them again; a new training starts at
           iteration 0 and goes over all
    """

    def __init__(self, path):
        self.path, self.reader = Path(path), Reader()
        self._ends = {}  # iteration -> where its row ends in the file
        self._columns = None  # of the file
        self._complained = False
        if self.path.is_file():
            self._recall()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def take(self, line):
        iteration = self.reader.feed(line)
        if iteration is None:
            return
        try:
            self._save(iteration)
            self._complained = False
        except OSError as error:
            self._ends = {}  # all of it again, once that can be done
            if not self._complained:
                print(
                    f'{self.path}: {error}; the log goes on, `python -m score '
                    'csv` makes the table from it',
                    file=sys.stderr,
                )
            self._complained = True

    def _save(self, iteration):
        """Brings the file up to date from an iteration on."""
        names = self._names()
        if names != self._columns:
            self._ends = {}
        while self._ends and next(reversed(self._ends)) >= iteration:
            self._ends.popitem()
        last, place = next(reversed(self._ends.items()), (-1, 0))
        rows = self._iterations(last)
        with open(self.path, 'ab') as file:
            file.truncate(place)
            text = '' if place else _line(names)
            for row in rows:
                text += _line(self._row(row))
                self._ends[row] = place + len(text.encode())
            self._columns = None  # until it is written
            file.write(text.encode())
        self._columns = names

    def _names(self):
        return ['iteration', *columns(self.reader)]

    def _iterations(self, after):
        found = set()
        for points in columns(self.reader).values():
            for iteration in reversed(points):
                if iteration <= after:
                    break
                found.add(iteration)
        return sorted(found)

    def _row(self, iteration):
        parts = columns(self.reader).values()
        values = (points.get(iteration) for points in parts)
        return [iteration, *('' if v is None else f'{v!r}' for v in values)]

    def _recall(self):
        """What the file holds already, as if it had been read from a log."""
        text = self.path.read_text(encoding='utf-8', errors='replace')
        whole = text[: text.rfind('\n') + 1]  # a crash may have cut the last
        for row in csv.DictReader(io.StringIO(whole)):
            for column, value in row.items():
                self._recall_one(row.get('iteration'), column, value)

    def _recall_one(self, iteration, column, text):
        reader = self.reader
        name, _, number = (column or '').rpartition(' ')
        if not number.isdigit():
            name, number = column, '1'
        try:
            at, value = int(iteration), float(text)
        except (TypeError, ValueError):
            return  # an empty cell
        if name in TRAIN and number == '1':
            reader.train.setdefault(TRAIN[name], {})[at] = value
        elif name in SEG:
            while len(reader.seg) < int(number):
                reader.seg.append({})
            reader.seg[int(number) - 1].setdefault(SEG[name], {})[at] = value


def columns(reader):
    """The table of what a score.log.Reader has read: {column: {iteration:
    value}}"""
    parts = {name: reader.train.get(n, {}) for name, n in TRAIN.items()}
    for head, part in enumerate(reader.seg or [{}]):
        number = f' {head + 1}' * bool(head)
        for name, n in SEG.items():
            parts[name + number] = part.get(n, {})
    return parts


def _line(cells):
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerow(cells)
    return text.getvalue()


def from_logs(logs, path):
    """Writes the table of finished logs, oldest first. Gives: how many rows"""
    partial = Path(f'{path}.part')
    partial.unlink(missing_ok=True)
    sheet = Sheet(partial)
    for log in logs:
        with open(log, encoding='utf-8', errors='replace') as file:
            for line in file:
                sheet.write(line)
        sheet.write('\n')
    if not partial.is_file():
        raise ValueError(
            f'{", ".join(map(str, logs))}: no training log, so no table'
        )
    os.replace(partial, path)
    return len(sheet._ends)
