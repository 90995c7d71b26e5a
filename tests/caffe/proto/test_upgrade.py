"""Old nets become what Caffe makes of them."""

import logging
import re

import pytest

from caffe.proto import text
from caffe.proto.caffe_pb2 import (
    LayerParameter,
    NetParameter,
    SolverParameter,
    V1LayerParameter,
)
from caffe.proto.upgrade import type_name, upgrade_net, upgrade_solver

TYPES = """
NONE=0: ; ACCURACY=1: Accuracy; BNLL=2: BNLL; CONCAT=3: Concat;
CONVOLUTION=4: Convolution; DATA=5: Data; DROPOUT=6: Dropout;
EUCLIDEAN_LOSS=7: EuclideanLoss; FLATTEN=8: Flatten; HDF5_DATA=9: HDF5Data;
HDF5_OUTPUT=10: HDF5Output; IM2COL=11: Im2col; IMAGE_DATA=12: ImageData;
INFOGAIN_LOSS=13: InfogainLoss; INNER_PRODUCT=14: InnerProduct; LRN=15: LRN;
MULTINOMIAL_LOGISTIC_LOSS=16: MultinomialLogisticLoss; POOLING=17: Pooling;
RELU=18: ReLU; SIGMOID=19: Sigmoid; SOFTMAX=20: Softmax;
SOFTMAX_LOSS=21: SoftmaxWithLoss; SPLIT=22: Split; TANH=23: TanH;
WINDOW_DATA=24: WindowData; ELTWISE=25: Eltwise; POWER=26: Power;
SIGMOID_CROSS_ENTROPY_LOSS=27: SigmoidCrossEntropyLoss;
HINGE_LOSS=28: HingeLoss; MEMORY_DATA=29: MemoryData; ARGMAX=30: ArgMax;
THRESHOLD=31: Threshold; DUMMY_DATA=32: DummyData; SLICE=33: Slice;
MVN=34: MVN; ABSVAL=35: AbsVal; SILENCE=36: Silence;
CONTRASTIVE_LOSS=37: ContrastiveLoss; EXP=38: Exp;
DECONVOLUTION=39: Deconvolution
"""


def upgraded(source):
    net = text.parse(source, NetParameter(), 'a.prototxt')
    upgrade_net(net, 'a.prototxt')
    return net


def assert_becomes(old, new):
    new = text.parse(new, NetParameter(), 'expected')
    assert text.to_text(upgraded(old)) == text.to_text(new)


def test_every_v1_type_has_its_name():
    found = re.findall(r'(\w+)=(\d+): (\w*)', TYPES)
    assert len(found) == len(V1LayerParameter.LayerType.keys()) == 40
    for name, number, new in found:
        assert V1LayerParameter.LayerType.Value(name) == int(number)
        assert type_name(int(number)) == new, name


def test_every_v1_field_has_a_place():
    old = V1LayerParameter.DESCRIPTOR.fields_by_name
    new = LayerParameter.DESCRIPTOR.fields_by_name
    gone = {'layer', 'blobs_lr', 'weight_decay', 'blob_share_mode'}
    assert set(old) - set(new) == gone
    for name in set(old) & set(new) - {'type', 'param'}:
        assert old[name].message_type == new[name].message_type, name


def test_v1_fields_are_carried_over():
    assert_becomes(
        """name: "n" layers { name: "c" type: CONVOLUTION bottom: "x" top: "y"
        include { phase: TRAIN } exclude { stage: "s" } loss_weight: 3
        blobs { num: 1 } convolution_param { num_output: 5 } }""",
        """name: "n" layer { name: "c" type: "Convolution" bottom: "x" top: "y"
        include { phase: TRAIN } exclude { stage: "s" } loss_weight: 3
        blobs { num: 1 } convolution_param { num_output: 5 } }""",
    )


def test_parallel_lists_become_param_entries():
    assert_becomes(
        """layers { blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
        param: "w" blob_share_mode: STRICT blob_share_mode: PERMISSIVE
        blob_share_mode: STRICT }""",
        """layer { type: ""
        param { name: "w" share_mode: STRICT lr_mult: 1 decay_mult: 1 }
        param { share_mode: PERMISSIVE lr_mult: 2 decay_mult: 0 }
        param { share_mode: STRICT } }""".replace('type: ""', ''),
    )


def test_both_kinds_of_layers_are_refused():
    with pytest.raises(
        RuntimeError, match="includes both 'layer' and 'layers' fields"
    ):
        upgraded('layers { type: RELU } layer { type: "ReLU" }')


