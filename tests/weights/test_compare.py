"""python -m weights compare: ours beside the published scores."""

import numpy as np
import pytest
from PIL import Image

import caffe
from data.palette import label_image
from weights import compare as module
from weights.__main__ import main
from weights.published import Published, Score

NET = """
layer {
  name: "data" type: "Python" top: "data" top: "label"
  python_param {
    module: "voc_layers" layer: "VOCSegDataLayer"
    param_str: "{'voc_dir': '../voc', 'split': 'other', 'mean': (1, 2, 3.5)}"
  }
}
layer {
  name: "score" type: "Convolution" bottom: "data" top: "score"
  convolution_param { num_output: 21 kernel_size: 3 pad: 1 }
}
layer {
  name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label"
  top: "loss" loss_param { ignore_label: 255 normalize: false }
}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with voc-fcn8s/, voc/ and w.caffemodel, as the cwd."""
    rng = np.random.default_rng(0)
    voc, folder = tmp_path / 'voc', tmp_path / 'voc-fcn8s'
    for name in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (voc / name).mkdir(parents=True)
    for name, size in {'a1': (11, 8), 'b2': (9, 13)}.items():
        label = label_image(rng.integers(0, 21, size))
        label.save(voc / 'SegmentationClass' / f'{name}.png')
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(voc / 'JPEGImages' / f'{name}.jpg')
    (voc / 'ImageSets' / 'Segmentation' / 'other.txt').write_text('a1\nb2\n')
    folder.mkdir()
    (folder / 'val.prototxt').write_text(NET)
    monkeypatch.setenv('VOC_DIR', str(voc))
    net = caffe.Net(str(folder / 'val.prototxt'), caffe.TEST)
    net.params['score'][0].data[...] = rng.normal(0, 1, (21, 3, 3, 3))
    net.save(str(tmp_path / 'w.caffemodel'))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def publish(monkeypatch, mean_iu, split='other', images=2):
    row = Score(split, images, 50.0, None, mean_iu, 40.0, 'a paper')
    network = Published('voc-fcn8s', 'w.caffemodel', (row,))
    monkeypatch.setitem(module.BY_DIRECTORY, 'voc-fcn8s', network)


def run(*args):
    return main(['compare', 'voc-fcn8s', '--gpu', 'cpu', *args])


def found(text):
    row = next(x for x in text.splitlines() if x.startswith('mean IU  '))
    return [float(n) for n in row.split()[2:]]


def test_the_exit_status_says_whether_the_score_is_the_published_one(
    place, capsys, monkeypatch
):
    publish(monkeypatch, 50.0)
    assert run('--weights', 'w.caffemodel') == 1
    text = capsys.readouterr().out
    here, published, gap = found(text)
    assert here < 40 and published == 50 and gap == round(here - 50, 2)
    assert f'mean IU NOT within 0.1 of published: {gap:+.2f}' in text
    for shift, status in ((0.09, 0), (-0.09, 0), (0.12, 1), (-0.12, 1)):
        publish(monkeypatch, here + shift)
        assert run('--weights', 'w.caffemodel') == status, shift
    text = capsys.readouterr().out
    assert 'overall accuracy' in text and 'fwavacc' in text
    assert 'a paper' in text


def test_without_weights_the_published_file_is_meant(
    place, monkeypatch, capsys
):
    publish(monkeypatch, 3.0)
    assert run() == 1
    assert 'w.caffemodel, other (2 images)' in capsys.readouterr().out


def test_other_images_are_no_comparison(place, monkeypatch, capsys):
    publish(monkeypatch, 3.0, images=736)
    assert run('--weights', 'w.caffemodel') == 1
    assert (
        'published are scores on the 736 images of other; here are 2'
        in capsys.readouterr().err
    )


def test_without_published_scores_there_is_nothing_to_compare(
    place, monkeypatch, capsys
):
    monkeypatch.delitem(module.BY_DIRECTORY, 'voc-fcn8s')
    assert run('--weights', 'w.caffemodel') == 1
    assert 'no published score of voc-fcn8s' in capsys.readouterr().err
