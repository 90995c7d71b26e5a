"""The processes of one run, its ranks, as torchrun starts them: what they say
to each other, and how they end. What they compute together is parallel.py's.

Ranks speak by `share`. Before anything else is exchanged all of them have come
to the same `share`, so that one that fails can say so there, and all end. One
that dies breaks its connections, which ends the others. Not here: ranks that
come and go during a run.
"""

import contextlib
import json
import os
import sys
import time
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist

TIMEOUT = timedelta(minutes=30)  # for one rank to wait for another
GRACE = 5  # seconds in which torchrun ends those that another has ended
PIECE = 256  # bytes: most of what is shared is shorter


class Failed(RuntimeError):
    """Another rank has failed, and tells its user why itself.

    keep    whether all are to keep what they have reached
    """

    def __init__(self, text, keep):
        super().__init__(text)
        self.keep = keep


class Lost(RuntimeError):
    """The ranks can no longer speak to each other."""


class Left(Exception):
    """Another rank has left what all were doing."""


@contextlib.contextmanager
def joined(gpu):
    """Within: the ranks that torchrun has started, or this process alone. All
    but the first are silent.

    Takes: gpu: of this rank, or cpu. Gives: Ranks
    """
    count = int(os.environ.get('WORLD_SIZE', 1))
    if count == 1:
        yield Ranks()
        return
    kind = 'gloo'
    if str(gpu).isdigit() and int(gpu) < torch.cuda.device_count():
        torch.cuda.set_device(int(gpu))
        kind = 'cpu:gloo,cuda:nccl'
    dist.init_process_group(kind, timeout=TIMEOUT)
    ranks = Ranks(dist.get_rank(), count)
    try:
        with quiet() if ranks.rank else contextlib.nullcontext():
            yield ranks
            ranks.share()  # none leaves while another may still fail
    except Exception as error:
        ranks.failed(error, keep=False)
        if not isinstance(error, Lost):
            dist.destroy_process_group()
        raise
    dist.destroy_process_group()


def gpu_of(gpu):
    """The GPU of this rank on its machine, given the first rank's, or cpu."""
    local = int(os.environ.get('LOCAL_RANK', 0))
    return str(int(gpu) + local) if str(gpu).isdigit() else str(gpu)


@contextlib.contextmanager
def quiet():
    with (
        open(os.devnull, 'w') as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def ended_by(error, name):
    """Says what has ended the run of a network; a rank that only follows
    another lets that one end first, for torchrun to see. Gives: exit status"""
    ranks = int(os.environ.get('WORLD_SIZE', 1))
    who = f'rank {os.environ.get("RANK")}: ' if ranks > 1 else ''
    if not isinstance(error, Failed):
        print(f'{name}: {who}{error}', file=sys.stderr, flush=True)
    if isinstance(error, (Failed, Lost)):
        time.sleep(GRACE)
    if isinstance(error, Lost):
        os._exit(1)  # what is left of the group might wait for ever
    return 1


@contextlib.contextmanager
def connected():
    """Within: an exchange. Whatever goes wrong there, the others wait for this
    rank, which cannot tell them."""
    try:
        yield
    except Exception as error:
        raise Lost(
            'the exchange with the other ranks has broken off; if one has '
            f'died, torchrun names it below ({error})'
        ) from error


class Ranks:
    """The processes of one run, of which this is one; or this one alone, for
    which everything here costs nothing."""

    def __init__(self, rank=0, count=1):
        self.rank, self.count = rank, count
        # Rank 0, which writes the log, has each iteration's last pass.
        self.turn = count - 1 - rank
        self.over = False

    def command(self):
        """What this program was started with."""
        here = os.environ.get('LOCAL_WORLD_SIZE', self.count)
        alone = self.count == 1
        return 'python' if alone else f'torchrun --nproc-per-node={here}'

    # what is said -----------------------------------------------------------

    def share(self, value=None, kind='value'):
        """Tells all ranks a value (JSON's), and waits for theirs.

        Takes: kind: value; or, where the others share one: error (value:
            its text, and whether to keep), leave, or wait: be patient
        Gives: the values of all, in their order
        Raises: Failed, Left, if another said so; Lost
        """
        while self.count > 1:
            heard = self.heard([kind, value])
            kinds = [kind for kind, _ in heard]
            if 'error' in kinds:
                self.over = True
                texts, keeps = zip(*(v for k, v in heard if k == 'error'))
                raise Failed('\n'.join(texts), all(keeps))
            if kind != 'value':
                return None
            if 'leave' in kinds:
                raise Left
            if 'wait' not in kinds:
                return [value for _, value in heard]
        return [value]

    def heard(self, words):
        data = json.dumps(words).encode()
        short = data if len(data) <= PIECE else str(len(data)).encode()
        found = self.pieces(short, PIECE)
        lengths = [length for length in found if isinstance(length, int)]
        return self.pieces(data, max(PIECE, *lengths)) if lengths else found

    def pieces(self, data, size):
        mine = torch.frombuffer(bytearray(data.ljust(size)), dtype=torch.uint8)
        parts = [torch.empty_like(mine) for _ in range(self.count)]
        with connected():
            dist.all_gather(parts, mine)
        return [json.loads(part.numpy().tobytes()) for part in parts]

    def first(self, value):
        """What rank 0 gives as value."""
        return self.share(value)[0]

    def any(self, value):
        return any(self.share(bool(value)))

    @contextlib.contextmanager
    def first_alone(self):
        """Within: rank 0, and once that is through, the others: what is wrong
        for all is told by one."""
        if self.rank:
            self.share()
        yield
        if not self.rank:
            self.share()

    def leave(self):
        """Lets all ranks leave what they are doing, as this one has."""
        self.share(kind='leave')

    def failed(self, error, keep):
        """Tells the others, once, what ends this rank, if it was not they.

        Gives: whether all are to keep what they have reached
        """
        if self.count == 1:
            return keep
        if not self.over and not isinstance(error, Lost):
            try:
                self.share([f'rank {self.rank}: {error}', keep], 'error')
            except (Failed, Lost) as heard:
                error = heard
        return isinstance(error, Failed) and error.keep

    # a test's images --------------------------------------------------------

    def part(self, ids):
        """Of a test's images, those that the test nets here are dealt."""
        return ids[self.turn :: self.count]

    def summed(self, hist, loss, seen):
        """Takes: of the images scored here: C x C array or 0; sum; number
        Gives: the same of all ranks"""
        found = self.share([np.asarray(hist).tolist(), loss, seen])
        hists, losses, numbers = zip(*found)
        return sum(map(np.asarray, hists)), sum(losses), sum(numbers)
