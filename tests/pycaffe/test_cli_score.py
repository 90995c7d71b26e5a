"""`python -m caffe test` and `time`."""

import re

import numpy as np
import pytest
from net_text import inputs, ip, layer

import caffe

# 2 x 3 outputs `out`, and a weighted loss
NET = '\n'.join(
    [
        "layer { name: 'data' type: 'DummyData' top: 'data' top: 'label' "
        'dummy_data_param { shape { dim: 2 dim: 4 } shape { dim: 2 dim: 3 } '
        "data_filler { type: 'gaussian' } } }",
        ip('ip', 'data', 3),
        layer('EuclideanLoss', 'loss', 'ip label', rest='loss_weight: 0.5'),
        layer('Power', 'out', 'label', rest='power_param { scale: 2 }'),
        layer('ReLU', 'deploy', 'ip', rest="include { stage: 'deploy' }"),
    ]
)
MS = r'([\d.e+-]+) ms\.'


@pytest.fixture
def files(folder):
    (folder / 'model.prototxt').write_text(NET)
    caffe.Net('model.prototxt', caffe.TEST).save('weights.caffemodel')
    return '-model model.prototxt -weights weights.caffemodel'


def test_every_value_of_every_batch_is_shown_and_their_means(files, command):
    status, said, _ = command(f'test {files} -iterations 3')
    assert status == 0
    assert said[0] == 'Use CPU.'
    start = said.index('Running for 3 iterations.')
    rows = [
        re.fullmatch(r'Batch (\d), (\w+) = (\S+)', x) for x in said[start + 1 :]
    ]
    rows = [row.groups() for row in rows if row]
    assert [row[:2] for row in rows[:7]] == [('0', 'loss')] + [('0', 'out')] * 6
    assert len(rows) == 3 * 7
    values = np.array([float(row[2]) for row in rows]).reshape(3, 7)
    end = said[start + 1 + 21 :]
    assert float(re.fullmatch(r'Loss: (\S+)', end[0])[1]) == pytest.approx(
        values[:, 0].mean() / 2, rel=1e-4
    )
    loss = re.fullmatch(r'loss = (\S+) \(\* 0.5 = (\S+) loss\)', end[1])
    np.testing.assert_allclose(float(loss[1]), values[:, 0].mean(), rtol=1e-4)
    np.testing.assert_allclose(float(loss[2]), values[:, 0].mean() / 2, 1e-4)
    means = [float(re.fullmatch(r'out = (\S+)', text)[1]) for text in end[2:]]
    np.testing.assert_allclose(means, values[:, 1:].mean(0), 1e-3, 1e-4)


def test_fifty_iterations_unless_told_otherwise(files, command):
    said = command(f'test {files}')[1]
    assert 'Running for 50 iterations.' in said
    assert any(text.startswith('Batch 49, ') for text in said)


def test_a_stage_adds_its_layers(files, command):
    said = command(f'test {files} -iterations 1 -stage deploy')[1]
    assert any(text.startswith('Batch 0, deploy = ') for text in said)


@pytest.mark.usefixtures('folder')
def test_times_add_up(command, device):
    flag = '' if device == 'cpu' else '-gpu 0'
    line = f'time -model net.prototxt -iterations 3 {flag}'
    status, said, _ = command(line)
    assert status == 0
    text = '\n'.join(said)
    for what in ('Performing Forward\nInitial loss: ', 'Performing Backward\n'):
        assert what in text
    assert text.index('*** Benchmark begins ***\nTesting for 3 iterations.')
    each = re.findall(rf'Iteration: (\d) forward-backward time: {MS}', text)
    assert [number for number, _ in each] == ['1', '2', '3']
    layers = {}
    for kind in ('forward', 'backward'):
        rows = re.findall(rf'^( *\w+)\t{kind}: {MS}', text, re.M)
        assert [name for name, _ in rows] == [
            '      data',
            '      conv',
            '        ip',
            '      loss',
        ]
        layers[kind] = sum(float(ms) for _, ms in rows)
        average = re.search(rf'Average {kind.capitalize()} pass: {MS}', text)
        assert float(average[1]) == pytest.approx(layers[kind], rel=1e-3)
    both = float(re.search(rf'Average Forward-Backward: {MS}', text)[1])
    total = float(re.search(rf'Total Time: {MS}', text)[1])
    assert total == pytest.approx(3 * both, rel=1e-4)
    assert sum(layers.values()) <= both
    assert sum(float(ms) for _, ms in each) <= total
    assert said[-1] == '*** Benchmark ends ***'


def test_backward_is_timed_where_nothing_needs_it(folder, monkeypatch, command):
    """A deploy net has no loss; Caffe times its weights' gradients."""
    (folder / 'deploy.prototxt').write_text(
        inputs(data=(2, 3)) + ip('ip', 'data', 4)
    )
    calls = []
    from caffe.ops import OPS

    kind = OPS['InnerProduct']
    forward = kind.forward

    def noting(op, bottoms, params):
        calls.append([p.requires_grad for p in params])
        return forward(op, bottoms, params)

    monkeypatch.setattr(kind, 'forward', noting)
    line = 'time -model deploy.prototxt -iterations 1 -phase TEST'
    assert command(line)[0] == 0
    assert calls[-1] == [True, True]
