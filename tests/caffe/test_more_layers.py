"""The layers that FCN descendants use, inside a net: in place, with tops whose
size the data decides, with blobs that are parameters, with threads."""

import gc
import weakref

import numpy as np
import pytest
import torch
from image_files import encoded, picture
from net_text import FORCED, conv, dims, fill, inputs, ip, layer, net, run

import caffe

SHAPE = (2, 3, 4, 5)
NEURONS = {
    'PReLU': '',
    'ELU': '',
    'Exp': 'exp_param { scale: 0.5 }',
    'Log': 'log_param { scale: 0.1 shift: 9 }',
    'BNLL': '',
    'MVN': '',
    'Clip': 'clip_param { min: -0.5 max: 0.5 }',
    'Swish': '',
}


@pytest.mark.parametrize('kind', NEURONS)
def test_in_place_or_not_makes_no_difference(kind):
    found = []
    for top in ('ip', 'other'):
        caffe.set_random_seed(1)
        built = net(
            FORCED,
            inputs(data=SHAPE),
            ip('ip', 'data', 7),
            layer(kind, 'neuron', 'ip', top, NEURONS[kind]),
            ip('last', top, 3),
        )
        fill(built)
        found.append(run(built))
    in_place, apart = found
    for name in {'last', 'diff data', 'diff last'} | {
        name for name in apart if name.startswith('grad')
    }:
        np.testing.assert_allclose(in_place[name], apart[name], 1e-5, 1e-6)


MAKERS = {
    'PReLU': '',
    'ELU': '',
    'AbsVal': '',
    'BNLL': '',
    'Clip': 'clip_param { min: -0.5 max: 0.5 }',
    'Reduction': 'reduction_param { operation: SUMSQ axis: 2 }',
    'Tile': 'tile_param { tiles: 2 }',
    'Im2col': 'convolution_param { kernel_size: 2 }',
    'BatchReindex': '',
}


@pytest.mark.parametrize('kind', MAKERS)
def test_a_relu_in_place_behind_a_layer_may_overwrite_its_top(kind):
    found = []
    for top in ('it', 'relu'):
        built = net(
            FORCED if kind != 'BatchReindex' else '',
            inputs(data=SHAPE, order=(3,)),
            conv('conv', 'data', 2, 1),
            layer(
                kind,
                'it',
                'conv order' if kind == 'BatchReindex' else 'conv',
                rest=MAKERS[kind],
            ),
            layer('ReLU', 'relu', 'it', top),
            layer('Reduction', 'sum', top, rest='loss_weight: 1'),
        )
        fill(built)
        rng = np.random.default_rng(2)
        built.params['conv'][0].data[...] = rng.standard_normal((2, 3, 1, 1))
        built.blobs['order'].data[...] = [1, 1, 0]
        found.append(run(built, seed_diff=False))
    in_place, apart = found
    assert apart['diff conv'].any()
    for name in ('sum', 'diff conv', 'grad conv[0]'):
        np.testing.assert_allclose(in_place[name], apart[name], 1e-5, 1e-6)


def test_a_filter_changes_the_size_of_all_that_follows():
    built = net(
        FORCED,
        inputs(data=(4, 3), selector=(4,), label=(4,)),
        layer('Filter', 'filter', 'data label selector', 'some some_labels'),
        ip('ip', 'some', 5),
        layer('SoftmaxWithLoss', 'loss', 'ip some_labels'),
    )
    built.blobs['data'].data[...] = np.arange(12).reshape(4, 3)
    assert built.blobs['ip'].shape == (4, 5)
    for selector in ([0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 1, 0]):
        built.blobs['selector'].data[...] = selector
        built.forward()
        kept = np.flatnonzero(selector)
        some = built.blobs['some']
        assert built.blobs['ip'].shape == (len(kept), 5)
        assert np.array_equal(some.data, built.blobs['data'].data[kept])
        with pytest.raises(
            RuntimeError, match=r'Layer cannot backpropagate to'
        ):
            built.backward()  # force_backward asks for the selector's, too


