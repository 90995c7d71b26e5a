import oracles
import pytest
from check_op import check_op, make_op

SHAPE = (2, 3, 4, 5)
along = oracles.laid_along


@pytest.mark.parametrize(
    'text, axis, shape',
    [
        ('', 1, (3,)),
        ('axis: 0 num_axes: 2', 0, (2, 3)),
        ('axis: 2 num_axes: -1', 2, (4, 5)),
        ('axis: -1', 3, (5,)),
        ('axis: 0 num_axes: 0', 0, ()),
        ('axis: 0 num_axes: -1', 0, SHAPE),
    ],
)
def test_scale_and_bias_lie_along_their_axes(text, axis, shape):
    op = check_op(
        'Scale',
        f'scale_param {{ {text} }}',
        [SHAPE],
        lambda x, s: x * along(s, SHAPE, axis),
    )
    assert [blob.shape for blob in op.blobs] == [shape]
    op = check_op(
        'Scale',
        f'scale_param {{ {text} bias_term: true }}',
        [SHAPE],
        lambda x, s, b: x * along(s, SHAPE, axis) + along(b, SHAPE, axis),
    )
    assert [blob.shape for blob in op.blobs] == [shape, shape]
    op = check_op(
        'Bias',
        f'bias_param {{ {text} }}',
        [SHAPE],
        lambda x, b: x + along(b, SHAPE, axis),
    )
    assert [blob.shape for blob in op.blobs] == [shape]


@pytest.mark.parametrize(
    'axis, shape', [(0, (2,)), (1, (3, 4)), (2, (4, 5)), (0, SHAPE), (1, ())]
)
def test_a_second_bottom_replaces_the_parameter(axis, shape):
    op = check_op(
        'Scale',
        f'scale_param {{ axis: {axis} }}',
        [SHAPE, shape],
        lambda x, s: x * along(s, SHAPE, axis if shape else 0),
    )
    assert op.blobs == []
    op = check_op(
        'Scale',
        f'scale_param {{ axis: {axis} bias_term: true }}',
        [SHAPE, shape],
        lambda x, s, b: (
            x * along(s, SHAPE, axis if shape else 0)
            + along(b, SHAPE, axis if shape else 0)
        ),
    )
    assert [blob.shape for blob in op.blobs] == [shape]
    check_op(
        'Bias',
        f'bias_param {{ axis: {axis} }}',
        [SHAPE, shape],
        lambda x, b: x + along(b, SHAPE, axis if shape else 0),
    )


def test_a_scale_starts_at_one_unless_it_has_a_filler():
    def start(text):
        op = make_op('Scale', f'scale_param {{ {text} }}', [SHAPE])
        return [blob.data.tolist() for blob in op.blobs]

    assert start('bias_term: true') == [[1, 1, 1], [0, 0, 0]]
    assert start('filler { }') == [[0, 0, 0]], 'an empty filler is constant 0'
    assert start('filler { value: 7 }') == [[7, 7, 7]]
    assert start('bias_term: true bias_filler { value: 2 }')[1] == [2, 2, 2]


def test_a_bias_starts_at_zero():
    op = make_op('Bias', '', [SHAPE])
    assert op.blobs[0].data.tolist() == [0, 0, 0]


@pytest.mark.parametrize('kind', ['Scale', 'Bias'])
def test_what_does_not_fit_is_refused(kind):
    field = f'{kind.lower()}_param'
    op = make_op(kind, '', [SHAPE])
    with pytest.raises(RuntimeError, match=r'dimensions 3 \(3\) do not match'):
        op.top_shapes([(2, 4, 4, 5)])
    with pytest.raises(RuntimeError, match='num_axes 3 from axis 2 reaches'):
        make_op(kind, f'{field} {{ axis: 2 num_axes: 3 }}', [SHAPE])
    with pytest.raises(RuntimeError, match='axis 4 out of range for 4-D'):
        make_op(kind, f'{field} {{ axis: 4 }}', [SHAPE])
    op = make_op(kind, '', [SHAPE, (3, 4)])
    with pytest.raises(RuntimeError, match='dimensions 4 3'):
        op.top_shapes([SHAPE, (4, 3)])
