"""Scripts as people have them, run unchanged: in a process of their own, in
their own folder, with nothing but this repository's root on PYTHONPATH.

The scripts are in scripts/; their nets are the real definitions, a 32nd as
wide, and where Caffe's recordings can say what comes out, they do.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recordings import recorded_weights, some
from scipy.io import savemat

import caffe
import score
import surgery
from caffe.proto import text
from data.palette import save_label
from nets import edits, vgg16

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / 'scripts'
WIDTH = 32
RNG = np.random.default_rng(12)


def run(script, *args, cwd):
    """Gives: what it printed. Fails with its errors if it did not end well."""
    shutil.copy(SCRIPTS / script, cwd)
    env = {k: v for k, v in os.environ.items() if not k.endswith('_DIR')}
    env.update(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    done = subprocess.run(
        [sys.executable, '-W', 'error', script, *args],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def slim(name, split, folder):
    """Writes a slim copy of a definition. Gives: the NetParameter"""
    net = edits.slim(text.read_net(ROOT / name / f'{split}.prototxt'), WIDTH)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f'{split}.prototxt').write_text(text.to_text(net))
    return net


def trained(folder, model):
    """Writes the weights that Caffe recorded, with the upsampling layers
    bilinear, as they were."""
    recorded = folder / 'recorded'
    recorded.write_bytes(recorded_weights('voc-fcn8s'))
    net = caffe.Net(slim('voc-fcn8s', 'deploy', folder), caffe.TEST)
    net.copy_from(str(recorded))
    surgery.interp(net, [name for name in net.params if 'up' in name])
    net.save(str(folder / model))
    return folder / model


def picture(path, height, width):
    pixels = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, 'PNG')
    return pixels


def scores(prototxt, weights, pixels, mean):
    """By keyword, in a net made for this one size."""
    data = pixels[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
    data -= np.array(mean)[:, None, None]
    param = text.read_net(prototxt)
    param.layer[0].input_param.shape[0].dim[:] = data.shape
    net = caffe.Net(param, caffe.TEST, weights=str(weights))
    return net.forward(data=data)['score'][0].copy()


def test_infer_segments_a_photo(tmp_path):
    folder = tmp_path / 'voc-fcn8s'
    folder.mkdir()
    weights = trained(folder, 'fcn8s-heavy.caffemodel')
    pixels = picture(tmp_path / 'photo.png', 61, 47)
    run('infer.py', cwd=tmp_path)
    labels = np.load(tmp_path / 'labels.npy')
    mean = (104.00698793, 116.66876762, 122.67891434)
    expected = scores(folder / 'deploy.prototxt', weights, pixels, mean)
    assert labels.shape == (61, 47)
    assert (labels == expected.argmax(0)).mean() > 0.999
    assert len(np.unique(labels)) > 1


# training ---------------------------------------------------------------------

SIZES = {'a': (40, 33), 'b': (36, 45), 'c': (41, 38)}  # H x W


def datasets(data):
    """Berkeley's layout of SBD and VOC, of three pictures."""
    sbd = data / 'sbdd' / 'dataset'
    voc = data / 'pascal' / 'VOC2011'
    lists = voc / 'ImageSets' / 'Segmentation'
    folders = sbd / 'img', sbd / 'cls', voc / 'JPEGImages'
    for folder in (*folders, voc / 'SegmentationClass', lists):
        folder.mkdir(parents=True)
    for name, size in SIZES.items():
        for path in (sbd / 'img', voc / 'JPEGImages'):
            picture(path / f'{name}.jpg', *size)
        label = RNG.integers(0, 21, size).astype(np.uint8)
        save_label(voc / 'SegmentationClass' / f'{name}.png', label)
        classes = {'Segmentation': label}
        savemat(sbd / 'cls' / f'{name}.mat', {'GTcls': classes})
    (sbd / 'train.txt').write_text('a\nb\n')
    for path in (lists / 'seg11valid.txt', data / 'pascal' / 'seg11valid.txt'):
        path.write_text('c\nb\n')


