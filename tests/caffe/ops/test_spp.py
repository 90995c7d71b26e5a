"""SPP: its bins, their padding, both poolings."""

import oracles_more
import pytest
from check_op import check_op, make_op


@pytest.mark.parametrize('pool', ['MAX', 'AVE'])
@pytest.mark.parametrize('height', [1, 2, 3])
@pytest.mark.parametrize('size', [(7, 9), (8, 4), (12, 7)])
def test_spp_is_what_the_loops_say(pool, height, size):
    check_op(
        'SPP',
        f'spp_param {{ pyramid_height: {height} pool: {pool} }}',
        [(2, 3, *size)],
        lambda x: oracles_more.spp(x, height, pool == 'AVE'),
    )


@pytest.mark.parametrize('size', [(7, 9), (12, 16), (21, 13)])
def test_the_number_of_outputs_does_not_depend_on_the_size(size):
    op = make_op('SPP', 'spp_param { pyramid_height: 3 }', [(2, 3, *size)])
    assert op.top_shapes([(2, 3, *size)]) == [(2, 3 * (1 + 4 + 16))]


def test_a_pyramid_of_height_one_keeps_four_axes():
    op = make_op('SPP', 'spp_param { pyramid_height: 1 }', [(2, 3, 5, 4)])
    assert op.top_shapes([(2, 3, 5, 4)]) == [(2, 3, 1, 1)]


@pytest.mark.parametrize(
    'shape, message',
    [
        ((2, 3, 5), r'Input must have 4 axes.* \(3 given\)'),
        ((2, 3, 0, 5), 'Input dimensions cannot be zero.'),
        # 3 rows in 4 bins of 1: as much padding as kernel
        (
            (2, 3, 3, 8),
            r'pad \(1, 0\) must be smaller than the kernel \(1, 2\)',
        ),
    ],
)
def test_shapes_that_make_no_pyramid_are_refused(shape, message):
    op = make_op('SPP', 'spp_param { pyramid_height: 3 }', [(2, 3, 8, 8)])
    with pytest.raises(RuntimeError, match=message):
        op.top_shapes([shape])


def test_a_pyramid_without_levels_and_stochastic_pooling_are_refused():
    with pytest.raises(RuntimeError, match='pyramid_height must be positive'):
        make_op('SPP', '', [(2, 3, 5, 4)])
    op = make_op(
        'SPP',
        'spp_param { pyramid_height: 1 pool: STOCHASTIC }',
        [(2, 3, 5, 4)],
    )
    with pytest.raises(RuntimeError, match='STOCHASTIC pooling is not impl'):
        op.top_shapes([(2, 3, 5, 4)])
