"""Forward and backward: views from pass to pass, losses in diffs, callbacks,
reshape."""

import numpy as np
import pytest
from net_text import FORCED, SHAPE, conv, fill, inputs, ip, layer, net, run

import caffe

# views -----------------------------------------------------------------------


def test_views_taken_before_a_pass_show_it(device):
    built = net(
        FORCED, inputs(x=SHAPE), conv('c', 'x', 4, 3), layer('ReLU', 'r', 'c')
    )
    fill(built, 1)
    built.forward()
    views = {name: blob.data for name, blob in built.blobs.items()}
    diffs = {name: blob.diff for name, blob in built.blobs.items()}
    fill(built, 2)
    run(built)
    for name, blob in built.blobs.items():
        if device == 'gpu':  # as in Caffe: once `.data` is asked for
            assert blob.data is not None and blob.diff is not None
        np.testing.assert_array_equal(views[name], blob.data)
        np.testing.assert_array_equal(diffs[name], blob.diff)
    assert views['r'].any() and diffs['x'].any()


def test_writes_between_layers_are_honoured(device):
    built = net(inputs(x=SHAPE), conv('c', 'x', 4, 3), layer('ReLU', 'r', 'c'))
    fill(built)
    built.forward()
    built.blobs['c'].data[...] = 5
    assert (built.forward(start='r')['r'] == 5).all()
    weight, bias = built.params['c']
    weight.data[...] = 0
    bias.data[...] = [1, 2, 3, 4]
    assert built.forward()['r'][1, :, 0, 0].tolist() == [1, 2, 3, 4]


# losses ----------------------------------------------------------------------


def losing(weight=2):
    return net(
        inputs(x=(2, 3), t=(2, 3)),
        ip('y', 'x', 3),
        layer('EuclideanLoss', 'loss', 'y t', '', f'loss_weight: {weight}'),
    )


def test_the_loss_weight_is_in_the_diff_and_may_be_written_there(device):
    built = losing()
    fill(built)
    total = built._forward(0, 3)
    loss = float(built.blobs['loss'].data)
    assert total == pytest.approx(2 * loss)
    built.backward()
    once = built.params['y'][0].diff.copy()
    built.blobs['loss'].diff[...] = 6
    assert built._forward(0, 3) == pytest.approx(6 * loss)
    built.clear_param_diffs()
    built.backward()
    np.testing.assert_allclose(built.params['y'][0].diff, 3 * once, 1e-5)
    assert built.blob_loss_weights['loss'] == 2


def test_a_loss_that_grows_loses_its_weights():
    built = net(
        inputs(x=(2, 3)), layer('Power', 'p', 'x', '', 'loss_weight: 4')
    )
    built.blobs['x'].data[...] = 1
    assert built._forward(0, 1) == 4 * 6
    built.blobs['x'].reshape(2, 2)
    built.blobs['x'].data[...] = 1
    assert built._forward(0, 1) == 4 * 4
    built.blobs['x'].reshape(2, 5)
    built.blobs['x'].data[...] = 1
    assert built._forward(0, 1) == 0


def test_forward_loss_stays_a_tensor(device):
    built = losing()
    fill(built)
    total = built.forward_loss()
    assert total.shape == () and total.device == caffe.device.device()
    silent = net(inputs(x=(2, 3)))
    assert silent.forward_loss() == 0 and silent._forward(0, 0) == 0


# callbacks, reshape ----------------------------------------------------------


def test_callbacks_come_around_every_layer_even_where_nothing_runs():
    built, seen = losing(), []
    for kind in ('forward', 'backward'):
        for when in ('before', 'after'):
            getattr(built, f'{when}_{kind}')(
                lambda i, what=f'{when} {kind}': seen.append((what, i))
            )
    built.forward(start='y')
    built.backward(end='y')
    assert seen == [
        *((f'{when} forward', i) for i in (2, 3) for when in ORDER),
        *((f'{when} backward', i) for i in (3, 2) for when in ORDER),
    ]


ORDER = 'before', 'after'


def test_reshape_goes_through_the_net_without_computing(device):
    built = net(
        inputs(x=SHAPE),
        conv('c', 'x', 4, 3),
        layer('Pooling', 'p', 'c', '', 'pooling_param { kernel_size: 3 }'),
        layer('ReLU', 'r', 'p', 'p'),
    )
    fill(built)
    built.forward()
    old = built.blobs['c'].data.ravel()[:24].copy()
    built.blobs['x'].reshape(1, 3, 6, 5)
    built.reshape()
    shapes = [tuple(blob.shape) for blob in built.blobs.values()]
    assert shapes == [(1, 3, 6, 5), (1, 4, 4, 3), (1, 4, 2, 1)]
    np.testing.assert_array_equal(built.blobs['c'].data.ravel()[:24], old)


def test_every_forward_reshapes_the_net(device):
    built = net(inputs(x=SHAPE), conv('c', 'x', 4, 3), layer('ReLU', 'r', 'c'))
    for size in [(1, 3, 9, 4), (3, 3, 3, 8), SHAPE]:
        built.blobs['x'].reshape(*size)
        found = built.forward()['r']
        assert found.shape == (size[0], 4, size[2] - 2, size[3] - 2)


def test_a_size_that_does_not_fit_is_told_with_the_layer():
    built = net(inputs(x=SHAPE), conv('c', 'x', 4, 3), layer('ReLU', 'r', 'c'))
    built.blobs['x'].reshape(2, 4, 7, 5)
    for call in (built.forward, built.reshape):
        with pytest.raises(
            RuntimeError,
            match=r"layer 'c' \(Convolution\): Input size incompatible",
        ):
            call()


def test_split_diffs_are_added_up(device):
    built = net(
        FORCED,
        inputs(x=(2, 3)),
        layer('ReLU', 'a', 'x'),
        layer('Power', 'b', 'x', '', 'power_param { scale: 10 }'),
    )
    built.blobs['x'].data[...] = 1
    built.forward()
    built.backward(a=np.ones((2, 3)), b=np.ones((2, 3)))
    assert (built.blobs['x'].diff == 11).all()
    assert list(built.blobs)[1:3] == ['x_x_0_split_0', 'x_x_0_split_1']
