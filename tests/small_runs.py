"""What small trainings are made of: a dataset, a slim classifier, and a run of
a network directory in a process of its own."""

import os
import re

import miniatures
import numpy as np
from forked import ROOT, Forked

import caffe
from caffe.proto import text
from data import palette
from nets import edits, vgg16

NARROW = {'voc-fcn-alexnet': 16, 'alexnet-fcn': 16}  # else 32
PATIENCE = 600  # seconds; a run takes some, but the machine may be busy
NEVER = 10**6  # iterations between snapshots
VOC = {'train': ['2008_000008', '2008_000015'], 'seg11valid': ['2007_000033']}


def write_voc(root):
    """SBD to train on and VOC2011 to test on."""
    voc, sbd = root / 'VOC2011', root / 'dataset'
    for name, rng, height, width in miniatures.each(VOC, 4):
        label, pixels = miniatures.scene(rng, np.arange(21), height, width)
        label = label.astype(np.uint8)
        label[0, :5] = 255  # void
        for folder in (voc / 'JPEGImages', sbd / 'img'):
            miniatures.save(folder / f'{name}.jpg', pixels, quality=95)
        miniatures.save_mat(
            sbd / 'cls' / f'{name}.mat', GTcls={'Segmentation': label}
        )
        (voc / 'SegmentationClass').mkdir(exist_ok=True)
        path = voc / 'SegmentationClass' / f'{name}.png'
        palette.save_label(path, label)
    miniatures.write_lists(sbd, {'train': VOC['train']})
    lists = {'seg11valid': VOC['seg11valid']}
    miniatures.write_lists(voc / 'ImageSets' / 'Segmentation', lists)
    return {'VOC_DIR': str(voc), 'SBD_DIR': str(sbd)}


def slim_model(name, param, path):
    """A random model file of a net of reduced width."""
    net = caffe.Net(edits.slim(param, NARROW.get(name, 32)), caffe.TEST)
    rng = np.random.default_rng(1)
    for weight, _ in net.params.values():
        scale = np.sqrt(2 / np.prod(weight.shape[1:]))
        weight.data[...] = scale * rng.standard_normal(weight.shape)
    path.parent.mkdir()
    net.save(str(path))


def directory(place, snapshot=3):
    """A slim FCN-32s for VOC, its data and what it starts from.

    Gives: the directory; the environment a run of it needs
    """
    folder = place / 'voc-fcn32s'
    folder.mkdir()
    for path in (ROOT / folder.name).glob('*.prototxt'):
        string = path.read_text()
        if path.stem == 'solver':
            string = string.replace('snapshot: 4000', f'snapshot: {snapshot}')
            string = string.replace('display: 20', 'display: 1')
            string = string.replace('average_loss: 20', 'average_loss: 5')
        else:
            string = text.to_text(edits.slim(text.read_net(path), 32))
        (folder / path.name).write_text(string)
    slim_model('vgg16-fcn', vgg16.trunk(), place / 'start' / 'vgg.caffemodel')
    (place / 'data').mkdir()
    return folder, {
        **os.environ,
        **write_voc(place / 'data'),
        'OMP_NUM_THREADS': '1',
    }


def set_rate(folder, rate):
    """Edits the base_lr of a directory's solver. Takes: rate: text"""
    path = folder / 'solver.prototxt'
    path.write_text(re.sub('base_lr: .*', f'base_lr: {rate}', path.read_text()))


CHILD = """
import sys
from pathlib import Path
root, folder, rounds, iterations = sys.argv[1:5]
sys.path[:0] = [root, root + '/data']
import solve
from training import watch
watch.PAUSE = 0.2
known = solve.recipe_of
solve.recipe_of = lambda folder: known(folder)._replace(
    rounds=int(rounds), iterations=int(iterations))
if __name__ == '__main__':
    sys.exit(solve.main(Path(folder, 'solve.py'), ['cpu', *sys.argv[5:]]))
"""


def start(folder, environ, *options, rounds=2, iterations=5, stderr=None):
    """A running process that trains a directory. Takes: stderr: the file
    descriptor that its errors go to, if not to its output"""
    script = folder.parent / 'child.py'
    script.write_text(CHILD)
    if '--resume' not in options:
        weights = str(folder.parent / 'start' / 'vgg.caffemodel')
        options = ('--weights', weights, *options)
    words = [script, ROOT, folder, rounds, iterations, *options]
    return Forked(words, environ, stderr=stderr)


def finish(*args, **more):
    """Runs to the end. Gives: exit status; what it printed"""
    return ended(start(*args, **more))


def ended(process):
    """Waits for the end of a run. Gives: exit status; what it still printed"""
    out, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, out


def read_until(process, word, count=1):
    """Reads what a run prints, up to the count-th line with a word in it, or
    to its end."""
    out = ''
    for line in process.stdout:
        out += line
        count -= word in line
        if not count:
            break
    return out


def iterations(folder):
    """Those that a directory has a solver's state of, in order."""
    names = (p.name for p in folder.glob('snapshot/*.solverstate'))
    return sorted(int(name.split('_')[2].split('.')[0]) for name in names)
