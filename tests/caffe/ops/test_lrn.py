import oracles
import pytest
from check_op import check_op, make_op

SHAPE = (2, 7, 3, 4)


@pytest.mark.parametrize(
    'size, alpha, beta, k',
    [(5, 0.5, 0.75, 1), (3, 2, 0.5, 2), (1, 1, 1, 1), (9, 0.25, 0.75, 2)],
)
def test_lrn_across_channels_is_what_the_loops_say(size, alpha, beta, k):
    check_op(
        'LRN',
        f'lrn_param {{ local_size: {size} alpha: {alpha} '
        f'beta: {beta} k: {k} }}',
        [SHAPE],
        lambda x: oracles.lrn_across(x, size, alpha, beta, k),
    )


@pytest.mark.parametrize('size', [1, 3, 5])
def test_lrn_within_a_channel_ignores_k(size):
    check_op(
        'LRN',
        f'lrn_param {{ local_size: {size} alpha: 0.5 '
        'norm_region: WITHIN_CHANNEL k: 7 engine: CAFFE }',
        [SHAPE],
        lambda x: oracles.lrn_within(x, size, 0.5, 0.75),
    )


def test_bad_parameters_are_refused():
    with pytest.raises(
        RuntimeError,
        match='LRN only supports odd values for '
        r'local_size \(4 given\)',
    ):
        make_op('LRN', 'lrn_param { local_size: 4 }', [SHAPE])
    with pytest.raises(RuntimeError, match='needs 4 axes'):
        make_op('LRN', '', [SHAPE]).top_shapes([(2, 7, 3)])
