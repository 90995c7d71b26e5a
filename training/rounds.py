"""The rounds of a run: steps and tests in turn, from where a solver stands.

run.py prepares them, watch.py looks after them. Berkeley: */solve.py.
"""

import score
from caffe import resume
from training import needs
from training.needs import ids, newest
from training.record import shown
from training.watch import Watch


class Run:
    """Steps and tests in turn until the schedule, or the limit, is reached or
    a signal asks to stop; the last weights are always kept.

    Takes: end: the last iteration; first: of each test net, the states of its
        data layers before any pass; ranks: the Ranks that do this together
    """

    def __init__(self, folder, solver, recipe, end, args, kept, first, ranks):
        self.folder, self.solver, self.recipe = folder, solver, recipe
        self.end, self.args, self.kept, self.first = end, args, kept, first
        self.ranks = ranks
        for net in solver.test_nets[:1]:
            net.set_keep([blob for pair in recipe.tests for blob in pair])
        self.val = ids(folder, 'test')
        self.watch = Watch(solver, lambda: newest(folder, 'solverstate'), ranks)
        solver.add_callback(self.prune, lambda: None)
        solver.keep_diffs = False  # else the last iteration takes more memory

    def go(self):
        solver, watch, begin = self.solver, self.watch, self.solver.iter
        ranks, every = self.ranks, self.recipe.iterations
        wishes = watch.wishes
        with (
            wishes.signals(),
            watch.saving(),
            shown(solver, self.end, every),
        ):
            if solver.iter and not solver.iter % every:
                if ranks.first(solver.iter not in self.kept.scores()):
                    self.test()  # the run ended before it had
            while solver.iter < self.end and not wishes.stops():
                steps = every - solver.iter % every
                solver.step(min(steps, self.end - solver.iter))
                if not solver.iter % every and not wishes.stops():
                    self.test()
                elif solver.iter == self.end and not wishes.stops():
                    if self.args.iterations is None:
                        self.test()
        self.prune(last=True)
        if wishes.stops():
            print(f'stopped after iteration {solver.iter}. {self.next()}')
        elif begin < solver.iter:
            print(f'done: {self.so_far()}. {self.next()}')
        else:
            print(
                f'nothing is left to do: {solver.iter} iterations of '
                f'{self.end} are done. {self.next()}'
            )

    def so_far(self):
        whole = self.recipe.rounds * self.recipe.iterations
        of = f' of {whole}' * (self.solver.iter < whole)
        return f'{self.solver.iter} iterations{of}'

    def next(self):
        """The command to go on with."""
        name = self.folder.name
        if self.solver.iter < self.recipe.rounds * self.recipe.iterations:
            python, device = self.ranks.command(), self.args.device
            return f'To go on: {python} {name}/solve.py {device} --resume'
        model = newest(self.folder, 'caffemodel')
        return f'Next: python -m score {name} --weights {needs.shown(model)}'

    def test(self):
        """Scores all of the test images, from the first one on."""
        solver, found = self.solver, []
        ranks = self.ranks if self.ranks.count > 1 else None
        with self.watch.wishes.test() as goes:
            for layer, gt in self.recipe.tests if goes else ():
                self.rewind()
                given = dict(layer=layer, gt=gt, ranks=ranks)
                found.append(score.seg_tests(solver, False, self.val, **given))
        self.rewind()
        whole = found and len(found) == len(self.recipe.tests)
        if whole and not self.ranks.rank:
            self.kept.add_score(solver.iter, float(found[0].mean_iu))

    def rewind(self):
        for net, states in zip(self.solver.test_nets, self.first):
            resume.set_layer_states(net, states)

    def prune(self, last=False):
        solver, every = self.solver, self.solver.param.snapshot
        keep = self.args.keep and not self.ranks.rank
        if keep and (last or every and not solver.iter % every):
            self.kept.prune(self.args.keep, solver.iter)
