"""MemoryData and Net.set_input_arrays."""

import numpy as np
import pytest
from net_text import inputs, layer, net

from caffe.ops.memory_data import set_input_arrays

LAYER = layer(
    'MemoryData',
    'data',
    top='data label',
    rest='memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 }',
)
TWICE = layer('Power', 'twice', 'data', rest='power_param { scale: 2 }')


def arrays(items=4):
    rng = np.random.default_rng(1)
    data = rng.standard_normal((items, 3, 4, 5)).astype(np.float32)
    return data, np.arange(items, dtype=np.float32)


def test_batches_come_in_order_and_around_again():
    built, (data, labels) = net(LAYER, TWICE), arrays()
    set_input_arrays(built, data, labels)
    assert built.blobs['data'].shape == (2, 3, 4, 5)
    assert built.blobs['label'].shape == (2,)
    for at in (0, 2, 0):
        out = built.forward()
        assert np.array_equal(out['twice'], 2 * data[at : at + 2])
        assert out['label'].tolist() == [at, at + 1]


def test_what_is_written_into_the_arrays_later_is_seen():
    built, (data, labels) = net(LAYER, TWICE), arrays(2)
    set_input_arrays(built, data, labels.reshape(2, 1, 1, 1))
    built.forward()
    data[:], labels[:] = 7, 9
    out = built.forward()
    assert (out['twice'] == 14).all() and (out['label'] == 9).all()


def test_a_layer_in_place_leaves_the_callers_array_alone():
    text = layer('ReLU', 'relu', 'data', 'data')
    built, (data, labels) = net(LAYER, text), arrays(2)
    before = data.copy()
    set_input_arrays(built, data, labels)
    built.forward()
    assert np.array_equal(data, before)


def test_new_arrays_begin_at_their_start():
    built, (data, labels) = net(LAYER, TWICE), arrays()
    set_input_arrays(built, data, labels)
    built.forward()
    set_input_arrays(built, data, labels + 10)
    assert built.forward()['label'].tolist() == [10, 11]


def test_without_arrays_it_says_how_to_give_them():
    with pytest.raises(
        RuntimeError, match=r'needs to be initialized by calling Reset \(from'
    ):
        net(LAYER, TWICE).forward()


def test_a_size_left_out_is_refused():
    with pytest.raises(RuntimeError, match='batch_size, channels, height, and'):
        net(LAYER.replace('width: 5', ''))


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda d, n: (d[:, :, :, ::-1], n), 'data array must be C contiguous'),
        (lambda d, n: (d[0], n), 'data array must be 4-d'),
        (lambda d, n: (d.astype(float), n), 'data array must be float32'),
        (lambda d, n: (d[:, :2].copy(), n), 'wrong number of channels'),
        (lambda d, n: (d[:, :, :3].copy(), n), 'data array has wrong height'),
        (lambda d, n: (d[..., :4].copy(), n), 'data array has wrong width'),
        (lambda d, n: (d, n.astype(int)), 'labels array must be float32'),
        (lambda d, n: (d, n.reshape(2, 2)), 'labels array must be 4-d'),
        (
            lambda d, n: (d, n.reshape(2, 2, 1, 1)),
            'labels array has wrong number of channels',
        ),
        (lambda d, n: (d, n[:2]), 'must have the same first dimension'),
        (lambda d, n: (d[:3], n[:3]), 'must be a multiple of batch size'),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    with pytest.raises(RuntimeError, match=message):
        set_input_arrays(net(LAYER, TWICE), *change(*arrays()))


def test_only_a_net_that_begins_with_memory_data_takes_arrays():
    built = net(inputs(data=(2, 3, 4, 5)), TWICE)
    with pytest.raises(
        RuntimeError, match='may only be called if the first la'
    ):
        set_input_arrays(built, *arrays())
