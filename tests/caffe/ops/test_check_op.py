"""check_op itself: it must notice what it is there to notice."""

import numpy as np
import pytest
from check_op import check_op


def test_a_wrong_value_is_noticed():
    with pytest.raises(AssertionError, match='top'):
        check_op('Sigmoid', '', [(2, 3)], np.tanh)


def test_a_wrong_shape_is_noticed():
    with pytest.raises(AssertionError, match='top_shapes'):
        check_op('Sigmoid', '', [(2, 3)], lambda x: x[:1])


def test_a_wrong_gradient_is_noticed(monkeypatch):
    from caffe.ops.neuron import Sigmoid

    monkeypatch.setattr(
        Sigmoid, 'backward', lambda self, diffs, *rest: ([diffs[0]], [])
    )
    with pytest.raises(AssertionError, match='gradient of input 0'):
        check_op('Sigmoid', '', [(2, 3)], lambda x: 1 / (1 + np.exp(-x)))
