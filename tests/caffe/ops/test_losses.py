import numpy as np
import oracles
import pytest
from check_op import check_op, make_op

SHAPE = (2, 3, 4, 5)


def targets():
    """Probabilities, some of them the label 1 exactly."""
    found = np.random.default_rng(1337).random(SHAPE) * 0.9
    found[found > 0.6] = 1
    return found


@pytest.mark.parametrize(
    'text, mode',
    [
        ('', 'BATCH_SIZE'),
        ('normalize: true', 'VALID'),
        ('normalize: false', 'BATCH_SIZE'),
        ('normalization: FULL', 'FULL'),
        ('normalization: VALID', 'VALID'),
        ('normalization: NONE', 'NONE'),
    ],
)
@pytest.mark.parametrize('ignore', [None, 1])
def test_sigmoid_cross_entropy_is_what_the_loops_say(text, mode, ignore):
    text += '' if ignore is None else f' ignore_label: {ignore}'
    check_op(
        'SigmoidCrossEntropyLoss',
        f'loss_param {{ {text} }}',
        [SHAPE, SHAPE],
        lambda x, t: oracles.sigmoid_loss(x, t, ignore, mode),
        inputs={1: targets()},
    )


def test_the_targets_may_have_another_shape():
    flat = targets().reshape(2, 60)
    check_op(
        'SigmoidCrossEntropyLoss',
        '',
        [SHAPE, (2, 60)],
        oracles.sigmoid_loss,
        inputs={1: flat},
    )
    op = make_op('SigmoidCrossEntropyLoss', '', [SHAPE, SHAPE])
    with pytest.raises(RuntimeError, match='must have the same count'):
        op.top_shapes([SHAPE, (2, 3, 4, 4)])


def test_euclidean_loss_teaches_both_bottoms():
    check_op('EuclideanLoss', '', [SHAPE, (2, 60)], oracles.euclidean)


@pytest.mark.parametrize('kind', ['EuclideanLoss', 'SigmoidCrossEntropyLoss'])
def test_batch_sizes_must_agree(kind):
    with pytest.raises(
        RuntimeError,
        match='The data and label should have the same first dimension.',
    ):
        make_op(kind, '', [SHAPE, SHAPE]).top_shapes([SHAPE, (4, 3, 2, 5)])


def test_euclidean_inputs_must_have_one_size():
    with pytest.raises(RuntimeError, match='Inputs must have the same dimen'):
        make_op('EuclideanLoss', '', [SHAPE, SHAPE]).top_shapes(
            [SHAPE, (2, 3, 4, 4)]
        )


def test_gradients_reach_no_labels_and_no_weights_of_classes():
    from caffe.ops import OPS

    fixed = {kind: op.fixed for kind, op in OPS.items() if op.loss}
    assert fixed == {
        'SoftmaxWithLoss': (1,),
        'ContrastiveLoss': (),
        'HingeLoss': (1,),
        'InfogainLoss': (1, 2),
        'MultinomialLogisticLoss': (1,),
        'EuclideanLoss': (),
        'SigmoidCrossEntropyLoss': (1,),
    }
