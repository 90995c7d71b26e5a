"""`python -m caffe explain` and `upgrade`: what a net definition says."""

import numpy as np
import pytest
from net_text import conv, inputs, ip, layer

import caffe
from caffe.proto import text

WIDE = 'convolution_param { num_output: 4 kernel_size: 1 pad: 2 }'
OLD = """
name: "old" input: "data" input_dim: 1 input_dim: 3 input_dim: 40 input_dim: 52
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1
  convolution_param { num_output: 4 kernel_size: 3 pad: 20 } }
layers { name: "pool" type: POOLING bottom: "conv" top: "pool"
  pooling_param { kernel_size: 2 stride: 2 } }
layers { name: "half" type: POOLING bottom: "pool" top: "half"
  pooling_param { kernel_size: 2 stride: 2 } }
layers { name: "fc" type: CONVOLUTION bottom: "half" top: "fc"
  convolution_param { num_output: 4 kernel_size: 3 } }
layers { name: "up" type: DECONVOLUTION bottom: "fc" top: "up"
  convolution_param { num_output: 4 kernel_size: 4 stride: 2 } }
layers { name: "skip" type: CROP bottom: "pool" bottom: "up" top: "skip" }
layers { name: "fuse" type: ELTWISE bottom: "up" bottom: "skip" top: "fuse" }
layers { name: "big" type: DECONVOLUTION bottom: "fuse" top: "big"
  convolution_param { num_output: 4 kernel_size: 4 stride: 2 } }
layers { name: "score" type: CROP bottom: "big" bottom: "data" top: "score" }
"""


def table(out):
    """name -> (type, shape, stride, offset) of what explain prints"""
    rows = {}
    for line in out.splitlines()[1:]:
        if line.endswith(' parameters'):
            break
        name, _, kind, *rest = line.split()
        shape = ''.join(rest[:-2] if 'cuts' not in line else rest[:-4])
        rows[name] = (
            kind,
            shape,
            ' '.join(rest[len(shape.split('x')) * 2 - 1 :]),
        )
    return rows


# explain ----------------------------------------------------------------------

GOLDEN = {  # network directory -> where its crops begin
    'voc-fcn32s': [19],
    'voc-fcn16s': [5, 27],
    'voc-fcn8s': [5, 9, 31],
    'voc-fcn-alexnet': [18],
}


@pytest.mark.parametrize('name', GOLDEN)
def test_the_published_nets_have_the_known_offsets(name, goldens, command):
    path = goldens.parents[1] / name / 'train.prototxt'
    status, _, out = command(f'explain {path} -size 375x500')
    assert status == 0
    rows = table(out)
    cuts = [where for kind, _, where in rows.values() if kind == 'Crop']
    assert [int(w.split('cuts ')[1][:-1]) for w in cuts] == GOLDEN[name]
    assert rows['score'][1:] == (
        '1x21x375x500',
        f'1 0 (cuts {GOLDEN[name][-1]})',
    )
    assert rows['data'][1:] == ('1x3x375x500', '1 0')
    assert rows['label'][1:] == ('1x1x375x500', '1 0')
    assert 'apart' not in out and 'stride ' in out


def test_shapes_are_those_of_the_net(folder, goldens, command):
    path = goldens.parents[1] / 'voc-fcn8s' / 'deploy.prototxt'
    from nets import edits

    small = edits.slim(text.read_net(path), 32)
    (folder / 'small.prototxt').write_text(text.to_text(small))
    _, _, out = command('explain small.prototxt -size 70x45')
    small.layer[0].input_param.shape[0].dim[2:] = [70, 45]
    built = caffe.Net(small, caffe.TEST)
    shapes = {
        name: 'x'.join(map(str, blob.shape))
        for name, blob in built.blobs.items()
        if '_split' not in name
    }
    assert {name: row[1] for name, row in table(out).items()} == shapes
    count = sum(item.blob.count for item in built.learnable)
    assert f'{count} parameters' in out


def test_stride_and_offset_say_where_a_pixel_looks(folder, command):
    """A bright pixel lights up the elements whose windows hold it."""
    net = inputs(data=(1, 1, 60, 60)) + conv('c', 'data', 1, 5, '')
    net = net.replace('kernel_size: 5', 'kernel_size: 5 stride: 3 pad: 4')
    (folder / 'net.prototxt').write_text(net)
    where = table(command('explain net.prototxt')[2])['c'][2]
    stride, offset = map(float, where.split())
    built = caffe.Net('net.prototxt', caffe.TEST)
    built.params['c'][0].data[...] = 0
    built.params['c'][0].data[0, 0, 2, 2] = 1  # the centre of the kernel
    for k in (1, 4, 11):
        image = np.zeros((1, 1, 60, 60))
        image[..., int(offset + stride * k), int(offset + stride * k)] = 1
        assert built.forward(data=image)['c'][0, 0, k, k] == 1


