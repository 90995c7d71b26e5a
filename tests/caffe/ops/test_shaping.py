import numpy as np
import pytest
import torch
from check_op import check_op, make_op, random_arrays, tensors

SHAPE = (2, 6, 4, 5)


@pytest.mark.parametrize(
    'text, axis, others',
    [
        ('', 1, [(2, 3, 4, 5), (2, 2, 4, 5)]),
        ('axis: 2', 2, [(2, 6, 1, 5)]),
        ('axis: -1', 3, [(2, 6, 4, 3)]),
        ('concat_dim: 0', 0, [(1, 6, 4, 5)]),
    ],
)
def test_concat_puts_bottoms_one_behind_the_other(text, axis, others):
    check_op(
        'Concat',
        f'concat_param {{ {text} }}',
        [SHAPE, *others],
        lambda *x: np.concatenate(x, axis),
    )


def test_concat_refuses_what_does_not_fit():
    op = make_op('Concat', '', [SHAPE, SHAPE])
    for other in [(2, 6, 4), (2, 6, 5, 5), (1, 6, 4, 5)]:
        with pytest.raises(
            RuntimeError,
            match='All inputs must have the '
            r'same shape, except at concat_axis \(1\)',
        ):
            op.top_shapes([SHAPE, other])
    with pytest.raises(
        RuntimeError,
        match='Either axis or concat_dim should be specified; not both.',
    ):
        make_op('Concat', 'concat_param { axis: 1 concat_dim: 1 }', [SHAPE])


@pytest.mark.parametrize(
    'text, tops, cut',
    [
        ('slice_point: 1 slice_point: 4', 3, ([1, 4], 1)),
        ('', 3, (3, 1)),
        ('axis: -1 slice_point: 2', 2, ([2], 3)),
        ('slice_dim: 2', 2, (2, 2)),
    ],
)
def test_slice_cuts_where_it_is_told(text, tops, cut):
    check_op(
        'Slice',
        f'slice_param {{ {text} }}',
        [SHAPE],
        tops=tops,
        oracle=lambda x: np.split(x, *cut),
    )


@pytest.mark.parametrize(
    'text, message',
    [
        (
            'slice_point: 1 slice_point: 2',
            '2 tops need 1 slice points, 2 given',
        ),
        ('axis: 1 slice_dim: 1', 'Either axis or slice_dim'),
        ('axis: 3', '5 at axis 3 of 2 6 4 5 .* into 2 equal slices'),
        ('slice_point: 6', r'slice points \[6\] lie outside axis 1'),
        ('slice_point: 0', r'slice points \[0\] lie outside axis 1'),
    ],
)
def test_slice_refuses_what_does_not_fit(text, message):
    with pytest.raises(RuntimeError, match=message):
        make_op('Slice', f'slice_param {{ {text} }}', [SHAPE], 2).top_shapes(
            [SHAPE]
        )


def test_slice_points_must_increase():
    with pytest.raises(RuntimeError, match=r'\[3, 3\] must increase'):
        make_op(
            'Slice', 'slice_param { slice_point: 3 slice_point: 3 }', [SHAPE], 3
        )


@pytest.mark.parametrize('tops', [1, 2, 4])
def test_split_copies_and_adds_up_gradients(tops):
    check_op('Split', '', [SHAPE], lambda x: [x] * tops, tops=tops)


def test_what_caffe_shares_is_shared():
    x = torch.zeros(SHAPE)
    for kind, tops in [
        ('Split', 2),
        ('Concat', 1),
        ('Slice', 1),
        ('Flatten', 1),
        ('Reshape', 1),
    ]:
        op = make_op(
            kind,
            'reshape_param { shape { dim: 0 dim: -1 } }'
            if kind == 'Reshape'
            else '',
            [SHAPE],
            tops,
        )
        for top in op.forward([x], []):
            assert top.data_ptr() == x.data_ptr(), kind
        assert not op.overwritable, kind


