"""How one layer runs: in place or not, watched by numpy or not, recorded or
not, in any memory format: with the same results."""

import numpy as np
import pytest
import torch
from net_text import FORCED, SHAPE, conv, fill, inputs, ip, layer, net, run

import caffe


def assert_same(ours, theirs, tolerance=0.0):
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_allclose(
            ours[name], theirs[name], tolerance, tolerance, err_msg=name
        )


# in place --------------------------------------------------------------------


IN_PLACE = {
    'ReLU': '',
    'Sigmoid': '',
    'TanH': '',
    'Dropout': '',
    'BatchNorm': '',
    'Scale': 'scale_param { bias_term: true filler { value: 1.5 } }',
    'Bias': 'bias_param { filler { value: 0.5 } }',
    'Power': 'power_param { scale: 3 shift: 1 }',
    'Softmax': '',
}


def stack(kind, top, phase):
    """conv, then the layer, then another: in place if top is 'c'."""
    caffe.set_random_seed(5)
    return net(
        FORCED if phase == caffe.TRAIN else '',
        inputs(x=SHAPE),
        conv('c', 'x', 4, 3),
        layer(kind, 'it', 'c', top, IN_PLACE[kind]),
        layer('ReLU', 'r', top, top),
        ip('out', top, 6),
        inputs(t=(2, 6)),
        layer('EuclideanLoss', 'loss', 'out t'),
        phase=phase,
    )


@pytest.mark.parametrize('phase', [caffe.TRAIN, caffe.TEST])
@pytest.mark.parametrize('watched', [False, True], ids=['', 'watched'])
@pytest.mark.parametrize('kind', IN_PLACE)
def test_in_place_makes_no_difference(kind, phase, watched):
    """Neither does numpy's looking at the blob that is overwritten; in TEST,
    backward finds nothing recorded."""
    found = []
    for top in ('c', 'y'):
        built = stack(kind, top, phase)
        views = [(b.data, b.diff) for b in built.blobs.values() if watched]
        for seed in (1, 2):
            fill(built, seed)
            caffe.set_random_seed(6)
            found.append(run(built, seed_diff=False))
        assert len(views) == len(built.blobs) * watched
    keys = [name for name in found[0] if name in found[2]]
    for place, elsewhere in zip(found[:2], found[2:]):
        for name in keys:
            if name not in ('c', 'diff c'):
                np.testing.assert_allclose(
                    place[name], elsewhere[name], 1e-5, 1e-6, err_msg=name
                )
        np.testing.assert_allclose(place['c'], elsewhere['y'], 1e-5, 1e-6)
        np.testing.assert_allclose(
            place['diff c'], elsewhere['diff c'], 1e-5, 1e-6
        )
    assert found[0]['grad c[0]'].any()


def test_watching_every_diff_changes_nothing():
    definition = [
        FORCED,
        inputs(x=SHAPE),
        layer('Flatten', 'f', 'x'),
        ip('a', 'f', 4),
        layer('Bias', 'b', 'a', '', 'bias_param { axis: 0 num_axes: -1 }'),
        layer('Reshape', 'r', 'b', '', 'reshape_param { shape { dim: 8 } }'),
        layer('Power', 'loss', 'r', '', 'loss_weight: 2'),
    ]
    found = []
    for watched in (False, True):
        caffe.set_random_seed(5)
        built = net(*definition)
        fill(built)
        views = [b.diff for b in built.blobs.values() if watched]
        built.forward()
        for _ in range(2):
            built.backward_pass(keep=False)
        found.append([item.blob.diff.copy() for item in built.learnable])
        assert (built.blobs['loss'].diff == 2).all(), 'the loss weights stay'
        assert len(views) == 6 * watched
    assert len(found[0]) == 3
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, 1e-6)
        assert a.any()


def test_a_parameters_diff_is_its_own_memory():
    """The gradient of a Bias as large as its bottom is the top's diff."""
    built = net(
        FORCED,
        inputs(x=(2, 3)),
        layer('Bias', 'b', 'x', '', 'bias_param { axis: 0 num_axes: -1 }'),
    )
    built.forward()
    built.blobs['b'].diff[...] = 3
    for passes in (1, 2, 3):
        built.backward()
        assert (built.params['b'][0].diff == 3 * passes).all()
        assert (built.blobs['b'].diff == 3).all()
        assert (built.blobs['x'].diff == 3).all()


# backward without a recording ------------------------------------------------


def test_a_test_net_runs_backward_like_a_train_net():
    definition = [
        inputs(x=SHAPE, label=(2,)),
        conv('c', 'x', 4, 3),
        layer('Pooling', 'p', 'c', '', 'pooling_param { kernel_size: 2 }'),
        layer('LRN', 'n', 'p'),
        ip('out', 'n', 6),
        layer('SoftmaxWithLoss', 'loss', 'out label'),
    ]
    found = []
    for phase in (caffe.TRAIN, caffe.TEST):
        caffe.set_random_seed(5)
        built = net(*definition, phase=phase)
        fill(built)
        built.blobs['label'].data[...] = [5, 0]
        found.append(run(built, seed_diff=False))
    assert_same(*found)


def test_backward_follows_weights_that_torch_changed():
    """Where autograd would refuse: its recording is older than the weights."""
    built = net(FORCED, inputs(x=(2, 3)), ip('y', 'x', 4))
    fill(built)
    built.forward()
    built.params['y'][0].tensor.mul_(2)
    built.blobs['y'].diff[...] = 1
    built.backward()
    expected = np.ones((2, 4)) @ built.params['y'][0].data
    np.testing.assert_allclose(built.blobs['x'].diff, expected, 1e-5)


@pytest.mark.parametrize('top', ['c', 'y'])
def test_nothing_between_the_passes_makes_a_layer_run_again(top):
    """Neither a ReLU over its top nor a look at its blobs."""
    built = net(
        FORCED,
        inputs(x=(2, 3, 40, 30)),
        conv('c', 'x', 4, 3),
        layer('BatchNorm', 'bn', 'c', top),
        layer('ReLU', 'r', top, top),
    )
    fill(built)
    built.forward()
    assert all(blob.data is not None for blob in built.blobs.values())
    built.backward()
    assert built.params['bn'][2].data == 1, 'one pass in the statistics'


# memory formats --------------------------------------------------------------


def test_memory_formats_make_no_difference_to_a_net():
    definition = [
        FORCED,
        inputs(x=(2, 3, 26, 22)),
        conv('c', 'x', 4, 3),
        layer('ReLU', 'r', 'c', 'c'),
        layer('Pooling', 'p', 'c', '', 'pooling_param { kernel_size: 2 }'),
        ip('y', 'p', 5),
    ]
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        caffe.set_random_seed(5)
        built = net(*definition)
        fill(built)
        x = built.blobs['x'].tensor
        built.blobs['x'].tensor = x.contiguous(memory_format=layout)
        found.append(run(built))
    assert_same(*found, 1e-4)
