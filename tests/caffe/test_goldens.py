"""Every recorded case of Caffe 1.0, through prototxt, caffemodel and Net."""

from pathlib import Path

import numpy as np
import pytest

import caffe
import surgery
from caffe.proto import text
from nets import edits

GOLDENS = Path(__file__).parents[1] / 'goldens'
LAYERS = sorted(p.name for p in (GOLDENS / 'layers').iterdir())
NETS = sorted(p.name for p in (GOLDENS / 'fcn').iterdir())
ROOT = GOLDENS.parents[1]
TOLERANCE = 1e-4        # of the blob's largest magnitude


def agrees(ours, recorded, what):
    ours = np.asarray(ours, np.float64)
    recorded = np.asarray(recorded, np.float64)
    assert ours.shape == recorded.shape, what
    scale = np.abs(recorded).max(initial=1e-30)
    worst = np.abs(ours - recorded).max(initial=0)
    assert worst <= TOLERANCE * scale, f'{what}: {worst} of {scale}'


def part(record, kind):
    """The arrays recorded as `kind/...`, by the rest of their name."""
    return {name[len(kind) + 1:]: record[name] for name in record.files
            if name.startswith(kind + '/')}


def feed(net, record):
    for name, value in part(record, 'in').items():
        net.blobs[name].reshape(*value.shape)
        net.blobs[name].data[...] = value


def test_all_83_layer_cases_are_here():
    assert len(LAYERS) == 83


@pytest.mark.parametrize('case', LAYERS)
def test_layer_agrees_with_caffe(case, device):
    folder = GOLDENS / 'layers' / case
    record = np.load(folder / 'io.npz')
    diffs = part(record, 'diff')
    net = caffe.Net(str(folder / 'net.prototxt'),
                    caffe.TRAIN if diffs else caffe.TEST,
                    weights=str(folder / 'weights.caffemodel'))
    for name, value in part(record, 'param').items():
        layer, index = name.rsplit('/', 1)
        agrees(net.params[layer][int(index)].data, value, name)
    feed(net, record)
    net.forward()
    for name, value in part(record, 'data').items():
        agrees(net.blobs[name].data, value, name)
    if diffs:
        for name, value in part(record, 'seed').items():
            net.blobs[name].diff[...] = value
        net.clear_param_diffs()
        net.backward()
    for name, value in diffs.items():
        agrees(net.blobs[name].diff, value, 'diff ' + name)
    for kind, side in [('grad', 'diff'), ('after', 'data')]:
        for name, value in part(record, kind).items():
            layer, index = name.rsplit('/', 1)
            agrees(getattr(net.params[layer][int(index)], side), value,
                   f'{kind} {name}')


def recorded_net(name, record):
    """The training net of a directory, as it was slimmed for recording."""
    param = text.read_net(str(ROOT / name / 'train.prototxt'))
    edits.without(param, 'Dropout')
    edits.slim(param, 16 if 'alexnet' in name else 32)
    edits.with_inputs(param, {blob: value.shape
                              for blob, value in part(record, 'in').items()})
    net = caffe.Net(param, caffe.TRAIN)
    net.copy_from(str(GOLDENS / 'fcn' / name / 'weights.caffemodel'))
    surgery.interp(net, [layer for layer in net.params if 'up' in layer])
    return net


@pytest.mark.parametrize('name', NETS)
def test_network_agrees_with_caffe(name, device):
    record = np.load(GOLDENS / 'fcn' / name / 'io.npz')
    net = recorded_net(name, record)
    feed(net, record)
    net.forward()
    shapes = {blob: tuple(value)
              for blob, value in part(record, 'shape').items()}
    assert {b: tuple(net.blobs[b].shape) for b in shapes} == shapes
    for blob, value in part(record, 'data').items():
        agrees(net.blobs[blob].data, value, blob)
    net.clear_param_diffs()
    net.backward()
    for key, value in part(record, 'grad').items():
        layer, index = key.rsplit('/', 1)
        agrees(net.params[layer][int(index)].diff, value, 'grad ' + key)
    for key, value in part(record, 'gradsum').items():
        layer, index = key.rsplit('/', 1)
        diff = net.params[layer][int(index)].diff.astype(np.float64)
        assert np.abs([diff.sum() - value[0], np.abs(diff).sum() - value[1]]
                      ).max() <= TOLERANCE * value[1], key
