"""infer.py with what a depth camera saw: where it is looked for, and how it is
refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caffe
import infer
from data.classes import NYUD
from data.palette import colours_of
from score.palette import read_label

DEPLOY = """
layer {
  name: "input" type: "Input" top: "color" top: "depth"
  input_param {
    shape { dim: 1 dim: 3 dim: 5 dim: 6 } shape { dim: 1 dim: 1 dim: 5 dim: 6 }
  }
}
layer {
  name: "data" type: "Concat" bottom: "color" bottom: "depth" top: "data"
}
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "score"
  convolution_param { num_output: 40 kernel_size: 1 }
}
"""
TEST = """
layer {
  name: "color" type: "Python" top: "color" top: "depth" top: "label"
  python_param {
    module: "nyud_layers" layer: "NYUDSegDataLayer"
    param_str: "{'nyud_dir': 'none', 'split': 'test', "
               "'tops': ['color', 'depth', 'label']}"
  }
}
layer {
  name: "data" type: "Concat" bottom: "color" bottom: "depth" top: "data"
}
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "score"
  convolution_param { num_output: 40 kernel_size: 1 }
}
layer {
  name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label"
  top: "loss"
}
"""
NEAR, FAR = 3, 5  # cabinet is 2, bed 3, chair 4, sofa 5


@pytest.fixture
def place(tmp_path, monkeypatch):
    """net/ with a net that says NEAR or FAR of the mean depth, in/ with a
    picture, and a cwd. No dataset."""
    for folder in ('net', 'in', 'other'):
        (tmp_path / folder).mkdir()
    (tmp_path / 'net' / 'deploy.prototxt').write_text(DEPLOY)
    (tmp_path / 'net' / 'test.prototxt').write_text(TEST)
    net = caffe.Net(str(tmp_path / 'net' / 'deploy.prototxt'), caffe.TEST)
    weight, bias = net.params['conv']
    weight.data[NEAR, 3], weight.data[FAR, 3] = -1, 1
    bias.data[...] = -9
    bias.data[[NEAR, FAR]] = 0
    net.save(str(tmp_path / 'w.caffemodel'))
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'in' / 'room.png')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_depth(path, height=7, width=9):
    """In mm: near at the left, far at the right of 2.55 m."""
    depth = np.full((height, width), 900, np.uint16)
    depth[:, width // 2 :] = 4000
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(depth).save(path)
    return np.where(depth < 2550, NEAR, FAR)


def run(*words):
    return infer.main(
        ['net', '--weights', 'w.caffemodel', '--gpu', 'cpu', *words]
    )


@pytest.mark.parametrize(
    'where, option',
    [
        ('in/room_depth.png', []),
        ('depth/room.png', []),
        ('other/room.png', ['--depth', 'other']),
    ],
)
def test_depth_is_found_and_seen(place, where, option):
    want = write_depth(place / where)
    assert run('in', *option) == 0
    assert (read_label('segmented/room.png') == want).all()
    assert len(list(Path('segmented').iterdir())) == 2, 'depth is no picture'


def test_class_0_is_painted_where_it_is_no_background(place):
    net = caffe.Net('net/deploy.prototxt', caffe.TEST)
    net.params['conv'][1].data[0] = 9  # wall everywhere
    net.save('w.caffemodel')
    write_depth('in/room_depth.png')
    Image.new('RGB', (9, 7), (100, 100, 100)).save('in/room.png')
    assert run('in/room.png') == 0
    mixed = np.array(Image.open('segmented/room_overlay.jpg')).astype(int)
    want = (100 + colours_of(NYUD)[0].astype(int)) // 2
    assert abs(mixed[3, 4] - want).max() <= 4


def test_missing_depth_is_named_and_the_others_are_done(place, capsys):
    write_depth(place / 'in' / 'room_depth.png')
    Image.open('in/room.png').save('in/hall.png')
    assert run('in') == 1
    captured = capsys.readouterr()
    assert 'infer: in/hall.png: no depth for it at in/hall_depth.png' in (
        captured.err
    )
    assert 'segmented/room.png: ' in captured.out


def test_depth_of_another_size_is_named(place, capsys):
    write_depth(place / 'in' / 'room_depth.png', 9, 7)
    assert run('in') == 1
    assert 'room_depth.png: depth of 7 x 9 for an image of 9 x 7' in (
        capsys.readouterr().err
    )


def test_a_picture_of_depth_is_refused(place, capsys):
    Image.open('in/room.png').convert('L').save('in/room_depth.png')
    assert run('in') == 1
    err = capsys.readouterr().err
    assert 'in/room_depth.png: an L image; depth is one channel of 16' in err


def test_a_directory_whose_nets_disagree_is_refused(place, capsys):
    Path('net/deploy.prototxt').write_text(DEPLOY.replace('"depth"', '"hha"'))
    assert run('in') == 1
    assert (
        'deploy.prototxt: the inputs are color, hha; the data layer of the '
        'directory gives color, depth' in capsys.readouterr().err
    )


def test_help_says_where_depth_is_looked_for(capsys):
    with pytest.raises(SystemExit):
        infer.main(['--help'])
    out = capsys.readouterr().out
    for words in ('room_depth.png', 'room_hha.png', '--depth', '--hha'):
        assert words in out