def test_gradients_pass_a_filter_where_it_lets_values_through():
    built = net(
        inputs(data=(4, 3), selector=(4,), target=(2, 5)),
        ip('ip', 'data', 5),
        layer('Filter', 'filter', 'ip selector', 'some'),
        layer('Reduction', 'sum', 'some', rest='loss_weight: 1'),
    )
    fill(built)
    built.blobs['selector'].data[...] = [0, 1, 0, 1]
    built.forward()
    built.backward()
    want = [[0] * 5, [1] * 5, [0] * 5, [1] * 5]
    assert built.blobs['ip'].diff.tolist() == want
    built.blobs['selector'].data[...] = 0
    built.clear_param_diffs()
    built.forward()
    built.backward()
    assert built.blobs['some'].shape == (0, 5)
    assert not built.blobs['ip'].diff.any()
    assert not built.params['ip'][0].diff.any()


PARAMETER = layer(
    'Parameter', 'w', rest=f'parameter_param {{ {dims((2, 3))} }}'
)


def test_a_parameter_is_its_layers_top_and_learns():
    built = net(
        inputs(data=(2, 3)),
        PARAMETER,
        layer('EuclideanLoss', 'loss', 'w data'),
    )
    fill(built)
    (blob,) = built.params['w']
    assert blob.shape == (2, 3) and not blob.data.any()
    blob.data[...] = 5
    assert (built.forward() and built.blobs['w'].data == 5).all()
    built.backward()
    want = (5 - built.blobs['data'].data) / 2
    np.testing.assert_allclose(blob.diff, want, 1e-6)
    built.backward()
    np.testing.assert_allclose(blob.diff, 2 * want, 1e-6, err_msg='added up')
    built.blobs['w'].data[...] = 7
    assert (blob.data == 7).all(), 'one memory'


def test_a_parameter_in_place_behind_it_stays_as_it_is():
    built = net(
        PARAMETER, layer('Power', 'p', 'w', 'w', 'power_param { shift: 1 }')
    )
    for _ in range(2):
        built.forward()
        assert (built.blobs['w'].data == 1).all()
    assert not built.params['w'][0].data.any()


def test_layers_refuse_under_their_name():
    with pytest.raises(
        RuntimeError, match=r"^layer 't' \(Tile\): Number of tiles must be spec"
    ):
        net(inputs(data=SHAPE), layer('Tile', 't', 'data'))
    with pytest.raises(
        RuntimeError, match=r'AbsVal Layer does not allow in-pl'
    ):
        net(inputs(data=SHAPE), layer('AbsVal', 'a', 'data', 'data'))
    with pytest.raises(
        RuntimeError, match=r"layer 'f': Filter Layer takes at least 2 bottom"
    ):
        net(inputs(data=SHAPE), layer('Filter', 'f', 'data'))
    with pytest.raises(
        RuntimeError, match='ContrastiveLoss Layer takes 3 bottom blob'
    ):
        net(inputs(a=(2, 3)), layer('ContrastiveLoss', 'c', 'a'))


def test_losses_make_their_tops_and_count_once():
    built = net(
        inputs(data=(4, 3), label=(4,)),
        ip('ip', 'data', 5),
        layer('HingeLoss', 'hinge', 'ip label', None),
    )
    assert built.forward_loss() > 0


def image_net(folder):
    (folder / 'a.png').write_bytes(encoded(picture(4, 5)))
    (folder / 'list').write_text('a.png 0\n')
    return net(
        layer(
            'ImageData',
            'data',
            top='data label',
            rest=f'image_data_param {{ source: "{folder}/list" '
            f'root_folder: "{folder}/" }}',
        )
    )


def test_a_net_that_reads_ahead_goes_when_its_last_name_goes(tmp_path):
    built = image_net(tmp_path)
    built.forward()
    gone = weakref.ref(built.nodes[0].op)
    gc.disable()
    try:
        del built
        assert gone() is None, 'a cycle or a thread keeps the layer'
    finally:
        gc.enable()


@pytest.mark.parametrize('kind', ['Embed', 'BatchReindex', 'HingeLoss'])
@pytest.mark.gpu
def test_a_gpu_notes_wrong_indices_and_raises_when_somebody_looks(kind):
    caffe.set_mode_gpu()
    text = {
        'Embed': 'embed_param { num_output: 4 input_dim: 3 }',
        'BatchReindex': '',
        'HingeLoss': '',
    }[kind]
    bottoms = 'index' if kind == 'Embed' else 'data index'
    built = net(
        inputs(data=(3, 5), index=(3,)),
        layer(kind, 'it', bottoms, 'top', text),
    )
    built.blobs['index'].data[...] = [0, 7, 1]
    built.forward_loss()
    assert torch.isnan(built.blobs['top'].tensor).any()
    with pytest.raises(RuntimeError, match=r"layer 'it' \("):
        built.check()
