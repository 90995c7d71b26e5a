"""Which runs a study has, where they lie and what they wait for."""

import json
import shutil

import pytest

import networks
from ablations import grid, result
from ablations.studies import STUDIES
from ablations.train import variant_of

TRAINED = [name for name, study in STUDIES.items() if study.arms]


def settings(out, seeds=2, iterations=100, shapes=True):
    return grid.Settings(out, seeds, iterations, shapes)


def finish(run, tests=('',)):
    run.folder.mkdir(parents=True)
    (run.folder / result.NAME).write_text(json.dumps({'tests': list(tests)}))


@pytest.mark.parametrize('name', TRAINED)
def test_a_study_has_a_run_for_each_net_arm_and_seed(name, tmp_path):
    study = STUDIES[name]
    cells = grid.cells(name, settings(tmp_path))
    assert set(cells) == {(n, a) for n in study.nets for a in study.arms}
    assert all([run.seed for run in c] == [1, 2] for c in cells.values())
    folders = [run.folder for cell in cells.values() for run in cell]
    assert len(set(folders)) == len(folders), 'two runs in one folder'


def test_studies_share_the_runs_they_have_in_common(tmp_path):
    first = grid.cells('upsampling', settings(tmp_path))
    second = grid.cells('stride', settings(tmp_path))
    fixed = first['voc-fcn16s', 'fixed']
    (arm,) = STUDIES['stride'].arms
    published = second['voc-fcn16s', arm]
    assert [r.folder for r in fixed] == [r.folder for r in published]
    assert 'as-published' in fixed[0].name
    learned = first['voc-fcn16s', 'learned']
    assert 'upsampling=learned' in learned[0].name


def test_a_stage_starts_from_the_run_of_its_own_edits_and_seed(tmp_path):
    run = grid.cells('upsampling', settings(tmp_path))['voc-fcn8s', 'random'][1]
    (before,) = run.needs
    assert before.network == 'voc-fcn16s'
    assert (before.edits, before.seed) == ({'upsampling': 'random'}, 2)
    assert [need.network for need in before.needs] == ['voc-fcn32s']


def test_a_stage_alone_starts_from_unedited_runs_on_shapes_only(tmp_path):
    def run(shapes):
        some = settings(tmp_path, shapes=shapes)
        return grid.cells('upsampling', some, ['voc-fcn16s'])[
            'voc-fcn16s', 'learned'
        ][0]

    (before,) = run(shapes=True).needs
    assert (before.network, before.edits) == ('voc-fcn32s', {})
    assert run(shapes=False).needs == (), 'a published FCN-32s is the start'


def test_iterations_keep_the_proportions_of_the_schedules(tmp_path):
    cells = grid.cells('stride', settings(tmp_path, iterations=100))
    counts = {net: runs[0].iterations for (net, _), runs in cells.items()}
    assert counts.pop('voc-fcn8s-atonce') == 300
    assert set(counts.values()) == {100}
    cells = grid.cells('stride', settings(tmp_path, iterations=None))
    counts = {net: runs[0].iterations for (net, _), runs in cells.items()}
    assert counts.pop('voc-fcn8s-atonce') == 300_000
    assert set(counts.values()) == {100_000}


def test_in_order_has_what_is_needed_first_and_everything_once(tmp_path):
    cells = grid.cells('upsampling', settings(tmp_path, seeds=1))
    runs = [run for cell in cells.values() for run in cell]
    ordered = grid.in_order(runs[::-1] + runs)
    assert len(ordered) == len(runs)
    at = {run.folder: i for i, run in enumerate(ordered)}
    for run in ordered:
        assert all(at[need.folder] < at[run.folder] for need in run.needs)


def test_a_shared_run_is_tested_for_every_study(tmp_path):
    names = 'frozen', 'masking'
    cells = [grid.cells(name, settings(tmp_path, seeds=1)) for name in names]
    runs = grid.in_order(r for each in cells for c in each.values() for r in c)
    shared = [run for run in runs if not run.edits]
    assert len(shared) == 1
    assert set(shared[0].tests) == {'', *STUDIES['masking'].tests}


def test_a_run_is_finished_once_it_has_all_its_tests(tmp_path):
    cells = grid.cells('masking', settings(tmp_path, seeds=1))
    run = next(iter(cells.values()))[0]
    assert not run.finished
    finish(run)
    assert not run.finished, 'it was tested for another study only'
    text = json.dumps({'tests': ['', *run.tests]})
    (run.folder / result.NAME).write_text(text)
    assert run.finished


@pytest.mark.parametrize('text', ['', '{"tests": [', '[1]', '{}'])
def test_a_damaged_result_is_named_and_what_to_do(text, tmp_path):
    cells = grid.cells('frozen', settings(tmp_path, seeds=1))
    run = next(iter(cells.values()))[0]
    finish(run)
    path = run.folder / result.NAME
    path.write_text(text)
    message = f'{path}: cannot be read: .*. Remove {path}'
    with pytest.raises(ValueError, match=message):
        _ = run.finished


def own(folder):
    """A network directory of a person's own."""
    names = 'train', 'val', 'deploy', 'solver'
    folder.mkdir(parents=True)
    for name in names:
        shutil.copy(networks.ROOT / f'voc-fcn16s/{name}.prototxt', folder)
    return folder


def test_a_directory_of_ones_own_is_the_one_that_is_trained(tmp_path):
    folder = own(tmp_path / 'mine/voc-fcn16s')
    solver = folder / 'solver.prototxt'
    solver.write_text(solver.read_text().replace('1e-12', '7e-12'))
    cells = grid.cells('frozen', settings(tmp_path), [str(folder)])
    run = cells['voc-fcn16s', 'all'][0]
    assert run.source == folder
    assert [need.source.parent for need in run.needs] == [networks.ROOT]
    rate = variant_of(run, shapes=False).solver.base_lr
    assert rate == pytest.approx(7e-12)


def test_two_networks_of_one_name_are_refused(tmp_path):
    folder = own(tmp_path / 'mine/voc-fcn16s')
    with pytest.raises(ValueError, match='have one name'):
        grid.cells('frozen', settings(tmp_path), ['voc-fcn16s', folder])


def test_an_unknown_network_is_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match='voc-fcn9s: no network'):
        grid.cells('frozen', settings(tmp_path), ['voc-fcn9s'])
