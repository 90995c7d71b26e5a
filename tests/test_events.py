"""Events for TensorBoard, of real runs: read back with TensorBoard's own
reader, they are metrics.csv."""

import csv

import pytest
from small_runs import directory, ended, finish, iterations, read_until, start

from training import events as events_module
from training.events import Events

accumulator = pytest.importorskip(
    'tensorboard.backend.event_processing.event_accumulator'
)


@pytest.fixture
def run(tmp_path):
    return directory(tmp_path, snapshot=2)


def table(folder):
    """{column: {iteration: value}} of metrics.csv"""
    found = {}
    with open(folder / 'metrics.csv') as file:
        for row in csv.DictReader(file):
            at = int(row.pop('iteration'))
            for column, value in row.items():
                if value:
                    found.setdefault(column, {})[at] = float(value)
    return found


def events(folder):
    """The same of what TensorBoard shows, and that it shows nothing twice."""
    (place,) = {path.parent for path in folder.rglob('events.out.*')}
    shown = accumulator.EventAccumulator(str(place)).Reload()
    found = {}
    for tag in shown.Tags()['scalars']:
        points = shown.Scalars(tag)
        found[tag] = {point.step: point.value for point in points}
        assert len(found[tag]) == len(points), f'{tag}: a step twice'
    return found


def same(one, other):
    assert set(one) == set(other)
    for column in one:
        assert one[column] == pytest.approx(other[column], rel=1e-6), column


def test_events_are_the_table_of_the_run_also_when_it_goes_on(run):
    folder, environ = run
    shape = dict(rounds=10**5, iterations=4)
    process = start(folder, environ, '--tensorboard', **shape)
    read_until(process, 'Iteration 5 (')
    process.kill()
    ended(process)
    begin = iterations(folder)[-1]
    assert begin >= 4 and 4 in events(folder)['mean IU']
    end = begin + 3
    options = '--resume', '--tensorboard', '--iterations', end
    status, out = finish(folder, environ, *options, **shape)
    assert status == 0, out
    assert f'Iteration {begin} (' in out
    assert f'Iteration {begin - 1} (' not in out
    shown = events(folder)
    assert [*shown['loss']] == [*range(end)]
    tested = [*range(4, end + 1, 4)]
    assert [*shown['fwavacc']] == [*shown['test loss']] == tested
    assert {'lr', 'iterations per second', 'mean accuracy'} <= set(shown)
    same(shown, table(folder))


def test_every_task_has_its_events(tmp_path):
    now = '>>> 2016-05-20 12:00:00'
    file = Events(tmp_path / 'run')
    for half in (0.25, 0.5):
        file.write(f'{now} Begin seg tests\n{now} Iteration 4 mean IU {half}\n')
    file.close()
    assert events(tmp_path) == {'mean IU': {4: 0.25}, 'mean IU 2': {4: 0.5}}


def test_events_of_a_full_disk_are_written_once_there_is_room(
    tmp_path, monkeypatch, capsys
):
    folder = tmp_path / 'run'
    file = Events(folder)
    line = 'I0520 12:00:00.1 9 solver.cpp:2] Iteration {0}, loss = {0}.5\n'
    file.write(line.format(1))
    (path,) = folder.iterdir()
    whole = path.read_bytes()

    def full(name, mode):
        with open(name, mode) as partial:
            partial.write(b'half a record')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(events_module, 'open', full, raising=False)
    for iteration in (2, 3):
        file.write(line.format(iteration))
    monkeypatch.undo()
    assert path.read_bytes() != whole
    file.write(line.format(4))
    file.close()
    assert events(folder) == {'loss': {i: i + 0.5 for i in (1, 2, 3, 4)}}
    assert capsys.readouterr().err.count('No space left on device') == 1


def test_without_the_package_nothing_begins(run):
    folder, environ = run
    hidden = folder.parent / 'hidden'
    hidden.mkdir()
    (hidden / 'tensorboard.py').write_text(
        "raise ModuleNotFoundError('No module named tensorboard')"
    )
    environ = {**environ, 'PYTHONPATH': str(hidden)}
    status, out = finish(folder, environ, '--tensorboard')
    assert status == 1
    assert 'pip install tensorboard' in out and 'Traceback' not in out
    assert len(out.splitlines()) == 2, out
    assert not (folder / 'snapshot').exists()
    status, out = finish(folder, environ, '--iterations', 1)
    assert status == 0, 'nobody else needs it'
