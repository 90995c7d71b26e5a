"""From a classifier's weights to those of the fully convolutional trunk."""

import numpy as np
import pytest

from caffe.proto import caffe_pb2 as pb
from caffe.proto.model import read_model, write_model
from nets import caffenet, vgg16
from surgery.__main__ import convert, main
from surgery.classifier import (
    check_order,
    filter_shapes,
    fully_convolutional,
)

SHAPES = {  # a trunk: 3 channels -> 6 in two groups -> 5 outputs, 2 x 2 wide
    'conv1': [(4, 3, 3, 3), (4,)],
    'conv2': [(6, 2, 3, 3), (6,)],
    'fc6': [(5, 6, 2, 2), (5,)],
}


def trunk():
    net = pb.NetParameter()
    net.layer.add(name='data', type='Input', top=['data'])
    for bottom, name, width, kernel, group in (
        ('data', 'conv1', 4, 3, 1),
        ('conv1', 'conv2', 6, 3, 2),
        ('conv2', 'fc6', 5, 2, 1),
    ):
        layer = net.layer.add(name=name, type='Convolution', top=[name])
        layer.bottom.append(bottom)
        layer.convolution_param.num_output = width
        layer.convolution_param.kernel_size.append(kernel)
        layer.convolution_param.group = group
    return net


def classifier(**other):
    """{layer: [array, ...]}: the trunk's layers as inner products, and fc8."""
    rng = np.random.default_rng(0)
    shapes = {**SHAPES, 'fc6': [(5, 24), (5,)], 'fc8': [(7, 5), (7,)], **other}
    return {
        name: [rng.standard_normal(s).astype(np.float32) for s in each]
        for name, each in shapes.items()
        if each
    }


def saved(path, arrays, types=None):
    """Writes a model file with these layers."""
    net = pb.NetParameter()
    for name in arrays:
        net.layer.add(name=name, type='Convolution', bottom=['x'], top=[name])
    blobs = [[(a, None) for a in each] for each in arrays.values()]
    write_model(path, net, blobs)
    return path


def test_filter_shapes_follow_channels_and_groups():
    assert filter_shapes(trunk()) == SHAPES


def test_the_shapes_of_both_trunks_are_known():
    shapes = filter_shapes(vgg16.trunk())
    assert len(shapes) == 15
    assert shapes['conv1_1'] == [(64, 3, 3, 3), (64,)]
    assert shapes['fc6'] == [(4096, 512, 7, 7), (4096,)]
    assert shapes['fc7'] == [(4096, 4096, 1, 1), (4096,)]
    shapes = filter_shapes(caffenet.trunk())
    assert len(shapes) == 7
    assert shapes['conv2'] == [(256, 48, 5, 5), (256,)]
    assert shapes['fc6'] == [(4096, 256, 6, 6), (4096,)]


def test_inner_products_become_filters_in_the_same_order():
    source = classifier()
    arrays, report = fully_convolutional(source, SHAPES)
    assert {n: [a.shape for a in e] for n, e in arrays.items()} == SHAPES
    for name, each in arrays.items():
        for mine, theirs in zip(each, source[name]):
            np.testing.assert_array_equal(mine.ravel(), theirs.ravel())
    assert np.shares_memory(arrays['fc6'][0], source['fc6'][0]), 'no copy'
    fates = {fate: len(report.of(fate)) for fate in ('copied', 'coerced')}
    assert fates == {'copied': 5, 'coerced': 1}
    assert [str(m.old) for m in report.of('dropped')] == ['fc8[0]', 'fc8[1]']


def test_blobs_of_old_files_have_leading_ones():
    source = classifier(fc6=[(1, 1, 5, 24), (1, 1, 1, 5)])
    arrays, _ = fully_convolutional(source, SHAPES)
    assert [a.shape for a in arrays['fc6']] == SHAPES['fc6']


