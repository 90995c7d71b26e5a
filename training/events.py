"""What metrics.csv holds, for TensorBoard as well: the option --tensorboard.

Fed like a log file, with the lines of the log; the names are the columns of
metrics.csv. `tensorboard --logdir .` shows every run of the directories below.
The package tensorboard is needed for it, and imported only here; but not its
writer, which holds events back and loses them where a run is killed or a disk
is full.
"""

import io
import os
import socket
import sys
import time
from pathlib import Path

from score.log import Lines, Reader
from score.sheet import SEG, columns


def missing():
    """Why no events can be written here, as a list of one line or none."""
    try:
        import tensorboard.compat.proto.event_pb2
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        return [
            f'--tensorboard needs a package that is not here ({error}): '
            'pip install tensorboard'
        ]
    return []


class Events(Lines):
    """A file that turns log lines into events.

    Takes: folder: for the files of events; begin: the iteration after which
        the run goes on: what there is of later ones no longer counts;
        known: Reader of what the log has said so far
    """

    def __init__(self, folder, begin=0, known=None):
        folder.mkdir(parents=True, exist_ok=True)
        ending = f'{time.time_ns()}.{socket.gethostname()}.{os.getpid()}'
        self.path = Path(folder, f'events.out.tfevents.{ending}')
        self.reader = Reader()
        self._told = {}  # column -> iteration
        self._waiting, self._end = [], 0  # what is to be written, and where
        self._complained = False
        self._put(file_version='brain.Event:2')
        self._put(step=begin, session_log={'status': 'START'})
        for column, points in columns(known or Reader()).items():
            if column.rstrip(' 0123456789') in SEG and begin in points:
                self._tell(column, begin, points[begin])  # is not done again
        self._save()

    def take(self, line):
        iteration = self.reader.feed(line)
        if iteration is not None:
            for column, points in columns(self.reader).items():
                if iteration in points:
                    self._tell(column, iteration, points[iteration])
        try:
            self._save()
        except OSError as error:
            self._complain(error)

    def _tell(self, column, iteration, value):
        if self._told.get(column) != iteration:
            scalar = {'tag': column, 'simple_value': value}
            self._put(step=iteration, summary={'value': [scalar]})
            self._told[column] = iteration

    def _put(self, **fields):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        record = io.BytesIO()
        event = Event(wall_time=time.time(), **fields)
        RecordWriter(record).write(event.SerializeToString())
        self._waiting.append(record.getvalue())

    def _save(self):
        if not self._waiting:
            return
        data = b''.join(self._waiting)
        with open(self.path, 'ab') as file:
            file.truncate(self._end)  # what came of an attempt before
            file.write(data)
        self._waiting, self._end = [], self._end + len(data)
        self._complained = False

    def _complain(self, error):
        if not self._complained:
            print(
                f'{self.path}: {error}; the run goes on, and events are '
                'written again as soon as that can be done',
                file=sys.stderr,
            )
        self._complained = True
