"""`python -m score plot` and `python -m score csv`: what logs of runs show."""

import argparse
import sys
from pathlib import Path

from score import sheet
from score.log import files_of, read_log
from score.plot import plot, svg
from score.table import METRICS
from weights.published import BY_DIRECTORY


def plot_command(argv):
    parser = argparse.ArgumentParser('python -m score plot')
    add = parser.add_argument
    add('runs', nargs='+', metavar='RUN', help='a log, or a directory with one')
    add('-o', '--out', default='curves.png', metavar='PNG', help='and its SVG')
    add(
        '--published',
        metavar='NET',
        choices=[*sorted(BY_DIRECTORY), 'none'],
        help='a line at the published scores of this network; without, of the '
        'network whose directories the runs are',
    )
    args = parser.parse_args(argv)
    logs = drawable(args.runs)
    network = args.published or network_of([log.path for log in logs])
    if args.published and args.published != 'none':
        if not BY_DIRECTORY[network].scores:
            raise ValueError(f'no published score of {network} is known')
    out = Path(args.out)
    for head in range(max(1, *(len(log.seg) for log in logs))):
        number = f'-{head + 1}' * bool(head)  # of the task
        place = out.with_name(f'{out.stem}{number}{out.suffix}')
        line = published_line(network, head)
        for path in plot(logs, place, line, head=head):
            print(path)


def drawable(runs):
    """The logs of runs that have curves; says which have none.

    Raises: ValueError if none has any
    """
    logs, faults = [], []
    for run in runs:
        try:
            log = read_log(run)
        except ValueError as error:  # a run that was refused
            faults.append(str(error))
            continue
        if log.seg or 'loss' in log.train:
            logs.append(log)
        else:
            faults.append(f'{run}: it ended before its first loss')
    if not logs:
        raise ValueError('nothing to draw: ' + '; '.join(faults))
    for fault in faults:
        print(f'score: left out: {fault}', file=sys.stderr)
    return logs


def network_of(runs):
    """The one network whose directories runs are; or None."""
    names = {Path(run).resolve().name for run in runs}
    return names.pop() if len(names) == 1 else None


def published_line(directory, head=0):
    """What score.plot draws as a dashed line, or None where nothing is known.

    Takes: directory: name of a network; head: which of its tasks
    """
    network = BY_DIRECTORY.get(directory)
    by_task = {}
    for row in network.scores if network else ():
        by_task.setdefault(row.task, row)  # the first is the one to compare
    if head >= len(by_task):
        return None
    row = list(by_task.values())[head]
    values = {name: getattr(row, f) for f, name in METRICS.items()}
    return {'name': f'{directory}, published', **values}


def curves_of(runs, folder, head=0):
    """The curves of a page: of the runs that are given, or of the directory if
    it has been trained. Gives: text of an <svg>, or None"""
    if runs:
        logs = [read_log(run) for run in runs]
    else:
        try:
            logs = [read_log(folder)]
        except (FileNotFoundError, ValueError):
            return None  # never trained here, or no further than its start
    return svg(logs, published_line(folder.name, head), head=head)


def csv_command(argv):
    parser = argparse.ArgumentParser('python -m score csv')
    add = parser.add_argument
    add('run', metavar='RUN', help='a log, or a directory with them')
    add(
        '-o',
        '--out',
        metavar='CSV',
        help=f'without: {sheet.NAME} beside the log',
    )
    args = parser.parse_args(argv)
    logs = files_of(args.run)
    out = Path(args.out) if args.out else logs[-1].with_name(sheet.NAME)
    rows = sheet.from_logs(logs, out)
    print(f'{out}: {rows} rows')
