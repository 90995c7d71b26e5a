import pytest
import torch
from check_op import check_op, make_op, random_arrays, tensors

SHAPE = (2, 4, 7, 6)


@pytest.mark.parametrize(
    'text, reference, cut',
    [
        (
            '',
            (9, 9, 3, 5),
            (slice(None), slice(None), slice(0, 3), slice(0, 5)),
        ),
        (
            'offset: 1',
            (1, 1, 5, 3),
            (slice(None), slice(None), slice(1, 6), slice(1, 4)),
        ),
        (
            'offset: 3 offset: 0',
            (1, 1, 4, 2),
            (slice(None), slice(None), slice(3, 7), slice(0, 2)),
        ),
        (
            'axis: 1 offset: 1 offset: 2 offset: 0',
            (1, 2, 3, 6),
            (slice(None), slice(1, 3), slice(2, 5), slice(0, 6)),
        ),
        (
            'axis: -1 offset: 2',
            (1, 1, 1, 4),
            (slice(None), slice(None), slice(None), slice(2, 6)),
        ),
        ('axis: 0', (1, 3, 2, 5), (slice(1), slice(3), slice(2), slice(5))),
    ],
)
def test_crop_cuts_from_the_offset_to_the_references_size(text, reference, cut):
    check_op(
        'Crop',
        f'crop_param {{ {text} }}',
        [SHAPE, reference],
        lambda x, r: x[cut],
        learn=[0],
    )


def test_the_reference_gets_no_gradient():
    op = make_op('Crop', '', [SHAPE, (1, 1, 3, 5)])
    x, r = (
        t.requires_grad_()
        for t in tensors(random_arrays([SHAPE, (1, 1, 3, 5)]))
    )
    op.forward([x, r], [])[0].sum().backward()
    assert r.grad is None and x.grad.sum() == 2 * 4 * 3 * 5


def test_the_top_does_not_hold_on_to_the_bottom():
    op = make_op('Crop', '', [SHAPE, (1, 1, 3, 5)])
    (y,) = op.forward([torch.zeros(SHAPE), torch.zeros(1, 1, 3, 5)], [])
    assert y.untyped_storage().nbytes() == 4 * y.numel()


def test_a_window_that_does_not_fit_is_refused():
    op = make_op('Crop', 'crop_param { offset: 3 }', [SHAPE, (1, 1, 3, 3)])
    with pytest.raises(
        RuntimeError,
        match='the crop for dimension 3 is '
        'out-of-bounds with size 4 and offset 3',
    ):
        op.top_shapes([SHAPE, (1, 1, 3, 4)])


def test_offsets_that_fit_no_axes_are_refused():
    with pytest.raises(RuntimeError, match='one for each of the 3 axes'):
        make_op(
            'Crop', 'crop_param { axis: 1 offset: 1 offset: 2 }', [SHAPE, SHAPE]
        )
    with pytest.raises(RuntimeError, match='axis 4 out of range'):
        make_op('Crop', 'crop_param { axis: 4 }', [SHAPE, SHAPE])
