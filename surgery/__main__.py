"""python -m surgery vgg16 SOURCE.caffemodel: the trunk's first weights.

Reads an ILSVRC classifier, VGG-16 or CaffeNet, in any of Caffe's formats and
writes the weights of the trunk that networks here start from.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from caffe.proto.model import read_model, write_model
from nets import caffenet, vgg16
from surgery.classifier import (
    check_order,
    filter_shapes,
    fully_convolutional,
)

WEIGHTS = Path(__file__).resolve().parents[1] / 'weights'
TRUNKS = {  # name: table of layers, file
    'vgg16': (vgg16.trunk, WEIGHTS / 'vgg16-fcn.caffemodel'),
    'caffenet': (caffenet.trunk, WEIGHTS / 'alexnet-fcn.caffemodel'),
}
ADDRESSES = {  # where the classifiers were published
    'vgg16': 'http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/'
    'VGG_ILSVRC_16_layers.caffemodel',
    'caffenet': 'http://dl.caffe.berkeleyvision.org/'
    'bvlc_reference_caffenet.caffemodel',
}


def convert(source, out, trunk):
    """Takes: source, out: paths; trunk: NetParameter. Gives: Report"""
    model = read_model(source)
    arrays = {
        layer.name: [blob.data.reshape(blob.shape) for blob in blobs]
        for layer, blobs in zip(model.net.layer, model.blobs)
        if blobs
    }
    for name, blobs in arrays.items():
        if not all(np.isfinite(array).all() for array in blobs):
            raise ValueError(f'{name}: some numbers are NaN or infinite')
    check_order(
        [layer.name for layer in model.net.layer],
        [at.name for at in trunk.layer if at.bottom and at.bottom != at.top],
    )
    trunk_arrays, report = fully_convolutional(arrays, filter_shapes(trunk))
    out.parent.mkdir(parents=True, exist_ok=True)
    blobs = [
        [(array, None) for array in trunk_arrays.get(layer.name, [])]
        for layer in trunk.layer
    ]
    write_model(out, trunk, blobs)
    return report


def main(arguments=None):
    parser = argparse.ArgumentParser(
        'python -m surgery',
        description='Makes the weights that a trunk starts training from.',
    )
    parser.add_argument('trunk', choices=TRUNKS)
    parser.add_argument(
        'source',
        type=Path,
        help='the ILSVRC classifier: VGG_ILSVRC_16_layers.caffemodel or '
        'bvlc_reference_caffenet.caffemodel',
    )
    parser.add_argument(
        '-o',
        '--out',
        type=Path,
        help='default: weights/vgg16-fcn.caffemodel or '
        'weights/alexnet-fcn.caffemodel',
    )
    args = parser.parse_args(arguments)
    trunk, default = TRUNKS[args.trunk]
    out = args.out or default
    try:
        if not args.source.is_file():
            raise ValueError(
                f'no such model file; get it from {ADDRESSES[args.trunk]}'
            )
        if out.exists() and out.samefile(args.source):
            raise ValueError('source and output are the same file')
        print(convert(args.source, out, trunk()))
    except ValueError as error:
        sys.exit(f'{args.source}: {error}')
    except (OSError, RuntimeError) as error:  # these name the file
        sys.exit(str(error))
    print(f'wrote {out}')


if __name__ == '__main__':
    main()
