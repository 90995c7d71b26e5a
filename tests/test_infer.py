"""infer.py, with a net whose labels a loop can work out."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caffe
import infer
from data.classes import VOC
from data.pictures import read_picture
from score.palette import colour, read_label

ROOT = Path(infer.__file__).parent
DEPLOY = """
layer {{
  name: "data" type: "Input" top: "data"
  input_param {{ shape {{ dim: 1 dim: {channels} dim: 30 dim: 40 }} }}
}}
layer {{
  name: "conv" type: "Convolution" bottom: "data" top: "score"
  convolution_param {{ num_output: 4 kernel_size: 1 }}
}}
"""
# classes 0..3: nothing, red, green, blue above 128; channels are blue first
WEIGHT = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]], np.float32)


def labels_by_loops(image):
    label = np.zeros(image.shape[:2], int)
    for y, x in np.ndindex(*label.shape):
        red, green, blue = image[y, x] / 1.0
        scores = [0, red - 128, green - 128, blue - 128]
        label[y, x] = scores.index(max(scores))
    return label


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with net/deploy.prototxt, w.caffemodel and in/, as a cwd."""
    (tmp_path / 'net').mkdir()
    (tmp_path / 'in').mkdir()
    deploy = tmp_path / 'net' / 'deploy.prototxt'
    deploy.write_text(DEPLOY.format(channels=3))
    net = caffe.Net(str(deploy), caffe.TEST)
    weight, bias = net.params['conv']
    weight.data[...] = WEIGHT.reshape(weight.shape)
    mean = np.array(infer.MEAN_BGR)
    bias.data[...] = WEIGHT @ (mean - 128)
    net.save(str(tmp_path / 'w.caffemodel'))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def picture(h, w, seed=0):
    """Every pixel has one bright channel, or none."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 100, (h, w, 3), dtype=np.uint8)
    bright = rng.integers(0, 4, (h, w, 1)) == np.arange(1, 4)
    return np.where(bright, image + 150, image).astype(np.uint8)


def run(*args):
    return infer.main(
        ['net', '--weights', 'w.caffemodel', '--gpu', 'cpu', *args]
    )


def test_labels_are_those_of_a_loop_at_the_images_own_size(place, capsys):
    for name, size in (('a', (7, 11)), ('b', (13, 5))):
        Image.fromarray(picture(*size)).save(place / 'in' / f'{name}.png')
    assert run('in', '-o', 'out') == 0
    for name in 'ab':
        image = np.array(Image.open(place / 'in' / f'{name}.png'))
        label = read_label(place / 'out' / f'{name}.png')
        assert (label == labels_by_loops(image)).all()
        with Image.open(place / 'out' / f'{name}_overlay.jpg') as mixed:
            assert mixed.size == image.shape[1::-1]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(':')[0] for line in lines] == ['out/a.png', 'out/b.png']


def test_the_shares_of_the_classes_are_printed(place, capsys):
    image = np.zeros((4, 5, 3), np.uint8)
    image[0, :, 0] = 200
    image[1, :2, 2] = 200
    Image.fromarray(image).save('x.png')
    assert run('x.png', '-o', 'out') == 0
    assert capsys.readouterr().out == 'out/x.png: 65.0% 0, 25.0% 1, 10.0% 3\n'


def test_vocs_classes_have_names():
    label = np.array([[0, 0, 15, 0]])
    assert infer.shares(label, VOC) == '75.0% background, 25.0% person'


def test_the_overlay_is_half_image_half_colour(place):
    image = np.full((16, 24, 3), 40, np.uint8)
    image[:, :16, 1] = 200
    Image.fromarray(image).save('x.png')
    run('x.png')
    mixed = np.array(Image.open('segmented/x_overlay.jpg')).astype(int)
    want = (image[0, 0].astype(int) + colour(2)) // 2
    assert abs(mixed[8, 4] - want).max() <= 3
    assert abs(mixed[8, 20] - 40).max() <= 3


def test_grey_palette_cmyk_and_deep_images_become_rgb(place):
    grey = np.arange(0, 240, 4, dtype=np.uint8).reshape(6, 10)
    Image.fromarray(grey).save('l.png')
    Image.fromarray(grey).convert('P').save('p.png')
    Image.fromarray(np.stack([grey] * 3, -1)).convert('CMYK').save('c.tif')
    Image.fromarray(grey.astype(np.uint16) << 8).save('deep.png')
    for name in ('l.png', 'p.png', 'c.tif', 'deep.png'):
        found = read_picture(name)
        assert found.shape == (6, 10, 3), name
        assert (found == grey[..., None]).all(), name


def test_transparent_pixels_are_white(place):
    rgba = np.zeros((3, 4, 4), np.uint8)
    rgba[0] = (10, 20, 30, 255)
    Image.fromarray(rgba).save('x.png')
    found = read_picture('x.png')
    assert (found[0] == (10, 20, 30)).all()
    assert (found[1:] == 255).all()
    assert found.shape == (3, 4, 3)


def test_an_image_is_turned_as_its_exif_says(place):
    image = picture(6, 9)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    Image.fromarray(image).save('x.png', exif=exif)
    assert (read_picture('x.png') == np.rot90(image, -1)).all()


def test_a_bad_image_is_named_and_the_others_are_done(place, capsys):
    Image.fromarray(picture(5, 4)).save('in/a.png')
    (place / 'in' / 'b.jpg').write_bytes(b'not an image')
    whole = (place / 'in' / 'a.png').read_bytes()
    (place / 'in' / 'c.png').write_bytes(whole[: len(whole) // 2])
    Image.fromarray(picture(3, 7)).save('in/d.png')
    assert run('in', 'gone.jpg', '-o', 'out') == 1
    captured = capsys.readouterr()
    assert captured.out.count('\n') == 2
    assert sorted(p.name for p in Path('out').glob('*.png')) == [
        'a.png',
        'd.png',
    ]
    for name in ('in/b.jpg', 'in/c.png', 'gone.jpg'):
        assert f'infer: {name}: ' in captured.err
    assert '3 of 5 failed' in captured.err


def test_no_file_takes_the_place_of_another(place, capsys):
    Image.fromarray(picture(5, 4)).save('in/a.png')
    assert run('in', '-o', 'in') == 1
    assert 'in/a.png, for in/a.png, would take' in capsys.readouterr().err
    Image.fromarray(picture(5, 4)).save('in/a.jpg')
    assert run('in') == 1
    assert 'segmented/a.png, for in/a.png, would' in capsys.readouterr().err


def test_a_file_is_no_output_folder(place, capsys):
    Image.fromarray(picture(4, 5)).save('in/a.png')
    Path('out').write_text('notes')
    args = ['net', '--weights', 'w.caffemodel', 'in', '-o', 'out']
    assert infer.main([*args, '--gpu', 'cpu']) == 1
    assert 'infer: -o out: a file' in capsys.readouterr().err
    assert Path('out').read_text() == 'notes'


def test_an_empty_folder_is_refused(place, capsys):
    assert run('in') == 1
    assert 'in: no image in this folder' in capsys.readouterr().err


def test_a_solver_is_refused(place, capsys):
    Path('net/solver.prototxt').write_text(
        'train_net: "train.prototxt"\nbase_lr: 1e-14\n'
    )
    args = ['--weights', 'w.caffemodel', '--gpu', 'cpu', 'x.jpg']
    assert infer.main(['net/solver.prototxt', *args]) == 1
    err = capsys.readouterr().err
    assert 'solver.prototxt: settings of a solver, not a net; give' in err


def test_a_net_with_its_own_data_is_refused(place, capsys):
    Path('net/val.prototxt').write_text(
        'layer { name: "d" type: "Python" top: "data" '
        'python_param { module: "m" layer: "L" } }'
    )
    args = ['--weights', 'w.caffemodel', '--gpu', 'cpu', 'x.jpg']
    assert infer.main(['net/val.prototxt', *args]) == 1
    assert 'val.prototxt: a net that reads a dataset' in capsys.readouterr().err


def test_a_net_of_another_input_is_refused(place, capsys):
    Path('net/deploy.prototxt').write_text(DEPLOY.format(channels=4))
    assert run('x.jpg') == 1
    assert "one input 'data' of three channels" in capsys.readouterr().err


def test_missing_weights_are_named(place, capsys):
    assert infer.main(['net', '--weights', 'no.caffemodel', 'x.jpg']) == 1
    assert 'no.caffemodel: no such model file' in capsys.readouterr().err


def test_foreign_weights_are_refused(place, capsys):
    other = DEPLOY.format(channels=3).replace('"conv"', '"fc6"')
    Path('other.prototxt').write_text(other)
    caffe.Net('other.prototxt', caffe.TEST).save('w.caffemodel')
    assert run('x.jpg') == 1
    err = capsys.readouterr().err
    assert (
        'w.caffemodel is of another net: it lacks conv; it has fc6, which '
        'this net has not' in err
    )


def test_all_zero_weights_are_warned_about(place, capsys):
    caffe.Net('net/deploy.prototxt', caffe.TEST).save('w.caffemodel')
    Image.fromarray(picture(5, 4)).save('x.png')
    assert run('x.png') == 0
    assert 'layer conv are all zero (12 numbers)' in capsys.readouterr().err


def test_it_runs_from_any_folder_as_a_script(place):
    Image.fromarray(picture(5, 4)).save('x.png')
    command = [sys.executable, ROOT / 'infer.py', 'net', 'x.png']
    done = subprocess.run(
        [*command, '--weights', 'w.caffemodel', '--gpu', 'cpu'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('segmented/x.png: ')


def test_a_prototxt_on_its_own_is_taken_for_one_of_colour(place, capsys):
    Image.fromarray(picture(5, 4)).save('x.png')
    assert run('x.png') == 0
    err = capsys.readouterr().err
    assert 'no val.prototxt or test.prototxt beside it' in err
    assert "colour minus ImageNet's mean" in err
