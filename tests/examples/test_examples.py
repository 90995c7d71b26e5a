"""The examples: pure pycaffe, and right."""

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caffe
from caffe.cli import main as command
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text
from nets import caffenet, edits

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / 'examples').glob('*.py'))
RNG = np.random.default_rng(14)
# what BVLC Caffe's Python has, as far as the examples use it
PYCAFFE = """
Net SGDSolver TEST TRAIN io proto set_device set_mode_gpu Transformer
load_image caffe_pb2
"""


def example(name):
    spec = importlib.util.spec_from_file_location(
        name, ROOT / 'examples' / f'{name}.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('path', EXAMPLES, ids=lambda path: path.stem)
def test_examples_use_nothing_but_pycaffe(path):
    """So that they would run under BVLC Caffe."""
    tree = ast.parse(path.read_text())
    imported, used = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner in ('caffe', 'caffe.io'):
                used.add(node.attr)
    assert imported <= {'os', 'sys', 'numpy', 'google.protobuf'} | {
        'caffe',
        'caffe.proto',
    }
    assert 'caffe' in imported and used
    assert used <= set(PYCAFFE.split())


def test_there_are_three_examples():
    assert [path.stem for path in EXAMPLES] == [
        'alexnet_fc6_my',
        'features',
        'net_surgery',
    ]


# net surgery ------------------------------------------------------------------


def test_a_classifier_made_fully_convolutional_slides_as_in_caffe(
    goldens, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    legacy = goldens / 'legacy'
    old = str(legacy / 'v1.prototxt')
    assert command(['upgrade', old, 'deploy.prototxt']) == 0
    main = example('net_surgery').main
    main('deploy.prototxt', str(legacy / 'v1.caffemodel'), 'full')
    said = capsys.readouterr().out
    assert 'fc6 (10, 54) -> fc6-conv (10, 6, 3, 3)' in said
    assert float(said.split()[-1]) < 1e-5
    recorded = np.load(legacy / 'fullconv.npz')
    net = caffe.Net('full.prototxt', 'full.caffemodel', caffe.TEST)
    net.blobs['data'].reshape(*recorded['in/data'].shape)
    net.blobs['data'].data[...] = recorded['in/data']
    net.forward()
    for blob in ('fc6', 'fc8', 'prob'):
        expected = recorded[f'data/{blob}']
        np.testing.assert_allclose(
            net.blobs[blob].data, expected, atol=1e-4 * np.abs(expected).max()
        )


# the AlexNet recipe -----------------------------------------------------------

WIDTH = 8


@pytest.fixture
def alexnet(tmp_path, monkeypatch):
    """FCN-AlexNet's training net on made-up data, and the classifier."""
    monkeypatch.chdir(tmp_path)
    net = text.read_net(ROOT / 'voc-fcn-alexnet' / 'train.prototxt')
    edits.slim(net, WIDTH)
    data = pb.LayerParameter(
        name='data', type='DummyData', top=['data', 'label']
    )
    for dims in ((1, 3, 40, 33), (1, 1, 40, 33)):
        data.dummy_data_param.shape.add(dim=dims)
    data.dummy_data_param.data_filler.add(type='gaussian', std=50)
    data.dummy_data_param.data_filler.add(type='constant', value=5)
    net.layer[0].CopyFrom(data)
    (tmp_path / 'train.prototxt').write_text(text.to_text(net))
    classifier = edits.slim(caffenet.classifier(), WIDTH)
    for layer in classifier.layer:
        for field in ('convolution_param', 'inner_product_param'):
            if layer.HasField(field):
                getattr(layer, field).weight_filler.type = 'xavier'
    (tmp_path / 'deploy.prototxt').write_text(text.to_text(classifier))
    built = caffe.Net('deploy.prototxt', caffe.TEST)
    built.save('alexnet.caffemodel')
    return built


def test_renamed_layers_start_with_the_classifiers_numbers(
    alexnet, capsys, monkeypatch
):
    module = example('alexnet_fc6_my')
    args = 'train.prototxt', 'deploy.prototxt', 'alexnet.caffemodel'
    made, kind = [], caffe.SGDSolver

    def keep(path):
        made.append(kind(path))
        return made[-1]

    monkeypatch.setattr(caffe, 'SGDSolver', keep)
    module.main(*args, '0', 'start.caffemodel')
    params = made[0].net.params
    assert params['fc6_my'][0].data.shape == (512, 32, 6, 6)
    for mine, theirs in [('fc6_my', 'fc6'), ('fc7_my', 'fc7'), ('conv1',) * 2]:
        for ours, old in zip(params[mine], alexnet.params[theirs]):
            np.testing.assert_array_equal(ours.data.ravel(), old.data.ravel())
            assert theirs == 'conv1' or ours.data.size == old.data.size
    kernel = params['upscore'][0].data  # 63 x 63
    assert kernel[3, 3, 31, 31] == 1 and kernel[3, 3, 0, 31] == 1 / 32
    assert not kernel[3, 4].any()
    capsys.readouterr()
    module.main(*args, '2', 'out.caffemodel')
    loss = float(capsys.readouterr().out.split()[-1])
    assert 0 < loss < 40 * 33 * np.log(21) * 1.01
    model = caffe.Net('train_my.prototxt', 'out.caffemodel', caffe.TEST)
    assert model.params['score_fr'][0].data.any(), 'it learned'


# features ---------------------------------------------------------------------


def test_features_are_those_of_the_prepared_image(alexnet, tmp_path, capsys):
    names = []
    for k, size in enumerate([(227, 227), (120, 160)]):
        names.append(str(tmp_path / f'{k}.png'))
        pixels = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(names[-1])
    args = 'deploy.prototxt', 'alexnet.caffemodel', 'relu7', 'out.npy'
    example('features').main(*args, *names)
    assert capsys.readouterr().out == 'out.npy: 2 x 512\n'
    found = np.load('out.npy')
    rgb = np.asarray(Image.open(names[0]), np.float32)
    data = rgb[:, :, ::-1] - (104.00699, 116.66877, 122.67892)
    alexnet.blobs['data'].reshape(1, 3, 227, 227)
    alexnet.forward(data=data.transpose(2, 0, 1)[None], end=None)
    expected = alexnet.blobs['fc7'].data[0]
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found[0], expected, atol=1e-4 * scale)
    assert scale > 0 and np.abs(found[1] - found[0]).max() > 0.1 * scale


@pytest.mark.parametrize('path', EXAMPLES, ids=lambda path: path.stem)
def test_the_first_lines_say_how_to_call_it(path):
    doc = ast.get_docstring(ast.parse(path.read_text()))
    assert f'    python examples/{path.name} ' in doc
