"""`python -m score` from a network directory and a dataset to its tables."""

import numpy as np
import pytest
from PIL import Image

import caffe
from data.palette import label_image
from score import fast_hist, metrics
from score.__main__ import main
from score.palette import read_label

DATA = """
layer {{
  name: "data" type: "Python" top: "data" top: "label"
  python_param {{
    module: "voc_layers" layer: "{kind}SegDataLayer"
    param_str: "{{'{key}': '../voc', 'split': '{split}', 'mean': (1, 2, 3.5)}}"
  }}
}}
"""
HEAD = """
layer {
  name: "score_fr" type: "Convolution" bottom: "data" top: "score_fr"
  convolution_param { num_output: 21 kernel_size: 3 stride: 2 pad: 2 }
}
layer {
  name: "upscore" type: "Deconvolution" bottom: "score_fr" top: "upscore"
  param { lr_mult: 0 }
  convolution_param {
    num_output: 21 kernel_size: 4 stride: 2 bias_term: false
  }
}
layer {
  name: "score" type: "Crop" bottom: "upscore" bottom: "data" top: "score"
  crop_param { axis: 2 offset: 1 }
}
layer {
  name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label"
  top: "loss" loss_param { ignore_label: 255 normalize: false }
}
"""
SIZES = {'a1': (11, 8), 'b2': (9, 13), 'c3': (7, 10)}  # H, W


def add_voc(root, rng):
    """A dataset of three images in VOC's layout."""
    for folder in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True)
    for name, (h, w) in SIZES.items():
        label = rng.integers(0, 21, (h, w))
        label[:2] = 255
        label_image(label).save(root / 'SegmentationClass' / f'{name}.png')
        pixels = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / 'JPEGImages' / f'{name}.jpg')
    lists = root / 'ImageSets' / 'Segmentation'
    (lists / 'val.txt').write_text('a1\nb2\nc3\n')
    (lists / 'other.txt').write_text('c3\na1\n')


