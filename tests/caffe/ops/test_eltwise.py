import numpy as np
import oracles
import pytest
import torch
from check_op import check_op, make_op

SHAPE = (2, 3, 4, 5)


def eltwise(text):
    return f'eltwise_param {{ {text} }}'


@pytest.mark.parametrize('count', [2, 3])
@pytest.mark.parametrize(
    'text, oracle',
    [
        ('', lambda *x: sum(x)),
        ('operation: PROD', lambda *x: np.prod(x, axis=0)),
        (
            'operation: PROD stable_prod_grad: false',
            lambda *x: np.prod(x, axis=0),
        ),
        ('operation: MAX', lambda *x: oracles.eltwise_max(*x)[0]),
    ],
)
def test_eltwise_is_what_the_loops_say(count, text, oracle):
    check_op('Eltwise', eltwise(text), [SHAPE] * count, oracle)


def test_sums_are_weighted():
    check_op(
        'Eltwise',
        eltwise('coeff: 0.5 coeff: -2'),
        [SHAPE] * 2,
        lambda a, b: 0.5 * a - 2 * b,
    )
    check_op(
        'Eltwise',
        eltwise('coeff: 1 coeff: 1 coeff: 3'),
        [SHAPE] * 3,
        lambda a, b, c: a + b + 3 * c,
    )


def test_a_maximum_ignores_coefficients():
    check_op(
        'Eltwise',
        eltwise('operation: MAX coeff: 5 coeff: 7'),
        [SHAPE] * 2,
        np.maximum,
    )


def test_ties_go_to_bottom_one_or_the_earlier():
    for count in (2, 3, 4):
        op = make_op('Eltwise', eltwise('operation: MAX'), [(5,)] * count)
        rng = np.random.default_rng(1337)
        x = [
            torch.tensor(
                rng.integers(0, 3, 5), dtype=torch.float64, requires_grad=True
            )
            for _ in range(count)
        ]
        op.forward(x, [])[0].sum().backward()
        _, winner = oracles.eltwise_max(*(b.detach().numpy() for b in x))
        for i, bottom in enumerate(x):
            assert bottom.grad.tolist() == list(winner == i), (count, i)


def test_the_stable_gradient_of_a_product_survives_a_zero():
    for text, want in [
        ('', [3.0, 0.0]),
        ('stable_prod_grad: false', [np.nan, 0.0]),
    ]:
        op = make_op('Eltwise', eltwise('operation: PROD ' + text), [(1,)] * 2)
        x = [torch.tensor([v], requires_grad=True) for v in (0.0, 3.0)]
        op.forward(x, [])[0].sum().backward()
        np.testing.assert_equal([b.grad.item() for b in x], want)


def test_bad_parameters_are_refused():
    with pytest.raises(
        RuntimeError,
        match='Eltwise layer only takes coefficients for summation.',
    ):
        make_op(
            'Eltwise', eltwise('operation: PROD coeff: 1 coeff: 2'), [SHAPE] * 2
        )
    with pytest.raises(RuntimeError, match='3 coefficients for 2 bottoms'):
        make_op('Eltwise', eltwise('coeff: 1 coeff: 1 coeff: 1'), [SHAPE] * 2)


def test_bottoms_of_different_shapes_are_refused():
    op = make_op('Eltwise', '', [SHAPE] * 2)
    with pytest.raises(
        RuntimeError,
        match=r'bottom\[0\]: 2 3 4 5 \(120\), '
        r'bottom\[1\]: 2 3 5 4 \(120\)',
    ):
        op.top_shapes([SHAPE, (2, 3, 5, 4)])
