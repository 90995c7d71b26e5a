"""What a run is told of those before it, and which of their snapshots it goes
on from: for real, in trainings of their own processes."""

import json
import re

import pytest
from small_runs import directory, ended, finish, iterations, read_until, start

from training import needs


@pytest.fixture
def run(tmp_path):
    return directory(tmp_path, snapshot=2)


def run_of(folder, iteration):
    path = folder / f'snapshot/train_iter_{iteration}.resume.json'
    return json.loads(path.read_text())['run']


def test_a_fresh_start_leaves_older_snapshots_and_resume_takes_its_own(run):
    folder, environ = run
    shape = dict(rounds=1, iterations=6)
    status, out = finish(folder, environ, **shape)
    assert status == 0 and 'WARNING' not in out, out
    old = run_of(folder, 6)
    status, out = finish(folder, environ, '--iterations', 3, **shape)
    assert status == 0, out
    warning = next(line for line in out.splitlines() if 'WARNING' in line)
    assert out.index(warning) < out.index(', loss = ')
    names = [f'train_iter_{i}.solverstate' for i in (6, 4, 2)]
    assert ', '.join(names) in warning, 'the snapshots by name'
    assert 'overwrites those of the iterations' in warning
    assert f'--resume {folder}/snapshot/train_iter_6.solverstate' in warning
    assert iterations(folder) == [2, 3, 4, 6], 'nothing is deleted'
    new = run_of(folder, 3)
    assert [run_of(folder, i) for i in (2, 4, 6)] == [new, old, old]
    status, out = finish(folder, environ, '--resume', **shape)
    assert status == 0, out
    assert 'goes on after iteration 3' in out
    assert 'another course: train_iter_6.solverstate, train_iter_4' in out
    assert [run_of(folder, i) for i in (2, 3, 4, 6)] == [new] * 4
    assert 'Iteration 3 (' in out and 'Iteration 2 (' not in out


def test_a_fresh_start_without_a_snapshot_hides_the_older_ones(run):
    folder, environ = run
    status, out = finish(folder, environ, rounds=1, iterations=2)
    assert status == 0, out
    solver = folder / 'solver.prototxt'
    solver.write_text(solver.read_text().replace('snapshot: 2', 'snapshot: 0'))
    process = start(folder, environ, iterations=100000)
    read_until(process, ', loss = ')
    process.kill()
    ended(process)
    last = json.loads((folder / 'snapshot/runs.json').read_text())['latest']
    assert last != run_of(folder, 2)
    status, out = finish(folder, environ, '--resume', '--iterations', 3)
    assert status == 1, 'not silently from the older run'
    assert 'no .solverstate of the last run in' in out
    state = folder / 'snapshot/train_iter_2.solverstate'
    assert f'of another run: --resume {state}' in out
    status, out = finish(folder, environ, '--resume', state, '--iterations', 3)
    assert status == 0, out
    assert needs.newest(folder, 'solverstate').stem == 'train_iter_3'
    assert run_of(folder, 3) == run_of(folder, 2) != last


def test_a_finished_run_has_nothing_left_to_do_and_says_what_is_next(run):
    folder, environ = run
    shape = dict(rounds=1, iterations=4)
    status, out = finish(folder, environ, **shape)
    assert status == 0, out
    model = f'{folder}/snapshot/train_iter_4.caffemodel'
    score = f'Next: python -m score voc-fcn32s --weights {model}'
    assert out.splitlines()[-1] == f'done: 4 iterations. {score}'
    files = {p: p.stat().st_mtime_ns for p in folder.glob('snapshot/train*')}
    status, out = finish(folder, environ, '--resume', **shape)
    assert status == 0, out
    assert out.splitlines()[-1] == (
        f'nothing is left to do: 4 iterations of 4 are done. {score}'
    )
    assert ', loss = ' not in out and '>>>' not in out
    assert files == {p: p.stat().st_mtime_ns for p in files}


