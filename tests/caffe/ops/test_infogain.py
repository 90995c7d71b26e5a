"""InfogainLoss: its matrix from a file or a bottom, class weights, gradients
that weigh rows of any sum."""

import numpy as np
import oracles_more
import pytest
import torch
from check_op import check_op, make_op, random_arrays, tensors

from caffe.proto import caffe_pb2 as pb

SHAPE, LABEL = (2, 3, 4, 5), (2, 1, 4, 5)


def matrix():
    """No row sums to 1."""
    return np.random.default_rng(3).uniform(0.1, 2, (3, 3))


def labels(shape=LABEL, classes=3):
    return np.random.default_rng(7).integers(classes, size=shape)


def write(path, values, legacy=False):
    blob = pb.BlobProto(data=values.ravel())
    if legacy:
        blob.num, blob.channels, blob.height, blob.width = 1, 1, *values.shape
    else:
        blob.shape.dim.extend(values.shape)
    path.write_bytes(blob.SerializeToString())
    return f'infogain_loss_param {{ source: "{path}" }}'


@pytest.mark.parametrize('mode', ['VALID', 'FULL', 'BATCH_SIZE', 'NONE'])
@pytest.mark.parametrize('ignore', [None, 1])
def test_infogain_loss_is_what_the_loops_say(mode, ignore):
    text = f'normalization: {mode}'
    text += '' if ignore is None else f' ignore_label: {ignore}'
    check_op(
        'InfogainLoss',
        f'loss_param {{ {text} }}',
        [SHAPE, LABEL, (1, 1, 3, 3)],
        lambda x, label, h: oracles_more.infogain(
            x, label, h, ignore=ignore, mode=mode
        )[0],
        inputs={1: labels(), 2: matrix().reshape(1, 1, 3, 3)},
    )


def test_the_default_normalization_counts_the_labels_that_are_not_ignored():
    op = make_op(
        'InfogainLoss',
        'loss_param { ignore_label: 1 }',
        [SHAPE, LABEL, (3, 3)],
    )
    x, h = random_arrays([SHAPE])[0], matrix()
    (loss,) = op.forward(tensors([x, labels().astype(float), h]), [])
    want = oracles_more.infogain(x, labels(), h, ignore=1, mode='VALID')[0]
    assert loss.item() == pytest.approx(want)


def test_a_second_top_holds_the_probabilities():
    op = make_op('InfogainLoss', '', [SHAPE, LABEL, (3, 3)], tops=2)
    x, h = random_arrays([SHAPE])[0], matrix()
    assert op.top_shapes([SHAPE, LABEL, (3, 3)]) == [(), SHAPE]
    loss, prob = op.forward(tensors([x, labels().astype(float), h]), [])
    want = oracles_more.infogain(x, labels(), h)
    assert loss.item() == pytest.approx(want[0])
    np.testing.assert_allclose(prob, want[1])


@pytest.mark.parametrize('legacy', [False, True])
def test_the_matrix_may_come_from_a_file(tmp_path, legacy):
    h = np.float64(np.float32(matrix()))  # a file holds float32
    check_op(
        'InfogainLoss',
        write(tmp_path / 'h.binaryproto', h, legacy),
        [SHAPE, LABEL],
        lambda x, label: oracles_more.infogain(x, label, h)[0],
        inputs={1: labels()},
    )


def test_classes_may_lie_along_another_axis():
    shape = (2, 4, 3)
    check_op(
        'InfogainLoss',
        'infogain_loss_param { axis: -1 } softmax_param { axis: 2 }',
        [shape, (2, 4), (3, 3)],
        lambda x, label, h: oracles_more.infogain(x, label, h, axis=2)[0],
        inputs={1: labels((2, 4)), 2: matrix()},
    )


def test_with_a_diagonal_matrix_it_is_a_softmax_loss_with_class_weights():
    x, label = random_arrays([SHAPE])[0], labels()
    weights = torch.tensor([0.5, 1.0, 3.0]).double()
    op = make_op(
        'InfogainLoss',
        'loss_param { normalization: NONE }',
        [SHAPE, LABEL, (3, 3)],
    )
    bottoms = [*tensors([x, label.astype(float)]), torch.diag(weights)]
    want = torch.nn.functional.cross_entropy(
        bottoms[0],
        bottoms[1][:, 0].long(),
        weight=weights,
        reduction='sum',
    )
    torch.testing.assert_close(op.forward(bottoms, [])[0], want)


def test_a_hopeless_probability_costs_what_1e_20_costs_and_still_learns():
    op = make_op('InfogainLoss', '', [(1, 2), (1,), (2, 2)])
    bottoms = tensors([[[0.0, 900.0]], [0.0], [[1.0, 0.0], [0.0, 1.0]]])
    (loss,) = op.forward(bottoms, [])
    assert loss.item() == pytest.approx(-np.log(1e-20))
    one = torch.tensor(1.0).double()
    (dx, _, _), _ = op.backward([one], [loss], bottoms, [], [True] * 3, [])
    assert dx.tolist() == [[-1, 1]]


def test_labels_and_the_matrix_get_no_gradient():
    assert make_op('InfogainLoss', '', [SHAPE, LABEL, (3, 3)]).fixed == (1, 2)


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'Infogain matrix source must be specified.'),
        ('infogain_loss_param { source: "gone" }', r'File not found: gone \('),
        ('loss_param { normalize: true }', 'normalize is deprecated'),
        ('infogain_loss_param { axis: 2 }', 'classes at axis 2, softmax_param'),
    ],
)
def test_parameters_that_make_no_sense_are_refused(text, message):
    with pytest.raises(RuntimeError, match=message):
        make_op('InfogainLoss', text, [SHAPE, LABEL])


def test_a_source_that_is_no_blob_is_refused(tmp_path):
    path = tmp_path / 'h'
    text = f'infogain_loss_param {{ source: "{path}" }}'
    for junk in (b'', b'\xff' * 20):
        path.write_bytes(junk)
        with pytest.raises(RuntimeError, match='Failed to parse BlobProto f'):
            make_op('InfogainLoss', text, [SHAPE, LABEL])


def test_shapes_that_do_not_fit_are_refused():
    shapes = [SHAPE, LABEL, (3, 3)]
    op = make_op('InfogainLoss', '', shapes)
    with pytest.raises(RuntimeError, match='takes 3 rows of 3'):
        op.top_shapes([SHAPE, LABEL, (3, 4)])
    with pytest.raises(RuntimeError, match='Number of labels must match'):
        op.top_shapes([SHAPE, (2, 3, 4, 5), (3, 3)])
    x, h = random_arrays([SHAPE])[0], matrix()
    with pytest.raises(RuntimeError, match='label 3 at 40 of 40 pixels'):
        op.forward(tensors([x, np.full(LABEL, 3.0), h]), [])
