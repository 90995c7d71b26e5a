import numpy as np
import oracles
import pytest
import torch
from check_op import forward, make_op, random_arrays

SHAPE = (2, 6, 4, 5)


@pytest.mark.parametrize('k', [1, 3])
@pytest.mark.parametrize('axis', [1, -1, 0])
@pytest.mark.parametrize('values', [False, True])
def test_argmax_along_an_axis_is_what_the_loops_say(k, axis, values):
    k = min(k, 2) if axis == 0 else k
    x = np.round(random_arrays([SHAPE])[0])  # full of ties
    op = make_op(
        'ArgMax',
        f'argmax_param {{ axis: {axis} top_k: {k} '
        f'out_max_val: {str(values).lower()} }}',
        [SHAPE],
    )
    want = oracles.argmax(x, k, axis)[values]
    assert op.top_shapes([SHAPE]) == [want.shape]
    for layout in (torch.contiguous_format, torch.channels_last):
        (y,) = op.forward(
            [torch.tensor(x).contiguous(memory_format=layout)], []
        )
        np.testing.assert_array_equal(y, want)


@pytest.mark.parametrize('shape', [(3, 7), (2, 3, 4), SHAPE])
@pytest.mark.parametrize('k', [1, 4])
def test_without_an_axis_the_whole_item_is_searched(shape, k):
    x = np.round(random_arrays([shape])[0])
    index, value = oracles.argmax(x.reshape(len(x), -1), k, 1)
    for text, rows in [('', [index]), ('out_max_val: true', [index, value])]:
        op = make_op('ArgMax', f'argmax_param {{ top_k: {k} {text} }}', [shape])
        (said,) = op.top_shapes([shape])
        assert said == (len(x), len(rows), k, *[1] * (len(shape) - 3))
        (y,) = forward(op, [x])
        np.testing.assert_array_equal(y, np.stack(rows, 1).reshape(said))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(RuntimeError, match='top k must not be less than 1'):
        make_op('ArgMax', 'argmax_param { top_k: 0 }', [SHAPE])
    op = make_op('ArgMax', 'argmax_param { top_k: 7 axis: 1 }', [SHAPE])
    with pytest.raises(RuntimeError, match='top_k 7 is more than the 6'):
        op.top_shapes([SHAPE])
    with pytest.raises(RuntimeError, match='Not Implemented Yet'):
        op.backward([], [], [], [], [True], [])
