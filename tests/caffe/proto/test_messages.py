"""The messages have Caffe's numbers, types and defaults."""

import re
from pathlib import Path

import numpy as np
import pytest

from caffe.proto import caffe_pb2

# message, field: number, type, label, default (None: there is none)
FIELDS = """
BlobShape.dim                       1 int64 repeated packed
BlobProto.num                       1 int32 optional 0
BlobProto.data                      5 float repeated packed
BlobProto.diff                      6 float repeated packed
BlobProto.shape                     7 BlobShape optional None
BlobProto.double_data               8 double repeated packed
BlobProto.double_diff               9 double repeated packed
Datum.float_data                    6 float repeated unpacked
NetParameter.layers                 2 V1LayerParameter repeated unpacked
NetParameter.input_dim              4 int32 repeated unpacked
NetParameter.layer                100 LayerParameter repeated unpacked
NetState.phase                      1 Phase optional TEST
NetStateRule.phase                  1 Phase optional None
ParamSpec.lr_mult                   3 float optional 1
ParamSpec.share_mode                2 DimCheckMode optional None
LayerParameter.loss_weight          5 float repeated unpacked
LayerParameter.blobs                7 BlobProto repeated unpacked
LayerParameter.phase               10 Phase optional None
LayerParameter.propagate_down      11 bool repeated unpacked
LayerParameter.loss_param         101 LossParameter optional None
LayerParameter.softmax_param      125 SoftmaxParameter optional None
LayerParameter.slice_param        126 SliceParameter optional None
LayerParameter.python_param       130 PythonParameter optional None
LayerParameter.crop_param         144 CropParameter optional None
LayerParameter.clip_param         148 ClipParameter optional None
V1LayerParameter.softmax_param     39 SoftmaxParameter optional None
V1LayerParameter.param           1001 string repeated unpacked
V1LayerParameter.blob_share_mode 1002 DimCheckMode repeated unpacked
V0LayerParameter.det_context_pad   58 uint32 optional 0
V0LayerParameter.det_crop_mode     59 string optional warp
FillerParameter.type                1 string optional constant
FillerParameter.sparse              7 int32 optional -1
FillerParameter.variance_norm       8 VarianceNorm optional FAN_IN
ConvolutionParameter.num_output     1 uint32 optional None
ConvolutionParameter.bias_term      2 bool optional True
ConvolutionParameter.pad            3 uint32 repeated unpacked
ConvolutionParameter.pad_h          9 uint32 optional 0
ConvolutionParameter.dilation      18 uint32 repeated unpacked
PoolingParameter.stride             3 uint32 optional 1
PoolingParameter.round_mode        13 RoundMode optional CEIL
LRNParameter.beta                   3 float optional 0.75
LossParameter.normalize             2 bool optional None
LossParameter.normalization         3 NormalizationMode optional VALID
BatchNormParameter.use_global_stats 1 bool optional None
BatchNormParameter.eps              3 float optional 1e-05
MVNParameter.eps                    3 float optional 1e-09
CropParameter.axis                  1 int32 optional 2
ClipParameter.min                   1 float required None
HingeLossParameter.norm             1 Norm optional L1
ReductionParameter.operation        1 ReductionOp optional SUM
DataParameter.prefetch             10 uint32 optional 4
SPPParameter.engine                 6 Engine optional DEFAULT
SolverParameter.test_interval       4 int32 optional 0
SolverParameter.base_lr             5 float optional None
SolverParameter.solver_mode        17 SolverMode optional GPU
SolverParameter.random_seed        20 int64 optional -1
SolverParameter.delta              31 float optional 1e-08
SolverParameter.stepvalue          34 int32 repeated unpacked
SolverParameter.snapshot_format    37 SnapshotFormat optional BINARYPROTO
SolverParameter.type               40 string optional SGD
SolverParameter.weights            42 string repeated unpacked
SolverState.history                 3 BlobProto repeated unpacked
SolverState.current_step            4 int32 optional 0
"""
COUNTS = {
    'LayerParameter': 60,
    'V1LayerParameter': 43,
    'V0LayerParameter': 38,
    'SolverParameter': 42,
    'ConvolutionParameter': 18,
    'PoolingParameter': 13,
}


@pytest.fixture(scope='module')
def described():
    """The same messages as plain data, whatever the version of protobuf."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    file = FileDescriptorProto()
    caffe_pb2.DESCRIPTOR.CopyToProto(file)
    return {message.name: message for message in file.message_type}


@pytest.mark.parametrize('line', FIELDS.strip().split('\n'))
def test_fields_are_those_of_caffe(line, described):
    where, number, kind, label, default = line.split()
    message, name = where.split('.')
    (field,) = (f for f in described[message].field if f.name == name)
    types, labels = type(field).Type, type(field).Label
    found = field.type_name.split('.')[-1] or types.Name(field.type)[5:].lower()
    assert (field.number, found) == (int(number), kind), line
    assert labels.Name(field.label)[6:].lower() == label, line
    if label == 'repeated':
        assert field.options.packed == (default == 'packed'), line
    else:
        have = field.default_value.replace('true', 'True')
        given = field.HasField('default_value')
        assert same(have, default) if given else default == 'None', line


def same(one, other):
    try:
        return np.float32(one) == np.float32(other)
    except ValueError:
        return one == other


@pytest.mark.parametrize('message', COUNTS)
def test_no_field_is_missing(message, described):
    assert len(described[message].field) == COUNTS[message]


def test_all_messages_are_there(described):
    assert len(described) == 63
    assert caffe_pb2.TRAIN == 0 and caffe_pb2.TEST == 1


def test_enum_values_are_reached_as_in_pycaffe():
    assert caffe_pb2.PoolingParameter.AVE == 1
    assert caffe_pb2.V1LayerParameter.DECONVOLUTION == 39
    assert caffe_pb2.LossParameter.NONE == 3
    assert caffe_pb2.SolverParameter.HDF5 == 0
    assert caffe_pb2.EltwiseParameter.MAX == 2


def test_the_generated_file_is_fresh(described):
    source = Path(caffe_pb2.__file__).with_name('caffe.proto').read_text()
    written, message = {}, None
    for line in source.split('\n'):
        if found := re.match(r'message (\w+) {', line):
            message = written.setdefault(found[1], {})
        elif found := re.match(
            r'  (optional|required|repeated) (\w+) (\w+) = (\d+)'
            r'(?: \[(\w+) = "?(.*?)"?\])?;',
            line,
        ):
            label, kind, name, number, option, value = found.groups()
            message[name] = label, kind, int(number), option, value
    assert set(written) == set(described)
    for name, fields in written.items():
        assert set(fields) == {f.name for f in described[name].field}, name
        for field in described[name].field:
            label, kind, number, option, value = fields[field.name]
            where = f'{name}.{field.name}'
            types, labels = type(field).Type, type(field).Label
            basic = types.Name(field.type)[5:].lower()
            assert field.number == number, where
            assert (field.type_name.split('.')[-1] or basic) == kind, where
            assert labels.Name(field.label)[6:].lower() == label, where
            assert field.options.packed == (option == 'packed'), where
            assert field.HasField('default_value') == (option == 'default')
            if option == 'default':
                assert same(field.default_value, value), where
