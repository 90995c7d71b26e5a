"""What goes on around a running solver: full disks, images that cannot be
read, numbers that are none; and that its last weights are kept.

run.py uses it. What the engine offers for it: action, wait and callbacks of
Solver, after_forward of Net. Not here: what is looked at before the first
iteration (checks.py), which snapshots there are (kept.py), what signals ask
for (wishes.py).
"""

import contextlib
import errno
import time

import torch

from caffe import device, resume
from training import checks
from training.parallel import add_up
from training.wishes import Wishes, say

PAUSE = 30  # seconds between two attempts to write to a full disk
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class NotFinite(RuntimeError):
    """A loss or a gradient that is infinite or not a number."""


class NotLearning(ValueError):
    """The first iteration changes no score layer."""


class Watch:
    """Takes: solver; newest: gives the path of the last good snapshot, or
    None; ranks: the Ranks that train it
    """

    def __init__(self, solver, newest, ranks):
        self.solver, self.newest, self.ranks = solver, newest, ranks
        self.wishes = Wishes(solver, ranks)
        self.notes = []  # what rank 0 is still to be told
        self.updating = False
        self.began = solver.iter
        self.images, self.told = [], set()
        self.undecided = True  # whether the net learns
        self.start, self.loss = None, False
        layers = solver.net.layers
        self.layers = [x for x in layers if hasattr(x, 'current')]
        solver.action, solver.wait = self.action, self.wait
        solver.add_callback(self.on_start, self.on_gradients_ready)
        last = len(solver.net.nodes) - 1
        solver.net.after_forward(lambda i: i == last and self.on_loss())

    def action(self):
        """For Solver.action."""
        self.updating = False
        return self.wishes.next()

    # disk -------------------------------------------------------------------

    def wait(self, error):
        """For Solver.wait: pauses while the disk is full."""
        if error.errno not in FULL:
            return False
        say(
            f'PAUSED: {error}. The last good snapshot is '
            f'{self.newest() or "none"}. Free some space: this run tries '
            f'again every {PAUSE} s (Ctrl-C twice gives up)'
        )
        time.sleep(PAUSE)
        self.ranks.share(kind='wait')
        return True

    # numbers ----------------------------------------------------------------

    def on_start(self):
        net = self.solver.net
        self.images = []
        self.start = (
            self.solver.iter,
            resume.layer_states(net),
            {
                where: generator.get_state()
                for where, generator in device.generators().items()
            },
        )

    def on_loss(self):
        self.images += self.current()
        self.tell_skipped()
        nodes = self.solver.net.nodes
        losses = [
            top.tensor
            for node in nodes
            for top, weight in zip(node.tops, node.loss_weights)
            if weight
        ]
        if losses and not all(torch.isfinite(x).all() for x in losses):
            self.fail('loss', first_output(nodes))
        if self.undecided:  # each look makes the host wait for a GPU
            self.loss = any(bool(x.any()) for x in losses)

    def on_gradients_ready(self):
        items = self.solver.net.learnable
        grads = [item.blob.grad for item in items]
        most = torch.stack(torch._foreach_norm(grads, float('inf')))
        if not torch.isfinite(most).all():
            bad = torch.isfinite(most).logical_not().tolist()
            names = [item.name for item, is_bad in zip(items, bad) if is_bad]
            self.fail('gradient', f'gradient of {names[-1]}')  # runs backward
        if self.undecided and self.loss:  # zero where all labels are void
            self.undecided = False
            if not checks.learns(self.solver.net):
                raise NotLearning(
                    'nothing can be learned: the gradient of every score '
                    'layer is zero in the first iteration, image '
                    f'{", ".join(self.images)}. Are the weights of the layers '
                    'above or below them zero?'
                )
        for note in self.wishes.agree(self.notes):
            say(note)
        self.notes = []
        add_up(grads, self.ranks)
        self.updating = True  # until `action`: some weights are new, some old

    def fail(self, what, where):
        raise NotFinite(
            f'the {what} of iteration {self.solver.iter} is not finite, image '
            f'{", ".join(self.images) or "unknown"}; first in the {where}. '
            f'The last good snapshot is {self.newest() or "none"}; a base_lr '
            'that is too high is the usual reason'
        )

    # images -----------------------------------------------------------------

    def tell_skipped(self):
        for layer in self.layers:
            for item, fault in (layer.skipped or {}).items():
                if item not in self.told:
                    self.told.add(item)
                    note = f'SKIPPED {item} ({len(self.told)} so far): {fault}'
                    if self.ranks.rank:
                        self.notes.append(f'rank {self.ranks.rank}: {note}')
                    else:
                        say(note)

    def size(self):
        """Of the image that is being computed, as text."""
        node = self.solver.net.nodes[0]
        return ' x '.join(map(str, node.tops[0].shape)) if node.tops else '?'

    # weights ----------------------------------------------------------------

    @contextlib.contextmanager
    def saving(self):
        """Within: training. What ends it early, numbers that are none and the
        second SIGINT apart, leaves a snapshot of the last iteration first."""
        try:
            yield
        except Exception as error:
            keep = not isinstance(error, (NotFinite, NotLearning))
            keep = keep and not self.updating
            full = isinstance(error, torch.OutOfMemoryError)
            if full:  # a snapshot copies weights there, one at a time
                self.solver.net.clear_param_diffs()
                torch.cuda.empty_cache()
            if self.ranks.failed(error, keep):
                self.put_back()
                if path := self.save():
                    say(f'kept: {path}')
            if full:
                raise self.out_of_memory(error) from error
            raise
        self.save()

    def out_of_memory(self, error):
        images = ', '.join(self.current()) or 'unknown'
        return RuntimeError(
            f'the GPU ran out of memory at iteration {self.solver.iter}, image '
            f'{images}, data {self.size()}. The last good snapshot is '
            f'{self.newest() or "none"}: {error}'
        )

    def current(self):
        return [str(item) for layer in self.layers for item in layer.current]

    def put_back(self):
        """To the beginning of the iteration that was not completed."""
        if self.start is not None and self.start[0] == self.solver.iter:
            _, states, generators = self.start
            resume.set_layer_states(self.solver.net, states)
            for where, state in generators.items():
                device.generator(where).set_state(state)

    def save(self):
        """A snapshot, unless this iteration has one. Gives: path or None"""
        solver = self.solver
        every = solver.param.snapshot
        if solver.iter == self.began or (every and not solver.iter % every):
            return None
        path = solver.snapshot()
        self.ranks.share()  # none ends before it is written
        return path


def first_output(nodes):
    """The first layer with an output that is not finite, as text."""
    for node in nodes:
        for name, top in zip(node.top_names, node.tops):
            if not torch.isfinite(top.tensor).all():
                return f"output {name} of layer '{node.name}' ({node.type})"
    return 'loss'
