"""The oldest nets become what Caffe makes of them."""

import pytest

from caffe.proto import text
from caffe.proto.caffe_pb2 import NetParameter
from caffe.proto.upgrade import upgrade_net


def upgraded(source):
    net = text.parse(source, NetParameter(), 'a.prototxt')
    upgrade_net(net, 'a.prototxt')
    return net


def assert_becomes(old, new):
    new = text.parse(new, NetParameter(), 'expected')
    assert text.to_text(upgraded(old)) == text.to_text(new)


V0 = """
name: "n" force_backward: true debug_info: true
input: "x" input_dim: [1, 3, 5, 7]
layers { layer { name: "p" type: "padding" pad: 2 } bottom: "x" top: "xp" }
layers { bottom: "xp" top: "c" layer { name: "c" type: "conv" num_output: 4
  kernelsize: 3 stride: 2 group: 1 biasterm: false
  weight_filler { type: "xavier" } bias_filler { value: 1 }
  blobs { num: 4 } blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 } }
layers { bottom: "c" top: "q" layer { name: "q" type: "pool" pool: AVE
  kernelsize: 3 stride: 2 pad: 1 } }
layers { bottom: "q" top: "l" layer { name: "l" type: "lrn" local_size: 3
  alpha: 2 beta: 0.5 k: 4 } }
layers { bottom: "l" top: "f" layer { name: "f" type: "innerproduct"
  num_output: 6 } }
layers { bottom: "f" top: "f" layer { name: "d" type: "dropout"
  dropout_ratio: 0.25 } }
layers { bottom: "f" bottom: "f" top: "k" layer { name: "k" type: "concat"
  concat_dim: 2 } }
layers { bottom: "k" top: "s" layer { name: "s" type: "softmax_loss" } }
"""
V2 = """
name: "n" force_backward: true
layer { name: "input" type: "Input" top: "x"
  input_param { shape { dim: [1, 3, 5, 7] } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c" blobs { num: 4 }
  param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad: 2 group: 1
    bias_term: false weight_filler { type: "xavier" } bias_filler { value: 1 }
  } }
layer { name: "q" type: "Pooling" bottom: "c" top: "q"
  pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "l" type: "LRN" bottom: "q" top: "l"
  lrn_param { local_size: 3 alpha: 2 beta: 0.5 k: 4 } }
layer { name: "f" type: "InnerProduct" bottom: "l" top: "f"
  inner_product_param { num_output: 6 } }
layer { name: "d" type: "Dropout" bottom: "f" top: "f"
  dropout_param { dropout_ratio: 0.25 } }
layer { name: "k" type: "Concat" bottom: "f" bottom: "f" top: "k"
  concat_param { concat_dim: 2 } }
layer { name: "s" type: "SoftmaxWithLoss" bottom: "k" top: "s" }
"""


def test_the_oldest_nets_are_upgraded_twice():
    assert_becomes(V0, V2)


@pytest.mark.parametrize(
    'kind, new, old_fields, new_fields',
    [
        (
            'data',
            'Data',
            'source: "s" batchsize: 3 rand_skip: 4',
            'data_param { source: "s" batch_size: 3 rand_skip: 4 }',
        ),
        (
            'images',
            'ImageData',
            """source: "s" batchsize: 3 rand_skip: 4 shuffle_images: true
            new_height: 5 new_width: 6""",
            """image_data_param { source: "s" batch_size: 3 rand_skip: 4
            shuffle: true new_height: 5 new_width: 6 }""",
        ),
        (
            'window_data',
            'WindowData',
            """source: "s" batchsize: 3 det_fg_threshold: 0.1
            det_bg_threshold: 0.2 det_fg_fraction: 0.3 det_context_pad: 4
            det_crop_mode: "square" """,
            """window_data_param { source: "s" batch_size: 3 fg_threshold: 0.1
            bg_threshold: 0.2 fg_fraction: 0.3 context_pad: 4
            crop_mode: "square" }""",
        ),
        (
            'hdf5_data',
            'HDF5Data',
            'source: "s" batchsize: 3',
            'hdf5_data_param { source: "s" batch_size: 3 }',
        ),
        (
            'hdf5_output',
            'HDF5Output',
            'hdf5_output_param { file_name: "f" }',
            'hdf5_output_param { file_name: "f" }',
        ),
        (
            'infogain_loss',
            'InfogainLoss',
            'source: "s"',
            'infogain_loss_param { source: "s" }',
        ),
    ],
)
def test_data_layers_of_v0(kind, new, old_fields, new_fields):
    assert_becomes(
        f"""layers {{ layer {{ name: "a" type: "{kind}" {old_fields}
        scale: 0.5 meanfile: "m" cropsize: 7 mirror: true }} top: "t" }}""",
        f"""layer {{ name: "a" type: "{new}" top: "t" {new_fields}
        transform_param {{ scale: 0.5 mean_file: "m" crop_size: 7
        mirror: true }} }}""",
    )


def test_v0_has_no_other_types():
    with pytest.raises(
        RuntimeError, match="layer 'a': Unknown layer type: crop"
    ):
        upgraded('layers { layer { name: "a" type: "crop" } }')


def test_padding_is_only_for_conv_and_pool():
    padding = 'layers { layer { name: "p" type: "padding" } %s top: "y" }'
    one = padding % 'bottom: "x"'
    reader = 'layers { layer { name: "r" type: "relu" } bottom: "y" top: "z" }'
    with pytest.raises(
        RuntimeError, match="layer 'r' of type relu cannot read"
    ):
        upgraded(one + reader)
    with pytest.raises(RuntimeError, match="padding layer 'p' takes one blob"):
        upgraded(padding % '')


def test_a_v0_field_on_the_wrong_type_is_logged(caplog):
    upgraded('layers { layer { name: "a" type: "relu" num_output: 3 } }')
    wrong = 'Unknown parameter num_output for layer type relu'
    assert wrong in caplog.messages
