"""One process at a time in a folder: real processes, of which one is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('fcntl', reason='no locks on Windows')
ROOT = Path(__file__).parents[2]
HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
from ablations.turns import in_turn
with in_turn(sys.argv[2]):
    print('in', flush=True)
    sys.stdin.read()
"""


def enter(folder):
    return subprocess.Popen(
        [sys.executable, '-u', '-c', HOLD, str(ROOT), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_process_waits_until_the_other_has_left_or_was_killed(tmp_path):
    folder = tmp_path / 'run'
    with enter(folder) as first, enter(tmp_path / 'other') as elsewhere:
        assert first.stdout.readline() == 'in\n'
        with enter(folder) as second:
            said = second.stdout.readline()
            assert said.startswith(f'{folder}: waiting for another process')
            assert elsewhere.stdout.readline() == 'in\n', 'it has not to wait'
            first.kill()
            assert second.stdout.readline() == 'in\n'
