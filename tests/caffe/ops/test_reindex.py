"""Tile, Embed, BatchReindex, Filter."""

import numpy as np
import oracles_more
import pytest
import torch
from check_op import check_op, differentiate, make_op, random_arrays, tensors

SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize('axis, tiles', [(None, 2), (0, 3), (-1, 4), (2, 1)])
def test_tile_is_what_the_loops_say(axis, tiles):
    text = '' if axis is None else f'axis: {axis}'
    axis = 1 if axis is None else axis % 4
    check_op(
        'Tile',
        f'tile_param {{ tiles: {tiles} {text} }}',
        [SHAPE],
        lambda x: oracles_more.tile(x, axis, tiles),
    )


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'Number of tiles must be specified'),
        ('tiles: 0', r'Number of tiles must be positive. \(0 vs. 0\)'),
        ('tiles: 2 axis: 5', 'axis 5 out of range'),
    ],
)
def test_tile_refuses_parameters_that_make_no_sense(text, message):
    with pytest.raises(RuntimeError, match=message):
        make_op('Tile', f'tile_param {{ {text} }}', [SHAPE])


INDICES = np.array([[0, 3, 3], [5, 1, 3]])


@pytest.mark.parametrize('bias', [True, False])
def test_embed_looks_rows_up_and_adds_a_bias_unless_told_not_to(bias):
    text = '' if bias else 'bias_term: false'
    op = check_op(
        'Embed',
        f'embed_param {{ num_output: 4 input_dim: 6 {text} }}',
        [INDICES.shape],
        oracles_more.embed,
        inputs={0: INDICES},
    )
    shapes = [(6, 4), (4,)]
    assert [blob.shape for blob in op.blobs] == shapes[: 1 + bias]
    assert not op.blobs[0].data.any(), 'the default filler is constant 0'


@pytest.mark.parametrize('index', [6, -1, float('nan')])
def test_embed_refuses_an_index_without_a_row(index):
    op = make_op('Embed', 'embed_param { num_output: 4 input_dim: 6 }', [(2,)])
    x = torch.tensor([0.0, index])
    with pytest.raises(RuntimeError, match=r'is none of the 6 rows .* 0\.\.5'):
        op.forward([x], [torch.zeros(6, 4), torch.zeros(4)])


def test_embed_refuses_no_output_no_input_and_a_gradient_for_its_indices():
    with pytest.raises(RuntimeError, match='num_output must be positive'):
        make_op('Embed', 'embed_param { input_dim: 6 }', [(2,)])
    with pytest.raises(RuntimeError, match='input_dim must be positive'):
        make_op('Embed', 'embed_param { num_output: 6 }', [(2,)])
    op = make_op('Embed', 'embed_param { num_output: 4 input_dim: 6 }', [(2,)])
    with pytest.raises(
        RuntimeError, match="^Can't backpropagate to EmbedLayer input.$"
    ):
        op.backward([], [], [], [], [True], [])


ORDER = np.array([2, 0, 0, 1, 2, 0])


@pytest.mark.parametrize('shape', [(3, 2, 4, 5), (3,), (3, 2)])
def test_batch_reindex_is_what_the_loops_say_and_adds_gradients_up(shape):
    check_op(
        'BatchReindex',
        '',
        [shape, ORDER.shape],
        oracles_more.batch_reindex,
        inputs={1: ORDER},
        keeps_format=False,
    )


def test_an_item_that_nobody_takes_gets_no_gradient():
    op = make_op('BatchReindex', '', [(3, 2), (2,)])
    x, dy = tensors(random_arrays([(3, 2), (2, 2)]))
    order = torch.tensor([2.0, 2.0]).double()
    _, (dx, _), _ = differentiate(op, [x, order], [], [dy], [0])
    assert torch.equal(dx, torch.stack([dy[0] * 0, dy[0] * 0, dy[0] + dy[1]]))


def test_reindexing_to_nothing_is_allowed():
    op = make_op('BatchReindex', '', [(3, 2), (0,)])
    assert op.top_shapes([(3, 2), (0,)]) == [(0, 2)]
    (y,) = op.forward([torch.ones(3, 2), torch.ones(0)], [])
    assert y.shape == (0, 2)
    dx, _ = op.backward(
        [y], [y], [torch.ones(3, 2), torch.ones(0)], [], [True, False], []
    )[0]
    assert torch.equal(dx, torch.zeros(3, 2))


