import numpy as np
import oracles
import pytest
import torch
from check_op import check_op, forward, make_op, random_arrays, tensors

SHAPE = (2, 3, 7, 5)


def pooling(text):
    return f'pooling_param {{ {text} }}'


@pytest.mark.parametrize('shape', [(2, 3, 7, 5), (1, 2, 5, 8), (2, 3, 4, 8)])
@pytest.mark.parametrize(
    'text, kernel, stride, pad',
    [
        ('kernel_size: 2 stride: 2', (2, 2), (2, 2), (0, 0)),
        ('kernel_size: 3 stride: 2', (3, 3), (2, 2), (0, 0)),
        ('kernel_size: 3 stride: 2 pad: 1', (3, 3), (2, 2), (1, 1)),
        (
            'kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 1',
            (3, 2),
            (2, 1),
            (0, 1),
        ),
        ('kernel_size: 3 pad: 2 stride: 2', (3, 3), (2, 2), (2, 2)),
        ('kernel_size: 2 stride: 3', (2, 2), (3, 3), (0, 0)),
        ('kernel_size: 2 stride: 3 pad: 1', (2, 2), (3, 3), (1, 1)),
    ],
)
@pytest.mark.parametrize('up', [True, False], ids=['CEIL', 'FLOOR'])
def test_pooling_is_what_the_loops_say(shape, text, kernel, stride, pad, up):
    text += '' if up else ' round_mode: FLOOR'
    check_op(
        'Pooling',
        pooling(text),
        [shape],
        tops=2,
        oracle=lambda x: oracles.max_pool(x, kernel, stride, pad, up),
    )
    check_op(
        'Pooling',
        pooling(text + ' pool: AVE'),
        [shape],
        oracle=lambda x: oracles.ave_pool(x, kernel, stride, pad, up),
    )


def test_global_pooling_takes_the_whole_plane_of_any_size():
    op = check_op(
        'Pooling',
        pooling('global_pooling: true'),
        [SHAPE],
        lambda x: oracles.max_pool(x, (7, 5))[0],
    )
    assert op.top_shapes([(1, 3, 4, 9)]) == [(1, 3, 1, 1)]
    check_op(
        'Pooling',
        pooling('global_pooling: true pool: AVE'),
        [SHAPE],
        lambda x: oracles.ave_pool(x, (7, 5)),
    )


def test_sizes_follow_caffes_formula_for_all_small_windows():
    for k in range(1, 5):
        for s in range(1, 4):
            for p in range(k):
                op = make_op(
                    'Pooling',
                    pooling(f'kernel_size: {k} stride: {s} pad: {p}'),
                    [SHAPE],
                )
                for size in range(k, 14):
                    want = oracles.pool_size(size, k, s, p, p > 0)
                    ((*_, high, wide),) = op.top_shapes([(1, 2, size, k)])
                    assert high == want, (k, s, p, size)
                    assert wide == oracles.pool_size(k, k, s, p, p > 0)


def test_padding_one_axis_clips_the_other():
    # Height 5 is unpadded: its last window would begin at 6, past the edge.
    text = 'kernel_h: 1 kernel_w: 3 stride_h: 3 stride_w: 1 pad_h: 0 pad_w: '
    padded = make_op('Pooling', pooling(text + '1'), [SHAPE])
    assert padded.top_shapes([(1, 1, 5, 4)]) == [(1, 1, 2, 4)]
    bare = make_op('Pooling', pooling(text + '0'), [SHAPE])
    assert bare.top_shapes([(1, 1, 5, 4)]) == [(1, 1, 3, 2)]


def test_a_window_past_the_edge_is_empty():
    text = 'kernel_h: 2 kernel_w: 1 stride_h: 5 stride_w: 1'
    x = torch.tensor([0.0, 1, 2, 3, 4, 9, 0, 1]).view(1, 1, 8, 1)
    op = make_op('Pooling', pooling(text), [x.shape], tops=2)
    assert op.top_shapes([x.shape]) == [(1, 1, 3, 1)] * 2, 'from 0, 5 and 10'
    y, mask = op.forward([x], [])
    assert y.flatten().tolist()[:2] == [1, 9]
    assert y[0, 0, 2, 0] == np.float32(-3.4028235e38), 'Caffe: -FLT_MAX'
    assert mask.flatten().tolist() == [1, 5, -1]


