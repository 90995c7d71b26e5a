"""Damaged tables (.pth, .safetensors, .npz), and a full disk: one message that
names the file, and the old file is left. Caffe's formats: tests/caffe/proto.
"""

import random
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from model_files import SUFFIXES, TABLES, arrays, small_net

from weights import formats

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def tables(tmp_path_factory):
    """The same weights in every format: {suffix: bytes}"""
    folder = tmp_path_factory.mktemp('tables')
    layers, found = arrays(small_net()), {}
    for end in TABLES:
        formats.write(folder / f'a.{end}', layers)
        found[end] = (folder / f'a.{end}').read_bytes()
    return found


def refused(path):
    """Whether reading a damaged file ends in a message with its name."""
    try:
        formats.read(path)
    except (ValueError, RuntimeError) as error:
        assert path.name in str(error) and str(error).isprintable(), error
        return True
    return False


@pytest.mark.parametrize('end', TABLES)
def test_truncation_at_200_places_is_refused(tables, tmp_path, end):
    data = tables[end]
    path = tmp_path / f'short.{end}'
    for stop in random.Random(1337).sample(range(len(data)), 200):
        path.write_bytes(data[:stop])
        assert refused(path), stop


@pytest.mark.parametrize('end', TABLES)
def test_random_damage_raises_nothing_else(tables, tmp_path, end):
    original = tables[end]
    path = tmp_path / f'damaged.{end}'
    place = st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255))

    @hypothesis.settings(max_examples=60, deadline=None, database=None)
    @hypothesis.seed(1337)
    @hypothesis.given(st.lists(place, min_size=1, max_size=8))
    def check(edits):
        data = bytearray(original)
        for at, value in edits:
            data[at] = value
        path.write_bytes(bytes(data))
        refused(path)

    check()


FULL_DISK = """
import resource
import numpy as np
from weights import formats
layers = {'fc6': {0: np.ones((300, 1000), 'f4')}}
resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
for end in %r:
    path = 'a.' + end
    with open(path, 'w') as file:
        file.write('old')
    try:
        formats.write(path, layers)
    except OSError as error:
        assert path in str(error), error
        print(end)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', FULL_DISK % (SUFFIXES,)],
        cwd=tmp_path,
        env={'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == list(SUFFIXES), done.stderr
    assert {p.read_text() for p in tmp_path.iterdir()} == {'old'}
    assert len(list(tmp_path.iterdir())) == len(SUFFIXES)
