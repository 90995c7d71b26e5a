"""Every recipe from end to end, in order, each from what the one before it
left: slim nets, a few iterations, datasets of a few images."""

import re
from types import SimpleNamespace

import miniatures
import pytest
from small_runs import NARROW, slim_model, write_voc

import solve
import training.run
from caffe.proto import text
from data.datasets import DATASETS
from nets import caffenet, edits, vgg16
from training import needs
from training.start import stored

ROOT = solve.ROOT
NETS = [folder.name for folder in solve.networks()]
DATA = {
    'voc': write_voc,
    'siftflow': miniatures.write_siftflow,
    'nyud': miniatures.write_nyud,
    'pascalcontext': miniatures.write_context,
}


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """The fifteen directories with slim nets, the classifiers that they start
    from, and datasets. Gives: its folder; environ of each dataset"""
    root = tmp_path_factory.mktemp('place')
    for name in NETS:
        (root / name).mkdir()
        for path in (ROOT / name).glob('*.prototxt'):
            string = path.read_text().replace('iter_size: 20', 'iter_size: 2')
            if path.stem != 'solver':
                net = edits.slim(text.read_net(path), NARROW.get(name, 32))
                string = text.to_text(net)
            (root / name / path.name).write_text(string)
    for name, trunk in (('vgg16-fcn', vgg16), ('alexnet-fcn', caffenet)):
        slim_model(name, trunk.trunk(), root / name / f'{name}.caffemodel')
    environ = {}
    for kind, write in DATA.items():
        (root / 'data' / kind).mkdir(parents=True)
        environ[kind] = write(root / 'data' / kind)
    return SimpleNamespace(root=root, environ=environ)


@pytest.fixture
def run(place, monkeypatch):
    """run(name, *options): a training of two rounds of two iterations, after
    those of the networks it starts from."""
    monkeypatch.chdir(place.root)
    monkeypatch.setattr(needs, 'ROOT', place.root)
    for dataset in DATASETS:
        monkeypatch.setenv(dataset.env, '')

    def train(name, *options, rounds=2):
        recipe = solve.recipe_of(place.root / name)
        for start in set(recipe.starts) & set(NETS):
            if not needs.newest(place.root / start, 'caffemodel'):
                train(start)
        for key, value in place.environ[name.split('-')[0]].items():
            monkeypatch.setenv(key, value)
        recipe = recipe._replace(rounds=rounds, iterations=2)
        args = solve.arguments(name, ['cpu', *options])
        assert training.run.run(place.root / name, recipe, args) == 0
        return place.root / name, recipe

    return train


def scores(out, what):
    """The numbers of Berkeley's lines: [(iteration, value), ...]"""
    found = re.findall(rf'^>>> .* Iteration (\d+) {what} (\S+)$', out, re.M)
    return [(int(iteration), float(value)) for iteration, value in found]


@pytest.mark.parametrize('name', NETS)
def test_a_recipe_runs_from_its_start_to_its_scores(name, run, capsys):
    folder, recipe = run(name)
    out, err = capsys.readouterr()
    assert 'WARNING' not in out + err
    out = out.rpartition('log: ')[2]  # what it starts from may be above
    assert out.splitlines()[-1] in (folder / out.splitlines()[0]).read_text()
    rounds = [2] * len(recipe.tests) + [4] * len(recipe.tests)
    for what in ('loss', 'mean IU'):
        assert [iteration for iteration, _ in scores(out, what)] == rounds
    assert all(loss > 0 for _, loss in scores(out, 'loss'))
    assert all(0 <= iu <= 1 for _, iu in scores(out, 'mean IU'))
    learned = stored(folder / 'snapshot/train_iter_4.caffemodel').params
    for layer in recipe.new:
        assert learned[layer][0].data.any(), f'{layer} learned nothing'
    assert needs.newest(folder, 'solverstate').stem == 'train_iter_4'


@pytest.mark.parametrize('name', ['siftflow-fcn32s', 'nyud-fcn32s-color-hha'])
def test_a_run_goes_on_where_it_stopped(name, run, capsys):
    """SIFT Flow's published solvers kept nothing to go on from."""
    folder, _ = run(name)
    capsys.readouterr()
    run(name, '--resume', rounds=3)
    out = capsys.readouterr().out
    assert {iteration for iteration, _ in scores(out, 'loss')} == {6}
    assert needs.newest(folder, 'caffemodel').stem == 'train_iter_6'
    for path in (folder / 'snapshot').glob('train_iter_6*'):
        path.unlink()