def test_an_average_over_nothing_is_nan():
    text = 'kernel_h: 1 kernel_w: 1 stride_h: 3 stride_w: 1 pool: AVE'
    op = make_op('Pooling', pooling(text), [(1, 1, 6, 1)])
    (y,) = op.forward([torch.ones(1, 1, 6, 1)], [])
    assert torch.equal(y.flatten().isnan(), torch.tensor([False, False, True]))


@pytest.mark.parametrize(
    'layout', [torch.contiguous_format, torch.channels_last]
)
def test_of_equal_values_the_first_in_the_window_is_the_maximum(layout):
    x = torch.zeros(1, 4, 5, 5).contiguous(memory_format=layout)
    op = make_op('Pooling', pooling('kernel_size: 3 stride: 2'), [x.shape], 2)
    _, mask = op.forward([x], [])
    assert mask[0, 0].tolist() == [[0, 2], [10, 12]]
    assert torch.equal(mask[0, 0], mask[0, 3])


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'give kernel_size'),
        ('kernel_size: 2 kernel_h: 2 kernel_w: 2', 'give kernel_size'),
        ('kernel_h: 2', 'give kernel_size, or both kernel_h and kernel_w'),
        ('kernel_size: 0', 'must not be empty'),
        ('kernel_size: 2 pad: 2', r'pad \(2, 2\) must be smaller'),
        ('kernel_size: 2 pad_h: 1', 'give pad, or both pad_h and pad_w'),
        ('kernel_size: 2 stride: 1 stride_w: 2', 'give stride, or both'),
        ('kernel_size: 2 stride: 0', 'stride must be positive'),
        ('kernel_size: 2 global_pooling: true', 'takes no kernel size'),
        ('global_pooling: true stride: 2', 'pad 0 and stride 1'),
        ('global_pooling: true pad: 1', 'pad 0 and stride 1'),
        ('kernel_size: 2 pool: STOCHASTIC', 'STOCHASTIC pooling is not impl'),
    ],
)
def test_bad_parameters_are_refused(text, message):
    with pytest.raises(RuntimeError, match=message):
        make_op('Pooling', pooling(text), [SHAPE])


def test_a_mask_of_averages_is_refused():
    with pytest.raises(RuntimeError, match='produces at most 1 top blob'):
        make_op('Pooling', pooling('kernel_size: 2 pool: AVE'), [SHAPE], 2)


def test_bad_bottoms_are_refused():
    op = make_op('Pooling', pooling('kernel_size: 3 stride: 2'), [SHAPE])
    with pytest.raises(RuntimeError, match=r'needs 4 axes .*not 2 3 \(6\)'):
        op.top_shapes([(2, 3)])
    with pytest.raises(RuntimeError, match='does not fit into 1 2 1 7'):
        make_op('Pooling', pooling('kernel_size: 9'), [SHAPE]).top_shapes(
            [(1, 2, 1, 7)]
        )


@pytest.mark.parametrize('text', ['', 'pool: AVE'])
def test_the_gradient_does_not_depend_on_how_the_diff_lies_in_memory(text):
    op = make_op('Pooling', pooling('kernel_size: 2 ' + text), [(1, 3, 5, 4)])
    x, dy = tensors(random_arrays([(1, 3, 5, 4), (1, 3, 4, 3)]))
    last = dy.contiguous(memory_format=torch.channels_last)
    odd = last[0][None]
    assert odd.stride() == (3, 1, 9, 3), 'a batch of one may have any stride'
    for layout in (torch.contiguous_format, torch.channels_last):
        leaf = x.contiguous(memory_format=layout).requires_grad_()
        (y,) = op.forward([leaf], [])
        want, *others = (
            torch.autograd.grad(y, leaf, diff, retain_graph=True)[0]
            for diff in (dy, last, odd)
        )
        for got in others:
            assert torch.equal(got, want)
        assert want.is_contiguous(memory_format=layout)


def test_engines_make_no_difference():
    (x,) = random_arrays([SHAPE])
    one, two = (
        forward(make_op('Pooling', pooling(text), [SHAPE]), [x])
        for text in ('kernel_size: 2', 'kernel_size: 2 engine: CUDNN')
    )
    np.testing.assert_array_equal(one, two)
