import oracles
import pytest
from check_op import check_op, make_op

SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize('axis', [1, 2, -1, 0])
@pytest.mark.parametrize('transpose', ['false', 'true'])
def test_inner_product_is_what_the_loops_say(axis, transpose):
    check_op(
        'InnerProduct',
        f'inner_product_param {{ num_output: 7 axis: {axis} '
        f'transpose: {transpose} }}',
        [SHAPE],
        lambda x, w, b: oracles.inner_product(
            x, w, b, axis % 4, transpose == 'true'
        ),
        keeps_format=False,
    )


def test_the_bias_can_be_left_out():
    op = check_op(
        'InnerProduct',
        'inner_product_param { num_output: 7 bias_term: false }',
        [(2, 6)],
        oracles.inner_product,
    )
    assert [blob.shape for blob in op.blobs] == [(7, 6)]


def test_blobs_have_caffes_shapes():
    def shapes(text):
        op = make_op(
            'InnerProduct',
            'inner_product_param { num_output: 7 ' + text + '}',
            [SHAPE],
        )
        return [blob.shape for blob in op.blobs]

    assert shapes('') == [(7, 60), (7,)]
    assert shapes('transpose: true') == [(60, 7), (7,)]


def test_the_number_of_inputs_may_not_change():
    op = make_op(
        'InnerProduct', 'inner_product_param { num_output: 7 }', [SHAPE]
    )
    assert op.top_shapes([(9, 60)]) == [(9, 7)]
    with pytest.raises(
        RuntimeError,
        match='Input size incompatible with '
        r'inner product parameters. \(60 vs. 48\)',
    ):
        op.top_shapes([(2, 3, 4, 4)])
