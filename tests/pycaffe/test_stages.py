"""forward(start, end) over a blob that several layers read."""

import numpy as np
from net_text import inputs, layer, net

import caffe


def two_readers():
    return net(
        inputs(x=(1, 2, 3, 5)),
        layer('Power', 'p', 'x', '', 'power_param { scale: 2 }'),
        layer('Power', 'a', 'p', '', 'power_param { shift: 1 }'),
        layer('Power', 'b', 'p'),
        phase=caffe.TEST,
    )


def test_a_stage_that_ends_before_a_split_reaches_those_behind_it(device):
    """Caffe's Split lays its tops over its bottom when it first runs; scripts
    end a stage at the last layer they know of."""
    built = two_readers()
    built.forward(x=np.ones((1, 2, 3, 5)))
    built.blobs['x'].data[...] = 5
    built.forward(end='p')
    assert (built.blobs['p_p_0_split_1'].data == 10).all()
    assert (built.forward(start='a')['a'] == 11).all()


def test_what_is_written_above_a_split_is_read_below(device):
    built = two_readers()
    built.forward()
    built.blobs['p'].data[...] = 4
    assert (built.forward(start='a')['b'] == 4).all()


def test_stages_and_freed_blobs_do_not_mix_up_memory(device):
    built = two_readers()
    for names in (None, ['p'], [], None, ['p_p_0_split_0']):
        built.set_keep(names)
        found = built.forward(x=np.full((1, 2, 3, 5), 3))
        assert (found['a'] == 7).all() and (found['b'] == 6).all(), names
        for name in built.blobs if names is None else names:
            assert built.blobs[name].data.shape == (1, 2, 3, 5)


def test_every_reader_keeps_a_diff_of_its_own():
    built = net(
        'force_backward: true',
        inputs(x=(2, 3)),
        layer('Power', 'p', 'x'),
        layer('Power', 'a', 'p', '', 'power_param { scale: 3 }'),
        layer('Power', 'b', 'p', '', 'power_param { scale: 4 }'),
    )
    built.forward(x=np.ones((2, 3)))
    ones = np.ones((2, 3))
    diffs = built.backward(
        a=ones, b=ones, diffs=['p', 'p_p_0_split_0', 'p_p_0_split_1']
    )
    assert [int(diff[0, 0]) for diff in diffs.values()] == [7, 7, 3, 4]


def test_a_resized_net_resizes_both_readers():
    built = two_readers()
    built.forward()
    built.blobs['x'].reshape(1, 2, 4, 7)
    built.reshape()
    found = built.forward(x=np.ones((1, 2, 4, 7)))
    assert found['a'].shape == found['b'].shape == (1, 2, 4, 7)
    assert built.blobs['p_p_0_split_0'].diff.shape == (1, 2, 4, 7)
