"""torchvision's checkpoints under Caffe's names: the same scores for the same
picture, exactly so away from the zero padding."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import caffe
from caffe import layers as L
from nets.datasets import MEAN_BGR
from weights import formats
from weights.convert import convert
from weights.torchvision import MEAN_RGB, STD_RGB

# Facts of torchvision.models: index of each layer, its width; 'M' is a pool.
VGG16_CONFIG = (64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M')
VGG16_CONFIG += (512, 512, 512, 'M', 512, 512, 512, 'M')
ALEXNET_CONFIG = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3)}
ALEXNET_CONFIG.update({8: (256, 384, 3), 10: (256, 256, 3)})
SLIM = 32  # widths are divided by it where the real ones do not matter


def vgg16_state(slim=1, side=7):
    """A state dict with the names and, for slim = 1, the shapes of VGG-16."""
    generator = torch.Generator().manual_seed(1337)
    state, channels, index = {}, 3, 0
    for width in VGG16_CONFIG:
        if width == 'M':
            index += 1
            continue
        outputs = width // slim
        state[f'features.{index}'] = (outputs, channels, 3, 3)
        channels, index = outputs, index + 2  # a ReLU between two
    wide = 4096 // slim
    state['classifier.0'] = (wide, channels * side * side)
    state['classifier.3'] = (wide, wide)
    state['classifier.6'] = (1000 // slim, wide)
    return filled(state, generator)


def filled(shapes, generator):
    state = {}
    for name, shape in shapes.items():
        weight = torch.empty(shape).normal_(generator=generator)
        state[f'{name}.weight'] = weight * (2 / weight[0].numel()) ** 0.5
        bias = torch.empty(shape[0]).normal_(generator=generator)
        state[f'{name}.bias'] = bias / 3
    return state


def trunk(state, x, pad):
    """VGG-16's first two stages, x as its convolutions want it."""
    for index in (0, 2, 'pool', 5, 7):
        if index == 'pool':
            x = F.max_pool2d(x, 2, 2)
            continue
        weight, bias = (
            state[f'features.{index}.{n}'].double() for n in ('weight', 'bias')
        )
        x = F.relu(F.conv2d(x, weight, bias, padding=pad))
    return x


def picture(height, width):
    rng = np.random.default_rng(1337)
    return rng.integers(0, 256, (height, width, 3)).astype(np.float64)


def as_torchvision(rgb):
    x = (rgb / 255 - MEAN_RGB) / STD_RGB
    return torch.from_numpy(x.transpose(2, 0, 1)[None])


def as_caffe(rgb):
    y = rgb[:, :, ::-1] - MEAN_BGR
    return torch.from_numpy(np.ascontiguousarray(y.transpose(2, 0, 1)[None]))


def converted(state, tmp_path, end='npz', net=None):
    torch.save(state, tmp_path / 'tv.pth')
    lines = convert(tmp_path / 'tv.pth', tmp_path / f'ours.{end}', net)
    return formats.read(tmp_path / f'ours.{end}').layers, lines


def ours(layers, names):
    """Our layers as a state of torchvision's, for the reference above."""
    kinds = ('weight', 'bias')
    return {
        f'{theirs}.{kind}': torch.from_numpy(layers[mine][i])
        for mine, theirs in names.items()
        for i, kind in enumerate(kinds)
    }


FIRST = {
    'conv1_1': 'features.0',
    'conv1_2': 'features.2',
    'conv2_1': 'features.5',
    'conv2_2': 'features.7',
}


def test_without_padding_the_features_are_the_same(tmp_path):
    state = vgg16_state(SLIM)
    layers, _ = converted(state, tmp_path)
    rgb = picture(23, 29)
    want = trunk(state, as_torchvision(rgb), pad=0)
    have = trunk(ours(layers, FIRST), as_caffe(rgb), pad=0)
    worst = (want - have).abs().max() / want.abs().max()
    assert worst < 1e-6, 'no more than the rounding of weights to float32'


def test_with_padding_only_the_edge_differs_and_little(tmp_path):
    state = vgg16_state(SLIM)
    layers, lines = converted(state, tmp_path)
    rgb = picture(23, 29)
    name = {'conv1_1': 'features.0'}
    results = []
    for weights, image in (
        (state, as_torchvision(rgb)),
        (ours(layers, name), as_caffe(rgb)),
    ):
        weight = weights['features.0.weight'].double()
        bias = weights['features.0.bias'].double()
        results.append(F.conv2d(image, weight, bias, padding=1))
    gap = (results[0] - results[1]).abs() / results[0].abs().max()
    assert gap[:, :, 1:-1, 1:-1].max() < 1e-6
    gap[:, :, 1:-1, 1:-1] = 0
    assert 1e-6 < gap.max() < 0.05, 'the edge is another, by a little'
    assert any('exact away from the zero padding' in line for line in lines)


