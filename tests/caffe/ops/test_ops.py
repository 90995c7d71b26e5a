"""The dict of layer types, and what holds for all of them."""

import pytest

from caffe.ops import OPS, layer_type_list, op_class


def test_every_type_has_a_class_of_its_name():
    for kind, op in OPS.items():
        assert op.__name__ == kind and op_class(kind) is op


def test_the_list_of_types_is_sorted_and_has_what_pycaffes_test_looks_for():
    names = layer_type_list()
    assert names == sorted(names)
    assert {'Data', 'Convolution', 'InnerProduct'} <= set(names)


def test_an_unknown_type_is_refused_with_the_known_ones():
    with pytest.raises(
        RuntimeError,
        match=r'^Unknown layer type: Interp '
        r'\(known types: Accuracy, ArgMax, .*, TanH\)$',
    ):
        op_class('Interp')
    with pytest.raises(
        RuntimeError,
        match="^layer 'up': Unknown layer type: "
        r'.*\) Did you mean Deconvolution\?$',
    ):
        op_class('DeConvolution', 'up')


def test_what_takes_no_part_in_place_says_so():
    refusing = {kind for kind, op in OPS.items() if op.in_place != 'yes'}
    assert {'Pooling', 'Split', 'Reshape', 'Flatten', 'Crop'} <= refusing
    assert refusing.isdisjoint(
        {
            'ReLU',
            'Dropout',
            'Sigmoid',
            'TanH',
            'Scale',
            'Power',
            'Bias',
            'BatchNorm',
            'Softmax',
        }
    )
