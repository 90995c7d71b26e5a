"""Model files: what there is, what is in them, and into what they can turn.

    python -m weights list
    python -m weights fetch voc-fcn8s
    python -m weights inspect FILE [--net voc-fcn8s]
    python -m weights convert A B [--net voc-fcn8s]
    python -m weights export voc-fcn8s --weights W model.onnx
    python -m weights compare voc-fcn8s [--weights W]

FILE, A, B, W: .caffemodel, .caffemodel.h5, .pth, .safetensors or .npz.
"""

import argparse
import os
import sys
from pathlib import Path

import networks
from data.datasets import DATASETS
from weights.load import quiet
from weights.published import NETWORKS

FOLDER = Path(__file__).resolve().parent


def main(argv=None):
    args = arguments(argv)
    sys.path.append(str(networks.ROOT / 'data'))  # as prototxts name it
    try:
        with quiet():
            status = args.run(args)
            sys.stdout.flush()
            return status
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        print(f'weights: {error}', file=sys.stderr)
        return 1


def arguments(argv):
    parser = argparse.ArgumentParser(
        'python -m weights',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=overview(parser))
    commands = parser.add_subparsers(title='commands', metavar='')
    for run, text in COMMANDS.items():
        command = commands.add_parser(
            run.__name__.removesuffix('_'), help=text, description=text
        )
        command.set_defaults(run=run)
        for name, options in OPTIONS[run]:
            command.add_argument(name, **options)
    return parser.parse_args(argv)


def overview(parser):
    def show(args):
        parser.print_help()
        here = [n.directory for n in NETWORKS if placed(n)]
        print(f'\npublished models here: {", ".join(here) or "none"}')
        return 0

    return show


def placed(network):
    """Where a published file is, or None."""
    places = (FOLDER, networks.ROOT / network.directory)
    found = (p / network.file for p in places if network.file)
    return next((path for path in found if path.is_file()), None)


def list_(args):
    for network in NETWORKS:
        path = placed(network)
        if network.file is None:
            where = 'never published'
        else:
            where = os.path.relpath(path) if path else 'not here'
        print(f'{network.directory}: {network.file or "-"} ({where})')
        if network.address:
            print(f'    {network.address}')
        for row in network.scores:
            print(f'    {score_line(row)}')
    print(
        '\n`python -m weights fetch NET` gets one. Scores in percent: pixel '
        'accuracy, mean accuracy, mean IU, frequency weighted IU.'
    )
    return 0


def score_line(row):
    numbers = (row.overall_acc, row.mean_acc, row.mean_iu, row.fwavacc)
    shown = '  '.join('-' if n is None else f'{n:g}' for n in numbers)
    task = '' if row.task == 'label' else f' {row.task}'
    return f'{row.split}{task}: {shown}  ({row.source})'


def fetch(args):
    from weights import fetch as module

    return tell(module.fetch(args.net, args.url, args.to or FOLDER))


def inspect(args):
    from weights.describe import describe

    return tell(describe(args.file, args.net))


def convert(args):
    from weights.convert import convert

    return tell(convert(args.source, args.target, args.net))


def export(args):
    from weights.export import export

    return tell(export(args.net, args.weights, args.target))


def compare(args):
    for dataset in DATASETS:
        if place := getattr(args, dataset.option):
            os.environ[dataset.env] = str(Path(place).resolve())
    from weights.compare import compare

    lines, near = compare(args.net, args.weights, args.gpu)
    tell(lines)
    return 0 if near else 1


def tell(lines):
    for line in lines:
        print(line)
    return 0


COMMANDS = {
    list_: 'the published models, their addresses and scores',
    fetch: 'download a published model and check it',
    inspect: 'what a model file or solver state holds',
    convert: 'turn a model file into another format',
    export: 'write a network with weights as .onnx or .pt2',
    compare: 'score a model beside what is published (exit status 1: further '
    'than 0.1 mean IU away)',
}
NET = ('net', dict(help='network directory, as voc-fcn8s'))
TO_NET = ('--net', dict(metavar='NET', help='network directory or prototxt'))
MODEL = ('--weights', dict(metavar='W', help='model file'))
OPTIONS = {
    list_: [],
    fetch: [
        NET,
        ('--url', dict(help='where to get it instead of from Berkeley')),
        ('--to', dict(metavar='DIR', help='folder for it (default: weights/)')),
    ],
    inspect: [('file', dict(help='model file')), TO_NET],
    convert: [
        ('source', dict(metavar='A', help='model file to read')),
        ('target', dict(metavar='B', help='model file to write')),
        TO_NET,
    ],
    export: [
        NET,
        ('--weights', dict(metavar='W', help='model file', required=True)),
        ('target', dict(metavar='OUT', help='a .onnx or .pt2 file')),
    ],
    compare: [
        NET,
        MODEL,
        *(
            (f'--{each.option}', dict(metavar='DIR', help=f'where {each} is'))
            for each in DATASETS
        ),
        ('--gpu', dict(metavar='N', help='GPU number, or cpu')),
    ],
}

if __name__ == '__main__':
    sys.exit(main())
