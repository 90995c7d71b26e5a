"""The snapshots of a network directory: which there are, which is the newest
that is complete, which to keep, and the scores they had.
"""

import contextlib
import json
import re
from pathlib import Path

from caffe.proto.files import replacing

SCORES = 'scores.json'


def newest(folder, kind):
    """The snapshot of the highest iteration in a network directory; a state
    counts if its model is there."""
    found = {}
    for path in (folder / 'snapshot').glob(f'*_iter_*.{kind}*'):
        whole = re.fullmatch(rf'(.*_iter_(\d+))\.{kind}(\.h5)?', path.name)
        if not whole:
            continue
        model = path.with_name(f'{whole[1]}.caffemodel{whole[3] or ""}')
        if model.is_file():
            found[int(whole[2])] = path
    return found[max(found)] if found else None


class Kept:
    """Snapshots of one run. Takes: prefix: a solver's snapshot_prefix"""

    def __init__(self, prefix):
        self.folder, self.name = Path(prefix).parent, Path(prefix).name

    def clean(self):
        """Removes what a killed process left half-written."""
        for path in self.folder.glob(f'.*{self.name}_iter_*.part'):
            path.unlink()

    def states(self):
        """{iteration: path of its state}"""
        pattern = rf'{re.escape(self.name)}_iter_(\d+)\.solverstate(\.h5)?'
        return {
            int(found[1]): path
            for path in self.folder.glob(f'{self.name}_iter_*')
            if (found := re.fullmatch(pattern, path.name))
        }

    def scores(self):
        """{iteration: mean IU} of the tests that were completed."""
        try:
            known = json.loads((self.folder / SCORES).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {int(iteration): score for iteration, score in known.items()}

    def add_score(self, iteration, mean_iu):
        """Also forgets those of later iterations: of an earlier run."""
        known = {i: s for i, s in self.scores().items() if i < iteration}
        known[iteration] = mean_iu
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # a full disk: tested once more
            with replacing(self.folder / SCORES) as temporary:
                Path(temporary).write_text(json.dumps(known))

    def prune(self, count, until):
        """Removes snapshots, but for the last ones and the best by mean IU.

        Takes: count: how many to keep; until: iteration of the run, what is
            above it is another's
        """
        states = {i: p for i, p in self.states().items() if i <= until}
        scored = {i: s for i, s in self.scores().items() if i in states}
        keep = set(sorted(states)[-count:])
        if scored:
            keep.add(max(scored, key=lambda i: (scored[i], i)))
        for iteration in set(states) - keep:
            stem = f'{self.name}_iter_{iteration}'
            states[iteration].unlink()  # first: nothing is half a snapshot
            for path in self.folder.glob(f'{stem}.*'):
                path.unlink()
