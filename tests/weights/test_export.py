"""Networks for other programs: ONNX beside what Caffe recorded, and both
formats beside ours at sizes of their own."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from model_files import little
from recordings import recorded_weights

import caffe
import nets
import surgery
from caffe import layers as L
from caffe import params as P
from nets import edits
from nets.module import definition
from weights import export as module
from weights.export import export
from weights.onnx_graph import onnx_model

GOLDENS = Path(__file__).parents[1] / 'goldens'
# Recorded layers that a TEST net can run and ONNX can express.
LAYERS = """
    bias concat conv_dilated conv_group2 conv_k11s4p100 conv_k3p1 conv_k3p100
    conv_k5s2p2 conv_k7 conv_nobias conv_rect crop_axis1 crop_axis3
    crop_default crop_two deconv_bilinear deconv_group deconv_k16s8 deconv_k4s2
    deconv_k4s2p1 deconv_k63s32 deconv_k64s32 dropout_test eltwise_max
    eltwise_prod eltwise_sum eltwise_sumcoeff ip ip_transpose lrn_across
    lrn_across_caffenet
""".split()
LAYERS += sorted(path.name for path in (GOLDENS / 'layers').glob('pool_*'))
NETWORKS = ('voc-fcn32s', 'voc-fcn16s', 'voc-fcn8s', 'voc-fcn8s-atonce')
NETWORKS += ('voc-fcn-alexnet',)
# two inputs, and late fusion; two outputs
OTHERS = ('nyud-fcn32s-color-d', 'nyud-fcn32s-color-hha', 'siftflow-fcn8s')


def session(net, tmp_path):
    onnx = pytest.importorskip('onnx')
    runtime = pytest.importorskip('onnxruntime')
    model = onnx_model(net)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / 'a.onnx')
    return runtime.InferenceSession(
        tmp_path / 'a.onnx', providers=['CPUExecutionProvider']
    )


def agrees(have, want, what):
    assert have.shape == want.shape, what
    worst = np.abs(have - want).max()
    assert worst <= 1e-5 * np.abs(want).max(), (what, worst)


@pytest.mark.parametrize('case', LAYERS)
def test_onnx_computes_what_caffe_recorded(case, tmp_path):
    folder = GOLDENS / 'layers' / case
    with np.load(folder / 'io.npz') as file:
        record = dict(file)
    net = caffe.Net(
        str(folder / 'net.prototxt'),
        caffe.TEST,
        weights=str(folder / 'weights.caffemodel'),
    )
    feed = {name: record[f'in/{name}'] for name in net.inputs}
    recorded = [name for name in net.outputs if f'data/{name}' in record]
    assert recorded, 'nothing to compare with'
    outputs = session(net, tmp_path).run(recorded, feed)
    for name, have in zip(recorded, outputs):
        agrees(have, record[f'data/{name}'], name)


def assorted():
    """What the recordings above lack, in place where that makes a
    difference, and outputs that are not a node's own."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[2, 3, 8, 11]))
    factors = dict(type='uniform', min=0.5, max=2)
    n.scale = L.Scale(n.data, filler=factors, bias_term=True, axis=1)
    n.scale_relu = L.ReLU(n.scale, in_place=True)
    n.leaky = L.ReLU(n.data, negative_slope=0.2)
    n.power = L.Power(n.scale, power=2, scale=0.5, shift=1.5)
    n.sigmoid = L.Sigmoid(n.leaky)
    n.tanh = L.TanH(n.leaky)
    n.prob = L.Softmax(n.power, axis=1)
    n.same = L.Power(n.tanh)
    n.product = L.Eltwise(n.sigmoid, n.prob, n.scale, operation=P.Eltwise.PROD)
    n.last = L.Split(n.product)
    n.last_relu = L.ReLU(n.last, in_place=True)
    n.silence = L.Silence(n.data, ntop=0)
    return n.to_proto()


def test_onnx_computes_the_other_layers(tmp_path):
    net = caffe.Net(assorted(), caffe.TEST)
    rng = np.random.default_rng(0)
    data = rng.standard_normal((2, 3, 8, 11)).astype('f4')
    want = net.forward(data=data)
    assert set(want) == {'same', 'last'}
    for name, have in zip(
        want, session(net, tmp_path).run(list(want), {'data': data})
    ):
        agrees(have, want[name], name)


