"""Fixtures of the tests of pycaffe's surface and command line."""

import pytest
from solver_files import write_nets

from caffe.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current directory but for the nets of solver_files.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('GLOG_log_dir', raising=False)
    write_nets(tmp_path)
    return tmp_path


@pytest.fixture
def command(capsys):
    """command('train -solver S') -> exit status, messages of the log, what
    is on stdout; prefixes of the log's lines are in command.prefixes."""

    def run(line):
        capsys.readouterr()
        status = main(line.split())
        captured = capsys.readouterr()
        lines = captured.err.splitlines()
        run.prefixes = [text.partition('] ')[0] for text in lines]
        said = [text.partition('] ')[2] or text for text in lines]
        return status, said, captured.out

    return run
