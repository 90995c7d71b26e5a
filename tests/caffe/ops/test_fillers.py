import math

import numpy as np
import oracles
import pytest
import torch
from google.protobuf import text_format

from caffe.fillers import FILLERS, fan, fill
from caffe.proto import caffe_pb2 as pb

SHAPE = (50, 40, 3, 7)


def filled(text, shape=SHAPE):
    tensor = torch.full(shape, math.nan)
    generator = torch.Generator().manual_seed(1337)
    fill(tensor, text_format.Parse(text, pb.FillerParameter()), generator)
    return tensor


def test_an_absent_filler_is_the_constant_zero():
    assert not filled('').any()
    assert filled('value: 3').unique().tolist() == [3]


def test_uniform_fills_its_range():
    values = filled('type: "uniform"')
    assert 0 <= values.min() < 0.001 and 0.999 < values.max() <= 1
    values = filled('type: "uniform" min: -3 max: -1')
    assert abs(values.mean() + 2) < 0.02 and values.max() <= -1


def test_gaussian_has_its_mean_and_deviation():
    values = filled('type: "gaussian" mean: 2 std: 3')
    assert abs(values.mean() - 2) < 0.05 and abs(values.std() - 3) < 0.05


def test_a_sparse_gaussian_keeps_as_many_per_column():
    values = filled('type: "gaussian" sparse: 10')
    assert abs((values != 0).float().mean() - 10 / 50) < 0.01
    assert not filled('type: "gaussian" sparse: 0').any()
    assert filled('type: "gaussian" sparse: 99').all()


def test_positive_unitball_sums_to_one_for_each_index_of_axis_0():
    values = filled('type: "positive_unitball"')
    torch.testing.assert_close(values.flatten(1).sum(1), torch.ones(50))
    assert (values >= 0).all() and values.std() > 0


@pytest.mark.parametrize(
    'norm, n',
    [
        ('', 40 * 21),
        ('variance_norm: FAN_IN', 40 * 21),
        ('variance_norm: FAN_OUT', 50 * 21),
        ('variance_norm: AVERAGE', 45 * 21),
    ],
)
def test_xavier_and_msra_depend_on_the_fan(norm, n):
    values = filled(f'type: "xavier" {norm}')
    reach = math.sqrt(3 / n)
    assert 0.999 * reach < values.abs().max() <= reach
    assert abs(values.std() - math.sqrt(1 / n)) < 0.01 / math.sqrt(n)
    values = filled(f'type: "msra" {norm}')
    assert abs(values.std() - math.sqrt(2 / n)) < 0.02 / math.sqrt(n)


def test_a_vector_is_its_own_fan_out():
    out = pb.FillerParameter(variance_norm=pb.FillerParameter.FAN_OUT)
    assert fan((7,), pb.FillerParameter()) == 1 and fan((7,), out) == 7


@pytest.mark.parametrize('size', [1, 2, 3, 4, 5, 16, 63, 64])
def test_bilinear_fills_every_pair_of_channels(size):
    values = filled('type: "bilinear"', (2, 3, size, size))
    for o, i in np.ndindex(2, 3):
        np.testing.assert_allclose(
            values[o, i], oracles.bilinear_kernel(size), 1e-6, 1e-7
        )


@pytest.mark.parametrize(
    'text, shape, message',
    [
        ('type: "random"', (2,), r'Unknown filler name: random \(known: bilin'),
        (
            'type: "xavier" sparse: 2',
            (2, 3),
            'Sparsity not supported by this Filler.',
        ),
        ('type: "uniform" min: 2 max: 1', (2,), 'min 2 is above max 1'),
        ('type: "gaussian" std: 0', (2,), 'std must be positive, not 0'),
        ('type: "gaussian" sparse: -2', (2,), 'sparse: -2 for shape 2'),
        ('type: "bilinear"', (2, 3, 4, 5), 'square kernel, not 2 3 4 5'),
        ('type: "bilinear"', (4, 4), 'needs 4 axes'),
        ('', (2, 0), r'cannot fill an empty blob, 2 0 \(0\)'),
    ],
)
def test_what_cannot_be_filled_is_refused(text, shape, message):
    with pytest.raises(RuntimeError, match=message):
        filled(text, shape)


@pytest.mark.parametrize('kind', sorted(FILLERS))
def test_a_seed_repeats_the_values(kind):
    one, two = (filled(f'type: "{kind}"', (2, 3, 4, 4)) for _ in range(2))
    assert torch.equal(one, two) and not one.isnan().any()