@pytest.mark.parametrize(
    'text, want',
    [
        ('shape { dim: 0 dim: -1 dim: 5 }', (2, 24, 5)),
        ('shape { dim: 12 dim: 20 }', (12, 20)),
        ('axis: 1 num_axes: 2 shape { dim: 3 dim: 8 }', (2, 3, 8, 5)),
        ('axis: -2 shape { dim: -1 }', (2, 6, 4, 5)),
        ('axis: -1 num_axes: 0 shape { dim: 1 dim: 1 }', (2, 6, 4, 5, 1, 1)),
        ('axis: 1 num_axes: 0 shape { dim: 1 }', (2, 1, 6, 4, 5)),
        ('axis: 1 shape { dim: 0 dim: -1 }', (2, 6, 20)),
        ('axis: 1 num_axes: 1 shape { dim: 2 dim: 0 dim: -1 }', None),
        ('axis: 2 num_axes: 1 shape { dim: 2 dim: 2 }', (2, 6, 2, 2, 5)),
    ],
)
def test_reshape_works_out_the_shape(text, want):
    if want is None:  # 0 copies axis 2, which stays as well
        want, text = (2, 2, 4, -1), text
        with pytest.raises(
            RuntimeError, match='output count must match input count'
        ):
            make_op(
                'Reshape', f'reshape_param {{ {text} }}', [SHAPE]
            ).top_shapes([SHAPE])
        return
    check_op(
        'Reshape',
        f'reshape_param {{ {text} }}',
        [SHAPE],
        lambda x: x.reshape(want),
        keeps_format=False,
    )


@pytest.mark.parametrize(
    'text, message',
    [
        ('shape { dim: 7 dim: -1 }', r'2 6 4 5 \(240\) cannot become 7 -1'),
        ('shape { dim: 7 }', 'output count must match input count'),
        ('shape { dim: -1 dim: -1 }', 'one may be -1'),
        ('shape { dim: -2 }', 'must not be negative'),
        ('axis: 5 shape { dim: 1 }', 'reshape axis 5 is out of range'),
        ('axis: -6 shape { dim: 1 }', 'reshape axis -6 is out of range'),
        ('axis: 3 num_axes: 2 shape { dim: 1 }', 'num_axes 2 from axis 3'),
        ('num_axes: -2 shape { dim: 1 }', 'num_axes -2'),
        ('axis: 4 shape { dim: 0 }', 'has no axis 4 to copy'),
    ],
)
def test_reshape_refuses_what_does_not_fit(text, message):
    with pytest.raises(RuntimeError, match=message):
        make_op('Reshape', f'reshape_param {{ {text} }}', [SHAPE]).top_shapes(
            [SHAPE]
        )


@pytest.mark.parametrize(
    'text, want',
    [
        ('', (2, 120)),
        ('axis: 0 end_axis: 1', (12, 4, 5)),
        ('axis: -3 end_axis: -2', (2, 24, 5)),
        ('axis: 2 end_axis: 2', SHAPE),
    ],
)
def test_flatten_merges_axes(text, want):
    check_op(
        'Flatten',
        f'flatten_param {{ {text} }}',
        [SHAPE],
        lambda x: x.reshape(want),
    )


def test_flatten_refuses_axes_in_the_wrong_order():
    op = make_op('Flatten', 'flatten_param { axis: 2 end_axis: 1 }', [SHAPE])
    with pytest.raises(RuntimeError, match='axis 2 comes after end_axis 1'):
        op.top_shapes([SHAPE])


@pytest.mark.parametrize('kind', ['Split', 'Reshape', 'Flatten', 'Concat'])
def test_layers_that_share_memory_refuse_to_work_in_place(kind):
    from caffe.ops import OPS

    assert OPS[kind].in_place == (
        f'{kind} Layer does not allow in-place computation.'
    )


def test_silence_has_no_tops_and_gives_zero_gradients():
    op = make_op('Silence', '', [SHAPE, (3,)], tops=0)
    x = tensors(random_arrays([SHAPE, (3,)]))
    assert op.top_shapes([SHAPE, (3,)]) == [] and op.forward(x, []) == []
    (dx, none), _ = op.backward([], [], x, [], [True, False], [])
    assert dx.shape == SHAPE and not dx.any() and none is None