def test_unknown_sizes_are_asked_for_and_unknown_blobs_marked(folder, command):
    python = "python_param { module: 'm' layer: 'L' }"
    (folder / 'net.prototxt').write_text(
        layer('Python', 'source', '', 'colour depth label', python)
        + layer('Concat', 'both', 'colour depth')
        + conv('c', 'both', 4, 3)
        + layer('Python', 'mystery', 'c', rest=python)
        + ip('fc', 'c', 5)
        + layer('ReLU', 'after', 'mystery')
        + layer('Softmax', 'soft', 'c')
        + layer('Eltwise', 'sum', 'c soft')
        + layer('Convolution', 'wide', 'c', rest=WIDE)
        + layer('Crop', 'cut', 'wide label', rest='crop_param { offset: 0 }')
        + layer('SoftmaxWithLoss', 'loss', 'cut label')
    )
    status, said, _ = command('explain net.prototxt')
    assert status == 1
    assert "layer 'source' (Python): the size" in said[-1]
    assert '--size HxW' in said[-1]
    _, _, out = command('explain net.prototxt depth=1 -size 9x9')
    rows = table(out)
    assert rows['both'][1:] == ('1x4x9x9', '1 0')
    assert rows['mystery'][1:] == rows['after'][1:] == ('?', '- -')
    assert rows['fc'][1:] == ('1x5', '- -')
    assert rows['sum'][1:] == ('1x4x7x7', '1 1')
    assert rows['cut'][1:] == ('1x4x9x9', '1 -1 (cuts 0)')
    assert "layer 'loss' (SoftmaxWithLoss): 'cut' and 'label' lie 1 pix" in out


def test_errors_name_the_layer_and_come_after_the_table(folder, command):
    (folder / 'net.prototxt').write_text(
        inputs(data=(1, 3, 4, 4))
        + conv('b', 'data', 2, 1)
        + conv('c', 'b', 4, 7)
    )
    status, said, out = command('explain net.prototxt')
    assert status == 1
    assert "layer 'c' (Convolution): a kernel of (7, 7)" in said[-1]
    assert list(table(out)) == ['data', 'b'], 'the table so far'


# upgrade ----------------------------------------------------------------------


@pytest.fixture
def old(folder):
    (folder / 'old.prototxt').write_text(OLD)
    return folder


@pytest.mark.usefixtures('old')
def test_crops_of_old_get_the_offsets_that_align(command):
    status, said, _ = command('upgrade old.prototxt new.prototxt')
    assert status == 0
    assert said[-3:] == [
        "layer 'skip': crop_param { axis: 2 offset: 1 }, where 'pool' shows "
        "the same place as 'up'",
        "layer 'score': crop_param { axis: 2 offset: 18 }, where 'big' shows "
        "the same place as 'data'",
        'Wrote upgraded NetParameter text proto to new.prototxt',
    ]
    net = caffe.Net('new.prototxt', caffe.TEST)
    assert net.blobs['score'].data.shape == (1, 4, 40, 52)
    out = command('explain new.prototxt')[2]
    assert table(out)['score'][2].startswith('1 0 (cuts')
    assert 'apart' not in out and 'without an offset' not in out


@pytest.mark.usefixtures('old')
def test_without_a_target_the_text_goes_to_stdout(old, command):
    _, _, out = command('upgrade old.prototxt')
    command('upgrade old.prototxt new.prototxt')
    assert out == (old / 'new.prototxt').read_text()
    status, said, again = command('upgrade new.prototxt')
    assert (status, said, again) == (0, [], out), 'a net of today stays'


@pytest.mark.usefixtures('old')
def test_loading_the_old_file_tells_the_command():
    with pytest.raises(
        RuntimeError, match=r'old.prototxt:13:29: .*CROP.*`python -m caffe upg'
    ):
        caffe.Net('old.prototxt', caffe.TEST)


def test_a_crop_without_an_offset_is_warned_of(old, command, capsys):
    command('upgrade old.prototxt new.prototxt')
    new = (old / 'new.prototxt').read_text()
    (old / 'new.prototxt').write_text(new.replace('offset: 18', ''))
    capsys.readouterr()
    caffe.Net('new.prototxt', caffe.TEST)
    warned = capsys.readouterr().err
    assert warned.count('\n') == 1 and warned.startswith('W')
    assert (
        "layer 'score': Crop without an offset cuts at 0, but 'big' " in warned
    )
    out = command('explain new.prototxt')[2]
    assert 'same place at offset 18: `python -m caffe upgrade' in out


def test_a_crop_that_cannot_be_aligned_stays_and_says_why(folder, command):
    (folder / 'net.prototxt').write_text(
        inputs(a=(1, 2, 9, 9), b=(1, 2, 5, 5)) + layer('Crop', 'c', 'a b')
    )
    status, said, out = command('upgrade net.prototxt')
    assert status == 0
    assert "layer 'c': its offset stays 0: Could not compute map" in said[-1]
    assert 'offset' not in out
    caffe.Net('net.prototxt', caffe.TEST)


def test_solver_files_are_upgraded_too(folder, command):
    (folder / 's.prototxt').write_text('net: "n" solver_type: ADAM # old')
    assert command('upgrade s.prototxt')[2] == 'net: "n"\ntype: "Adam"\n'


def test_what_is_neither_is_refused_with_its_place(folder, command):
    (folder / 'x.prototxt').write_text('layer { nmae: "x" }')
    status, said, _ = command('upgrade x.prototxt y.prototxt')
    assert status == 1
    assert 'x.prototxt:1:' in said[-1] and 'did you mean "name"' in said[-1]
    assert not (folder / 'y.prototxt').exists()
