"""The snapshots of a network directory: of which run each is, which is the
newest that is complete, which to keep, and the scores they had.

A run has a name, which its snapshots carry (resume.py of the engine) and which
is written down in snapshot/runs.json when it begins or goes on. `--resume` and
whoever else asks for the newest gets one of the run that is written there, not
the higher iteration of an older one. Without that file, or in snapshots of
Caffe, there are no names, and the highest iteration is the newest.
"""

import contextlib
import json
import re
import secrets
from datetime import datetime
from pathlib import Path

from caffe import resume
from caffe.proto import text
from caffe.proto.files import replacing

RUNS = 'runs.json'  # {'latest': run, 'scores': {run: {iteration: mean IU}}}
FEW = 3  # snapshots that a message lists


def new_run():
    """A name that no other run has."""
    return f'{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}'


def newest(folder, kind, any_run=False):
    """The snapshot of the highest iteration in a network directory, of the
    run that was trained last; a state counts if its model is there."""
    folder, found = snapshots(folder), {}
    last = None if any_run else read(folder / RUNS).get('latest')
    for path in folder.glob(f'*_iter_*.{kind}*'):
        whole = re.fullmatch(rf'(.*_iter_(\d+))\.{kind}(\.h5)?', path.name)
        if not whole:
            continue
        model = path.with_name(f'{whole[1]}.caffemodel{whole[3] or ""}')
        if model.is_file():
            found[int(whole[2])] = path, folder / f'{whole[1]}.solverstate'
    for _, (path, state) in sorted(found.items(), reverse=True):
        if last in (None, run_of(state)):
            return path
    return None


def snapshots(folder):
    """Where the solver of a network directory puts them."""
    path = folder / 'solver.prototxt'
    if not path.is_file():
        return folder / 'snapshot'
    prefix = folder / text.read_solver(str(path)).snapshot_prefix
    return prefix if prefix.is_dir() else prefix.parent


def run_of(state):
    """The run that a snapshot is of, '' if it does not say."""
    return read(resume.beside(state)).get('run', '')


def listed(paths):
    more = f' and {len(paths) - FEW} more' if len(paths) > FEW else ''
    return ', '.join(path.name for path in paths[:FEW]) + more


def read(path):
    """The object in a JSON file; an empty one if there is none."""
    try:
        known = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


class Kept:
    """Snapshots of one run, once that has begun, among those of others.

    Takes: prefix: a solver's snapshot_prefix
    """

    def __init__(self, prefix):
        self.folder, self.name = Path(prefix).parent, Path(prefix).name
        self.run = None

    def clean(self):
        """Removes what a killed process left half-written."""
        for name in f'{self.name}_iter_*', RUNS:
            for path in self.folder.glob(f'.*{name}.*.part'):
                path.unlink()

    def begin(self, run):
        """From now on this is the run whose snapshots count."""
        self.run = run
        self.write({**read(self.folder / RUNS), 'latest': run})

    def states(self):
        """{iteration: path of its state}, of all runs before `begin`"""
        pattern = rf'{re.escape(self.name)}_iter_(\d+)\.solverstate(\.h5)?'
        return {
            int(found[1]): path
            for path in self.folder.glob(f'{self.name}_iter_*')
            if (found := re.fullmatch(pattern, path.name))
            and self.run in (None, run_of(path))
        }

    def afresh(self):
        """Lines for a run that begins where others have been."""
        paths = [path for _, path in sorted(self.states().items())[::-1]]
        if not paths:
            return []
        return [
            f'{self.folder.resolve()} holds snapshots of another run: '
            f'{listed(paths)}. This run starts afresh: it overwrites those of '
            'the iterations that it snapshots, and leaves the others. '
            '`--resume` would have gone on from them; from now on it goes on '
            f'with this run, and from them with --resume {paths[0].resolve()}'
        ]

    def goes_on(self, solver):
        """Lines for a run that has been restored. One that goes back behind
        a snapshot of its own is another run from here on."""
        states = sorted(self.states().items())[::-1]
        ahead = [path for at, path in states if at > solver.iter]
        own = [path for path in ahead if run_of(path) == solver.run]
        if own:
            solver.run = new_run()
        if not ahead:
            return []
        course = 'another course'
        if solver.run and not all(run_of(path) for path in ahead):
            course = 'an unknown course (without their .resume.json)'
        return [
            f'this run goes on after iteration {solver.iter}, though there '
            f'are later snapshots of {course}: {listed(ahead)}. It '
            'overwrites those of the iterations that it snapshots; from them: '
            f'--resume {ahead[0].resolve()}'
        ]

    def scores(self):
        """{iteration: mean IU} of the tests that were completed."""
        known = read(self.folder / RUNS).get('scores', {}).get(self.run, {})
        return {int(iteration): score for iteration, score in known.items()}

    def add_score(self, iteration, mean_iu):
        """Also forgets those of later iterations, which are being redone."""
        mine = {i: s for i, s in self.scores().items() if i < iteration}
        known = read(self.folder / RUNS)
        scores = {
            **known.get('scores', {}),
            self.run: {**mine, iteration: mean_iu},
        }
        with contextlib.suppress(OSError):  # a full disk: tested once more
            self.write({**known, 'scores': scores})

    def write(self, known):
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / RUNS) as temporary:
            Path(temporary).write_text(json.dumps(known))

    def prune(self, count, until):
        """Removes snapshots of this run, but for the last ones and the best
        by mean IU.

        Takes: count: how many to keep; until: iteration of the run, what is
            above it was before it went back
        """
        states = {i: p for i, p in self.states().items() if i <= until}
        scored = {i: s for i, s in self.scores().items() if i in states}
        keep = set(sorted(states)[-count:])
        if scored:
            keep.add(max(scored, key=lambda i: (scored[i], i)))
        for iteration in set(states) - keep:
            states[iteration].unlink()  # first: nothing is half a snapshot
            for path in self.folder.glob(f'{self.name}_iter_{iteration}.*'):
                path.unlink()
