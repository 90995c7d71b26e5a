"""What needs backward."""

import logging

import pytest
from net_text import conv, inputs, ip, layer, net

DATA = inputs(data=(2, 3, 7, 5))


def refused(message, *definition):
    with pytest.raises(RuntimeError, match=message):
        net(*definition)


def needs(*definition):
    """name -> (need, need_bottoms, need_params) of every layer"""
    built = net(*definition)
    return {
        node.name: (node.need, node.need_bottoms, node.need_params)
        for node in built.nodes
    }


LOSS = layer('EuclideanLoss', 'loss', 'c t')
TARGET = inputs(t=(2, 4, 7, 5))


def test_backward_stops_where_nothing_is_learned():
    found = needs(DATA, TARGET, conv('c', 'data', 4, 1), LOSS)
    assert found == {
        'data': (False, [], []),
        't': (False, [], []),
        'c': (True, [False], [True, True]),
        'loss': (True, [True, False], []),
    }


def test_lr_mult_0_needs_no_gradient():
    frozen = 'param { lr_mult: 0 } ' * 2
    found = needs(DATA, TARGET, conv('c', 'data', 4, 1, frozen), LOSS)
    assert found['c'] == (False, [False], [False, False])
    assert found['loss'][0] is False
    half = conv('c', 'data', 4, 1, 'param { lr_mult: 0 }')
    found = needs(DATA, TARGET, half, LOSS)
    assert found['c'] == (True, [False], [False, True])


def test_what_leads_to_no_loss_needs_no_backward():
    found = needs(
        DATA,
        TARGET,
        conv('c', 'data', 4, 1),
        conv('side', 'data', 2, 1),
        layer('ReLU', 'r', 'side'),
        LOSS,
    )
    assert found['side'][0] is found['r'][0] is False
    assert found['c'][0] is True


def test_propagate_down_cuts_the_way():
    found = needs(
        DATA,
        TARGET,
        conv('before', 'data', 3, 1),
        conv('c', 'before', 4, 1, 'propagate_down: false'),
        LOSS,
    )
    assert found['c'] == (True, [False], [True, True])
    assert found['before'][0] is False, 'every top is cut off'
    refused(
        "layer 'c': propagate_down param must be specified either 0 or "
        'bottom_size times .2 given for 1 bottoms',
        DATA,
        conv('c', 'data', 4, 1, 'propagate_down: [true, true]'),
    )


def test_statistics_of_batch_norm_need_backward():
    found = needs(DATA, TARGET, layer('BatchNorm', 'bn', 'data'))
    assert found['bn'][2] == [True] * 3, 'lr_mult 0 comes later'


def test_force_backward_reaches_everything_but_labels():
    found = needs(
        'force_backward: true',
        DATA,
        inputs(label=(2, 1, 7, 5)),
        conv('c', 'data', 4, 1, 'param { lr_mult: 0 }'),
        layer('SoftmaxWithLoss', 'loss', 'c label'),
    )
    assert found['c'] == (True, [True], [True, True])
    assert found['loss'] == (True, [True, False], [])


def test_a_learned_label_is_refused_when_backward_gets_there():
    built = net(
        inputs(x=(2, 3), y=(2, 3)),
        layer('ReLU', 'r', 'x'),
        ip('label', 'y', 3),
        layer('SigmoidCrossEntropyLoss', 'loss', 'r label'),
    )
    built.forward()
    with pytest.raises(
        RuntimeError,
        match="layer 'loss': SigmoidCrossEntropyLoss Layer cannot "
        'backpropagate to label inputs.',
    ):
        built.backward()


def test_forced_backward_through_accuracy_is_refused():
    built = net(
        'force_backward: true',
        inputs(x=(2, 3), label=(2,)),
        layer('Accuracy', 'a', 'x label'),
    )
    built.forward()
    with pytest.raises(RuntimeError, match="layer 'a' .*Not Implemented Yet"):
        built.backward()


def test_building_is_told_at_debug_level(capsys, caplog):
    caplog.set_level(logging.DEBUG, 'caffe')
    net(DATA, TARGET, conv('c', 'data', 4, 1), LOSS)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition('] ')[2] for line in lines] == [
        'loss needs backward computation.',
        'c needs backward computation.',
        't does not need backward computation.',
        'data does not need backward computation.',
        'This network produces output loss',
        'Network initialization done.',
    ]
