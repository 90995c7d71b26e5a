"""Every recorded case of Caffe 1.0, through prototxt, caffemodel and Net."""

from pathlib import Path

import numpy as np
import pytest
from recordings import recorded_weights, some

import caffe
import surgery
from caffe.proto import caffe_pb2, text
from nets import edits

GOLDENS = Path(__file__).parents[1] / 'goldens'
LAYERS = sorted(p.name for p in (GOLDENS / 'layers').iterdir())
NETS = sorted(p.name for p in (GOLDENS / 'fcn').iterdir())
ROOT = GOLDENS.parents[1]
TOLERANCE = 1e-4  # of the blob's largest magnitude


def agrees(ours, recorded, what):
    ours = np.asarray(ours, np.float64)
    recorded = np.asarray(recorded, np.float64)
    assert ours.shape == recorded.shape, what
    scale = np.abs(recorded).max(initial=1e-30)
    worst = np.abs(ours - recorded).max(initial=0)
    assert worst <= TOLERANCE * scale, f'{what}: {worst} of {scale}'


def part(record, kind):
    """The arrays recorded as `kind/...`, by the rest of their name."""
    return {
        name[len(kind) + 1 :]: record[name]
        for name in record.files
        if name.startswith(kind + '/')
    }


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
    seeds = part(record, 'seed')
    diffs = {**seeds, **part(record, 'diff')}
    net = caffe.Net(
        str(folder / 'net.prototxt'),
        caffe.TRAIN if diffs else caffe.TEST,
        weights=str(folder / 'weights.caffemodel'),
    )
    feed(net, record)
    net.forward()
    datas = {**part(record, 'in'), **part(record, 'data')}
    for name, value in datas.items():
        agrees(net.blobs[name].data, value, name)
    if diffs:
        for name, value in seeds.items():
            net.blobs[name].diff[...] = value
        net.clear_param_diffs()
        net.backward()
    for name, value in diffs.items():
        agrees(net.blobs[name].diff, value, 'diff ' + name)
    for kind, side in [('grad', 'diff'), ('after', 'data')]:
        for name, value in part(record, kind).items():
            layer, index = name.rsplit('/', 1)
            agrees(
                getattr(net.params[layer][int(index)], side),
                value,
                f'{kind} {name}',
            )


def recorded_net(name, record, model):
    """The training net of a directory, as it was slimmed for recording.

    Takes: model: a path, for the recorded weights
    """
    solver = text.read_solver(str(ROOT / name / 'solver.prototxt'))
    param = text.read_net(str(ROOT / name / solver.train_net))
    edits.without(param, 'Dropout')
    edits.slim(param, 16 if 'alexnet' in name else 32)
    edits.with_inputs(
        param, {blob: value.shape for blob, value in part(record, 'in').items()}
    )
    net = caffe.Net(param, caffe.TRAIN)
    model.write_bytes(recorded_weights(name))
    net.copy_from(str(model))
    surgery.interp(net, [layer for layer in net.params if 'up' in layer])
    return net


def array_of(net, name):
    """A blob, named data/<blob>, or a gradient, grad/<layer>/<index>."""
    kind, name = name.split('/', 1)
    if kind == 'data':
        return net.blobs[name].data
    layer, index = name.rsplit('/', 1)
    return net.params[layer][int(index)].diff


@pytest.mark.parametrize('name', NETS)
def test_network_agrees_with_caffe(name, device, tmp_path):
    record = np.load(GOLDENS / 'fcn' / name / 'io.npz')
    net = recorded_net(name, record, tmp_path / 'weights.caffemodel')
    feed(net, record)
    net.forward()
    net.clear_param_diffs()
    net.backward()
    for blob, shape in record['shapes']:
        assert net.blobs[blob].shape == (*map(int, shape.split()),), blob
    for name in record.files:
        if name.startswith(('data/', 'grad/')):
            agrees(array_of(net, name), record[name], name)
        elif name.startswith('some/'):
            whole = array_of(net, name[len('some/') :])
            agrees(some(whole), record[name], name)
    for name, total, magnitude in record['sums']:
        whole = array_of(net, name).astype(np.float64)
        gap = [whole.sum() - total, np.abs(whole).sum() - magnitude]
        assert np.abs(gap).max() <= TOLERANCE * magnitude, name


def test_every_network_is_recorded_with_every_gradient():
    assert NETS == sorted(p.parent.name for p in ROOT.glob('*-*/net.py'))
    assert len(NETS) == 15
    for name in NETS:
        record = np.load(GOLDENS / 'fcn' / name / 'io.npz')
        known = {*record.files, *record['sums']['name']}
        assert 'data/loss' in known, name
        model = caffe_pb2.NetParameter.FromString(recorded_weights(name))
        wanted = {
            f'grad/{layer.name}/{i}'
            for layer in model.layer
            for i in range(len(layer.blobs))
        }
        assert wanted <= known, name
