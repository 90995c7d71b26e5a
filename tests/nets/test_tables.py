"""Every network's layers, against tables of the published prototxts (spec G.1,
G.2) and the definitions that Caffe stored with the recorded weights."""

import importlib.util
from pathlib import Path

import pytest
from published_nets import COUNTS, OFFSETS, TABLES, expected_rows
from published_settings import SPLITS, TOPS, of
from recordings import recorded_weights

from caffe.proto import caffe_pb2 as pb
from caffe.proto.text import read_net
from nets import caffenet, vgg16
from nets.prototxt import deploy

ROOT = Path(__file__).parents[2]
NETS = sorted(path.parent.name for path in ROOT.glob('*-*/net.py'))


def module(name):
    path = ROOT / name / 'net.py'
    spec = importlib.util.spec_from_file_location('net', path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def training_net(name):
    return module(name).fcn(of(SPLITS, name)[0])


def window(options):
    """kernel/stride+pad; a repeated field of one value, or a plain one."""

    def one(value, default):
        return value if isinstance(value, int) else (*value, default)[0]

    kernel = one(options.kernel_size, None)
    return f'{kernel}/{one(options.stride, 1)}+{one(options.pad, 0)}'


def convolution(layer):
    options = layer.convolution_param
    yield str(options.num_output)
    yield window(options)
    if options.group != 1:
        yield f'group{options.group}'
    if not options.bias_term:
        yield 'nobias'


def options_of(layer):
    """The options that a table shows, defaults resolved."""
    if layer.type in ('Convolution', 'Deconvolution'):
        return list(convolution(layer))
    if layer.type == 'Pooling':
        pool = layer.pooling_param
        return [pool.PoolMethod.Name(pool.pool), window(pool)]
    if layer.type == 'LRN':
        lrn = layer.lrn_param
        numbers = lrn.local_size, lrn.alpha, lrn.beta, lrn.k
        return [f'{number:g}' for number in numbers]
    if layer.type == 'Crop':
        crop = layer.crop_param
        return [f'axis{crop.axis}', *(f'offset{o}' for o in crop.offset)]
    if layer.type == 'Concat':
        return [f'axis{layer.concat_param.axis}']
    if layer.type == 'Eltwise':
        eltwise = layer.eltwise_param
        coefficients = [f'{value:g}' for value in eltwise.coeff]
        return [eltwise.EltwiseOp.Name(eltwise.operation), *coefficients]
    if layer.type == 'Scale':
        scale = layer.scale_param
        assert scale.axis == 1
        assert not scale.bias_term
        return [f'{scale.filler.type}{scale.filler.value:g}']
    if layer.type == 'SoftmaxWithLoss':
        loss = layer.loss_param
        assert layer.loss_weight in ([], [1])
        return [f'ignore{loss.ignore_label}', f'normalize{loss.normalize}']
    raise AssertionError(f'{layer.name}: {layer.type} is in no table')


def row(layer):
    ends = f'{",".join(layer.bottom)}>{",".join(layer.top)}'
    rates = [f'{p.lr_mult:g}/{p.decay_mult:g}' for p in layer.param]
    return ' '.join([layer.name, ends, *options_of(layer), *rates])


def rows(layers):
    return [row(layer) for layer in layers if layer.top != layer.bottom]


def in_place(layers):
    return [
        (layer.name, layer.type, *layer.bottom)
        for layer in layers
        if layer.top == layer.bottom
    ]


def expected_in_place(table):
    """Each conv and fc is followed by its ReLU, each fc by dropout too."""
    for name in (line.split()[0] for line in expected_rows(table)):
        number = name.lstrip('convf').removesuffix('_bgrd')
        if name.startswith(('conv', 'fc')):
            yield f'relu{number}', 'ReLU', name
        if name.startswith('fc'):
            yield f'drop{number}', 'Dropout', name


def test_every_network_has_a_table_and_offsets():
    assert NETS == sorted(TABLES) == sorted(OFFSETS) == sorted(COUNTS)


@pytest.mark.parametrize('test', [0, 1])
@pytest.mark.parametrize('name', NETS)
def test_layers_are_the_published_ones(name, test):
    data, *layers = module(name).fcn(of(SPLITS, name)[test]).layer
    assert len(layers) + 1 == COUNTS[name]
    assert data.top == of(TOPS, name)
    assert (data.name, data.type) == (data.top[0], 'Python')
    assert rows(layers) == expected_rows(TABLES[name])
    assert in_place(layers) == list(expected_in_place(TABLES[name]))


@pytest.mark.parametrize('name', NETS)
def test_activations_follow_their_layer_at_once(name):
    layers = training_net(name).layer
    for above, layer in zip(layers, layers[1:]):
        if layer.top == layer.bottom:
            assert above.top == layer.bottom, layer.name
        if layer.type == 'Dropout':
            assert layer.dropout_param.dropout_ratio == 0.5


@pytest.mark.parametrize('name', NETS)
def test_crop_offsets_are_pinned(name):
    layers = training_net(name).layer
    found = [x.crop_param.offset[0] for x in layers if x.type == 'Crop']
    assert found == OFFSETS[name]


@pytest.mark.parametrize('name', NETS)
def test_deploy_has_inputs_and_neither_dropout_nor_loss(name):
    first, *layers = read_net(str(ROOT / name / 'deploy.prototxt')).layer
    labels = {'label', 'sem', 'geo'}
    assert (first.name, first.type) == ('input', 'Input')
    assert set(first.top) == set(of(TOPS, name)) - labels
    for top, shape in zip(first.top, first.input_param.shape):
        assert shape.dim[:2] == [1, 1 if top == 'depth' else 3]
    trained = [
        layer
        for layer in training_net(name).layer[1:]
        if layer.type not in ('Dropout', 'SoftmaxWithLoss')
    ]
    assert layers == trained


def test_deploy_refuses_an_input_nobody_reads():
    with pytest.raises(ValueError, match="no layer of the net reads 'image'"):
        deploy(module('voc-fcn32s').fcn('val'), image=(1, 3, 5, 7))


def recorded(name):
    """The layers Caffe ran, as it stored them: without its Splits, and with
    the names that blobs had before."""
    net = pb.NetParameter.FromString(recorded_weights(name))
    for layer in net.layer:
        for i, bottom in enumerate(layer.bottom):
            if '_split_' in bottom:  # blob_layer_0_split_1
                split = bottom.rsplit('_', 1)[0]
                (layer.bottom[i],) = (
                    s.bottom[0] for s in net.layer if s.name == split
                )
    return [
        layer for layer in net.layer if layer.type not in ('Input', 'Split')
    ]


@pytest.mark.parametrize('name', NETS)
def test_layers_are_those_caffe_ran(name):
    """Recorded with narrower features and without Dropout."""
    divisor = 16 if name == 'voc-fcn-alexnet' else 32
    theirs = recorded(name)
    for layer in theirs:
        if layer.name.startswith(('conv', 'fc')):
            layer.convolution_param.num_output *= divisor
    ours = training_net(name).layer[1:]
    ours = [layer for layer in ours if layer.type != 'Dropout']
    assert [x.name for x in ours] == [x.name for x in theirs]
    assert rows(ours) == rows(theirs)
    assert in_place(ours) == in_place(theirs)


@pytest.mark.parametrize(
    ('source', 'first', 'size'),
    [(vgg16, '3/1+1', 224), (caffenet, '11/4+0', 227)],
)
def test_a_classifier_is_its_trunk_with_inner_products(source, first, size):
    data, *layers = source.classifier().layer
    assert data.input_param.shape[0].dim == [1, 3, size, size]
    trunk = source.trunk().layer[1:]
    assert window(layers[0].convolution_param) == first
    assert layers[1:-8] == trunk[1:-6], 'alike from relu1 to pool5'
    assert [
        (layer.name, layer.inner_product_param.num_output)
        for layer in layers[-8:]
        if layer.type == 'InnerProduct'
    ] == [('fc6', 4096), ('fc7', 4096), ('fc8', 1000)]
    assert [layer.name for layer in layers[-8:]] == [
        'fc6', 'relu6', 'drop6', 'fc7', 'relu7', 'drop7', 'fc8', 'prob',
    ]  # fmt: skip
