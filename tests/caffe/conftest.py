"""Fixtures of the engine's tests."""

import sys

import pytest
from net_text import two
from solver_files import write_nets


@pytest.fixture
def solver_folder(tmp_path, monkeypatch):
    """An empty current directory but for the nets of solver_files.py."""
    monkeypatch.chdir(tmp_path)
    write_nets(tmp_path)
    return tmp_path


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module beside the nets to come; forgets it after the test.

    Gives: a function of (source, folder=tmp_path)
    """
    loaded = set(sys.modules)

    def write(source, folder=tmp_path, name='written_layers'):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f'{name}.py').write_text(source)

    monkeypatch.setattr(sys, 'dont_write_bytecode', True)
    yield write
    for name in set(sys.modules) - loaded:
        if name.startswith('written_'):
            del sys.modules[name]


@pytest.fixture
def saved(tmp_path):
    """A net of two layers and where it is saved."""
    built, path = two(), str(tmp_path / 'two.caffemodel')
    built.save(path)
    return built, path
