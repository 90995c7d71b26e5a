"""Scores the weights of a network directory; draws training logs.

    python -m score voc-fcn8s --weights W [--split seg11valid] [--voc DIR]
    python -m score plot LOG... -o curves.png [--published voc-fcn8s]

The net is the directory's val.prototxt or test.prototxt, which names the
split. Images that the net was trained on would flatter it, so a split that has
any is refused. Where the papers and Berkeley's code count classes differently
(SIFT Flow, PASCAL-Context) there is a table for each.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

import caffe
import networks
from data.datasets import DATASETS
from data.palette import colours_of
from score import protocols
from score.plot import plot
from score.seg import Total, each_scored, progress
from score.table import METRICS, class_table, metric_table
from weights.load import choose_device, load, must_exist
from weights.published import BY_DIRECTORY


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    sys.path.append(
        str(networks.ROOT / 'data')
    )  # voc_layers, as prototxts name it
    run = plot_command if argv[:1] == ['plot'] else score_command
    try:
        run(argv)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        print(f'score: {error}', file=sys.stderr)
        return 1
    return 0


def plot_command(argv):
    parser = argparse.ArgumentParser('python -m score plot')
    parser.add_argument('command', choices=['plot'])
    parser.add_argument('logs', nargs='+', metavar='LOG')
    parser.add_argument('-o', '--out', default='curves.png', metavar='PNG')
    parser.add_argument(
        '--published',
        metavar='NET',
        choices=sorted(BY_DIRECTORY),
        help='a line at the published scores of this network',
    )
    args = parser.parse_args(argv)
    line = published_line(args.published) if args.published else None
    for path in plot(args.logs, args.out, line):
        print(path)


def published_line(directory):
    """What score.plot draws as a dashed line."""
    scores = BY_DIRECTORY[directory].scores
    if not scores:
        raise ValueError(f'no published score of {directory} is known')
    values = {name: getattr(scores[0], f) for f, name in METRICS.items()}
    return {'name': f'{directory}, published', **values}


def score_command(argv):
    parser = argparse.ArgumentParser(
        'python -m score',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('net', help='network directory, as voc-fcn8s')
    add('--weights', required=True, metavar='W', help='caffemodel to score')
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
    args = parser.parse_args(argv)
    for dataset in DATASETS:
        if place := getattr(args, dataset.option):
            os.environ[dataset.env] = str(Path(place).resolve())
    folder = networks.folder(args.net)
    must_exist(args.weights, folder.name)
    choose_device(args.gpu)
    net, test = test_net(folder, args.split)
    if not args.allow_train:
        check_unseen(folder, test.split, test.ids, given=args.split is not None)
    for notice in load(net, args.weights):
        print(notice, file=sys.stderr)
    net.set_keep([blob for task in test.tasks for blob in task])
    print(
        f'{folder.name}, {args.weights}, {test.split} ({len(test.ids)} images)'
    )
    for task, total in zip(test.tasks, scored(net, test, args.save)):
        report(folder.name, test, task, *total)


class Test(NamedTuple):
    """What a net is scored on."""

    split: str
    ids: list  # in the order of the net's images
    tasks: list  # of networks.Task
    source: networks.Source


def test_net(folder, split=None):
    """A directory's net for testing, on a split of choice. Gives: net, Test"""
    path = networks.prototxt(folder, 'test')
    param = networks.read(path)
    split = networks.with_split(param, path, split)
    net = caffe.Net(param, caffe.TEST, root=folder)
    layer = next((x for x in net.layers if hasattr(x, 'indices')), None)
    if layer is None:
        raise ValueError(
            f'{path}: its data layer has no list of ids, `indices`, as a '
            f'SegDataLayer has (data/seg_layer.py)'
        )
    source = networks.source_of(layer, networks.data_param(param, path))
    return net, Test(split, layer.indices, networks.tasks(param), source)


def scored(net, test, save=None):
    """Runs over a split once. Gives: (hist, mean loss) of each task

    Takes: save: folder for the label maps, with one for each of several tasks
    """
    totals = []
    for task in test.tasks:
        place = Path(save, task.label) if save and test.tasks[1:] else save
        totals.append(Total(place, colours_of(test.source.names(task))))
    images = each_scored(net, test.ids, *test.tasks)
    for tasks in progress(images, len(test.ids)):
        for total, image in zip(totals, tasks):
            total.add(must_have_classes(image, test.source.layer))
    return [total.result() for total in totals]


def must_have_classes(image, layer):
    if image.hist.any():
        return image
    path = getattr(layer, 'label_path', str)(image.name)
    raise ValueError(
        f'{path}: every pixel is void or no class (values '
        f'{image.true.min():g} to {image.true.max():g}): there is nothing to '
        'score; `python -m data check` lists such files'
    )


def check_unseen(folder, split, ids, given):
    """Refuses ids the net was trained on.

    Takes: given: whether the person chose the split; where training ids
           cannot be had, only the prototxt's own is trusted
    """
    try:
        seen = sorted(set(ids) & set(training_ids(folder)))
    except OSError as error:
        text = f'not known which images {folder.name} was trained on: {error}'
        if given:
            raise ValueError(f'{text}; or --allow-train to go on') from error
        print(text, file=sys.stderr)
        return
    if seen:
        raise ValueError(
            f'split {split}: {len(seen)} of {len(ids)} images are in the '
            f'training set of {folder.name} ({", ".join(seen[:3])} ...), so '
            'the scores would flatter it; give another --split, or '
            '--allow-train to score them all the same'
        )


def training_ids(folder):
    """The ids that the data layer of a directory's training net draws from."""
    path = networks.prototxt(folder, 'train')
    if path is None:
        raise FileNotFoundError(f'{folder} has no prototxt for training')
    return networks.source(path).layer.items()


def report(name, test, task, hist, loss):
    """Prints the tables of one task: by each protocol beside what is published
    for it, then of the classes."""
    names = test.source.names(task)
    rows = BY_DIRECTORY[name].scores if name in BY_DIRECTORY else ()
    rows = [row for row in rows if row.task == task.label]
    kinds = protocols.of_data_layer(test.source.layer)
    for protocol in kinds:
        result = protocols.judge(hist, protocol)._replace(loss=loss)
        if len(kinds) > 1 or test.tasks[1:]:
            which = f'{task.label}: ' * bool(test.tasks[1:])
            print(f'\n{which}{protocol.text} {tally(result)}')
        published = [r for r in rows if r.protocol in (protocol.name, None)]
        row = published[0] if published else None
        print()
        print(metric_table(result, test.split, len(test.ids), row))
    print()
    print(class_table(protocols.judge(hist, protocols.EVERY), hist, names))


def tally(result):
    counted = np.count_nonzero(~np.isnan(result.class_iu))
    return f'({counted} of {len(result.class_iu)})'


if __name__ == '__main__':
    sys.exit(main())
