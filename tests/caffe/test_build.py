"""Blobs and losses of a net that is built, and the words in which a net is
refused."""

import pytest
from net_text import TINY, conv, inputs, layer, net

DATA = inputs(data=(2, 3, 7, 5))


def refused(message, *definition):
    with pytest.raises(RuntimeError, match=message):
        net(*definition)


def test_an_unknown_bottom_is_refused():
    refused(
        r"^Unknown bottom blob 'dato' \(layer 'c', bottom index 0\)$",
        DATA,
        conv('c', 'dato', 4, 1),
    )
    refused(
        r"Unknown bottom blob 'late' \(layer 'sum', bottom index 1\)",
        DATA,
        layer('Eltwise', 'sum', 'data late'),
        layer('ReLU', 'late', 'data'),
    )


def test_a_top_of_two_layers_is_refused():
    refused(
        r"^Top blob 'r' produced by multiple sources\. \(layer 'r2'\)",
        DATA,
        layer('ReLU', 'r1', 'data', 'r'),
        layer('ReLU', 'r2', 'data', 'r'),
    )


def test_in_place_over_a_blob_that_was_read_before_is_refused():
    refused(
        r"Top blob 'data' produced by multiple sources\. \(layer 'late'\)",
        DATA,
        conv('c', 'data', 4, 1),
        layer('ReLU', 'late', 'data', 'data'),
    )


def test_in_place_means_the_same_index():
    refused(
        "Top blob 'a' produced by multiple sources",
        inputs(a=(2, 3), b=(2, 3)),
        layer('Eltwise', 'e', 'b a', 'a'),
    )
    built = net(inputs(a=(2, 3), b=(2, 3)), layer('Eltwise', 'e', 'a b', 'a'))
    assert built.outputs == ['a'] and list(built.blobs) == ['a', 'b']


def test_what_cannot_work_in_place_says_so():
    refused(
        r"layer 'c' \(Convolution\): a convolution cannot work in place",
        DATA,
        layer('Convolution', 'c', 'data', 'data'),
    )


def test_inputs_come_in_order_and_outputs_by_name():
    built = net(
        inputs(z=(2, 3), a=(2, 3)),
        layer('ReLU', 'one', 'z', 'y'),
        layer('ReLU', 'two', 'a', 'B'),
        layer('ReLU', 'three', 'B', 'B'),
    )
    assert built.inputs == ['z', 'a'] and built.outputs == ['B', 'y']
    assert list(built.blobs) == ['z', 'a', 'y', 'B']


@pytest.mark.parametrize(
    'text, message',
    [
        (
            layer('ReLU', 'l', 'a b', 'c'),
            'takes 1 bottom .* as input. .2 given',
        ),
        (layer('ReLU', 'l', 'a', 'c d'), 'produces 1 top .* as output. .2 giv'),
        (layer('ReLU', 'l', 'a', None), 'produces 1 top .* output. .0 given'),
        (layer('Eltwise', 'l', 'a'), 'takes at least 2 bottom blob'),
        (layer('Pooling', 'l', 'a', 'c d e'), 'produces at most 2 top blob'),
        (layer('Scale', 'l', 'a b a'), 'takes at most 2 bottom blob'),
        (layer('Silence', 'l', 'a', 'c'), 'produces 0 top blob'),
        (layer('Softmax', 'l', '', 'c'), 'takes 1 bottom .* as input. .0 giv'),
        (
            layer('Convolution', 'l', 'a b', 'c'),
            'produces one top blob as output for each bottom blob input',
        ),
    ],
)
def test_too_many_or_too_few_blobs_are_refused(text, message):
    kind = text.split("'")[1]
    refused(
        f"layer 'l': {kind} Layer {message}",
        inputs(a=(2, 3, 7, 5), b=(2, 3, 7, 5)),
        text,
    )


def test_an_unknown_type_is_refused_by_layer_and_type():
    refused(
        r"layer 'up': Unknown layer type: Interp \(known types: .*, Accuracy, ",
        DATA,
        layer('Interp', 'up', 'data'),
    )


def test_what_a_layer_refuses_is_told_with_its_name():
    refused(
        r"layer 'c' \(Convolution\): Kernel dimensions must be nonzero",
        DATA,
        conv('c', 'data', 4, 0),
    )


# losses ----------------------------------------------------------------------


def test_a_loss_counts_once_and_other_layers_not_at_all():
    built = net(TINY)
    assert dict(built.blob_loss_weights) == {
        'data': 0, 'label': 0, 'conv': 0, 'ip_blob': 0, 'loss': 1
    }  # fmt: skip
    assert built.blobs['loss'].diff == 1
    assert built._blob_loss_weights == [0, 0, 0, 0, 1]


def test_a_missing_top_of_a_loss_is_automatic():
    definition = TINY.replace("top: 'loss'", 'loss_weight: 3')
    built = net(definition)
    assert built.outputs == [], 'nobody can ask for it'
    assert list(built.blobs)[-1] == '(automatic)'
    assert built.top_names['loss'] == ['(automatic)']
    assert built.blob_loss_weights['(automatic)'] == 3
    assert built._top_ids(3) == [4] and built._bottom_ids(3) == [3, 1]
    loss = built._forward(0, 3)
    assert loss == 3 * built.blobs['(automatic)'].data > 0
    built.backward()
    assert built.params['ip'][0].diff.any()


def test_two_automatic_tops_do_not_hinder_each_other():
    loss = layer('EuclideanLoss', 'one', 'x t', None)
    built = net(
        inputs(x=(2, 3), t=(2, 3)), loss, loss.replace("'one'", "'two'")
    )
    built.blobs['x'].data[...] = 1
    assert built._forward(0, len(built.layers) - 1) == 3
    assert built.outputs == []


@pytest.mark.parametrize(
    'kind, weights', [('Softmax', 2), ('Silence', 1), ('EuclideanLoss', 2)]
)
def test_loss_weights_must_fit_the_tops(kind, weights):
    bottoms = 'x t' if 'Loss' in kind else 'x'
    top = None if kind == 'Silence' else 'top'
    refused(
        "layer 'l': loss_weight must be unspecified or specified once per top "
        f'blob. .{weights} given',
        inputs(x=(2, 3), t=(2, 3)),
        layer(kind, 'l', bottoms, top, 'loss_weight: 1 ' * weights),
    )
