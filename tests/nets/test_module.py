"""nets.load: a network as a torch.nn.Module that behaves like any other."""

import copy

import numpy as np
import pytest
import torch
from model_files import little
from recordings import recorded_weights

import caffe
import nets
import surgery
from caffe import layers as L
from nets import edits
from nets.module import definition
from weights import formats

NETWORKS = ('voc-fcn32s', 'voc-fcn16s', 'voc-fcn8s', 'voc-fcn8s-atonce')
NETWORKS += ('voc-fcn-alexnet',)
SIZES = ((75, 58), (33, 97), (1, 1))  # the network's own inputs: any


def slimmed(name):
    """The net that nets.load makes of a directory, as slim as recorded."""
    return edits.slim(definition(name), 16 if 'alexnet' in name else 32)


def files(name, folder):
    """The recorded weights as a file. Caffe's has no interpolation layers."""
    path = folder / f'{name}.caffemodel'
    path.write_bytes(recorded_weights(name))
    return path


def fed_net(param, weights):
    net = caffe.Net(param, caffe.TEST, weights=str(weights))
    surgery.interp(net, [layer for layer in net.params if 'up' in layer])
    return net


def image(*shape):
    rng = np.random.default_rng(shape)
    return rng.uniform(-120, 130, shape).astype(np.float32)


@pytest.mark.filterwarnings('ignore:.*lacks')
@pytest.mark.parametrize('name', NETWORKS)
def test_a_module_computes_what_the_net_computes(name, tmp_path):
    param, path = slimmed(name), files(name, tmp_path)
    model, net = nets.load(param, path), fed_net(param, path)
    for size in SIZES:
        x = image(2, 3, *size)
        net.blobs['data'].reshape(*x.shape)
        want = net.forward(data=x)['score']
        with torch.no_grad():
            have = model(torch.from_numpy(x)).numpy()
        assert have.shape == (2, 21, *size)
        worst = np.abs(have - want).max() / np.abs(want).max()
        assert worst < 1e-5, (size, worst)


# a net small enough to be compiled -----------------------------------------


def x(*shape):
    return torch.from_numpy(image(*shape) / 50)


def test_parameters_have_torchs_names_and_caffes_layouts():
    model = nets.load(little())
    shapes = {k: tuple(p.shape) for k, p in model.named_parameters()}
    assert shapes == {
        'conv1.weight': (8, 3, 3, 3),
        'conv1.bias': (8,),
        'fc6.weight': (16, 8, 5, 5),
        'fc6.bias': (16,),
        'score_fr.weight': (5, 16, 1, 1),
        'score_fr.bias': (5,),
        'scaled.weight': (8,),
        'score_pool.weight': (5, 8, 5, 5),
        'score_pool.bias': (5,),
        'upscore.weight': (5, 5, 4, 4),
    }
    frozen = [k for k, p in model.named_parameters() if not p.requires_grad]
    assert frozen == ['upscore.weight'], 'lr_mult: 0'
    assert model.upscore.weight[2, 2].sum() == 4, 'bilinear without a file'


def test_state_dicts_go_in_and_out(tmp_path):
    model, other = nets.load(little()), nets.load(little())
    a = x(1, 3, 20, 24)
    assert not torch.equal(model(a), other(a)), 'two random fillings'
    torch.save(model.state_dict(), tmp_path / 'a.pth')
    other.load_state_dict(torch.load(tmp_path / 'a.pth', weights_only=True))
    assert torch.equal(model(a), other(a))
    assert torch.equal(nets.load(little(), tmp_path / 'a.pth')(a), model(a))


@pytest.mark.parametrize('end', ['caffemodel.h5', 'safetensors', 'npz'])
def test_weights_come_from_any_format(tmp_path, end):
    pytest.importorskip('safetensors')
    model = nets.load(little())
    layers = {}
    for key, value in model.state_dict().items():
        layer, name = key.split('.')
        array = value.numpy().copy()
        layers.setdefault(layer, {})[int(name == 'bias')] = array
    formats.write(tmp_path / f'a.{end}', layers)
    other = nets.load(little(), tmp_path / f'a.{end}')
    a = x(2, 3, 11, 8)
    assert torch.equal(model(a), other(a))


def test_a_copy_is_a_module_of_its_own():
    model = nets.load(little())
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.conv1.weight.zero_()
    a = x(1, 3, 12, 15)
    assert not torch.equal(model(a), other(a))


def test_dropout_works_in_training_only_and_is_torchs():
    model = nets.load(little())
    a = x(1, 3, 20, 24)
    assert not model.training and torch.equal(model(a), model(a))
    model.train()
    torch.manual_seed(3)
    first, second = model(a), model(a)
    torch.manual_seed(3)
    assert not torch.equal(first, second) and torch.equal(first, model(a))


def test_a_network_directory_has_its_dropout():
    layers = {layer.type for layer in definition('voc-fcn8s').layer}
    assert 'Dropout' in layers and 'SoftmaxWithLoss' not in layers


# what it refuses -----------------------------------------------------------


def test_a_net_that_reads_data_is_refused():
    n = caffe.NetSpec()
    n.data = L.DummyData(shape=dict(dim=[1, 3, 5, 7]))
    n.score = L.Convolution(n.data, num_output=2, kernel_size=1)
    with pytest.raises(ValueError, match="'data' .DummyData. reads data"):
        nets.load(n.to_proto())


def test_batch_norm_that_would_learn_is_refused():
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 5, 7]))
    n.norm = L.BatchNorm(n.data)
    model = nets.load(n.to_proto())
    with pytest.raises(NotImplementedError, match="layer 'norm': BatchNorm"):
        model.train()
    assert not model.eval().training


@pytest.mark.parametrize('name', ['forward', 'a.b'])
def test_a_name_that_torch_cannot_use_is_refused(name):
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 5, 7]))
    n.score = L.Convolution(n.data, num_output=2, kernel_size=1, name=name)
    with pytest.raises(ValueError, match=f"layer '{name}' cannot be"):
        nets.load(n.to_proto())


def test_several_inputs_and_outputs_go_by_name():
    n = caffe.NetSpec()
    n.color = L.Input(shape=dict(dim=[1, 3, 5, 7]))
    n.depth = L.Input(shape=dict(dim=[1, 1, 5, 7]))
    n.both = L.Concat(n.color, n.depth)
    filler = dict(weight_filler=dict(type='msra'))
    n.sem = L.Convolution(n.both, num_output=4, kernel_size=1, **filler)
    n.geo = L.Convolution(n.both, num_output=2, kernel_size=1, **filler)
    model = nets.load(n.to_proto())
    out = model(x(2, 3, 6, 9), x(2, 1, 6, 9))
    assert {k: tuple(v.shape) for k, v in out.items()} == {
        'sem': (2, 4, 6, 9),
        'geo': (2, 2, 6, 9),
    }
    with pytest.raises(TypeError, match='takes color, depth: 1 tensors'):
        model(x(2, 3, 6, 9))


def test_zero_weights_in_a_file_are_warned_of(tmp_path):
    model = nets.load(little())
    state = model.state_dict()
    state['score_fr.weight'].zero_()
    torch.save(state, tmp_path / 'a.pth')
    with pytest.warns(UserWarning, match='layer score_fr are all zero'):
        nets.load(little(), tmp_path / 'a.pth')


def test_a_missing_network_is_answered_with_those_that_exist():
    with pytest.raises(FileNotFoundError, match='voc-none: .*voc-fcn8s'):
        nets.load('voc-none')
