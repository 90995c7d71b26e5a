"""What lies in a network directory: net.py, what it wrote, the solver."""

import ast
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from caffe.proto.text import read_net, read_solver

ROOT = Path(__file__).parents[2]
NETS = sorted(path.parent.name for path in ROOT.glob('voc-*/net.py'))
MEAN_BGR = (104.00699, 116.66877, 122.67892)
SBD = dict(sbdd_dir='../data/sbdd/dataset', split='train')
VOC = dict(voc_dir='../data/pascal/VOC2011', split='seg11valid')
FILES = ('train', 'val', 'deploy')
# base_lr, momentum, iter_size, max_iter (spec G.3)
SOLVERS = {
    'voc-fcn-alexnet': (1e-4, 0.9, 20, 100000),
    'voc-fcn32s': (1e-10, 0.99, 1, 100000),
    'voc-fcn16s': (1e-12, 0.99, 1, 100000),
    'voc-fcn8s': (1e-14, 0.99, 1, 100000),
    'voc-fcn8s-atonce': (1e-10, 0.99, 1, 300000),
}


@pytest.mark.parametrize('name', NETS)
def test_prototxts_are_what_net_py_writes(name, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', [str(ROOT), *sys.path])
    (tmp_path / name).mkdir()
    copy = shutil.copy(ROOT / name / 'net.py', tmp_path / name)
    runpy.run_path(copy, run_name='__main__')
    for file in (f'{stem}.prototxt' for stem in FILES):
        written = (tmp_path / name / file).read_text()
        committed = (ROOT / name / file).read_text()
        assert written == committed, f'run python {name}/net.py'


@pytest.mark.parametrize('name', NETS)
def test_net_py_fits_on_a_screen(name):
    lines = (ROOT / name / 'net.py').read_text().splitlines()
    assert len(lines) <= 45


@pytest.mark.parametrize('name', NETS)
def test_the_solver_has_the_published_settings(name):
    solver = read_solver(str(ROOT / name / 'solver.prototxt'))
    lr, momentum, iter_size, max_iter = SOLVERS[name]
    assert solver.base_lr == pytest.approx(lr)
    assert solver.momentum == pytest.approx(momentum)
    assert (solver.iter_size, solver.max_iter) == (iter_size, max_iter)
    assert (solver.type, solver.lr_policy) == ('SGD', 'fixed')
    assert solver.weight_decay == pytest.approx(0.0005)
    assert (solver.train_net, solver.test_net) == (
        'train.prototxt',
        ['val.prototxt'],
    )
    assert (solver.test_iter, solver.test_interval) == ([736], 999999999)
    assert solver.test_initialization is False
    assert (solver.display, solver.average_loss) == (20, 20)
    assert solver.snapshot == 4000
    assert solver.snapshot_prefix == 'snapshot/train'
    assert solver.random_seed == -1


@pytest.mark.parametrize('name', NETS)
def test_data_layers_name_the_published_images(name):
    for file, layer, where in (
        ('train', 'SBDDSegDataLayer', SBD),
        ('val', 'VOCSegDataLayer', VOC),
    ):
        net = read_net(str(ROOT / name / f'{file}.prototxt'))
        data = net.layer[0].python_param
        assert (data.module, data.layer) == ('voc_layers', layer)
        said = ast.literal_eval(data.param_str)
        assert said == dict(where, mean=MEAN_BGR, seed=1337)
