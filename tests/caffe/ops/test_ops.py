"""The dict of layer types, and what holds for all of them."""

import pytest

from caffe.ops import OPS, REFUSED, layer_type_list, op_class


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
        r'\(known types: AbsVal, Accuracy, .*, Tile\)$',
    ):
        op_class('Interp')
    with pytest.raises(
        RuntimeError,
        match="^layer 'up': Unknown layer type: "
        r'.*\) Did you mean Deconvolution\?$',
    ):
        op_class('DeConvolution', 'up')


@pytest.mark.parametrize(
    'kind, reason',
    [
        ('LSTM', 'recurrent layers are not implemented: unroll'),
        ('LSTMUnit', 'recurrent layers'),
        ('RNN', 'recurrent layers'),
        ('WindowData', "R-CNN's windows are not implemented: cut them out"),
    ],
)
def test_what_is_refused_is_refused_by_name_with_a_reason(kind, reason):
    assert kind not in layer_type_list()
    with pytest.raises(
        RuntimeError,
        match=rf"^layer 'x': Unknown layer type: {kind} .*\) {kind}: {reason}",
    ):
        op_class(kind, 'x')


def test_every_type_of_a_full_caffe_is_built_or_refused_with_a_reason():
    everything = (
        'AbsVal Accuracy ArgMax BNLL BatchNorm BatchReindex Bias Clip Concat '
        'ContrastiveLoss Convolution Crop Data Deconvolution Dropout DummyData '
        'ELU Eltwise Embed EuclideanLoss Exp Filter Flatten HDF5Data '
        'HDF5Output HingeLoss Im2col ImageData InfogainLoss InnerProduct Input '
        'LRN LSTM LSTMUnit Log MVN MemoryData MultinomialLogisticLoss PReLU '
        'Parameter Pooling Power Python RNN ReLU Reduction Reshape SPP Scale '
        'Sigmoid SigmoidCrossEntropyLoss Silence Slice Softmax '
        'SoftmaxWithLoss Split Swish TanH Threshold Tile WindowData'
    )
    assert sorted([*OPS, *REFUSED]) == everything.split()


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
            'PReLU',
            'ELU',
            'Exp',
            'Log',
            'BNLL',
            'MVN',
            'Threshold',
            'Clip',
            'Swish',
        }
    )