def test_every_other_number_stays_as_it_was(tmp_path):
    state = vgg16_state(SLIM)
    layers, _ = converted(state, tmp_path)
    assert (
        list(layers)
        == (
            'conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv4_1 '
            'conv4_2 conv4_3 conv5_1 conv5_2 conv5_3 fc6 fc7 fc8'
        ).split()
    )
    for layer, name in zip(layers, list(state)[::2]):
        if layer != 'conv1_1':
            weight = state[name].numpy()
            assert layers[layer][0].tobytes() == weight.tobytes(), layer


def fully_convolutional():
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 20, 24]))
    n.conv1_1 = L.Convolution(n.data, num_output=2, kernel_size=3, pad=100)
    n.fc6 = L.Convolution(n.conv1_1, num_output=4096 // SLIM, kernel_size=7)
    n.score_fr = L.Convolution(n.fc6, num_output=5, kernel_size=1)
    param = n.to_proto()
    param.layer[2].convolution_param.num_output = 4096 // SLIM
    return param


def test_a_net_says_which_layers_and_in_which_form(tmp_path):
    state = vgg16_state(SLIM)
    param = fully_convolutional()
    state['classifier.0.weight'] = state['classifier.0.weight'][:, : 2 * 49]
    layers, lines = converted(state, tmp_path, 'caffemodel', param)
    assert list(layers) == ['conv1_1', 'fc6']
    assert layers['fc6'][0].shape == (4096 // SLIM, 2, 7, 7)
    want = state['classifier.0.weight'].reshape(4096 // SLIM, 2, 7, 7)
    np.testing.assert_array_equal(layers['fc6'][0], want.numpy())
    report = '\n'.join(lines)
    assert 'dropped         conv1_2[0]' in report
    assert 'left as it was  score_fr[0]' in report
    net = caffe.Net(
        param, caffe.TEST, weights=str(tmp_path / 'ours.caffemodel')
    )
    np.testing.assert_array_equal(net.params['fc6'][0].data, want.numpy())


def alexnet_state(slim):
    shapes = {}
    for index, (outputs, inputs, kernel) in ALEXNET_CONFIG.items():
        inputs = inputs if inputs == 3 else inputs // slim
        shapes[f'features.{index}'] = (outputs // slim, inputs, kernel, kernel)
    wide = 4096 // slim
    shapes['classifier.1'] = (wide, 256 // slim * 36)
    shapes['classifier.4'] = (wide, wide)
    shapes['classifier.6'] = (1000 // slim, wide)
    return filled(shapes, torch.Generator().manual_seed(1337))


def test_alexnet_is_renamed_and_told_apart_from_caffenet(tmp_path):
    state = alexnet_state(SLIM)
    layers, lines = converted(state, tmp_path)
    names = 'conv1 conv2 conv3 conv4 conv5 fc6 fc7 fc8'.split()
    assert list(layers) == names
    assert any('is not CaffeNet' in line for line in lines)
    rgb = picture(31, 35)
    weight, bias = state['features.0.weight'], state['features.0.bias']
    want = F.conv2d(as_torchvision(rgb), weight.double(), bias.double(), 4)
    weight, bias = (torch.from_numpy(layers['conv1'][i]) for i in (0, 1))
    have = F.conv2d(as_caffe(rgb), weight.double(), bias.double(), 4)
    assert (want - have).abs().max() < 1e-6 * want.abs().max()


def test_other_nets_with_such_names_are_refused(tmp_path):
    state = vgg16_state(SLIM)
    del state['features.28.weight'], state['features.28.bias']
    with pytest.raises(
        ValueError, match='tv.pth has torchvision.* neither its'
    ):
        converted(state, tmp_path)
    assert not (tmp_path / 'ours.npz').exists()


def test_alexnet_does_not_fit_caffenet_and_the_layer_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'tv.pth: conv1\[0\]: .* holds'):
        converted(alexnet_state(SLIM), tmp_path, 'npz', 'voc-fcn-alexnet')
