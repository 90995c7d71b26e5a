"""What edited nets do: which weights change, what streams become, what a step
is; on slim nets and noise."""

import numpy as np
import pytest
from variants import edited, learner, slim

import caffe
from ablations.studies import apply
from ablations.studies.optimisation import PIXELS
from ablations.study import AS_PUBLISHED
from ablations.variant import Variant, copied
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text
from surgery.bilinear import upsample_filt


def weights(net):
    return {
        name: [np.array(blob.data) for blob in blobs]
        for name, blobs in net.params.items()
    }


def changed(solver, steps=1):
    """The layers that these steps change."""
    before = weights(solver.net)
    solver.step(steps)
    after = weights(solver.net)
    return {
        name
        for name, arrays in before.items()
        if any((a != b).any() for a, b in zip(arrays, after[name]))
    }


@pytest.mark.parametrize(
    ('name', 'scores'),
    [
        ('voc-fcn32s', {'score_fr'}),
        ('voc-fcn8s', {'score_fr', 'score_pool4', 'score_pool3'}),
        ('voc-fcn-alexnet', {'score_fr'}),
        ('nyud-fcn32s-color-hha', {'score_frcolor', 'score_frhha'}),
    ],
)
def test_frozen_nets_learn_nothing_but_their_scores(name, scores):
    assert changed(learner(edited(name, frozen='trunk')), 2) == scores


def test_decay_leaves_frozen_weights_alone_with_adam_too():
    variant = edited('voc-fcn32s', frozen='trunk')
    variant.solver.type = 'Adam'
    variant.solver.weight_decay = 0.1
    assert changed(learner(variant), 2) == {'score_fr'}


def test_learned_upsampling_begins_bilinear_and_changes():
    solver = learner(edited('voc-fcn16s', upsampling='learned'))
    kernel = solver.net.params['upscore2'][0]
    assert (kernel.data[1, 1] == upsample_filt(4)).all()
    assert {'upscore2', 'upscore16'} <= changed(solver)
    fixed = changed(learner(edited('voc-fcn16s', upsampling='fixed')))
    assert fixed and not {'upscore2', 'upscore16'} & fixed


def test_random_upsampling_is_not_bilinear():
    net = learner(edited('voc-fcn16s', upsampling='random')).net
    for layer, size in (('upscore2', 4), ('upscore16', 32)):
        kernel = net.params[layer][0].data
        assert kernel.all(), 'between classes, too'
        assert not np.allclose(kernel[0, 0], upsample_filt(size), atol=0.01)


def test_depthwise_upsampling_is_bilinear_in_groups_and_learns():
    solver = learner(edited('voc-fcn16s', upsampling='depthwise'))
    kernel = solver.net.params['upscore2'][0]
    assert tuple(kernel.shape) == (21, 1, 4, 4)
    assert (kernel.data == upsample_filt(4)).all()
    assert {'upscore2', 'upscore16'} <= changed(solver)


@pytest.mark.parametrize(
    ('fusion', 'function'), [('sum', np.add), ('max', np.maximum)]
)
def test_streams_become_their_sum_or_maximum(fusion, function):
    solver = learner(edited('voc-fcn8s', fusion=fusion))
    solver.step(1)
    blobs = solver.net.blobs
    for place, coarse in (('pool4', 'upscore2'), ('pool3', 'upscore_pool4')):
        one, other = blobs[coarse].data, blobs[f'score_{place}c'].data
        assert (one > other).any() and (other > one).any()
        assert (blobs[f'fuse_{place}'].data == function(one, other)).all()


def test_without_scales_a_stream_sees_its_features_as_they_are():
    scaled = learner(slim('voc-fcn8s-atonce')).net
    plain = learner(edited('voc-fcn8s-atonce', skip_scale='none')).net
    assert not [name for name in plain.params if 'scale' in name]
    for net in (scaled, plain):
        net.forward()
    for place, factor in (('pool4', 0.01), ('pool3', 0.0001)):
        ours, theirs = (n.blobs[f'score_{place}'].data for n in (plain, scaled))
        assert ours.any()
        np.testing.assert_allclose(ours * factor, theirs, rtol=2e-3, atol=1e-6)


def test_without_dropout_two_passes_agree():
    outputs = {}
    for ratio in ('0.5', '0'):
        net = learner(edited('voc-fcn32s', dropout=ratio)).net
        passes = [np.array(net.forward()['loss']) for _ in range(2)]
        outputs[ratio] = passes[0] == passes[1]
    assert outputs == {'0.5': False, '0': True}


def test_a_dropout_ratio_goes_to_all_layers():
    variant = edited('voc-fcn8s', dropout='0.25')
    ratios = [x.dropout_param.dropout_ratio for x in variant.layers('Dropout')]
    assert ratios == [0.25] * 4  # drop6 and drop7, to train and to test


# optimisation ---------------------------------------------------------------


