"""What signals ask of a running training: to stop, to snapshot, and to leave a
test. With several ranks one of them may be asked, and all do it at once.

watch.py and rounds.py use it. What the engine offers for it: Solver.action.
"""

import contextlib
import signal
import sys

from training.ranks import Left

WISHES = {'SIGINT': 'stop', 'SIGTERM': 'stop', 'SIGHUP': 'snapshot'}


class StopTest(BaseException):
    """Leaves a test at once; it changes nothing that training needs."""


class Wishes:
    """Takes: solver; ranks: the Ranks that train it"""

    def __init__(self, solver, ranks):
        self.ranks = ranks
        self.asked = self.testing = False  # asked: this rank, to stop
        self.own = set()
        self.agreed = self.own if ranks.count == 1 else set()
        for net in solver.test_nets:
            net.before_forward(lambda i: self.on_test())

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
        if wish == 'stop' and self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.own.add(wish)
        self.asked = self.asked or wish == 'stop'

    def stops(self):
        """Whether a rank was asked to stop; all get one answer."""
        return self.ranks.any(self.asked)

    def agree(self, notes):
        """Lets all ranks act on each other's wishes from now on.

        Takes: notes: what rank 0 is to say. Gives: those of all ranks
        """
        heard = self.ranks.share([[*self.own], notes])
        wishes, notes = zip(*heard)
        if self.ranks.count > 1:
            self.agreed = set().union(*wishes)
        return sum(notes, [])

    def next(self):
        """The next wish to act on, None if there is none."""
        for wish in ('snapshot', 'stop'):
            if wish in self.agreed:
                self.own.discard(wish)
                self.agreed.discard(wish)
                return wish
        return None

    @contextlib.contextmanager
    def test(self):
        """Within: a test, which a signal breaks off. Gives: whether to test"""
        goes = not self.stops()
        self.testing = True
        try:
            yield goes
        except (StopTest, Left) as end:
            if isinstance(end, StopTest):
                self.ranks.leave()
            say('the test was broken off; it is done anew when the run goes on')
        finally:
            self.testing = False

    def on_test(self):
        if self.testing and self.asked:
            raise StopTest


def say(text):
    print(text, file=sys.stdout, flush=True)
