"""Variant: a directory's files in memory; diff: what edits changed in them."""

import pytest
from miniatures import write_voc
from variants import edited, slim

import caffe
from ablations.studies import apply
from ablations.variant import Variant, diff
from data.masking import masked
from nets import edits


def shown(network, **values):
    before = slim(network)
    wanted = {edit.replace('_', '-'): value for edit, value in values.items()}
    return '\n'.join(diff(before, apply(before.copy(), wanted)))


def test_a_variant_is_written_as_it_was_read(tmp_path):
    variant = Variant.read('voc-fcn8s')
    assert variant.network == 'voc-fcn8s'
    assert list(variant.nets) == [
        'train.prototxt',
        'val.prototxt',
        'deploy.prototxt',
    ]
    paths = variant.write(tmp_path / 'voc-fcn8s')
    assert Variant.read(tmp_path / 'voc-fcn8s').texts() == variant.texts()
    times = [path.stat().st_mtime_ns for path in paths]
    variant.write(tmp_path / 'voc-fcn8s')
    assert [path.stat().st_mtime_ns for path in paths] == times


def test_a_copy_is_edited_alone():
    before = slim('voc-fcn8s')
    texts = before.texts()
    apply(before.copy(), {'padding': 'fc6', 'momentum': '0.5'})
    assert before.texts() == texts


def test_who_read_what_a_removed_layer_gave_reads_what_it_read():
    variant = slim('voc-fcn8s-atonce')
    net = variant.train
    readers = {x.name: list(x.bottom) for x in net.layer}
    assert readers['score_pool4'] == ['scale_pool4']
    edits.without(net, 'Scale', 'ReLU')
    readers = {x.name: list(x.bottom) for x in net.layer}
    assert readers['score_pool4'] == ['pool4']
    assert readers['conv1_2'] == ['conv1_1']
    assert not {'scale_pool4', 'relu1_1'} & readers.keys()


FILES = 'train.prototxt, val.prototxt, deploy.prototxt'


def test_layers_that_change_alike_are_shown_once():
    assert (
        shown('voc-fcn32s', frozen='trunk')
        == f"""\
--- {FILES}
@@ layers conv1_1, conv1_2, conv2_1, conv2_2, conv3_1, conv3_2, conv3_3,
   conv4_1, conv4_2, conv4_3, conv5_1, conv5_2, conv5_3, fc6, fc7
   (Convolution) @@
 param {{
-  lr_mult: 1
+  lr_mult: 0
   decay_mult: 1
 ...
 param {{
-  lr_mult: 2
+  lr_mult: 0
   decay_mult: 0"""
    )


def test_a_layer_that_goes_is_shown_whole_where_it_was():
    lines = shown('voc-fcn8s-atonce', skip_scale='none').splitlines()
    assert lines[:15] == [
        f'--- {FILES}',
        '@@ layer scale_pool4 (Scale) @@',
        '-name: "scale_pool4"',
        '-type: "Scale"',
        '-bottom: "pool4"',
        '-top: "scale_pool4"',
        '-param {',
        '-  lr_mult: 0',
        '-}',
        '-scale_param {',
        '-  filler {',
        '-    type: "constant"',
        '-    value: 0.01',
        '-  }',
        '-}',
    ]
    assert lines[15:18] == [
        '@@ layer score_pool4 (Convolution) @@',
        '-bottom: "scale_pool4"',
        '+bottom: "pool4"',
    ]
    titles = [line for line in lines if line.startswith('@@')]
    assert [title.split()[2] for title in titles] == [
        *('scale_pool4', 'score_pool4', 'scale_pool3', 'score_pool3')
    ]


def test_a_crop_turned_round_stands_beside_the_one_it_was():
    lines = shown('voc-fcn16s', padding='fc6').splitlines()
    titles = [line.split()[2] for line in lines if line.startswith('@@')]
    assert titles == [
        *('conv1_1', 'fc6', 'score_pool4c', 'upscore2c', 'fuse_pool4', 'score')
    ]
    assert '+  offset: 1' in lines
    assert lines[-4:] == ['   axis: 2', '-  offset: 27', '+  offset: 8', ' }']


def test_files_that_differ_have_headers_of_their_own():
    found = shown('voc-fcn32s', normalised='yes', batch='20', dropout='0.25')
    assert (
        found
        == """\
--- train.prototxt, val.prototxt
@@ layers drop6, drop7 (Dropout) @@
 dropout_param {
-  dropout_ratio: 0.5
+  dropout_ratio: 0.25
 }
@@ layer loss (SoftmaxWithLoss) @@
   ignore_label: 255
-  normalize: false
+  normalize: true
 }
--- solver.prototxt
@@ settings @@
 test_interval: 999999999
-base_lr: 1e-10
+base_lr: 1.875e-05
 display: 20
 ...
 average_loss: 20
-iter_size: 1
+iter_size: 20"""
    )


def test_of_a_param_str_only_what_changes_is_shown():
    assert (
        shown('voc-fcn32s', masking='texture')
        == """\
--- train.prototxt, val.prototxt
@@ layer data (Python) @@
   param_str['seed']: 1337
+  param_str['mask']: 'texture'
 }"""
    )


def test_a_param_str_that_is_no_dict_is_shown_as_it_is():
    before = slim('voc-fcn32s')
    after = before.copy()
    after.train.layer[0].python_param.param_str = 'phase 2'
    assert "+  param_str: 'phase 2'" in diff(before, after)


@pytest.mark.parametrize('mask', ['foreground', 'background', 'texture'])
def test_masking_reaches_the_blobs_and_is_taken_back(
    mask, tmp_path, monkeypatch
):
    for key, value in write_voc(tmp_path).items():
        monkeypatch.setenv(key, value)
    whole = slim('voc-fcn32s')
    hidden = edited('voc-fcn32s', masking=mask)
    for file in ('train.prototxt', 'val.prototxt'):
        first, second = (
            caffe.Net(v.nets[file], caffe.TEST) for v in (whole, hidden)
        )
        for net in (first, second):
            net.forward(end='data')
        data, label = (first.blobs[top].data[0] for top in ('data', 'label'))
        assert (second.blobs['label'].data[0] == label).all()
        expected = masked(data, label[0], mask)
        assert (second.blobs['data'].data[0] == expected).all(), file
    assert (expected != data).any()
    apply(hidden, {'masking': 'none'})
    assert hidden.texts() == whole.texts()
