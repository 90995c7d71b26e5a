"""Model files into a net: whatever is wrong with one ends in one message with
the file's name, and the net is what it was."""

import random

import numpy as np
import pytest
from model_files import ALL, arrays, same, small_net, small_param

import caffe
from caffe.proto.caffe_pb2 import SolverState
from caffe.proto.text import to_text
from caffe.proto.wire import delimiter, fields
from weights import formats
from weights.load import copy, load, located


@pytest.mark.parametrize('end', ALL)
def test_every_format_fills_a_net(tmp_path, end):
    source, net = small_net(), small_net(seed=1)
    layers = dict(arrays(source), extra={0: np.ones((2, 3), 'f4')})
    path = tmp_path / f'a.{end}'
    formats.write(path, layers)
    loaded = copy(net, path)
    assert same(arrays(net), arrays(source))
    assert sorted(loaded.copied) == sorted(net.params)
    assert loaded.ignored == ['extra'] and not loaded.untouched


@pytest.mark.parametrize('end', ALL)
def test_a_file_may_lack_layers(tmp_path, end):
    net = small_net(seed=1)
    formats.write(
        tmp_path / f'a.{end}', {'conv1': arrays(small_net())['conv1']}
    )
    loaded = copy(net, tmp_path / f'a.{end}')
    assert loaded.copied == ['conv1']
    assert loaded.untouched == ['scale1', 'score']
    with pytest.raises(ValueError, match='it lacks scale1, score'):
        load(net, tmp_path / f'a.{end}')


# bad files -----------------------------------------------------------------


def with_nan(layers):
    layers['scale1'][1][2] = np.nan


def with_infinity(layers):
    layers['scale1'][1][2] = -np.inf


def with_other_shape(layers):
    layers['score'][0] = layers['score'][0].reshape(4, 5, 1, 1)


def with_fewer_numbers(layers):
    layers['score'][0] = layers['score'][0][:3]


def with_one_blob_less(layers):
    del layers['scale1'][1]


def with_one_blob_more(layers):
    layers['score'][1] = np.ones(5, 'f4')


def of_torchvision(layers):
    layers['features.0'] = layers.pop('conv1')


BAD = {
    with_nan: "layer 'scale1', parameter 1: 1 of 4 numbers are NaN or inf",
    with_infinity: "layer 'scale1', parameter 1: 1 of 4 numbers are NaN or inf",
    with_other_shape: 'score|source shape',
    with_fewer_numbers: 'score|source shape',
    with_one_blob_less: 'scale1',
    with_one_blob_more: 'score',
    of_torchvision: "torchvision's layer names",
}


@pytest.mark.parametrize('end', ALL)
@pytest.mark.parametrize('spoil', BAD)
def test_weights_that_do_not_fit_change_nothing(tmp_path, spoil, end):
    net = small_net(seed=1)
    before, layers = arrays(net), arrays(small_net())
    spoil(layers)
    path = tmp_path / f'bad.{end}'
    formats.write(path, layers)
    with pytest.raises(
        (RuntimeError, ValueError), match='(?i)' + BAD[spoil]
    ) as e:
        copy(net, path)
    assert f'bad.{end}' in str(e.value)
    assert same(arrays(net), before), 'some layer was copied all the same'


HTML = b'<!DOCTYPE html>\n<html><head><title>404</title></head></html>'
LFS = b'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'
MISTAKEN = {
    'an HTML page': HTML,
    'a git-lfs pointer': LFS,
    'text': to_text(small_param()).encode(),
    'a solverstate': SolverState(iter=3, current_step=1).SerializeToString(),
}


@pytest.mark.parametrize('what', MISTAKEN)
@pytest.mark.parametrize('name', ['a.caffemodel', 'a.pth', 'a.npz'])
def test_other_files_are_named_for_what_they_are(tmp_path, what, name):
    net, path = small_net(), tmp_path / name
    before = arrays(net)
    path.write_bytes(MISTAKEN[what])
    for read in (lambda: net.copy_from(str(path)), lambda: copy(net, path)):
        with pytest.raises(
            RuntimeError, match=f'{name} is not .* it is {what}'
        ):
            read()
    assert same(arrays(net), before)


def test_a_caffemodel_is_no_prototxt(tmp_path):
    path = tmp_path / 'net.prototxt'
    small_net().save(str(path))
    with pytest.raises(RuntimeError, match='net.prototxt is not a prototxt'):
        caffe.Net(str(path), caffe.TEST)


def test_a_file_cut_at_200_places_changes_no_net(tmp_path):
    whole, path = tmp_path / 'a.caffemodel', tmp_path / 'short.caffemodel'
    small_net().save(str(whole))
    data, net = whole.read_bytes(), small_net(seed=1)
    before = arrays(net)
    # where a whole layer ends, a shorter but sound file does
    ends = {field.stop for field in fields(data, 0, len(data))}
    for stop in random.Random(1337).sample(range(1, len(data)), 200):
        path.write_bytes(data[:stop])
        if stop not in ends:
            with pytest.raises(RuntimeError, match='short.caffemodel'):
                net.copy_from(str(path))
    assert same(arrays(net), before)


def test_a_flipped_bit_changes_numbers_or_nothing(tmp_path):
    path, net = tmp_path / 'a.caffemodel', small_net(seed=1)
    small_net().save(str(path))
    data, before = path.read_bytes(), arrays(net)
    rng = random.Random(1337)
    for _ in range(200):
        at = rng.randrange(len(data))
        flipped = bytearray(data)
        flipped[at] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(flipped))
        try:
            loaded = net.copy_from(str(path))
        except RuntimeError:
            assert same(arrays(net), before), at
        else:  # numbers, or a name that is nobody's now
            assert loaded.copied or loaded.ignored, at
            net = small_net(seed=1)


# places --------------------------------------------------------------------


def test_a_missing_file_says_where_it_may_come_from():
    with pytest.raises(FileNotFoundError) as error:
        located('none.caffemodel', 'voc-fcn8s')
    text = str(error.value)
    assert 'python -m weights fetch voc-fcn8s' in text
    assert 'fcn8s-heavy-pascal.caffemodel' in text
    with pytest.raises(FileNotFoundError, match='no such model file$'):
        located('none.caffemodel')


# size ----------------------------------------------------------------------

GIGABYTE = 10**9


def test_a_file_beyond_a_gigabyte_is_read_where_it_lies(tmp_path):
    """A V1 file with fields of 1.2 GB, most of it a hole."""
    count = 3 * 10**8
    tail = np.arange(6, dtype='<f4').tobytes()
    dims = b'\x08\x01\x10\x01\x18\x03' + b'\x20' + varint(count // 3)
    blob = dims + delimiter(5, 4 * count)
    layer = b'\x22\x03fc6\x28\x0e'  # name, type INNER_PRODUCT
    start = delimiter(6, len(blob) + 4 * count) + blob
    body = len(layer) + len(start) + 4 * count
    head = b'\x0a\x03big' + delimiter(2, body) + layer + start
    path = tmp_path / 'big.caffemodel'
    with open(path, 'wb') as out:
        out.write(head)
        out.truncate(len(head) + 4 * count)
        out.seek(-len(tail), 2)
        out.write(tail)
    assert path.stat().st_size > 1.2 * GIGABYTE
    held = formats.read(path)
    weight = held.layers['fc6'][0]
    assert weight.shape == (3, count // 3)
    assert list(weight.reshape(-1)[-7:]) == [0, 0, 1, 2, 3, 4, 5]
    assert weight[0, 0] == 0 and not weight.flags.owndata


def varint(n):
    return delimiter(0, n)[1:]