def rate(name='voc-fcn32s', type='SGD', **values):
    variant = slim(name)
    variant.solver.type = type
    apply(variant, values)
    return float(f'{variant.solver.base_lr:.6g}')


@pytest.mark.parametrize('type', ['SGD', 'Nesterov'])
def test_the_rate_follows_momentum_and_the_mean(type):
    assert rate(type=type) == 1e-10
    assert rate(type=type, momentum='0.9') == 1e-9
    assert rate(type=type, momentum='0') == 1e-8
    assert rate(type=type, batch='20') == 1e-10
    assert rate(type=type, normalised='yes') == 1.875e-5
    assert rate(type=type, normalised='yes', momentum='0.9') == 1.875e-4
    alexnet = rate('voc-fcn-alexnet', type, normalised='no')
    assert alexnet == pytest.approx(1e-4 / PIXELS['voc'], rel=1e-5)


@pytest.mark.parametrize('type', ['Adam', 'AdaDelta'])
def test_rates_that_divide_by_the_gradient_stay(type):
    assert rate(type=type, momentum='0.9', normalised='yes') == 1e-10


def test_a_solver_without_momentum_refuses_it():
    assert rate(type='RMSProp', momentum='0') == 1e-10
    with pytest.raises(
        ValueError, match='voc-fcn32s: momentum=0.9: its solver, RMSProp, has'
    ):
        rate(type='RMSProp', momentum='0.9')


PULLED = """
layer { name: "x" type: "Input" top: "x"
  input_param { shape { dim: 1 dim: 1 } } }
layer { name: "y" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 1 } }
layer { name: "sum" type: "Reduction" bottom: "y" top: "sum" loss_weight: 1 }
"""


@pytest.mark.parametrize('type', ['SGD', 'Nesterov'])
def test_whatever_the_momentum_a_constant_gradient_goes_as_far(type):
    net = text.parse(PULLED, pb.NetParameter(), 'here')
    param = pb.SolverParameter(
        type=type, base_lr=1e-3, lr_policy='fixed', momentum=0.99
    )
    for momentum in ('0.99', '0.9', '0'):
        variant = Variant('here', {'train.prototxt': net}, copied(param))
        apply(variant, {'momentum': momentum})
        variant.solver.train_net_param.CopyFrom(net)
        solver = caffe.get_solver(variant.solver)
        solver.step(700)
        before = float(solver.net.params['y'][1].data[0])
        solver.step(1)
        after = float(solver.net.params['y'][1].data[0])
        assert after - before == pytest.approx(-0.1, rel=2e-3)


def test_a_mean_loss_is_the_sum_divided_by_its_pixels():
    sums = learner(edited('voc-fcn32s', dropout='0')).net
    means = learner(edited('voc-fcn32s', dropout='0', normalised='yes')).net
    pixels = sums.blobs['label'].data.size
    assert sums.forward()['loss'] == pytest.approx(
        means.forward()['loss'] * pixels, rel=1e-5
    )


def test_a_normalization_mode_is_understood():
    variant = slim('voc-fcn32s')
    for layer in variant.layers('SoftmaxWithLoss'):
        layer.loss_param.ClearField('normalize')  # as Caffe: VALID
    assert apply(variant.copy(), {'normalised': 'yes'}).texts() == (
        variant.texts()
    )
    for layer in variant.layers('SoftmaxWithLoss'):
        layer.loss_param.normalization = pb.LossParameter.FULL
    apply(variant, {'normalised': 'no'})
    (loss, _) = variant.layers('SoftmaxWithLoss')
    assert not loss.loss_param.HasField('normalization')
    assert loss.loss_param.HasField('normalize')
    assert not loss.loss_param.normalize
    assert variant.solver.base_lr == pytest.approx(1e-10 / PIXELS['voc'])


def test_losses_of_two_kinds_have_no_common_rate():
    variant = slim('siftflow-fcn32s')
    for layer in variant.layers('SoftmaxWithLoss'):
        layer.loss_param.normalize = 'geo' in layer.name
    with pytest.raises(ValueError, match='siftflow-fcn32s: some of its losses'):
        apply(variant, {'normalised': 'yes'})


def test_pixels_of_an_own_network_are_its_input_s():
    variant = slim('voc-fcn32s')
    variant.network = 'mine'
    apply(variant, {'normalised': 'yes'})
    assert variant.solver.base_lr == pytest.approx(1e-10 * 500 * 500)
    del variant.nets['deploy.prototxt']
    with pytest.raises(ValueError, match='mine: neither its name nor'):
        apply(variant, {'normalised': 'no'})


def test_numbers_as_published_are_left_to_the_network():
    variant = slim('voc-fcn-alexnet')
    names = ('batch', 'momentum', 'normalised', 'dropout')
    after = apply(variant.copy(), dict.fromkeys(names, AS_PUBLISHED))
    assert after.texts() == variant.texts()
