"""VOC's and SBD's layers: what reaches the tops, alone and in a net."""

import numpy as np
import pytest
from PIL import Image

import caffe
from data.voc_layers import SBDDSegDataLayer, VOCSegDataLayer

MEAN = (104.00699, 116.66877, 122.67892)


def original(pixels):
    """What Berkeley's layer computes, step by step."""
    data = np.array(pixels, dtype=np.float32)
    data = data[:, :, ::-1]
    data -= np.array(MEAN)
    return data.transpose((2, 0, 1))[None]


def test_voc_gives_the_images_and_labels_of_its_split(
    layer, voc, pictures, labels
):
    made = layer(VOCSegDataLayer, voc_dir=str(voc), split='val', mean=MEAN)
    assert made.indices == ['c', 'd']
    for name in 'cdc':
        data, label = layer.step(made)
        assert (data == original(pictures[name])).all(), name
        assert label.shape == (1, 1, *labels[name].shape)
        assert (label[0, 0] == labels[name]).all(), name


def test_sbd_gives_what_python_2_would_have_drawn(layer, sbd, labels):
    made = layer(
        SBDDSegDataLayer,
        sbdd_dir=str(sbd),
        split='train',
        mean=MEAN,
        seed=1337,
    )
    # int(random() * 2) for 0.6178, 0.5333, 0.3659, 0.5859, 0.1657
    for position in (1, 1, 0, 1, 0):
        label = layer.step(made)[1][0, 0]
        assert (label == labels['ba'[position]]).all()


def test_a_prototxt_reads_both_from_a_network_directory(
    voc, sbd, labels, tmp_path, monkeypatch
):
    folder = tmp_path / 'some-net'
    folder.mkdir()
    text = """
    layer { name: "data" type: "Python" top: "data" top: "label"
      python_param { module: "voc_layers" layer: "VOCSegDataLayer"
        param_str: "{'voc_dir': '../VOC2011', 'split': 'val',
                     'mean': (1, 2, 3), 'seed': 1337}" } }
    """.replace('\n                    ', '')
    (folder / 'val.prototxt').write_text(text)
    monkeypatch.chdir(folder)
    net = caffe.Net('val.prototxt', caffe.TEST)
    for name in 'cdc':
        net.forward()
        assert (net.blobs['label'].data[0, 0] == labels[name]).all(), name
    monkeypatch.setenv('VOC_DIR', '/nowhere')
    with pytest.raises(FileNotFoundError, match='no PASCAL VOC'):
        caffe.Net('val.prototxt', caffe.TEST)


def voc_layer(layer, voc, **more):
    settings = dict(voc_dir=str(voc), split='val', mean=MEAN)
    return layer(VOCSegDataLayer, **dict(settings, **more))


def test_a_grey_image_is_no_surprise(layer, voc, pictures):
    grey = pictures['c'][:, :, 0]
    Image.fromarray(grey).save(voc / 'JPEGImages' / 'c.jpg', 'PNG')
    data, _ = layer.step(voc_layer(layer, voc))
    three = np.repeat(grey[:, :, None], 3, axis=2)
    assert (data == original(three)).all()


def test_a_label_of_another_size_is_named(layer, voc, labels):
    path = voc / 'SegmentationClass' / 'd.png'
    Image.fromarray(labels['d'].T).save(path)
    made = voc_layer(layer, voc)
    layer.step(made)
    with pytest.raises(ValueError, match='d.png: label of 12 x 6 for an ima'):
        layer.step(made)


def test_an_illegal_value_is_named_unless_there_are_more_classes(layer, voc):
    path = voc / 'SegmentationClass' / 'c.png'
    label = np.asarray(Image.open(path)).copy()
    label[0, :3] = 33
    Image.fromarray(label).save(path)
    with pytest.raises(ValueError, match='c.png: value 33 on 3 pixels: nei'):
        voc_layer(layer, voc)
    assert (layer.step(voc_layer(layer, voc, classes=34))[1] == label).all()


def test_missing_files_are_named(layer, voc, sbd):
    (voc / 'JPEGImages' / 'd.jpg').unlink()
    made = voc_layer(layer, voc)
    layer.step(made)
    with pytest.raises(FileNotFoundError, match='d.jpg: no such image'):
        layer.step(made)
    (sbd / 'cls' / 'c.mat').unlink()
    with pytest.raises(FileNotFoundError, match='c.mat: no such label'):
        layer(SBDDSegDataLayer, sbdd_dir=str(sbd), split='val', mean=MEAN)


def test_the_mean_is_three_numbers(layer, voc):
    with pytest.raises(ValueError, match='mean must be three numbers'):
        voc_layer(layer, voc, mean=(1, 2))
