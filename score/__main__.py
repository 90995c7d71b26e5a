"""Scores the weights of a network directory; draws training logs.

    python -m score voc-fcn8s --weights W [--split seg11valid] [--voc DIR]
    python -m score plot LOG... -o curves.png [--published voc-fcn8s]

The net is the directory's val.prototxt. Images that the net was trained on
would flatter it, so a split that has any is refused.
"""

import argparse
import os
import sys
from ast import literal_eval
from pathlib import Path

import caffe
from caffe.ops.python import find_class
from caffe.proto.text import read_net
from score.hist import metrics
from score.palette import VOC_CLASSES
from score.plot import plot
from score.seg import add_up, each_scored, progress
from score.table import METRICS, class_table, metric_table
from weights.load import choose_device, load, must_exist
from weights.published import BY_DIRECTORY

ROOT = Path(__file__).resolve().parent.parent


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
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
    add('--split', help='list of ids (default: the one in val.prototxt)')
    add('--voc', metavar='DIR', help='where PASCAL VOC is')
    add('--sbd', metavar='DIR', help='where SBD is (the training ids)')
    add('--gpu', metavar='N', help='GPU number, or cpu (default: 0 if any)')
    add('--save', metavar='DIR', help='write the label maps there')
    add(
        '--allow-train',
        action='store_true',
        help='score images that the net was trained on',
    )
    args = parser.parse_args(argv)
    for name, value in (('VOC_DIR', args.voc), ('SBD_DIR', args.sbd)):
        if value:
            os.environ[name] = str(Path(value).resolve())
    folder = network_folder(args.net)
    must_exist(args.weights, folder.name)
    choose_device(args.gpu)
    net, split, ids = val_net(folder, args.split)
    if not args.allow_train:
        check_unseen(folder, split, ids, given=args.split is not None)
    for notice in load(net, args.weights):
        print(notice, file=sys.stderr)
    net.set_keep(['score', 'label', 'loss'])
    images = progress(labelled(net, each_scored(net, ids)), len(ids))
    hist, loss = add_up(images, args.save)
    result = metrics(hist)._replace(loss=loss)
    report(folder.name, args.weights, split, len(ids), result, hist)


def network_folder(name):
    """The folder of a network: as given, or that of this repository."""
    for folder in (Path(name), ROOT / name):
        if (folder / 'val.prototxt').is_file():
            return folder.resolve()
    have = sorted(p.parent.name for p in ROOT.glob('*/val.prototxt'))
    raise FileNotFoundError(
        f'{name}: no network directory (one with a val.prototxt); here are '
        + (', '.join(have) or 'none')
    )


def val_net(folder, split=None):
    """The net of val.prototxt on a split of choice.

    Gives: net, name of the split, its ids in the order of the net's images
    """
    param = read_net(str(folder / 'val.prototxt'))
    python = data_param(param, folder / 'val.prototxt')
    settings = literal_eval(python.param_str)
    settings['split'] = split or settings['split']
    python.param_str = repr(settings)
    net = caffe.Net(param, caffe.TEST, root=folder)
    return net, settings['split'], data_layer(net).indices


def data_param(param, path):
    """The python_param of the layer that reads a dataset's split."""
    for layer in param.layer:
        if layer.type == 'Python' and 'split' in layer.python_param.param_str:
            return layer.python_param
    raise ValueError(f'{path}: no Python layer with a split in its param_str')


def data_layer(net):
    return next(layer for layer in net.layers if hasattr(layer, 'indices'))


def training_ids(folder):
    """The ids that train.prototxt's data layer draws from."""
    path = folder / 'train.prototxt'
    python = data_param(read_net(str(path)), path)
    roots = [folder, folder.parent, ROOT, ROOT / 'data']
    layer = find_class(python.module, python.layer, roots)(None)
    layer.param_str = python.param_str
    layer.params = layer.read_params()
    return layer.items()


def check_unseen(folder, split, ids, given):
    """Refuses ids the net was trained on.

    Takes: given: whether the person chose the split; where training ids
           cannot be had, only val.prototxt's own is trusted
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


def labelled(net, images):
    """Passes on what each_scored gives, unless a label map has no class."""
    layer = data_layer(net)
    for image in images:
        if not image.hist.any():
            path = getattr(layer, 'label_path', str)(image.name)
            raise ValueError(
                f'{path}: every pixel is void or no class (values '
                f'{image.true.min():g} to {image.true.max():g}): there is '
                'nothing to score; `python -m data check` lists such files'
            )
        yield image


def report(name, weights, split, count, result, hist):
    """Prints the tables of one scored net."""
    network = BY_DIRECTORY.get(name)
    published = network.scores[0] if network and network.scores else None
    print(f'{name}, {weights}, {split} ({count} images)\n')
    print(metric_table(result, split, published))
    print()
    print(class_table(result, hist, VOC_CLASSES))


if __name__ == '__main__':
    sys.exit(main())
