"""Small trainings on two processes, as torchrun starts them."""

import re
import socket
import subprocess
import sys

import small_runs
from forked import ROOT, Forked
from small_runs import directory, set_rate

TORCHRUN = [
    *('-m', 'torch.distributed.run', '--nproc-per-node=2'),
    *('--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0'),
    '--local-addr=127.0.0.1',
]
MANY = {
    'train': ['2008_000008', '2008_000015', '2008_000019', '2008_000023'],
    'seg11valid': ['2007_000033', '2007_000042', '2007_000061'],
}
TOLD = """
import os
from training import ranks
Path(folder, 'rank' + os.environ['RANK']).write_text(str(os.getpid()))
"""
SOON = """
ranks.GRACE = 0  # nobody ends a rank that another has ended
"""


def made(place, monkeypatch, snapshot=100, learn=True):
    """A directory with more images than `directory` has, and settings with
    which a few iterations make a difference."""
    monkeypatch.setattr(small_runs, 'VOC', MANY)
    folder, environ = directory(place, snapshot=snapshot)
    path = folder / 'solver.prototxt'
    text = re.sub('momentum: .*', 'momentum: 0.9', path.read_text())
    path.write_text(text)
    set_rate(folder, '1e-6')
    environ = {**environ, 'GLOO_SOCKET_IFNAME': 'lo'}
    return folder, environ


def start(folder, environ, *options, wreck='', rounds=2, iterations=5):
    """Two running processes that train a directory, as torchrun would start
    them, but sooner."""
    words = prepared(folder, *options, wreck=SOON + wreck)
    words[3:3] = rounds, iterations
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    known = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    known |= dict(WORLD_SIZE='2', LOCAL_WORLD_SIZE='2')
    ranks = (dict(known, RANK=rank, LOCAL_RANK=rank) for rank in '01')
    return Forked(words, *({**environ, **rank} for rank in ranks))


def prepared(folder, *options, wreck=''):
    """Writes a script. Gives: its path and arguments, but for two"""
    script = folder.parent / 'ranks.py'
    main = "if __name__ == '__main__'"
    script.write_text(small_runs.CHILD.replace(main, TOLD + wreck + main))
    if '--resume' not in options:
        model = str(folder.parent / 'start' / 'vgg.caffemodel')
        options = ('--weights', model, *options)
    return [script, ROOT, folder, *options]


def torchrun(folder, environ, *options, wreck=''):
    """The same by torchrun, for long."""
    words = prepared(folder, *options, wreck=wreck)
    words[3:3] = 2, 5000
    return subprocess.Popen(
        [sys.executable, *TORCHRUN, *map(str, words)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
