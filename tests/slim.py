"""The fifteen network directories with a few channels in place of hundreds:
the real prototxts otherwise, so that each net runs on a CPU in a moment."""

from pathlib import Path

import miniatures
import numpy as np

import caffe
import networks
import surgery
from caffe.proto.text import to_text
from nets.edits import slim

NAMES = sorted(path.parent.name for path in networks.ROOT.glob('*-fcn*/net.py'))
WRITERS = {
    'voc': miniatures.write_voc,
    'siftflow': miniatures.write_siftflow,
    'nyud': miniatures.write_nyud,
    'pascalcontext': miniatures.write_context,
}


def write_dataset(name, root):
    """The miniature that a network reads. Gives: environment variables"""
    return WRITERS[name.split('-')[0]](root)


def write_network(name, root):
    """A slim copy of a network directory, with random weights, w.caffemodel.

    Gives: its folder
    """
    folder = Path(root, name)
    folder.mkdir(parents=True)
    divisor = 16 if 'alexnet' in name else 64
    for path in (networks.ROOT / name).glob('*.prototxt'):
        if path.stem != 'solver':
            param = slim(networks.read(path), divisor)
            (folder / path.name).write_text(to_text(param))
    net = caffe.Net(str(folder / 'deploy.prototxt'), caffe.TEST)
    up = [layer for layer in net.params if 'up' in layer]
    rng = np.random.default_rng(5)
    for layer in sorted(set(net.params) - {*up}):
        for blob in net.params[layer]:
            blob.data[...] = rng.normal(0, 0.3, blob.shape)
    surgery.interp(net, up)
    net.save(str(folder / 'w.caffemodel'))
    return folder
