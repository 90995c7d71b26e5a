"""ablate.py and its studies, for real on a few generated pictures: every arm
of every study is trained for two iterations and scored."""

import csv
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from small_runs import slim_model

import miniature
from ablations import grid, result
from ablations.studies import STUDIES
from ablations.train import prepare, train
from data import shapes
from nets import vgg16

ROOT = Path(__file__).parents[1]
TRUNK = 'start/vgg16-fcn.caffemodel'
TRAINED = [name for name, study in STUDIES.items() if study.arms]
# The program with few pictures and a classifier that has learned nothing.
CHILD = """
import sys
from pathlib import Path
root, here = map(Path, sys.argv[1:3])
sys.path[:0] = [str(root), str(root / 'data')]
import ablate, demo, miniature
miniature.WIDTH = 32
from ablations import conduct
from data import shapes
shapes.HOME = here / 'shapes'
shapes.write = lambda home: print(home)
conduct.TRUNK = here / 'start/vgg16-fcn.caffemodel'
demo.train_classifier = lambda *_: None
conduct.PROGRAM = [sys.executable, *sys.argv[:3]]
if __name__ == '__main__':
    sys.exit(ablate.main(sys.argv[3:]))
"""


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with pictures, `shapes`, and a slim trunk."""
    place = tmp_path_factory.mktemp('studies')
    shapes.write(place / 'shapes', train=6, val=2, crops=1, held_out=1)
    slim_model('vgg16-fcn', vgg16.trunk(), place / TRUNK)
    return place


@pytest.fixture
def here(place, monkeypatch):
    """Runs change the working directory and where the data is."""
    monkeypatch.setattr(miniature, 'WIDTH', 32)
    for dataset in ('VOC_DIR', 'SBD_DIR'):
        monkeypatch.setenv(dataset, str(place / 'shapes'))
    monkeypatch.chdir(place)
    return place


def ran(name, here, nets=None):
    """Trains all arms of a study, two iterations each. Gives: {(net, arm):
    Result}"""
    settings = grid.Settings(here / 'out', 1, 2, shapes=True)
    cells = grid.cells(name, settings, nets)
    tests = STUDIES[name].tests
    for run in grid.in_order(run for cell in cells.values() for run in cell):
        if not run.finished:
            assert train(run, tests, True, 'cpu', [], here / TRUNK), run.name
    return {key: result.load(run.folder) for key, (run,) in cells.items()}


def start(here, *words):
    """ablate.py in a process of its own. Gives: exit status; what it said"""
    script = here / 'child.py'
    script.write_text(CHILD)
    environ = {**os.environ, 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(
        [sys.executable, str(script), str(ROOT), str(here), *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return done.returncode, done.stdout + done.stderr


def table(out):
    text = (out / 'frozen/table.csv').read_text()
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize('name', TRAINED)
def test_every_arm_of_a_study_learns_and_is_measured(name, here):
    study = STUDIES[name]
    nets = study.nets if name == 'stride' else study.nets[:1]
    results = ran(name, here, nets)
    assert {arm for _, arm in results} == set(study.arms)
    for (net, _), each in results.items():
        assert set(study.tests) <= set(each.counts)
        for counts in each.counts.values():
            assert counts.hists.sum(), 'pixels were counted'
            assert len(counts.ids) == 2
        assert each.facts['network'] == net
        assert each.facts['iterations_per_second'] is None or (
            each.facts['iterations_per_second'] > 0
        )
        assert each.facts['memory'] > 0.05, 'in GB'
        assert each.pictures[0].prediction.shape == each.pictures[0].label.shape


def test_arms_differ_in_what_they_learned(here):
    results = ran('upsampling', here, ['voc-fcn32s'])
    own = {
        arm: each.kernels['upscore'].own for (_, arm), each in results.items()
    }
    assert not np.array_equal(own['fixed'], own['learned'])
    near = np.abs(own['fixed'] - own['learned']).max()
    far = np.abs(own['fixed'] - own['random']).max()
    assert near < 0.01 < far, 'learned began at bilinear, random did not'
    between = {
        arm: each.kernels['upscore'].between
        for (_, arm), each in results.items()
    }
    assert between['fixed'] == between['depthwise'] == 0 < between['random']


def test_a_run_starts_from_the_stage_of_its_own_arm(here):
    ran('upsampling', here, ['voc-fcn32s', 'voc-fcn16s'])
    settings = grid.Settings(here / 'out', 1, 2, shapes=True)
    cells = grid.cells('upsampling', settings, ['voc-fcn32s', 'voc-fcn16s'])
    (run,) = cells['voc-fcn16s', 'learned']
    (begin,) = result.load(run.folder).facts['start']
    assert 'upsampling=learned' in begin and 'voc-fcn32s' in begin, begin
    log = next(run.folder.glob('train-*.log')).read_text()
    assert f'starting from {begin}' in log


def test_a_run_that_is_measured_again_says_what_its_training_took(here):
    cells = ran('frozen', here)
    first = cells['voc-fcn32s', 'all'].facts
    assert first['seconds'] > 0
    Path(first['folder'], result.NAME).unlink()
    again = ran('frozen', here)['voc-fcn32s', 'all'].facts
    assert again == {**first, 'tests': ['']}


def test_a_run_of_another_net_is_not_taken_for_this_one(here):
    settings = grid.Settings(here / 'changed', 1, 2, shapes=True)
    (run,) = grid.cells('frozen', settings)['voc-fcn32s', 'all']
    prepare(run, True)
    path = run.folder / 'train.prototxt'
    path.write_text(path.read_text().replace('ratio: 0.1', 'ratio: 0.2'))
    with pytest.raises(ValueError, match='train.prototxt is not what'):
        prepare(run, True)


def test_a_study_is_done_from_one_command_and_not_done_twice(here):
    words = 'frozen upper-bound --shapes --seeds 1 --iterations 2 --jobs 2'
    status, said = start(here, *words.split(), '--out', str(here / 'cli'))
    assert status == 0, said
    page = (here / 'cli/frozen/report.html').read_text()
    assert STUDIES['frozen'].question in page
    rows = table(here / 'cli')
    assert [row['arm'] for row in rows] == list(STUDIES['frozen'].arms)
    assert (here / 'cli/upper-bound/report.html').is_file()
    assert (here / 'cli/frozen/table.tex').is_file()
    damaged = next((here / 'cli/runs').glob('*/frozen=trunk/*/*/counts.npz'))
    damaged.write_bytes(damaged.read_bytes()[:500])
    status, said = start(here, *words.split(), '--out', str(here / 'cli'))
    assert status == 1 and '2 of 2 runs are there already' in said
    assert 'cli/upper-bound/report.html' in said, 'the others have their pages'
    page = (here / 'cli/frozen/report.html').read_text()
    assert f'{damaged}: cannot be read' in page
    assert [row['arm'] for row in table(here / 'cli')] == ['all']


def test_print_lists_commands_that_do_the_runs(here):
    out = str(here / 'printed')
    words = ['frozen', '--shapes', '--seeds', '1', '--iterations', '2']
    words += ['--out', out]
    status, said = start(here, *words, '--print')
    lines = said.strip().splitlines()
    assert status == 0 and len(lines) == 2, said
    twice = [lines[0], *lines]  # as two studies that share a run would
    with ThreadPoolExecutor() as pool:
        ends = list(pool.map(lambda x: start(here, *x.split()[2:]), twice))
    assert all(line.startswith('python ablate.py --only ') for line in lines)
    assert all(status == 0 for status, _ in ends), ends
    assert sum('already there' in said for _, said in ends) == 1, ends
    logs = list((here / 'printed/runs').glob('*/*/*/*/train-*.log'))
    assert len(logs) == 2, 'the second waited for the first'
    status, said = start(here, *words, '--print')
    assert (status, said) == (0, ''), 'nothing is left to do'


def test_a_run_that_fails_is_on_the_page_and_the_others_are_done(here):
    out = here / 'failing'
    settings = grid.Settings(out, 1, 2, shapes=True)
    (bad,) = grid.cells('frozen', settings)['voc-fcn32s', 'all']
    bad.folder.mkdir(parents=True)
    (bad.folder / 'solver.prototxt').write_text('base_lr: 1')  # another's
    words = 'frozen --shapes --seeds 1 --iterations 2 --jobs 1'.split()
    status, said = start(here, *words, '--out', str(out))
    assert status == 1
    assert '1 of 2 runs failed' in said
    assert 'Traceback' not in said
    page = (out / 'frozen/report.html').read_text()
    assert 'solver.prototxt is not what this run would be' in page
    rows = table(out)
    assert [row['arm'] for row in rows] == ['scores alone']
