"""forward_all and forward_backward_all: any number of items, batch by batch."""

import numpy as np
import pytest
from net_text import FORCED, conv, inputs, ip, layer, net

import caffe

RNG = np.random.default_rng(8)


def scoring(batch=3):
    return net(
        FORCED,
        inputs(data=(batch, 2, 5, 4)),
        conv('conv', 'data', 4, 3),
        ip('score', 'conv', 6),
        phase=caffe.TEST,
    )


@pytest.mark.parametrize('items', [1, 3, 7, 9])
def test_items_come_back_in_order_without_the_filling(items, device):
    built = scoring()
    data = RNG.standard_normal((items, 2, 5, 4)).astype(np.float32)
    outs = built.forward_all(data=data, blobs=['conv'])
    assert sorted(outs) == ['conv', 'score']
    assert outs['score'].shape == (items, 6)
    for item, score, features in zip(data, outs['score'], outs['conv']):
        found = built.forward(data=np.stack([item] * 3))
        np.testing.assert_allclose(score, found['score'][0], 1e-5, 1e-5)
        np.testing.assert_allclose(
            features, built.blobs['conv'].data[2], 1e-5, 1e-5
        )


def test_what_comes_back_is_a_copy():
    built = scoring()
    data = RNG.standard_normal((3, 2, 5, 4))
    score = built.forward_all(data=data)['score']
    before = score.copy()
    built.forward(data=-data)
    np.testing.assert_array_equal(score, before)


def test_diffs_go_backward_batch_by_batch():
    built = scoring()
    data = RNG.standard_normal((7, 2, 5, 4)).astype(np.float32)
    diff = RNG.standard_normal((7, 6)).astype(np.float32)
    outs, diffs = built.forward_backward_all(
        data=data, score=diff, blobs=['conv'], diffs=['conv']
    )
    assert sorted(outs) == sorted(['conv', 'score'])
    assert sorted(diffs) == ['conv', 'data']
    assert diffs['data'].shape == data.shape
    weight = built.params['score'][0].data
    np.testing.assert_allclose(
        diffs['conv'].reshape(7, -1), diff @ weight, 1e-4, 1e-4
    )


def test_one_number_for_a_batch_cannot_be_dealt_out():
    built = net(
        inputs(a=(3, 2), b=(3, 2)), layer('EuclideanLoss', 'loss', 'a b')
    )
    data = np.ones((3, 2))
    with pytest.raises(TypeError, match="blob 'loss' is one number"):
        built.forward_all(a=data, b=data)


def test_names_and_numbers_that_do_not_fit_are_refused():
    built = scoring()
    data = np.zeros((3, 2, 5, 4))
    with pytest.raises(Exception, match='do not match net inputs'):
        built.forward_all(image=data)
    with pytest.raises(Exception, match='conv: neither inputs nor outputs'):
        built.forward_backward_all(data=data, conv=data)
    two = net(inputs(a=(3, 2), b=(3, 2)), layer('Eltwise', 'sum', 'a b'))
    with pytest.raises(Exception, match='different numbers of items'):
        two.forward_all(a=np.zeros((4, 2)), b=np.zeros((5, 2)))


def test_arrays_feed_a_net_that_begins_with_memory_data():
    built = net(
        layer(
            'MemoryData',
            'data',
            '',
            'data label',
            'memory_data_param { batch_size: 2 channels: 3 height: 1 '
            'width: 5 }',
        ),
        layer('Silence', 'silence', 'label', None),
    )
    data = RNG.standard_normal((4, 3, 1, 5)).astype(np.float32)
    built.set_input_arrays(data, np.arange(4, dtype=np.float32))
    built.forward()
    np.testing.assert_array_equal(built.blobs['data'].data, data[:2])
    built.forward()
    np.testing.assert_array_equal(built.blobs['label'].data, [2, 3])
    with pytest.raises(RuntimeError, match='must be float32'):
        built.set_input_arrays(data.astype(float), np.zeros(4, np.float32))
