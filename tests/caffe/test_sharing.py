"""Parameters: owners, those who share them, values in the prototxt."""

import numpy as np
import pytest
from net_text import dims, inputs, ip, net


def refused(message, *definition):
    with pytest.raises(RuntimeError, match=message):
        net(*definition)


def shared(first, second, sizes=(4, 4)):
    """Two InnerProduct layers of 4 inputs that share weight `w`."""
    return [
        inputs(x=(2, 4)),
        ip('a', 'x', sizes[0], first, 'bias_term: false'),
        ip('b', 'x', sizes[1], second, 'bias_term: false'),
    ]


def test_a_repeated_name_is_one_parameter():
    built = net(*shared("param { name: 'w' }", "param { name: 'w' }"))
    a, b = built.params['a'][0], built.params['b'][0]
    b.data[0, 0] = 42
    b.diff[0, 1] = 43
    assert a.data[0, 0] == 42 and a.diff[0, 1] == 43
    assert [item.name for item in built.learnable] == ['a[0]']
    assert built.learnable[0].blob is a


def test_learnable_parameters_come_in_order_of_first_appearance():
    built = net(
        inputs(x=(2, 4)),
        ip('a', 'x', 4, "param { name: 'w' } param { lr_mult: 2 }"),
        ip('b', 'a', 4, "param { name: 'w' } param { decay_mult: 0 }"),
    )
    assert [item[1:] for item in built.learnable] == [
        (1, 1, 'a[0]'),
        (2, 1, 'a[1]'),
        (1, 0, 'b[1]'),
    ]


@pytest.mark.parametrize('field', ['lr_mult', 'decay_mult'])
def test_either_sharer_may_say_the_multiplier(field):
    name = "name: 'w'"
    for one, two in [(f'{field}: 3', ''), ('', f'{field}: 3')]:
        built = net(
            *shared(f'param {{ {name} {one} }}', f'param {{ {name} {two} }}')
        )
        assert getattr(built.learnable[0], field) == 3, (one, two)
    refused(
        f"Shared param 'w' has mismatched {field}.",
        *shared(
            f'param {{ {name} {field}: 3 }}', f'param {{ {name} {field}: 2 }}'
        ),
    )


def test_sharers_must_have_one_shape():
    refused(
        "Cannot share param 'w' owned by layer 'a' with layer 'b'; shape "
        r'mismatch\.  Owner layer param shape is 4 4 \(16\); sharing layer '
        r'expects shape 5 4 \(20\)',
        *shared("param { name: 'w' }", "param { name: 'w' }", (4, 5)),
    )


PERMISSIVE = "param { name: 'w' share_mode: PERMISSIVE }"


def permissive(more=''):
    """Two InnerProduct layers that share 12 numbers: 3 x 4 and 4 x 3."""
    return [
        more,
        inputs(x=(2, 4)),
        ip('a', 'x', 3, "param { name: 'w' }", 'bias_term: false'),
        ip('b', 'a', 4, PERMISSIVE, 'bias_term: false'),
    ]


def test_permissive_sharing_keeps_both_shapes():
    built = net(*permissive('force_backward: true'))
    a, b = built.params['a'][0], built.params['b'][0]
    assert (a.shape, b.shape) == ((3, 4), (4, 3))
    weights = np.arange(12, dtype=np.float32).reshape(4, 3)
    b.data[...] = weights
    assert np.array_equal(a.data, weights.reshape(3, 4))
    x = np.array([[1, 2, 3, 4], [5, 6, 7, 9]], np.float32)
    y = built.forward(x=x)['b']
    middle = x @ a.data.T
    np.testing.assert_array_equal(y, middle @ weights.T)
    built.blobs['b'].diff[...] = 1
    built.backward()
    diff = np.ones((2, 4), np.float32)
    expected = (diff.T @ middle).ravel() + ((diff @ weights).T @ x).ravel()
    np.testing.assert_array_equal(a.diff.ravel(), expected)
    np.testing.assert_array_equal(b.diff.ravel(), expected)


def test_permissive_sharers_must_have_one_count():
    refused(
        r'; count mismatch\.  Owner layer param shape is 4 4 \(16\); sharing '
        r'layer shape is 5 4 \(20\)',
        *shared("param { name: 'w' }", PERMISSIVE, (4, 5)),
    )


def test_more_params_than_blobs_are_refused():
    refused(
        r"Too many params specified for layer 'a' \(3 given, it has 2\)",
        inputs(x=(2, 4)),
        ip('a', 'x', 4, 'param {} ' * 3),
    )


def test_values_in_the_prototxt_replace_the_filler():
    blobs = (
        f'blobs {{ {dims((2, 3))} data: [1, 2, 3, 4, 5, 6] }} '
        f'blobs {{ {dims((2,))} data: [7, 8] }}'
    )
    built = net(inputs(x=(4, 3)), ip('a', 'x', 2, blobs))
    assert built.params['a'][0].data.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert built.params['a'][1].data.tolist() == [7, 8]
    assert not built.nodes[1].op.param.blobs, 'they are not kept twice'
    refused(
        r"layer 'a' \(InnerProduct\): Incorrect weight shape: expected shape "
        r'3 3 \(9\); instead, shape was 2 3 \(6\)',
        inputs(x=(4, 3)),
        ip('a', 'x', 3, blobs),
    )
    refused(
        "layer 'a' .*: Incompatible number of blobs: 1 given, it has 2",
        inputs(x=(4, 3)),
        ip('a', 'x', 2, blobs.split(' blobs')[0]),
    )
