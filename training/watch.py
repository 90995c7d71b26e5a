"""What goes on around a running solver: signals, full disks, images that
cannot be read, numbers that are none; and that its last weights are kept.

run.py uses it. What the engine offers for it: action, wait and callbacks of
Solver, after_forward of Net. Not here: what is looked at before the first
iteration (checks.py), which snapshots there are (kept.py).
"""

import contextlib
import errno
import signal
import sys
import time

import torch

from caffe import device, resume
from training import checks

PAUSE = 30  # seconds between two attempts to write to a full disk
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
WISHES = {'SIGINT': 'stop', 'SIGTERM': 'stop', 'SIGHUP': 'snapshot'}


class NotFinite(RuntimeError):
    """A loss or a gradient that is infinite or not a number."""


class NotLearning(ValueError):
    """The first iteration changes no score layer."""


class StopTest(BaseException):
    """Leaves a test at once; it changes nothing that training needs."""


class Watch:
    """Takes: solver; newest: gives the path of the last good snapshot, or
    None

    stopped   whether a signal asked to end
    """

    def __init__(self, solver, newest):
        self.solver, self.newest = solver, newest
        self.stopped = self.testing = False
        self.wishes = set()
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

    # signals ----------------------------------------------------------------

    @contextlib.contextmanager
    def signals(self):
        """Within: SIGINT and SIGTERM end after the iteration, SIGHUP asks for
        a snapshot, the second SIGINT ends at once."""
        names = [name for name in WISHES if hasattr(signal, name)]
        numbers = {getattr(signal, name): WISHES[name] for name in names}
        before = {
            number: signal.signal(number, lambda n, _: self.on(n, numbers[n]))
            for number in numbers
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def on(self, number, wish):
        if wish == 'stop' and self.stopped and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.wishes.add(wish)
        if wish == 'stop':
            self.stopped = True
            if self.testing:
                raise StopTest

    def action(self):
        """For Solver.action."""
        for wish in ('snapshot', 'stop'):
            if wish in self.wishes:
                self.wishes.discard(wish)
                return wish
        return None

    @contextlib.contextmanager
    def test(self):
        """Within: a test, which a signal breaks off."""
        self.testing = True
        try:
            yield not self.stopped
        except StopTest:
            say('the test was broken off; it is done anew when the run goes on')
        finally:
            self.testing = False

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
        return True

    # numbers ----------------------------------------------------------------

    def on_start(self):
        net = self.solver.net
        self.images = []
        self.start = (
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
                    say(f'SKIPPED {item} ({len(self.told)} so far): {fault}')

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
        except StopTest:  # came when the test had just ended
            pass
        except (NotFinite, NotLearning, KeyboardInterrupt):
            raise
        except Exception as error:
            self.put_back()
            path = self.save()
            end = f'; kept: {path}' if path else ''
            if isinstance(error, torch.OutOfMemoryError):
                raise RuntimeError(
                    f'the GPU ran out of memory at iteration '
                    f'{self.solver.iter}, image '
                    f'{", ".join(self.current()) or "unknown"}, data '
                    f'{self.size()}: {error}{end}'
                ) from error
            if path:
                say(f'kept: {path}')
            raise
        self.save()

    def current(self):
        return [str(item) for layer in self.layers for item in layer.current]

    def put_back(self):
        """To the beginning of the iteration that was not completed."""
        if self.start is not None:
            states, generators = self.start
            resume.set_layer_states(self.solver.net, states)
            for where, state in generators.items():
                device.generator(where).set_state(state)

    def save(self):
        """A snapshot, unless this iteration has one. Gives: path or None"""
        solver = self.solver
        every = solver.param.snapshot
        if solver.iter == self.began or (every and not solver.iter % every):
            return None
        return solver.snapshot()


def first_output(nodes):
    """The first layer with an output that is not finite, as text."""
    for node in nodes:
        for name, top in zip(node.top_names, node.tops):
            if not torch.isfinite(top.tensor).all():
                return f"output {name} of layer '{node.name}' ({node.type})"
    return 'loss'


def say(text):
    print(text, file=sys.stdout, flush=True)
