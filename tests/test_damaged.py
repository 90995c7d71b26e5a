"""Images that are damaged and numbers that are none, each for real, in a
training of its own process."""

import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from miniatures import write_lists
from small_runs import (
    NEVER,
    VOC,
    directory,
    ended,
    finish,
    iterations,
    read_until,
    set_rate,
    start,
)
from test_kill import weights as weights_of

from weights import formats


@pytest.fixture
def run(tmp_path):
    return directory(tmp_path, snapshot=NEVER)


def damage(environ, name='2008_000015'):
    path = os.path.join(environ['SBD_DIR'], 'img', f'{name}.jpg')
    with open(path, 'r+b') as file:
        file.truncate(100)
    return path


def test_a_bad_image_is_named_before_the_first_iteration(run):
    folder, environ = run
    path = damage(environ)
    status, out = finish(folder, environ)
    assert status == 1
    assert '1 of 2 train images are bad' in out and path in out
    assert '--skip-bad' in out and 'Traceback' not in out
    assert ', loss = ' not in out


def test_bad_images_are_skipped_and_counted(run):
    folder, environ = run
    damage(environ)
    status, out = finish(folder, environ, '--skip-bad', '--seed', 1)
    assert status == 0, out
    assert 'SKIPPED 2008_000015 (1 so far)' in out
    assert iterations(folder) == [10]


def train_on_voc(folder, environ):
    """Lets a run read JPEGs and labels that are PNGs. Gives: VOC's folder"""
    train = folder / 'train.prototxt'
    text = train.read_text().replace('SBDDSegDataLayer', 'VOCSegDataLayer')
    train.write_text(text.replace('sbdd_dir', 'voc_dir'))
    voc = Path(environ['VOC_DIR'])
    write_lists(voc / 'ImageSets/Segmentation', {'train': VOC['train']})
    return voc


@pytest.mark.parametrize(
    'name',
    ['JPEGImages/2008_000015.jpg', 'SegmentationClass/2008_000015.png'],
)
def test_a_file_that_goes_bad_in_the_middle_is_named_or_skipped(run, name):
    """After all of them have been opened before the first iteration."""
    folder, environ = run
    path = train_on_voc(folder, environ) / name
    sound = path.read_bytes()
    if path.suffix == '.png':  # not one byte of the pixels as it was
        at = sound.index(b'IDAT') + 4
        broken = sound[:at] + bytes(255 - x for x in sound[at:])
    else:
        broken = sound[: len(sound) // 2]
    process = start(folder, environ, '--seed', 2, iterations=100000)
    read_until(process, ', loss = ', 3)
    path.write_bytes(broken)
    status, out = ended(process)
    assert status == 1 and 'Traceback' not in out, out
    assert out.splitlines()[-1].startswith(f'voc-fcn32s: {path}: ')
    (done,) = iterations(folder)
    assert f'kept: snapshot/train_iter_{done}.solverstate' in out
    assert weights_of(folder, done)
    path.write_bytes(sound)
    process = start(
        folder, environ, '--resume', '--skip-bad', iterations=100000
    )
    read_until(process, ', loss = ', 3)
    path.write_bytes(broken)
    line = read_until(process, 'SKIPPED').splitlines()[-1]
    assert line.startswith(f'SKIPPED 2008_000015 (1 so far): {path}: ')
    read_until(process, ', loss = ', 20)
    process.send_signal(signal.SIGTERM)
    status, out = ended(process)
    assert status == 0 and 'SKIPPED' not in out, out
    assert len(iterations(folder)) == 2


def test_numbers_that_are_none_end_the_run_with_image_and_layer(run):
    folder, environ = run
    set_rate(folder, '1e30')
    status, out = finish(folder, environ)
    assert status == 1
    assert 'WARNING: layer' in out, 'the rate does not fit the loss'
    assert 'is not finite, image 2008_0000' in out
    assert 'output ' in out and 'The last good snapshot is none' in out
    assert not iterations(folder)


def test_a_net_that_cannot_learn_is_told_in_the_first_iteration(run):
    folder, environ = run
    train = folder / 'train.prototxt'
    text = train.read_text()
    loss = text.index('SoftmaxWithLoss')
    brace = text.index('\n', loss)
    train.write_text(
        text[:brace]
        + '\n  propagate_down: false propagate_down: false'
        + text[brace:]
    )
    status, out = finish(folder, environ)
    assert status == 1
    assert 'gradient of every score layer is zero' in out


def test_a_gradient_that_is_none_ends_the_run_though_the_loss_is_finite(run):
    """Scores that are zero hide how large the features below them are; the
    gradient of their weights does not."""
    folder, environ = run
    status, out = finish(folder, environ, '--iterations', 2)
    assert status == 0, out
    path = folder / 'snapshot/train_iter_2.caffemodel'
    held = formats.read(path)
    layers = {
        name: {i: np.array(array) for i, array in blobs.items()}
        for name, blobs in held.layers.items()
    }
    for blobs, factor in ((layers['fc7'], 1e36), (layers['score_fr'], 0)):
        for array in blobs.values():
            array *= np.float32(factor)
    formats.write(path, layers, held.net)
    status, out = finish(folder, environ, '--resume')
    assert status == 1 and 'Traceback' not in out, out
    message = out.splitlines()[-1]
    assert re.match(
        r'voc-fcn32s: the gradient of iteration 2 is not finite, image '
        r'2008_0000(08|15); first in the gradient of score_fr\S*\. The last '
        r'good snapshot is \S+/train_iter_2\.solverstate;',
        message,
    ), message
    assert iterations(folder) == [2], 'nothing is kept of it'
    (loss,) = re.findall(r'Iteration 2 .*, loss = (\S+)', out)
    assert np.isfinite(float(loss))
