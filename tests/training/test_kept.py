"""Which snapshots are whose, from the files alone."""

import json
from types import SimpleNamespace

import pytest

from training.kept import Kept, new_run, newest


@pytest.fixture
def kept(tmp_path):
    (tmp_path / 'snapshot').mkdir()
    return Kept(tmp_path / 'snapshot' / 'train')


def put(kept, run, *iterations):
    """Takes: run: None for snapshots as Caffe writes them"""
    for iteration in iterations:
        stem = f'{kept.folder}/train_iter_{iteration}'
        for kind in ('caffemodel', 'solverstate'):
            open(f'{stem}.{kind}', 'w').close()
        if run is not None:
            with open(f'{stem}.resume.json', 'w') as file:
                json.dump({'run': run}, file)


def name(kept, kind='solverstate', **more):
    found = newest(kept.folder.parent, kind, **more)
    return found and found.name


def test_without_a_known_run_the_highest_iteration_is_the_newest(kept):
    assert name(kept) is None
    put(kept, None, 4, 20)
    assert name(kept) == 'train_iter_20.solverstate'
    (kept.folder / 'train_iter_20.caffemodel').unlink()
    assert name(kept) == 'train_iter_4.solverstate', 'a state needs its model'


@pytest.mark.parametrize('older', [None, 'old'])
def test_the_newest_is_of_the_run_that_began_last(kept, older):
    put(kept, older, 4, 20)
    kept.begin('new')
    assert name(kept) is name(kept, 'caffemodel') is None
    assert name(kept, any_run=True) == 'train_iter_20.solverstate'
    put(kept, 'new', 4, 8)
    assert name(kept) == 'train_iter_8.solverstate'
    assert name(kept, 'caffemodel') == 'train_iter_8.caffemodel'
    Kept(kept.folder / 'train').begin(older or '')
    assert name(kept) == 'train_iter_20.solverstate'


def test_states_of_caffe_are_a_run_that_goes_on(kept):
    put(kept, None, 10)
    solver = SimpleNamespace(iter=10, run='')
    assert kept.goes_on(solver) == [] and solver.run == ''
    kept.begin(solver.run)
    assert name(kept) == 'train_iter_10.solverstate', 'killed at once'
    put(kept, '', 12)
    assert name(kept) == 'train_iter_12.solverstate'


def test_who_goes_back_is_another_run_from_there(kept):
    put(kept, 'old', 4, 8, 12, 16, 20)
    solver = SimpleNamespace(iter=8, run='old')
    (line,) = kept.goes_on(solver)
    later = [f'train_iter_{i}.solverstate' for i in (20, 16, 12)]
    assert 'of another course: ' + ', '.join(later) in line
    (kept.folder / 'train_iter_20.resume.json').unlink()
    (line,) = kept.goes_on(SimpleNamespace(iter=8, run='old'))
    assert 'of an unknown course (without their .resume.json): train' in line
    assert solver.run not in ('old', '')
    kept.begin(solver.run)
    put(kept, solver.run, 12)
    assert name(kept) == 'train_iter_12.solverstate'


def test_many_snapshots_are_not_all_listed(kept):
    put(kept, 'old', *range(1, 9))
    (line,) = kept.afresh()
    assert 'train_iter_6.solverstate and 5 more.' in line


def test_only_a_runs_own_snapshots_are_removed(kept):
    put(kept, 'old', 1, 3)
    kept.begin('new')
    put(kept, 'new', 2, 4, 6, 8)
    kept.add_score(2, 0.5)
    kept.add_score(4, 0.25)
    kept.prune(2, until=8)
    left = sorted(kept.folder.glob('*.solverstate'))
    assert [p.stem.split('_')[2] for p in left] == ['1', '2', '3', '6', '8']


def test_scores_are_of_one_run_and_those_redone_are_forgotten(kept):
    kept.begin('old')
    kept.add_score(4, 0.5)
    kept.add_score(8, 0.75)
    kept.begin('new')
    assert kept.scores() == {}
    kept.add_score(4, 0.125)
    assert Kept(kept.folder / 'train').scores() == {}
    kept.begin('old')
    assert kept.scores() == {4: 0.5, 8: 0.75}
    kept.add_score(4, 0.25)
    assert kept.scores() == {4: 0.25}


def test_two_runs_never_have_one_name():
    assert len({new_run() for _ in range(20)}) == 20


def test_what_a_killed_process_left_half_written_is_removed(kept):
    put(kept, 'old', 4)
    kept.begin('old')
    whole = sorted(kept.folder.iterdir())
    first = '.train_iter_8.caffemodel.5678cdef.part'  # on the way to another
    for name in ('train_iter_8.caffemodel', first, 'runs.json'):
        (kept.folder / f'.{name}.1234abcd.part').touch()
    kept.clean()
    assert sorted(kept.folder.iterdir()) == whole