def add_sbd(root):
    """A list of training ids; one of them is in VOC's `val`."""
    for folder in ('img', 'cls'):
        (root / folder).mkdir(parents=True)
    (root / 'train.txt').write_text('z9\nb2\n')


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with voc-fcn8s/, voc/, sbd/ and weights, as a cwd."""
    for name in ('VOC_DIR', 'SBD_DIR'):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, str(tmp_path / name[:3].lower()))
    add_voc(tmp_path / 'voc', np.random.default_rng(0))
    add_sbd(tmp_path / 'sbd')
    folder = tmp_path / 'voc-fcn8s'
    folder.mkdir()
    val = DATA.format(kind='VOC', key='voc_dir', split='other') + HEAD
    train = DATA.format(kind='SBDD', key='sbdd_dir', split='train') + HEAD
    (folder / 'val.prototxt').write_text(val)
    (folder / 'train.prototxt').write_text(train)
    net = caffe.Net(str(folder / 'val.prototxt'), caffe.TEST)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = np.random.default_rng(1).normal(0, 1, blob.shape)
    net.save(str(tmp_path / 'w.caffemodel'))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args):
    return main(
        ['voc-fcn8s', '--weights', 'w.caffemodel', '--gpu', 'cpu', *args]
    )


def test_the_tables_are_those_of_the_saved_label_maps(place, capsys):
    assert run('--save', 'maps') == 0
    hist = 0
    for name in ('c3', 'a1'):
        true = read_label(place / 'voc' / 'SegmentationClass' / f'{name}.png')
        hist = hist + fast_hist(true, read_label(f'maps/{name}.png'), 21)
    want = metrics(hist)
    text = capsys.readouterr().out
    assert 'voc-fcn8s, w.caffemodel, other (2 images)' in text
    mean, last = 100 * want.mean_iu, 100 * want.class_iu[20]
    assert f'{"mean IU":18}{mean:8.2f}{65.51:11.2f}\n' in text
    assert f'20 {"tvmonitor":11}{last:8.2f}' in text
    assert 'loss per image' in text


def test_the_split_is_the_one_asked_for(place, capsys):
    assert run('--split', 'val', '--allow-train') == 0
    assert 'val (3 images)' in capsys.readouterr().out


def test_a_split_with_training_images_is_refused(place, capsys):
    assert run('--split', 'val') == 1
    assert (
        'split val: 1 of 3 images are in the training set of voc-fcn8s (b2'
        in capsys.readouterr().err
    )


def test_without_the_training_list_only_vals_own_split_is_trusted(
    place, capsys
):
    (place / 'sbd' / 'train.txt').unlink()
    assert run() == 0
    assert 'not known which images voc-fcn8s was' in capsys.readouterr().err
    assert run('--split', 'val') == 1
    assert '--allow-train to go on' in capsys.readouterr().err


def test_a_missing_dataset_is_named_with_the_next_step(place, capsys):
    assert run('--voc', 'elsewhere') == 1
    err = capsys.readouterr().err
    assert str(place / 'elsewhere') in err
    assert 'VOCtrainval_25-May-2011.tar' in err


def test_missing_weights_are_named_with_their_address(place, capsys):
    assert main(['voc-fcn8s', '--weights', 'none.caffemodel']) == 1
    err = capsys.readouterr().err
    assert 'none.caffemodel: no such model file' in err
    assert 'berkeleyvision.org/fcn8s-heavy-pascal.caffemodel' in err


def test_an_unknown_network_is_named_beside_the_known(place, capsys):
    assert main(['voc-fcn9s', '--weights', 'w.caffemodel']) == 1
    assert 'voc-fcn9s: no network directory' in capsys.readouterr().err


def test_an_all_void_label_map_is_refused(place, capsys):
    path = place / 'voc' / 'SegmentationClass' / 'a1.png'
    label_image(np.full(SIZES['a1'], 255)).save(path)
    assert run() == 1
    err = capsys.readouterr().err
    assert 'a1.png: every pixel is void' in err


def test_interpolation_that_the_file_lacks_is_filled_in(place, capsys):
    without(place, 'upscore')
    assert run() == 0
    captured = capsys.readouterr()
    assert 'w.caffemodel lacks upscore: filled with bilinear' in captured.err
    assert 'all zero' not in captured.err


def test_weights_without_a_learned_layer_are_refused(place, capsys):
    without(place, 'score_fr')
    assert run() == 1
    err = capsys.readouterr().err
    assert 'w.caffemodel is of another net: it lacks score_fr; it has ' in err
    assert 'score_fr_, which this net has not; both have upscore' in err


def without(place, layer):
    """Writes w.caffemodel anew, of a net that calls one layer otherwise."""
    text = (place / 'voc-fcn8s' / 'val.prototxt').read_text()
    (place / 'b.prototxt').write_text(
        text.replace(f'name: "{layer}"', f'name: "{layer}_"')
    )
    net = caffe.Net(str(place / 'b.prototxt'), caffe.TEST)
    for blobs in net.params.values():
        blobs[0].data[...] = 1
    net.save(str(place / 'w.caffemodel'))


def test_an_all_zero_layer_is_warned_about(place, capsys):
    net = caffe.Net('voc-fcn8s/val.prototxt', caffe.TEST)
    net.params['upscore'][0].data[...] = 1
    net.save('w.caffemodel')
    assert run() == 0
    assert (
        'the weights of layer score_fr are all zero (567 numbers)'
        in capsys.readouterr().err
    )


def test_a_file_that_is_no_model_is_refused(place, capsys):
    (place / 'w.caffemodel').write_bytes(b'<html>404 not found</html>')
    assert run() == 1
    assert 'w.caffemodel' in capsys.readouterr().err


def test_plot_draws_both_pictures(place, capsys):
    (place / 'train.log').write_text(
        'I0520 12:00:00.1 9 solver.cpp:2] Iteration 0, loss = 3.5\n'
    )
    command = ['plot', 'train.log', '-o', 'c.png', '--published', 'voc-fcn8s']
    assert main(command) == 0
    assert capsys.readouterr().out.split() == ['c.png', 'c.svg']
    assert 'voc-fcn8s, published' in (place / 'c.svg').read_text()


def test_plot_refuses_what_is_no_log(place, capsys):
    assert main(['plot', 'voc-fcn8s/val.prototxt', '-o', 'c.png']) == 1
    assert 'val.prototxt: no training log' in capsys.readouterr().err


def test_wrong_usage_ends_with_code_2(place):
    with pytest.raises(SystemExit) as stop:
        main(['--weights', 'w.caffemodel'])
    assert stop.value.code == 2


def test_torchrun_is_refused_since_one_process_scores(
    place, monkeypatch, capsys
):
    monkeypatch.setenv('WORLD_SIZE', '2')
    assert main(['voc-fcn8s', '--weights', 'w.caffemodel']) == 1
    assert 'leave torchrun out' in capsys.readouterr().err
