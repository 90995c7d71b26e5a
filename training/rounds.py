"""The rounds of a run: steps and tests in turn, from where a solver stands.

run.py prepares them, watch.py looks after them. Berkeley: */solve.py.
"""

import score
from caffe import resume
from training.needs import ids, newest
from training.record import shown
from training.watch import Watch


class Run:
    """Steps and tests in turn until the schedule, or the limit, is reached or
    a signal asks to stop; the last weights are always kept.

    Takes: end: the last iteration; first: of each test net, the states of its
        data layers before any pass
    """

    def __init__(self, folder, solver, recipe, end, args, kept, first):
        self.folder, self.solver, self.recipe = folder, solver, recipe
        self.end, self.args, self.kept, self.first = end, args, kept, first
        for net in solver.test_nets[:1]:
            net.set_keep([blob for pair in recipe.tests for blob in pair])
        self.val = ids(folder, 'test')
        self.watch = Watch(solver, lambda: newest(folder, 'solverstate'))
        solver.add_callback(self.prune, lambda: None)

    def go(self):
        solver, watch = self.solver, self.watch
        every = self.recipe.iterations
        with watch.signals(), watch.saving(), shown(solver, self.end):
            if solver.iter and not solver.iter % every:
                if solver.iter not in self.kept.scores():
                    self.test()  # the run ended before it had
            while solver.iter < self.end and not watch.stopped:
                steps = every - solver.iter % every
                solver.step(min(steps, self.end - solver.iter))
                if not solver.iter % every and not watch.stopped:
                    self.test()
                elif solver.iter == self.end and not watch.stopped:
                    if self.args.iterations is None:
                        self.test()
        self.prune(last=True)
        if watch.stopped:
            print(
                f'stopped after iteration {solver.iter}. To go on: python '
                f'{self.folder.name}/solve.py {self.args.device} --resume'
            )

    def test(self):
        """Scores all of the test images, from the first one on."""
        solver, found = self.solver, []
        with self.watch.test() as goes:
            for layer, gt in self.recipe.tests if goes else ():
                self.rewind()
                found.append(
                    score.seg_tests(solver, False, self.val, layer=layer, gt=gt)
                )
        self.rewind()
        if found and len(found) == len(self.recipe.tests):
            self.kept.add_score(solver.iter, float(found[0].mean_iu))

    def rewind(self):
        for net, states in zip(self.solver.test_nets, self.first):
            resume.set_layer_states(net, states)

    def prune(self, last=False):
        solver, every = self.solver, self.solver.param.snapshot
        if self.args.keep and (last or every and not solver.iter % every):
            self.kept.prune(self.args.keep, solver.iter)