@pytest.mark.parametrize(
    'kind, param',
    [
        ('DATA', 'data_param'),
        ('IMAGE_DATA', 'image_data_param'),
        ('WINDOW_DATA', 'window_data_param'),
    ],
)
def test_transformations_leave_the_data_message(kind, param):
    assert_becomes(
        f"""layers {{ type: {kind} {param} {{ source: "s" scale: 0.5
        mean_file: "m" crop_size: 7 mirror: true }} }}""",
        f"""layer {{ type: "{type_name(V1LayerParameter.LayerType.Value(kind))}"
        {param} {{ source: "s" }} transform_param {{
        scale: 0.5 mean_file: "m" crop_size: 7 mirror: true }} }}""",
    )


def test_inputs_become_the_first_layer():
    old = 'name: "n" input: "a" input: "b" layer { name: "c" }'
    dims = ''.join(f' input_dim: {n}' for n in (1, 3, 5, 7, 2, 4, 6, 8))
    new = """name: "n" layer { name: "input" type: "Input" top: "a" top: "b"
        input_param { shape { dim: [1, 3, 5, 7] } shape { dim: [2, 4, 6, 8] } }
        } layer { name: "c" }"""
    assert_becomes(old + dims, new)
    shapes = (
        ' input_shape { dim: [1, 3, 5, 7] } input_shape { dim: [2, 4, 6, 8] }'
    )
    assert_becomes(old + shapes, new)
    assert_becomes(old + shapes + ' input_dim: 9', new)


def test_inputs_without_shapes_are_dropped():
    assert_becomes('input: "a" layer { name: "c" }', 'layer { name: "c" }')


@pytest.mark.parametrize(
    'shapes', ['input_dim: [1, 3, 5, 7]', 'input_dim: 1', 'input_shape { }']
)
def test_inputs_need_a_shape_each(shapes):
    with pytest.raises(
        RuntimeError, match='every input: 2 inputs, [01] shapes'
    ):
        upgraded(f'input: "a" input: "b" {shapes}')


def test_statistics_of_batch_norm_are_frozen():
    net = upgraded("""
        layer { type: "BatchNorm" param { lr_mult: 3 } param { } param { } }
        layer { type: "BatchNorm" param { } param { } }
        layer { type: "Scale" param { } param { } param { } }""")
    for param in net.layer[0].param:
        assert (param.lr_mult, param.decay_mult) == (0, 0)
    for layer in list(net.layer)[1:]:
        assert {(p.lr_mult, p.decay_mult) for p in layer.param} == {(1, 1)}


def test_a_net_of_today_stays_as_it_is(goldens, caplog):
    caplog.set_level(logging.INFO, 'caffe')
    path = goldens / 'solver' / 'sgd_step' / 'net.prototxt'
    raw = text.parse(path.read_text(), NetParameter(), path)
    assert text.read_net(path) == raw
    assert not caplog.records


def test_the_log_says_what_was_old(caplog):
    caplog.set_level(logging.INFO, 'caffe')
    upgraded('input: "x" input_dim: [1, 2, 3, 4] layers { type: RELU }')
    old = 'Attempting to upgrade input file specified using deprecated {}: {}'
    new = 'Successfully upgraded file specified using deprecated {}'
    assert caplog.messages == [
        old.format('V1LayerParameter', 'a.prototxt'),
        new.format('V1LayerParameter'),
        old.format('input fields', 'a.prototxt'),
        new.format('input fields'),
    ]


@pytest.mark.parametrize(
    'old, new',
    [
        ('SGD', 'SGD'),
        ('NESTEROV', 'Nesterov'),
        ('ADAGRAD', 'AdaGrad'),
        ('RMSPROP', 'RMSProp'),
        ('ADADELTA', 'AdaDelta'),
        ('ADAM', 'Adam'),
    ],
)
def test_solver_type_becomes_a_name(tmp_path, old, new):
    path = tmp_path / 'solver.prototxt'
    path.write_text(f'base_lr: 0.1 solver_type: {old}')
    solver = text.read_solver(path)
    assert text.to_text(solver) == f'base_lr: 0.1\ntype: "{new}"\n'


def test_two_solver_types_are_refused():
    solver = SolverParameter(type='Adam', solver_type=SolverParameter.ADAM)
    with pytest.raises(RuntimeError, match="both 'solver_type' and 'type'"):
        upgrade_solver(solver)


def test_nets_inside_a_solver_are_upgraded():
    old = 'layers { type: RELU }'
    solver = text.parse(
        f'net_param {{ {old} }} test_net_param {{ {old} }}',
        SolverParameter(),
        'a',
    )
    upgrade_solver(solver)
    assert solver.net_param.layer[0].type == 'ReLU'
    assert solver.test_net_param[0].layer[0].type == 'ReLU'