def test_solve_trains_by_surgery_and_scores(tmp_path):
    folder = tmp_path / 'voc-fcn32s'
    for split in ('train', 'val'):
        slim('voc-fcn32s', split, folder)
    datasets(tmp_path / 'data')
    shutil.copy(ROOT / 'data' / 'voc_layers.py', tmp_path / 'data')
    settings = text.read_solver(ROOT / 'voc-fcn32s' / 'solver.prototxt')
    settings.base_lr, settings.display, settings.test_iter[0] = 1e-7, 1, 2
    settings.snapshot = 3
    (folder / 'solver.prototxt').write_text(text.to_text(settings))
    base = edits.slim(vgg16.trunk(), WIDTH)
    for layer in base.layer:
        layer.convolution_param.weight_filler.type = 'msra'
        if layer.type != 'Convolution':
            layer.ClearField('convolution_param')
    (tmp_path / 'vgg16-fcn.prototxt').write_text(text.to_text(base))
    caffe.Net(base, caffe.TEST).save(str(tmp_path / 'vgg16-fcn.caffemodel'))

    said = run('solve.py', cwd=folder)
    assert 'copying conv1_1  ->  conv1_1 0' in said
    found = re.findall(r'>>> .* Iteration (\d+) (.+?) (\S+)$', said, re.M)
    assert {int(iteration) for iteration, *_ in found} == {3, 6}
    final = {what: float(value) for _, what, value in found[-5:]}
    assert sorted(os.listdir(folder / 'snapshot')) == [
        f'train_iter_{n}.{kind}'
        for n in (3, 6)
        for kind in ('caffemodel', 'resume.json', 'solverstate')
    ]

    # what it printed, from the net that it saved
    shutil.copy(ROOT / 'data' / 'voc_layers.py', folder)
    here = os.getcwd()
    os.chdir(folder)
    try:
        net = caffe.Net('val.prototxt', 'final.caffemodel', caffe.TEST)
        hist, loss = score.compute_hist(net, None, ['c', 'b'])
        first = caffe.Net('train.prototxt', caffe.TRAIN)
        pixels = np.sum(first.blobs['label'].data != 255)
    finally:
        os.chdir(here)
    metrics = score.metrics(hist)
    assert final['overall accuracy'] == pytest.approx(
        metrics.overall_acc, rel=1e-4
    )
    assert final['mean IU'] == pytest.approx(metrics.mean_iu, rel=1e-4)
    assert final['loss'] == pytest.approx(loss, rel=1e-4)
    assert loss != pytest.approx(pixels * np.log(21), rel=1e-4), 'it learned'


# nets that Caffe recorded -----------------------------------------------------


def test_layers_called_fc6_my_take_the_classifiers_numbers(goldens, tmp_path):
    legacy = goldens / 'legacy'
    shutil.copy(legacy / 'v1.prototxt', tmp_path / 'classifier.prototxt')
    shutil.copy(legacy / 'v1.caffemodel', tmp_path / 'classifier.caffemodel')
    mine = (legacy / 'fullconv.prototxt').read_text().replace('-conv', '_my')
    (tmp_path / 'my.prototxt').write_text(mine)
    recorded = np.load(legacy / 'fullconv.npz')
    np.save(tmp_path / 'data.npy', recorded['in/data'])
    said = run('fc6_my.py', cwd=tmp_path)
    assert 'fc6_my (10, 6, 3, 3) (10, 54)' in said
    for blob in ('prob', 'fc8'):
        expected = recorded[f'data/{blob}']
        np.testing.assert_allclose(
            np.load(tmp_path / f'{blob}.npy'),
            expected,
            atol=1e-4 * np.abs(expected).max(),
        )


def test_stages_run_one_by_one_as_clockwork_nets_do(goldens, tmp_path):
    trained(tmp_path, 'stages.caffemodel')
    (tmp_path / 'deploy.prototxt').rename(tmp_path / 'stages.prototxt')
    recorded = np.load(goldens / 'fcn' / 'voc-fcn8s' / 'io.npz')
    np.save(tmp_path / 'frame.npy', recorded['in/data'])
    run('clockwork.py', cwd=tmp_path)
    whole = np.load(tmp_path / 'whole.npy')
    expected = recorded['some/data/score']
    np.testing.assert_allclose(
        some(whole), expected, atol=1e-4 * np.abs(expected).max()
    )
    mixed = np.load(tmp_path / 'mixed.npy')
    assert mixed.shape == whole.shape
    assert np.abs(mixed - whole).max() > 0.01 * np.abs(whole).max()


def test_generated_scenes_are_scored_as_pix2pix_does(tmp_path):
    (tmp_path / 'caffemodel').mkdir()
    weights = trained(tmp_path / 'caffemodel', 'fcn-8s.caffemodel')
    (tmp_path / 'results').mkdir()
    hist = np.zeros((21, 21), int)
    mean = (72.78044, 83.21195, 73.45286)
    for k, size in enumerate([(40, 50), (33, 61), (52, 37)]):
        pixels = picture(tmp_path / 'results' / f'{k}_fake.png', *size)
        prototxt = tmp_path / 'caffemodel' / 'deploy.prototxt'
        guess = scores(prototxt, weights, pixels, mean).argmax(0)
        truth = np.where(RNG.random(size) < 0.7, guess, (guess + 1) % 21)
        truth[:3] = 255
        path = tmp_path / 'results' / f'{k}_labels.png'
        Image.fromarray(truth.astype(np.uint8)).save(path)
        for t, g in zip(truth[3:].ravel(), guess[3:].ravel()):
            hist[t, g] += 1
    said = run('cityscapes_score.py', '--results', 'results', cwd=tmp_path)
    found = {k: float(v) for k, v in (x.split() for x in said.splitlines())}
    right, rows, columns = np.diag(hist), hist.sum(1), hist.sum(0)
    seen, union = rows > 0, rows + columns - right
    assert found['pixel'] == pytest.approx(right.sum() / hist.sum(), abs=2e-3)
    assert found['class'] == pytest.approx(
        (right[seen] / rows[seen]).mean(), abs=1e-2
    )
    assert found['iou'] == pytest.approx(
        (right[union > 0] / union[union > 0]).mean(), abs=1e-2
    )
    assert 0.6 < found['pixel'] < 0.8