@pytest.mark.parametrize(
    'index, message',
    [
        (-1, r'Index specified for reindex layer was negative. \(-1 vs. 0\)'),
        (3, r'layer was greater than batch size. \(3 vs. 3\)'),
    ],
)
def test_batch_reindex_refuses_an_index_without_an_item(index, message):
    op = make_op('BatchReindex', '', [(3, 2), (2,)])
    with pytest.raises(RuntimeError, match=message):
        op.forward([torch.ones(3, 2), torch.tensor([0.0, index])], [])


def test_batch_reindex_refuses_odd_indices_and_a_gradient_for_them():
    op = make_op('BatchReindex', '', [(3, 2), (2,)])
    with pytest.raises(RuntimeError, match=r'1 axis, not 2 1 \(2\)'):
        op.top_shapes([(3, 2), (2, 1)])
    with pytest.raises(RuntimeError, match='bottom 0 is a scalar'):
        op.top_shapes([(), (2,)])
    with pytest.raises(RuntimeError, match='^Cannot backprop to index.$'):
        op.backward([], [], [], [], [True, True], [])


@pytest.mark.parametrize(
    'selector', [[0, 1, 0, -2, 0.5], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]]
)
@pytest.mark.parametrize('shape', [(5,), (5, 1, 1, 1)])
def test_filter_keeps_the_items_whose_selector_is_not_zero(selector, shape):
    x, y = random_arrays([(5, 2, 3, 4), (5, 3)])
    chosen = np.array(selector, float).reshape(shape)
    op = make_op('Filter', '', [x.shape, y.shape, shape], tops=2)
    bottoms = tensors([x, y, chosen])
    want = [oracles_more.filtered(v, chosen) for v in (x, y)]
    diffs = random_arrays([v.shape for v in want])
    found, (dx, dy, none), _ = differentiate(
        op, bottoms, [], tensors(diffs), [0, 1]
    )
    for got, expected in zip(found, want):
        assert np.array_equal(got, expected)
    assert none is None
    for got, diff in zip((dx, dy), diffs):
        rows = iter(diff)
        for row, keep in zip(got.numpy(), selector):
            assert np.array_equal(row, next(rows) if keep else row * 0)


def test_filter_may_leave_nothing():
    op = make_op('Filter', '', [(3, 2), (3,)])
    x, selector = torch.ones(3, 2), torch.zeros(3)
    (y,) = op.forward([x, selector], [])
    assert y.shape == (0, 2)
    (dx, _), _ = op.backward([y], [y], [x, selector], [], [True, False], [])
    assert torch.equal(dx, torch.zeros(3, 2))


def test_filter_makes_room_for_all_when_the_net_is_built():
    op = make_op('Filter', '', [(3, 2), (3, 4, 5), (3, 1)], tops=2)
    shapes = [(3, 2), (3, 4, 5), (3, 1)]
    assert op.top_shapes(shapes) == [(3, 2), (3, 4, 5)]


@pytest.mark.parametrize(
    'shapes, message',
    [
        ([(3, 2), (3, 2)], 'Selector blob dimensions must be singletons'),
        ([(3, 2), (4,)], r'same 0th dimension .* \(3 2 \(6\) vs. 4 \(4\)\)'),
        ([(3, 2), ()], 'same 0th dimension'),
        ([(3, 2), (3, 2), (3,)], '3 bottoms, 1 tops'),
    ],
)
def test_filter_refuses_bottoms_that_do_not_fit(shapes, message):
    op = make_op('Filter', '', shapes)
    with pytest.raises(RuntimeError, match=message):
        op.top_shapes(shapes)


def test_filter_refuses_a_gradient_for_its_selector():
    op = make_op('Filter', '', [(3, 2), (3,)])
    with pytest.raises(
        RuntimeError,
        match='^FilterLayer cannot backpropagate to filter index inputs$',
    ):
        op.backward([], [], [None, None], [], [True, True], [])
