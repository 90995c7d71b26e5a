"""Model files of five kinds: bit-exact both ways, and nothing but a message
that names the file comes of a bad one."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from model_files import ALL, SUFFIXES, arrays, same, small_net, small_param

from caffe.proto import model
from caffe.proto.caffe_pb2 import NetParameter
from caffe.proto.text import to_text
from weights import formats
from weights.convert import convert

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """The same weights in every format: {suffix: path}"""
    folder = tmp_path_factory.mktemp('formats')
    layers = arrays(small_net())
    paths = {end: folder / f'a.{end}' for end in SUFFIXES}
    for path in paths.values():
        formats.write(path, layers)
    return paths


@pytest.mark.parametrize('end', ALL)
@pytest.mark.parametrize('start', ALL)
def test_a_round_trip_keeps_every_bit(files, tmp_path, start, end):
    layers = arrays(small_net())
    back = tmp_path / f'b.{end}'
    convert(files[start], back)
    assert same(formats.read(files[start]).layers, layers)
    assert same(formats.read(back).layers, layers)


@pytest.mark.parametrize('end', [s for s in SUFFIXES if s != 'caffemodel.h5'])
def test_doubles_stay_doubles(tmp_path, end):
    layers = {'ip': {0: np.array([[1 / 3, 2 / 3]]), 1: np.ones(1, 'f4')}}
    formats.write(tmp_path / f'a.{end}', layers)
    assert same(formats.read(tmp_path / f'a.{end}').layers, layers)


def test_doubles_that_hdf5_rounds_are_told(tmp_path):
    source, target = tmp_path / 'a.npz', tmp_path / 'a.caffemodel.h5'
    np.savez(source, **{'ip.weight': np.array([1 / 3])})
    assert 'ip: float64, rounded to float32' in '\n'.join(
        convert(source, target)
    )
    assert formats.read(target).layers['ip'][0] == np.float32(1 / 3)


@pytest.mark.parametrize('end', ALL)
def test_the_content_says_what_a_file_is(files, tmp_path, end):
    path = tmp_path / 'model.bin'
    path.write_bytes(files[end].read_bytes())
    assert same(formats.read(path).layers, arrays(small_net()))


def test_an_unknown_suffix_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match='a.onxx: cannot tell the format'):
        convert(tmp_path / 'none', 'a.onxx')


def test_a_caffemodel_keeps_its_definition(tmp_path):
    source, target = tmp_path / 'a.caffemodel', tmp_path / 'b.caffemodel'
    small_net().save(str(source))
    convert(source, target)
    assert target.read_bytes() == source.read_bytes()


def test_gradients_stay_behind_and_this_is_told(tmp_path):
    net, source = small_net(), tmp_path / 'a.caffemodel'
    net.params['score'][0].diff[...] = 1
    net.save(str(source), diffs=True)
    lines = convert(source, tmp_path / 'b.caffemodel')
    assert any('gradients' in line for line in lines)
    assert model.read_model(tmp_path / 'b.caffemodel').blobs[1][0].diff is None


# old shapes ----------------------------------------------------------------


def legacy_file(path):
    """A V1 file, every blob of it with four axes."""
    net = NetParameter()
    for name, kind, shapes in (
        ('conv', 'CONVOLUTION', [(5, 1, 3, 2), (1, 1, 1, 5)]),
        ('ip', 'INNER_PRODUCT', [(1, 1, 4, 6), (1, 1, 1, 4)]),
        ('one', 'INNER_PRODUCT', [(1, 1, 1, 7), (1, 1, 1, 1)]),
    ):
        layer = net.layers.add(name=name)
        layer.type = layer.LayerType.Value(kind)
        for n, c, h, w in shapes:
            blob = layer.blobs.add(num=n, channels=c, height=h, width=w)
            blob.data.extend(range(n * c * h * w))
    path.write_bytes(net.SerializeToString())


@pytest.mark.parametrize('end', ALL)
def test_blobs_of_four_axes_get_those_of_today(tmp_path, end):
    legacy_file(tmp_path / 'old.caffemodel')
    convert(tmp_path / 'old.caffemodel', tmp_path / f'new.{end}')
    layers = formats.read(tmp_path / f'new.{end}').layers
    shapes = {k: [a.shape for a in v.values()] for k, v in layers.items()}
    assert shapes == {
        'conv': [(5, 1, 3, 2), (5,)],
        'ip': [(4, 6), (4,)],
        'one': [(1, 7), (1,)],
    }
    assert list(layers['ip'][0][3]) == [18, 19, 20, 21, 22, 23]


# PyTorch's ways ------------------------------------------------------------


@pytest.mark.parametrize('zipped', [True, False])
def test_a_checkpoint_of_data_parallel_is_unwrapped(tmp_path, zipped):
    path = tmp_path / 'a.pth'
    state = {
        'module.c.weight': torch.ones(2, 3),
        'module.c.bias': torch.ones(2),
    }
    torch.save(
        {'epoch': 3, 'state_dict': state},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    held = formats.read(path)
    assert [list(v) for v in held.layers.values()] == [[0, 1]]
    assert "read is its 'state_dict'" in held.notes[0]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('end', ['pth', 'safetensors'])
def test_halves_are_widened_and_this_is_told(tmp_path, dtype, end):
    numpy = pytest.importorskip('safetensors.torch')
    path = tmp_path / f'a.{end}'
    table = {'c.weight': torch.tensor([0.1, 65504.0]).to(dtype)}
    (torch.save if end == 'pth' else numpy.save_file)(table, path)
    held = formats.read(path)
    assert held.layers['c'][0].dtype == np.float32
    np.testing.assert_array_equal(
        held.layers['c'][0], table['c.weight'].float().numpy()
    )
    assert str(dtype) in held.notes[0]


class Payload:
    def __reduce__(self):
        return print, ('executed',)


@pytest.mark.parametrize('zipped', [True, False])
def test_no_pickle_is_executed(tmp_path, capsys, zipped):
    path = tmp_path / 'evil.pth'
    torch.save(
        {'c.weight': Payload()}, path, _use_new_zipfile_serialization=zipped
    )
    with pytest.raises(ValueError, match='evil.pth is not .* without running'):
        formats.read(path)
    assert 'executed' not in capsys.readouterr().out


@pytest.mark.parametrize(
    'table, message',
    [
        ({'c.weight': torch.ones(2, dtype=torch.int64)}, "'c.weight' is .*int"),
        ({'c.running_mean': torch.ones(2)}, "'c.running_mean' is neither"),
        ({'weight': torch.ones(2)}, "'weight' is neither"),
        ({'c.weight': 'text'}, "'c.weight' is str"),
        ({}, 'holds a dict'),
        (torch.ones(2), 'holds a Tensor'),
    ],
)
def test_what_is_no_table_of_weights_is_refused(tmp_path, table, message):
    torch.save(table, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=f'a.pth.*{message}'):
        formats.read(tmp_path / 'a.pth')


def test_npz_of_objects_is_refused(tmp_path):
    np.savez(tmp_path / 'a.npz', **{'c.weight': np.array([{}], object)})
    with pytest.raises(ValueError, match='a.npz is not an npz file'):
        formats.read(tmp_path / 'a.npz')


def test_a_layer_without_its_weight_is_no_caffemodel(tmp_path):
    with pytest.raises(ValueError, match="layer 'c' has blob 1 but no blob 0"):
        formats.write(tmp_path / 'a.caffemodel', {'c': {1: np.ones(2, 'f4')}})
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'safetensors', None)
    monkeypatch.setitem(sys.modules, 'safetensors.numpy', None)
    with pytest.raises(ValueError, match='pip install safetensors'):
        formats.write(tmp_path / 'a.safetensors', {})


# elsewhere -----------------------------------------------------------------


def test_opencv_reads_what_is_written_here(tmp_path):
    """A reader of Caffe's files that shares no code with this one."""
    cv2 = pytest.importorskip('cv2')
    net = small_net()
    net.save(str(tmp_path / 'a.caffemodel'))
    convert(tmp_path / 'a.caffemodel', tmp_path / 'b.npz')
    convert(tmp_path / 'b.npz', tmp_path / 'c.caffemodel')
    prototxt = tmp_path / 'net.prototxt'
    prototxt.write_text(to_text(small_param()))
    for name in ('a', 'c'):
        read = cv2.dnn.readNetFromCaffe(
            str(prototxt), str(tmp_path / f'{name}.caffemodel')
        )
        for layer in ('conv1', 'score'):
            have = read.getParam(layer, 0)
            want = net.params[layer][0].data
            assert have.tobytes() == want.tobytes(), (name, layer)
