"""python -m weights: what a person types, and what a person reads."""

import subprocess
import sys

import numpy as np
import pytest
from model_files import small_net, small_param

from caffe.proto import model
from caffe.proto.caffe_pb2 import NetParameter
from caffe.proto.text import to_text
from networks import ROOT
from weights import formats
from weights.__main__ import main
from weights.published import NETWORKS


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a.caffemodel and its net.prototxt, as the cwd."""
    monkeypatch.chdir(tmp_path)
    small_net().save('a.caffemodel')
    (tmp_path / 'net.prototxt').write_text(to_text(small_param()))
    return tmp_path


def run(*args):
    return main([str(arg) for arg in args])


def test_without_a_command_it_says_what_there_is(capsys):
    assert run() == 0
    text = capsys.readouterr().out
    for command in ('list', 'fetch', 'inspect', 'convert', 'export', 'compare'):
        assert f'python -m weights {command}' in text
    assert 'published models here: ' in text


def test_a_reader_that_leaves_early_is_no_error():
    command = [sys.executable, '-m', 'weights', 'list']
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with subprocess.Popen(command, cwd=ROOT, **pipes) as done:
        done.stdout.close()  # as `| head` does
        assert done.stderr.read() == b''
    assert done.returncode == 0


def test_list_has_every_network_with_what_was_published(capsys):
    assert run('list') == 0
    text = capsys.readouterr().out
    for network in NETWORKS:
        assert f'{network.directory}: {network.file or "-"} (' in text
        assert network.address is None or network.address in text
    assert '91.2212  77.6146  65.5126  84.5445' in text
    assert 'nyud-fcn32s-color-d: - (never published)' in text


@pytest.mark.parametrize('end', ['caffemodel', 'caffemodel.h5', 'pth', 'npz'])
def test_inspect_tells_shapes_and_statistics(place, capsys, end):
    layers = {
        'c': {
            0: np.array([[[[1, -3]]], [[[0, 4]]]], 'f4'),
            1: np.array([1 / 3, 1 / 3], 'f4'),
        },
        'dead': {0: np.zeros((3, 2), 'f4')},
    }
    formats.write(f'b.{end}', layers)
    assert run('inspect', f'b.{end}') == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    weight = next(row for row in rows if row[:1] == ['c.weight'])
    assert weight == ('c.weight 2 x 1 x 1 x 2 float32 -3 4 0.5 2.5 25%'.split())
    assert ['10', 'parameters,', '0.0', 'MB'] not in rows
    assert any(row[:2] == ['12', 'parameters,'] for row in rows)
    assert 'WARNING: dead.weight is all zero'.split() in rows


def test_inspect_counts_what_is_no_number(place, capsys):
    values = np.array([np.nan, 2, np.inf, 4], 'f4')
    np.savez('b.npz', **{'c.weight': values})
    assert run('inspect', 'b.npz') == 0
    text = capsys.readouterr().out
    assert 'WARNING: c.weight: 2 NaN or infinite' in text
    assert '2    4     3    1     0%' in text, 'the others count'


def test_inspect_compares_with_a_net(place, capsys):
    arrays = {
        'conv1': {0: np.ones((4, 18), 'f4'), 1: np.ones(4, 'f4')},
        'score': {0: np.ones((5, 3, 1, 1), 'f4')},
        'other': {0: np.ones(2, 'f4')},
    }
    formats.write('b.npz', arrays)
    assert run('inspect', 'b.npz', '--net', 'net.prototxt') == 0
    text = capsys.readouterr().out
    for line in (
        'coerced       conv1.weight   4 x 18 -> 4 x 3 x 3 x 2',
        'matches       conv1.bias     4',
        'missing       scale1.weight  4',
        'does not fit  score.weight   5 x 3 x 1 x 1 -> 5 x 4 x 1 x 1',
        'extra         other.weight   2',
    ):
        assert line in text, text


@pytest.mark.parametrize('case', ['sgd_step', 'sgd_hdf5'])
def test_inspect_reads_solver_states(goldens, capsys, case):
    for path in sorted((goldens / 'solver' / case).glob('*.solverstate*')):
        assert run('inspect', path) == 0
        state, text = model.read_state(str(path)), capsys.readouterr().out
        assert f'solver state, iteration {state.iter}' in text
        assert state.learned_net in text
        assert text.count('history ') == len(state.history)


def test_inspect_tells_the_age_of_a_file(goldens, place, capsys):
    assert run('inspect', goldens / 'legacy' / 'v1.caffemodel') == 0
    assert 'format V1 (layers)' in capsys.readouterr().out
    assert run('inspect', 'a.caffemodel') == 0
    assert 'format V2 (layer)' in capsys.readouterr().out
    old = NetParameter(name='old')
    v0 = old.layers.add(bottom=['data'], top=['c']).layer
    v0.name, v0.type = 'c', 'conv'
    v0.blobs.add(num=1, channels=1, height=1, width=2, data=[1, 2])
    (place / 'v0.caffemodel').write_bytes(old.SerializeToString())
    assert run('inspect', 'v0.caffemodel') == 0
    assert "format V0 (layers { layer }), net 'old'" in capsys.readouterr().out


def test_convert_says_what_it_read_and_wrote(place, capsys):
    assert run('convert', 'a.caffemodel', 'b.npz') == 0
    assert capsys.readouterr().out.splitlines() == [
        'a.caffemodel: caffemodel, 3 layers, 104 parameters',
        'b.npz: npz, 3 layers, 104 parameters',
    ]


def test_convert_with_a_net_writes_its_definition(place):
    run('convert', 'a.caffemodel', 'b.npz')
    assert run('convert', 'b.npz', 'c.caffemodel', '--net', 'net.prototxt') == 0
    written, original = map(model.read_model, ['c.caffemodel', 'a.caffemodel'])
    assert written.net.layer == original.net.layer
    one, other = map(formats.read, ['c.caffemodel', 'a.caffemodel'])
    for layer, blobs in other.layers.items():
        for i, array in blobs.items():
            np.testing.assert_array_equal(one.layers[layer][i], array)


LINES = {  # what is typed: what is said of it
    'inspect none.pth': 'File not found: none.pth',
    'inspect net.prototxt': 'net.prototxt is not a caffemodel: it is text',
    'convert a.caffemodel b.txt': 'b.txt: cannot tell the format',
    'convert net.prototxt b.npz': 'net.prototxt is not a caffemodel',
    'convert a.caffemodel none/b.npz': 'there is no folder',
    'convert a.caffemodel b.npz --net voc-none': 'voc-none: neither',
    'inspect a.caffemodel --net a.caffemodel': 'a.caffemodel is not a proto',
    'fetch voc-none': 'voc-none: no published network',
    'export net.prototxt --weights a.caffemodel b.pt': 'TorchScript',
    'export voc-none --weights a.caffemodel b.onnx': 'voc-none: neither',
    'export net.prototxt --weights none b.pt2': 'none: no such model file',
    'compare voc-none': 'voc-none: no network directory',
    'compare voc-fcn8s --weights none': 'none: no such model file',
}


@pytest.mark.parametrize('typed', LINES)
def test_an_error_is_one_line_and_status_1(place, capsys, typed):
    before = {path: path.read_bytes() for path in place.iterdir()}
    assert run(*typed.split()) == 1
    out, err = capsys.readouterr()
    assert err.startswith('weights: ') and LINES[typed] in err
    assert err.count('\n') == 1, err
    assert {path: path.read_bytes() for path in place.iterdir()} == before


@pytest.mark.parametrize(
    'command', [['inspect', 'net'], ['convert', 'net', 'b.npz']]
)
def test_a_folder_is_no_model_file(command, place, capsys):
    (place / 'net').mkdir()
    assert run(*command) == 1
    error = capsys.readouterr().err
    assert error == 'weights: net is a directory, not a file\n'
