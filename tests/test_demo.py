"""The demo's parts, each on a few pictures for a few iterations; whether the
whole of it learns is for `make demo` to show."""

import os

import numpy as np
import pytest

import caffe
import demo
import miniature
from ablations.variant import put
from caffe.proto import text
from data import shapes

FEW = miniature.CLASSIFIER.replace('max_iter: 250', 'max_iter: 1').replace(
    'test_iter: 20', 'test_iter: 1'
)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('shapes')
    shapes.write(root, train=12, val=2, crops=20, held_out=10)
    return root


@pytest.fixture(scope='module')
def ran(data, tmp_path_factory):
    """The three stages, two iterations each."""
    root, here = tmp_path_factory.mktemp('demo'), os.getcwd()
    start = trunk = root / 'vgg16-fcn/vgg16-fcn.caffemodel'
    demo.train_classifier(trunk, data, FEW)
    for name in demo.STAGES:
        start = demo.train(root / name, start, data, 1, 2)
    yield root
    os.chdir(here)


def test_the_classifier_is_the_real_one_but_for_its_widths(data):
    net = miniature.classifier('train', data)
    inner = {
        layer.name: layer.inner_product_param.num_output
        for layer in net.layer
        if layer.type == 'InnerProduct'
    }
    wide = 4096 // miniature.WIDTH
    assert inner == {'fc6': wide, 'fc7': wide, 'fc8': len(shapes.CLASSES)}
    convs = [x for x in net.layer if x.type == 'Convolution']
    assert len(convs) == 13, [x.name for x in convs]


def test_a_stage_goes_on_from_the_one_before(ran):
    for name in demo.STAGES:
        assert (ran / name / 'snapshot/train_iter_2.caffemodel').is_file()
    log = (next((ran / 'voc-fcn8s').glob('train-*.log'))).read_text()
    assert 'voc-fcn16s/snapshot/train_iter_2.caffemodel' in log, log[:500]


def test_what_is_finished_is_kept(ran, data, capsys):
    trunk = ran / 'vgg16-fcn/vgg16-fcn.caffemodel'
    model = ran / 'voc-fcn32s/snapshot/train_iter_2.caffemodel'
    before = model.stat().st_mtime_ns
    demo.train_classifier(trunk, data, FEW)
    assert demo.train(ran / 'voc-fcn32s', trunk, data, 1, 2) == model
    assert model.stat().st_mtime_ns == before
    assert capsys.readouterr().out.count('already there') == 2


def test_what_is_older_than_its_source_is_not_kept(tmp_path):
    old, new = tmp_path / 'old', tmp_path / 'new'
    for path, age in ((old, 100), (new, 200)):
        put(path, 'content')
        os.utime(path, (age, age))
    assert demo.fresh(new, old) and not demo.fresh(old, new)
    put(new, 'content')
    assert new.stat().st_mtime == 200, 'the same content: left alone'
    assert not demo.fresh(tmp_path / 'none')


def test_the_settings_are_the_published_ones_but_for_a_short_run(ran):
    slim = text.read_solver(str(ran / 'voc-fcn16s/solver.prototxt'))
    real = text.read_solver(str(demo.ROOT / 'voc-fcn16s/solver.prototxt'))
    assert (slim.max_iter, slim.snapshot) == (2, 2)
    for field in ('weight_decay', 'iter_size', 'average_loss', 'train_net'):
        assert getattr(slim, field) == getattr(real, field), field


def test_the_table_has_a_row_for_every_stage(ran):
    logs = {name: demo.read_logs(ran / name) for name in demo.STAGES}
    rows = demo.table(logs).strip().split('\n')
    assert [row.split()[1] for row in rows[2:]] == list(demo.STAGES)
    assert all(len(row) == len(rows[0]) for row in rows), rows


def test_curves_and_grid_are_drawn(ran, data):
    demo.draw(ran, data)
    assert (ran / 'curves.png').stat().st_size > 10000
    assert (ran / 'grid.png').stat().st_size > 10000


def test_the_grid_shows_the_picture_itself(ran, data, monkeypatch):
    monkeypatch.setenv('VOC_DIR', str(data))
    net = demo.val_net(ran / 'voc-fcn32s')
    seen = []
    monkeypatch.setattr(
        demo.palette, 'grid', lambda rows, *_, **__: seen.extend(rows)
    )
    demo.grid([net], count=1)
    image, label, scores = (np.asarray(cell) for cell in seen[0])
    assert image.shape == (*label.shape, 3) == (*scores.shape, 3)
    assert image.dtype == np.uint8 and image.std() > 5
    assert isinstance(net, caffe.Net)
