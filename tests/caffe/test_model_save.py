"""A net's weights in files: binary, byte by byte what Caffe writes; HDF5."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from net_text import TINY, assert_equal, inputs, ip, net, params, two

import caffe
from caffe.proto import caffe_pb2 as pb

GOLDENS = Path(__file__).parents[1] / 'goldens'
RECORDED = [
    *GOLDENS.glob('solver/*/train_iter_*.caffemodel'),
    *GOLDENS.glob('layers/*/weights.caffemodel'),
]


def message(path):
    found = pb.NetParameter()
    found.ParseFromString(Path(path).read_bytes())
    return found


# save -------------------------------------------------------------------------


def test_all_of_caffes_files_are_found():
    assert len(RECORDED) == 32 + 83


@pytest.mark.parametrize(
    'path', RECORDED, ids=lambda path: f'{path.parent.name}-{path.stem}'
)
def test_a_saved_model_is_caffes_byte_by_byte(path, tmp_path):
    record = path.parent / 'io.npz'
    trained = not record.exists() or any(
        name.startswith('diff/') for name in np.load(record).files
    )
    built = caffe.Net(
        str(path.parent / 'net.prototxt'),
        caffe.TRAIN if trained else caffe.TEST,
        weights=str(path),
    )
    ours = tmp_path / 'ours'
    built.save(str(ours))
    assert ours.read_bytes() == path.read_bytes()


def test_a_saved_model_has_name_and_layers_only(saved, tmp_path):
    built = net(
        'state { level: 2 }',
        TINY,
        ip('side', 'conv', 3, 'include { phase: TRAIN }'),
        ip('never', 'conv', 3, 'include { phase: TEST }'),
    )
    path = str(tmp_path / 'it')
    built.save(path)
    found = message(path)
    assert [f.name for f, _ in found.ListFields()] == ['name', 'layer']
    names = [x.name for x in found.layer]
    assert names == ['data', 'conv', 'conv_conv_0_split', 'ip', 'loss', 'side']
    layers = dict(zip(names, found.layer))
    assert {x.phase for x in found.layer} == {caffe.TRAIN}
    assert list(layers['loss'].loss_weight) == [1]
    assert list(layers['ip'].bottom) == ['conv_conv_0_split_0']
    assert layers['side'].include[0].phase == caffe.TRAIN
    blob = layers['ip'].blobs[0]
    assert [f.name for f, _ in blob.ListFields()] == ['data', 'shape']
    assert list(blob.shape.dim) == [13, 792]


def test_diffs_are_saved_on_demand(tmp_path):
    built, path = two(), str(tmp_path / 'it')
    built.params['a'][1].diff[...] = [1, 2, 3, 4]
    built.save(path, diffs=True)
    blobs = message(path).layer[2].blobs
    assert list(blobs[1].diff) == [1, 2, 3, 4]


def test_saving_does_not_change_the_net(saved):
    built, path = saved
    assert not any(node.op.param.blobs for node in built.nodes)
    before = params(built)
    built.save(path)
    assert_equal(params(built), before)


# HDF5 -------------------------------------------------------------------------


def test_hdf5_brings_the_same_weights_back(tmp_path, device):
    path = str(tmp_path / 'it.h5')
    source = two()
    source.save_hdf5(path)
    for method in ('load_hdf5', 'copy_from'):
        target = two()
        assert getattr(target, method)(path) == (['a', 'b'], [], [])
        assert_equal(params(target), params(source))


def test_hdf5_has_caffes_layout(tmp_path):
    path = str(tmp_path / 'it.h5')
    built = net(
        inputs(x=(2, 3)),
        ip('a', 'x', 4, "param { name: 'w' }"),
        ip('b', 'x', 4, "param { name: 'w' }"),
    )
    built.save_hdf5(path)
    with h5py.File(path) as file:
        assert list(file) == ['data'] and not file.attrs
        data = {k: list(group) for k, group in file['data'].items()}
        assert data == {'x': [], 'x_x_0_split': [], 'a': ['0', '1'], 'b': ['1']}
        assert file['data/a/0'].dtype == '<f4'
        assert file['data/a/0'].shape == (4, 3)
    built.params['a'][0].data[...] = 0
    built.load_hdf5(path)
    assert built.params['b'][0].data.any(), 'a shared blob comes with its owner'


def test_caffes_hdf5_is_repeated(tmp_path):
    folder = GOLDENS / 'solver' / 'sgd_hdf5'
    path = folder / 'train_iter_6.caffemodel.h5'
    built = caffe.Net(
        str(folder / 'net.prototxt'), caffe.TRAIN, weights=str(path)
    )
    built.save_hdf5(str(tmp_path / 'ours.h5'))
    found = []
    for name in (path, tmp_path / 'ours.h5'):
        items = {}
        with h5py.File(name) as file:
            file.visititems(
                lambda key, item, items=items: items.update(
                    {key: getattr(item, 'shape', None) and item[()]}
                )
            )
        found.append(items)
    assert_equal(*found)


def test_hdf5_of_another_shape_is_refused(tmp_path):
    path = str(tmp_path / 'it.h5')
    two(4, 5).save_hdf5(path)
    target = two(4, 6)
    before = params(target)
    with pytest.raises(
        RuntimeError,
        match=r'Cannot load blob from hdf5; shape mismatch\. Source shape is '
        r'5 3 \(15\) target shape is 6 3 \(18\)',
    ):
        target.load_hdf5(path)
    assert_equal(params(target), before)


def test_hdf5_with_other_blobs_is_refused(tmp_path):
    path = str(tmp_path / 'it.h5')
    bare = net(inputs(x=(2, 3)), ip('a', 'x', 4, more='bias_term: false'))
    two().save_hdf5(path)
    with pytest.raises(RuntimeError, match='number of blobs for layer a: 2'):
        bare.load_hdf5(path)
    bare.save_hdf5(path)
    with pytest.raises(RuntimeError, match='layer a: .*it.h5 has no blob 1'):
        two().load_hdf5(path)


def test_a_slash_in_a_layer_name_makes_hdf5_fail(tmp_path):
    built = net(inputs(x=(2, 3)), ip('res/a', 'x', 4))
    with pytest.raises(RuntimeError, match="layer 'res/a'"):
        built.save_hdf5(str(tmp_path / 'it.h5'))
