"""Scores the weights of a network directory; draws and tabulates training.

    python -m score voc-fcn8s [--weights W] [--split seg11valid] [--voc DIR]
    python -m score report RUN [--weights W] [-o report.html]
    python -m score plot RUN... [-o curves.png] [--published voc-fcn8s]
    python -m score csv RUN [-o metrics.csv]

A RUN is a log or a directory with one; of a report, the network directory that
was trained. The net is the directory's val.prototxt or test.prototxt, which
names the split; without weights its newest snapshot is scored. Images that the
net was trained on would flatter it, so a split that has any is refused. Where
the papers and Berkeley's code count classes differently (SIFT Flow,
PASCAL-Context) there is a table for each.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

import networks
from data.datasets import DATASETS
from score import curves, protocols
from score.nets import check_unseen, judged, scored, test_net
from score.reporting import report_command
from score.table import class_table, metric_table
from training.kept import newest, snapshots
from weights.load import choose_device, load, must_exist


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    sys.path.append(
        str(networks.ROOT / 'data')
    )  # voc_layers, as prototxts name it
    commands = {
        'plot': curves.plot_command,
        'csv': curves.csv_command,
        'report': lambda rest: report_command(*prepared(report_parser(), rest)),
    }
    try:
        if argv[:1] and argv[0] in commands:
            commands[argv[0]](argv[1:])
        else:
            score_command(argv)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        print(f'score: {error}', file=sys.stderr)
        return 1
    return 0


def score_parser(program='python -m score', text=__doc__):
    parser = argparse.ArgumentParser(
        program,
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('net', help='network directory, as voc-fcn8s')
    add(
        '--weights',
        metavar='W',
        help='caffemodel to score (default: the newest snapshot)',
    )
    add('--split', help='list of ids (default: the one in the prototxt)')
    for dataset in DATASETS:
        add(f'--{dataset.option}', metavar='DIR', help=f'where {dataset} is')
    add('--gpu', metavar='N', help='GPU number, or cpu (default: 0 if any)')
    add('--save', metavar='DIR', help='write the label maps there')
    add(
        '--allow-train',
        action='store_true',
        help='score images that the net was trained on',
    )
    return parser


def report_parser():
    parser = score_parser(
        'python -m score report',
        'Scores weights and writes one HTML page about it.',
    )
    add = parser.add_argument
    add('-o', '--out', default='report.html', metavar='HTML')
    add(
        '--log',
        nargs='+',
        metavar='RUN',
        help='runs to draw (default: the logs in the directory, if any)',
    )
    add(
        '--images',
        type=int,
        default=5,
        metavar='N',
        help='so many of the best and of the worst (%(default)s)',
    )
    return parser


def prepared(parser, argv):
    """Gives: args, folder, name of the device, net with its weights, Test"""
    args = parser.parse_args(argv)
    if getattr(args, 'images', 1) < 1:
        parser.error('--images must be at least 1')
    for dataset in DATASETS:
        if place := getattr(args, dataset.option):
            os.environ[dataset.env] = str(Path(place).resolve())
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        raise ValueError(
            'one process scores: leave torchrun out. It shares out the tests '
            'of a training'
        )
    folder = networks.folder(args.net)
    args.weights = args.weights or newest_model(folder)
    must_exist(args.weights, folder.name)
    device = choose_device(args.gpu)
    net, test = test_net(folder, args.split)
    if not args.allow_train:
        check_unseen(folder, test.split, test.ids, given=args.split is not None)
    for notice in load(net, args.weights):
        print(notice, file=sys.stderr)
    net.set_keep([blob for task in test.tasks for blob in task])
    print(
        f'{folder.name}, {args.weights}, {test.split} ({len(test.ids)} images)'
    )
    return args, folder, device, net, test


def newest_model(folder):
    """The model of a directory's newest snapshot, as it is called from here.

    Raises: FileNotFoundError if there is none
    """
    path = newest(folder, 'caffemodel')
    if path is None:
        raise FileNotFoundError(
            f'{snapshots(folder)} has no snapshot to score: give --weights, '
            f'or train it, python {folder.name}/solve.py'
        )
    return os.path.relpath(path)


def score_command(argv):
    args, folder, _, net, test = prepared(score_parser(), argv)
    for task, total in zip(test.tasks, scored(net, test, args.save)):
        report(folder.name, test, task, *total)


def report(name, test, task, hist, loss):
    """Prints the tables of one task: by each protocol beside what is published
    for it, then of the classes."""
    kinds = judged(name, test, task, hist, loss)
    for protocol, result, row in kinds:
        if len(kinds) > 1 or test.tasks[1:]:
            which = f'{task.label}: ' * bool(test.tasks[1:])
            print(f'\n{which}{protocol.text} {tally(result)}')
        print()
        print(metric_table(result, test.split, len(test.ids), row))
    print()
    names = test.source.names(task)
    print(class_table(protocols.judge(hist, protocols.EVERY), hist, names))


def tally(result):
    counted = np.count_nonzero(~np.isnan(result.class_iu))
    return f'({counted} of {len(result.class_iu)})'


if __name__ == '__main__':
    sys.exit(main())