@pytest.mark.parametrize(
    'kind, options, message',
    [
        ('ArgMax', {}, "layer 'top': no ONNX for the type ArgMax; .* Crop"),
        ('LRN', dict(norm_region=1), "'top' .LRN. in ONNX: only ACROSS"),
        ('Pooling', dict(kernel_size=1, stride=2), 'stride 2, .* no equal'),
        ('InnerProduct', dict(num_output=2, axis=2), 'only axis 1'),
    ],
)
def test_what_onnx_cannot_express_is_refused(kind, options, message):
    pytest.importorskip('onnx')
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 8, 8]))
    n.top = getattr(L, kind)(n.data, **options)
    with pytest.raises(ValueError, match=message):
        onnx_model(caffe.Net(n.to_proto(), caffe.TEST))


# whole networks ------------------------------------------------------------


def slim(name, folder):
    """The recorded net and weights of a directory."""
    param = edits.slim(definition(name), 16 if 'alexnet' in name else 32)
    weights = folder / 'a.caffemodel'
    weights.write_bytes(recorded_weights(name))
    return param, weights


@pytest.mark.parametrize('name', NETWORKS + OTHERS)
def test_networks_in_onnx_take_any_size(name, tmp_path):
    pytest.importorskip('onnxruntime')
    lines = export(*slim(name, tmp_path), tmp_path / 'a.onnx')
    sizes = [line for line in lines if 'argmax agrees' in line]
    assert len(sizes) == 3
    outputs = 2 if 'siftflow' in name else 1
    count = outputs * 97 * 131
    assert f'97 x 131: argmax agrees on {count} of {count} pixels' in sizes[0]
    import onnx

    shape = onnx.load(tmp_path / 'a.onnx').graph.input[0].type.tensor_type.shape
    assert [d.dim_param or d.dim_value for d in shape.dim] == [
        *('batch', 3, 'height', 'width')
    ]


@pytest.mark.filterwarnings('ignore:.*should not be instantiated')  # torch
def test_a_net_in_pt2_takes_any_size(tmp_path):
    param, weights = little(), tmp_path / 'a.caffemodel'
    net = caffe.Net(param, caffe.TEST)
    surgery.interp(net, ['upscore'])
    net.save(str(weights))
    lines = export(param, weights, tmp_path / 'a.pt2')
    assert sum('argmax agrees' in line for line in lines) == 3
    with open(tmp_path / 'a.pt2', 'rb') as file:
        program = torch.export.load(file).module()
    images = torch.ones(3, 3, 49, 65)
    model = nets.load(param, weights)
    with torch.no_grad():
        have, want = program(images), model(images)
    agrees(have.numpy(), want.numpy(), 'batch of 3')


def test_a_file_that_computes_otherwise_is_not_written(tmp_path, monkeypatch):
    pytest.importorskip('onnxruntime')
    param, weights = slim('voc-fcn32s', tmp_path)
    write = module.WRITERS['.onnx']

    def wrong(net, path):
        model, run, notes = write(net, path)
        return model, lambda x: [y.flip(1) for y in run(x)], notes

    monkeypatch.setitem(module.WRITERS, '.onnx', wrong)
    with pytest.raises(
        ValueError, match='97 x 131: argmax agrees on .* nothing'
    ):
        export(param, weights, tmp_path / 'a.onnx')
    assert not (tmp_path / 'a.onnx').exists()


def test_torchscript_is_pointed_to_pt2(tmp_path):
    with pytest.raises(ValueError, match='a.pt: .*TorchScript is deprecated'):
        export('voc-fcn8s', 'none.caffemodel', 'a.pt')


def test_without_onnxruntime_the_file_is_called_unchecked(
    tmp_path, monkeypatch
):
    pytest.importorskip('onnx')
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    lines = export(*slim('voc-fcn32s', tmp_path), tmp_path / 'a.onnx')
    assert lines[-1].endswith('written, not checked')
    assert (tmp_path / 'a.onnx').exists()


def test_without_onnx_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(ValueError, match='pip install onnx'):
        export(*slim('voc-fcn32s', tmp_path), tmp_path / 'a.onnx')
