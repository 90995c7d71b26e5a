"""What lies in a network directory: net.py, what it wrote, the solver."""

import ast
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from published_settings import DATA, SOLVERS, SPLITS, of

from caffe.proto.text import read_net, read_solver

ROOT = Path(__file__).parents[2]
NETS = sorted(path.parent.name for path in ROOT.glob('*-*/net.py'))
MEAN_BGR = (104.00699, 116.66877, 122.67892)
VOC = {  # split: layer, param_str
    'train': (
        'SBDDSegDataLayer',
        dict(sbdd_dir='../data/sbdd/dataset', split='train', mean=MEAN_BGR),
    ),
    'val': (
        'VOCSegDataLayer',
        dict(
            voc_dir='../data/pascal/VOC2011', split='seg11valid', mean=MEAN_BGR
        ),
    ),
}
LINES = {'net.py': 45, 'solve.py': 35}


@pytest.mark.parametrize('name', NETS)
def test_prototxts_are_what_net_py_writes(name, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', [str(ROOT), *sys.path])
    (tmp_path / name).mkdir()
    copy = shutil.copy(ROOT / name / 'net.py', tmp_path / name)
    runpy.run_path(copy, run_name='__main__')
    written = {path.name for path in (tmp_path / name).glob('*.prototxt')}
    stems = *of(SPLITS, name), 'deploy'
    assert written == {f'{stem}.prototxt' for stem in stems}
    for file in written:
        text = (tmp_path / name / file).read_text()
        committed = (ROOT / name / file).read_text()
        assert text == committed, f'run python {name}/net.py'


@pytest.mark.parametrize('name', NETS)
def test_a_directory_has_its_six_files_each_on_a_screen(name):
    stems = *of(SPLITS, name), 'deploy', 'solver'
    files = {path.name for path in (ROOT / name).iterdir() if path.is_file()}
    assert {*LINES, *(f'{stem}.prototxt' for stem in stems)} <= files
    for file, most in LINES.items():
        lines = (ROOT / name / file).read_text().splitlines()
        assert len(lines) <= most, file


@pytest.mark.parametrize('name', NETS)
def test_the_solver_has_the_published_settings(name):
    solver = read_solver(str(ROOT / name / 'solver.prototxt'))
    lr, momentum, iter_size, max_iter, snapshot, test_iter = SOLVERS[name]
    assert solver.base_lr == pytest.approx(lr)
    assert solver.momentum == pytest.approx(momentum)
    assert (solver.iter_size, solver.max_iter) == (iter_size, max_iter)
    assert (solver.type, solver.lr_policy) == ('SGD', 'fixed')
    assert solver.weight_decay == pytest.approx(0.0005)
    train, test = of(SPLITS, name)
    assert solver.train_net == f'{train}.prototxt'
    assert solver.test_net == [f'{test}.prototxt']
    assert (solver.test_iter, solver.test_interval) == ([test_iter], 999999999)
    assert solver.test_initialization is False
    assert (solver.display, solver.average_loss) == (20, 20)
    assert solver.snapshot == snapshot
    assert solver.snapshot_prefix == 'snapshot/train'
    assert solver.random_seed == -1


@pytest.mark.parametrize('name', NETS)
def test_data_layers_name_the_published_images(name):
    for split in of(SPLITS, name):
        net = read_net(str(ROOT / name / f'{split}.prototxt'))
        data = net.layer[0].python_param
        if name.startswith('voc-'):
            module, (layer, settings) = 'voc_layers', VOC[split]
        else:
            module, layer, settings = of(DATA, name)
            settings = dict(settings, split=split)
        assert (data.module, data.layer) == (module, layer)
        assert ast.literal_eval(data.param_str) == dict(settings, seed=1337)