def test_a_limit_that_is_reached_says_how_to_go_on(run):
    folder, environ = run
    status, out = finish(folder, environ, '--iterations', 3)
    assert status == 0, out
    further = 'To go on: python voc-fcn32s/solve.py cpu --resume'
    assert out.splitlines()[-1] == f'done: 3 iterations of 10. {further}'
    status, out = finish(folder, environ, '--resume', '--iterations', 2)
    assert status == 0, out
    assert out.splitlines()[-1] == (
        f'nothing is left to do: 3 iterations of 2 are done. {further}'
    )


def test_a_second_run_in_a_directory_is_refused_while_one_runs(run):
    folder, environ = run
    process = start(folder, environ, iterations=100000)
    read_until(process, ', loss = ', 3)
    for options in ((), ('--resume',)):
        status, out = finish(folder, environ, *options)
        assert status == 1
        assert re.fullmatch(
            rf'voc-fcn32s: {folder} is being trained already, by process \d+ '
            r'on \S+\. Let that run end, or end it \(Ctrl-C there\); for a '
            'second one beside it copy the directory\n',
            out,
        ), out
    assert len(list(folder.glob('train-*.log'))) == 1, 'only its own'
    process.kill()
    ended(process)
    status, out = finish(folder, environ, '--resume', '--iterations', 1)
    assert status == 0, out


def test_a_model_where_a_state_is_wanted_is_explained(run):
    folder, environ = run
    model = folder.parent / 'start' / 'vgg.caffemodel'
    status, out = finish(folder, environ, '--resume', model)
    assert status == 1 and 'log: ' not in out, 'before anything is looked at'
    assert f'{model} holds the weights of a net, not the state of' in out
    assert f'--weights {model} begins with them' in out
    state = model.with_suffix('.solverstate')
    state.touch()
    _, out = finish(folder, environ, '--resume', model)
    assert f'--resume {state} goes on from there' in out
    for options in (('--resume', 'none'), ('--weights', 'newest')):
        status, out = finish(folder, environ, *options)
        assert status == 1 and 'Traceback' not in out
        assert f'{options[1]}: no such ' in out


def test_what_does_not_go_on_is_told(run):
    """Without the state's companion; and in another net, where it is refused
    before anything has changed."""
    folder, environ = run
    status, out = finish(folder, environ, '--iterations', 2)
    assert status == 0, out
    state = folder / 'snapshot/train_iter_2.solverstate'
    companion = state.with_suffix('.resume.json')
    options = '--resume', state, '--iterations', 3
    seed = finish(folder, environ, *options, '--seed', 9)[1]
    assert '--seed changes nothing: ' in seed
    companion.unlink()
    status, out = finish(folder, environ, *options)
    assert status == 0, out
    assert f'WARNING: {companion} is not there: as in Caffe, the order' in out
    path = folder / 'train.prototxt'
    path.write_text(path.read_text().replace('"fc7"', '"fc7b"'))
    status, out = finish(folder, environ, *options)
    assert status == 1, out
    model = state.with_suffix('.caffemodel')
    assert f'voc-fcn32s: {model} has no weights for fc7b: train.proto' in out
    assert f'another run from these weights: --weights {model}\n' in out


def test_snapshots_may_lie_elsewhere(run, tmp_path):
    folder, environ = run
    solver = folder / 'solver.prototxt'
    prefix = f'{tmp_path}/large/disk'
    text = solver.read_text().replace('snapshot/train', prefix)
    solver.write_text(text)
    status, out = finish(folder, environ, '--iterations', 3)
    assert status == 0, out
    status, out = finish(folder, environ, '--resume', '--iterations', 4)
    assert status == 0 and 'Iteration 3 (' in out, out
    place = tmp_path / 'large'
    solver.write_text(text.replace(prefix, str(place)))  # a folder there
    assert needs.newest(folder, 'caffemodel').name == 'disk_iter_4.caffemodel'
    status, out = finish(folder, environ, '--resume', '--iterations', 5)
    assert status == 0, out
    assert (place / 'solver_iter_5.solverstate').is_file(), 'as Caffe names it'
