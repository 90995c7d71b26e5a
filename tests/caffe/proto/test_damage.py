"""Damaged and mistaken files are named for what they are, and nothing but
RuntimeError comes out of reading one."""

import gzip
import pickle
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from caffe.proto import model, text
from caffe.proto.caffe_pb2 import BlobProto, NetParameter

GOLDENS = Path(__file__).parents[2] / 'goldens'
MODEL = GOLDENS / 'solver' / 'sgd_step' / 'weights.caffemodel'
STATE = GOLDENS / 'solver' / 'sgd_step' / 'train_iter_10.solverstate'
SOURCES = [
    (model.read_model, MODEL),
    (model.read_model, GOLDENS / 'legacy' / 'v1.caffemodel'),
    (model.read_state, STATE),
    (text.read_net, GOLDENS / 'solver' / 'sgd_step' / 'net.prototxt'),
    (text.read_net, GOLDENS / 'legacy' / 'v1.prototxt'),
    (text.read_solver, GOLDENS / 'solver' / 'sgd_step' / 'solver.prototxt'),
]
HDF5 = [
    (model.read_hdf5, 'train_iter_12.caffemodel.h5'),
    (model.read_state, 'train_iter_12.solverstate.h5'),
]

MEAN = BlobProto(num=1, channels=3, height=1, width=1, data=[1, 2, 3])
HTML = b'\n<!DOCTYPE html>\n<html><head><title>404</title>'
LFS = b'version https://git-lfs.github.com/spec/v1\noid sha256:0'
MISTAKEN = {
    'an HTML page': HTML,
    'a git-lfs pointer': LFS,
    'text .a prototxt': b'name: "net"\nlayer { }\n',
    'an HDF5 file': b'\x89HDF\r\n\x1a\n\0\0\0',
    'a zip archive': b'PK\x03\x04\x14\0',
    'a gzip archive': gzip.compress(b'x'),
    'a pickle': pickle.dumps([1], 2),
    'a blob .a mean image': MEAN.SerializeToString(),
}


@pytest.mark.parametrize('what', MISTAKEN)
@pytest.mark.parametrize('read', [model.read_model, model.read_state])
def test_other_files_are_named_for_what_they_are(tmp_path, read, what):
    path = tmp_path / 'file'
    path.write_bytes(MISTAKEN[what])
    with pytest.raises(RuntimeError, match=f'file is not a .*: it is {what}'):
        read(path)


def test_models_and_states_are_not_confused():
    with pytest.raises(RuntimeError, match='a caffemodel: it is a solverstate'):
        model.read_model(STATE)
    with pytest.raises(RuntimeError, match='a solverstate: it is a caffemodel'):
        model.read_state(MODEL)
    with pytest.raises(RuntimeError, match='a solverstate: it is a caffemodel'):
        model.read_state(GOLDENS / 'legacy' / 'v1.caffemodel')


@pytest.mark.parametrize('read', [model.read_model, model.read_state])
def test_an_empty_file_is_called_empty(tmp_path, read):
    (tmp_path / 'file').touch()
    with pytest.raises(RuntimeError, match='file is empty'):
        read(tmp_path / 'file')


def test_noise_is_not_a_model(tmp_path):
    path = tmp_path / 'noise'
    for noise in (b'\xff' * 99, b'\x00' * 99, b'\xf2\x06\x01a'):
        path.write_bytes(noise)
        with pytest.raises(RuntimeError, match='noise is not a caffemodel'):
            model.read_model(path)


def test_truncation_names_the_layer_and_the_bytes(tmp_path):
    path = tmp_path / 'short.caffemodel'
    path.write_bytes(MODEL.read_bytes()[:-100])
    with pytest.raises(
        RuntimeError,
        match="short.caffemodel is truncated: layer 'score' should end at byte "
        '9203, the file ends at byte 9164',
    ):
        model.read_model(path)


def test_damage_inside_names_the_layer_and_the_byte(tmp_path):
    net = NetParameter(name='n')
    net.layer.add(name='good').blobs.add(data=[1])
    net.layer.add(name='bad').blobs.add(num=1, channels=1, data=[1, 2])
    path = tmp_path / 'bad.caffemodel'
    path.write_bytes(net.SerializeToString())
    with pytest.raises(
        RuntimeError, match="bad.caffemodel is damaged in layer 'b"
    ):
        model.read_model(path)
    latin = b'\x0a\x01n\xa2\x06\x04\x0a\x02\xfc\xff'
    path.write_bytes(latin)
    with pytest.raises(RuntimeError, match="is damaged, or not .*can't decode"):
        model.read_model(path)


def survives(read, data, folder):
    """Reads a file of these bytes; only RuntimeError may come of it."""
    path = folder / 'damaged.h5' if read in dict(HDF5) else folder / 'damaged'
    path.write_bytes(data)
    try:
        read(path)
    except RuntimeError as error:
        assert 'damaged' in str(error) and str(error).isprintable()


@pytest.mark.parametrize('read, source', SOURCES)
def test_truncation_at_any_byte_is_survived(tmp_path, read, source):
    data = source.read_bytes()
    for stop in range(0, len(data), 1 + len(data) // 150):
        survives(read, data[:stop], tmp_path)


edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 255), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize('read, source', SOURCES)
def test_random_damage_is_survived(tmp_path_factory, read, source):
    original = source.read_bytes()
    folder = tmp_path_factory.mktemp('damage')

    @hypothesis.settings(max_examples=50, deadline=None, database=None)
    @hypothesis.seed(1337)
    @hypothesis.given(edits)
    def check(edits):
        data = bytearray(original)
        for where, value, remove in edits:
            # the structure is at the beginning, the numbers are behind
            at = int(where**3 * (len(data) - 1))
            data[at : at + remove] = bytes([value])
        survives(read, bytes(data), folder)

    check()


@pytest.mark.parametrize('read, name', HDF5)
def test_truncated_hdf5_is_refused(tmp_path, read, name):
    data = (GOLDENS / 'solver' / 'sgd_hdf5' / name).read_bytes()
    path = tmp_path / 'short.h5'
    for stop in range(8, len(data), len(data) // 40):
        path.write_bytes(data[:stop])
        with pytest.raises(RuntimeError, match='short.h5'):
            read(path)