@pytest.mark.parametrize(
    ('layers', 'said'),
    [
        (dict(conv2=[]), r'conv2\[0\]: the trunk needs 6 x 2 x 3 x 3'),
        (dict(conv2=[(6, 2, 3, 3)]), r'conv2\[1\]: the trunk needs 6,'),
        (dict(fc6=[(5, 54), (5,)]), r'fc6\[0\]: 5 x 54 holds .* 5 x 6 x 2 x'),
        (dict(fc6=[(24, 5), (5,)]), r'fc6\[0\]: 24 x 5 are not .* 5 x 6 x 2'),
    ],
)
def test_a_wrong_source_is_refused_by_layer(layers, said):
    with pytest.raises(ValueError, match=said):
        fully_convolutional(classifier(**layers), SHAPES)


def test_a_deeper_source_is_refused():
    source = classifier()
    deeper = {'conv1': source['conv1'], 'conv1_2': source['conv1'], **source}
    said = r'conv1_2\[0\]: the source has 4 x 3 x 3 x 3 where the trunk has no'
    with pytest.raises(ValueError, match=said):
        fully_convolutional(deeper, SHAPES)


def test_layers_in_another_order_are_refused():
    caffe_net = ['data', 'conv1', 'pool1', 'norm1', 'fc8']
    check_order(['data', 'data', *caffe_net, 'prob'], caffe_net)
    check_order(['conv1', 'norm1'], caffe_net)
    with pytest.raises(ValueError, match='pool1: .* norm1 in its place'):
        check_order(['conv1', 'norm1', 'pool1'], caffe_net)


def test_a_model_file_is_converted(tmp_path):
    source = classifier()
    path = saved(tmp_path / 'source.caffemodel', source)
    out = tmp_path / 'new' / 'trunk.caffemodel'
    report = convert(path, out, trunk())
    model = read_model(out)
    assert [layer.name for layer in model.net.layer] == [
        'data', 'conv1', 'conv2', 'fc6',
    ]  # fmt: skip
    for layer, blobs in zip(model.net.layer[1:], model.blobs[1:]):
        assert [blob.shape for blob in blobs] == SHAPES[layer.name]
        for blob, array in zip(blobs, source[layer.name]):
            np.testing.assert_array_equal(blob.data, array.ravel())
    assert '2 dropped, 0 left as it was' in str(report)


def test_the_command_refuses_a_wrong_source_in_one_line(tmp_path):
    path = saved(tmp_path / 'source.caffemodel', classifier())
    out = tmp_path / 'out.caffemodel'
    with pytest.raises(SystemExit) as stopped:
        main(['vgg16', str(path), '-o', str(out)])
    assert str(stopped.value.code).startswith(f'{path}: fc6[0]: 5 x 24')
    assert not out.exists()


def test_the_command_refuses_weights_that_are_no_numbers(tmp_path):
    arrays = classifier()
    arrays['conv2'][1][3] = np.nan
    path = saved(tmp_path / 'source.caffemodel', arrays)
    with pytest.raises(SystemExit, match=r'source\.caffemodel: conv2: .* NaN'):
        main(['vgg16', str(path), '-o', str(tmp_path / 'out')])


@pytest.mark.parametrize('content', [None, b'', b'GIF89a not a model'])
def test_the_command_names_a_file_that_is_no_model(tmp_path, content):
    path = tmp_path / 'source.caffemodel'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit, match=r'source\.caffemodel'):
        main(['caffenet', str(path), '-o', str(tmp_path / 'out')])


@pytest.mark.parametrize(
    'trunk, address',
    [
        ('vgg16', 'VGG_ILSVRC_16_layers'),
        ('caffenet', 'bvlc_reference_caffenet'),
    ],
)
def test_the_command_says_where_to_get_a_missing_classifier(trunk, address):
    with pytest.raises(SystemExit, match=rf'^nowhere: .*http://.*/{address}'):
        main([trunk, 'nowhere'])


def test_the_command_never_overwrites_its_source(tmp_path):
    path = saved(tmp_path / 'source.caffemodel', classifier())
    before = path.read_bytes()
    with pytest.raises(SystemExit, match='same file'):
        main(['vgg16', str(path), '-o', str(path)])
    assert path.read_bytes() == before


def test_usage_errors_exit_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(['resnet', 'x.caffemodel'])
    assert stopped.value.code == 2
    assert 'vgg16' in capsys.readouterr().err
