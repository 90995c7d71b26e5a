"""What a net gives back and notes: freed blobs, memory over passes of many
sizes, wrong labels on a GPU, what debug_info prints."""

import os
import subprocess
import sys

import numpy as np
import pytest
from net_text import FORCED, TINY, conv, fill, inputs, ip, layer, net

import caffe

FCN = [
    inputs(data=(1, 3, 24, 20)),
    conv('conv1', 'data', 8, 3),
    layer('ReLU', 'relu1', 'conv1', 'conv1'),
    layer('Pooling', 'pool1', 'conv1', '', 'pooling_param { kernel_size: 2 }'),
    layer('Sigmoid', 'sigm', 'pool1', 'pool1'),
    conv('score', 'pool1', 5, 1),
    layer('BatchNorm', 'bn', 'score', 'score'),
    layer('Sigmoid', 'side', 'pool1'),
]


def freed(built):
    """The names of the blobs that cannot be read."""
    names = []
    for name, blob in built.blobs.items():
        try:
            assert blob.data is not None
        except RuntimeError as error:
            assert f"blob '{name}' was freed" in str(error)
            names.append(name)
    return names


def test_blobs_that_nobody_keeps_are_freed(device):
    built = net(*FCN, phase=caffe.TEST)
    fill(built)
    whole = {k: v.copy() for k, v in built.forward(blobs=['pool1']).items()}
    assert freed(built) == []
    built.set_keep(['pool1'])
    for _ in range(2):
        found = built.forward(blobs=['pool1'])
        for name, expected in whole.items():  # another way to convolve
            near = 1e-6 * np.abs(expected).max()
            np.testing.assert_allclose(found[name], expected, 1e-5, near)
        splits = [f'pool1_sigm_0_split_{k}' for k in (0, 1)]
        assert freed(built) == ['conv1', *splits]
    built.set_keep(None)
    built.forward()
    assert freed(built) == []


def test_a_layer_that_reads_a_freed_blob_is_named():
    built = net(*FCN, FORCED)
    built.set_keep([])
    built.forward()
    with pytest.raises(
        RuntimeError,
        match=r"layer 'pool1' \(Pooling\): the data of blob 'conv1' was freed",
    ):
        built.forward(start='pool1')
    with pytest.raises(RuntimeError, match="blob 'pool1.*' was freed"):
        built.backward()


def test_what_is_filled_only_once_is_not_freed():
    built = net(
        layer(
            'DummyData',
            'ones',
            rest='dummy_data_param { shape { dim: 2 dim: 3 } '
            'data_filler { value: 1 } }',
        ),
        layer('Power', 'p', 'ones', '', 'power_param { scale: 4 }'),
        layer('ReLU', 'r', 'p'),
        phase=caffe.TEST,
    )
    built.set_keep([])
    for _ in range(2):
        assert (built.forward()['r'] == 4).all()


def test_freeing_leaves_a_view_that_somebody_holds_alone():
    built = net(*FCN, phase=caffe.TEST)
    fill(built)
    built.forward()
    view = built.blobs['conv1'].data
    before = view.copy()
    built.set_keep([])
    built.forward()
    np.testing.assert_array_equal(view, before)


ROUNDS = """
import resource
import numpy as np
from net_text import conv, inputs, layer, net

built = net(
    inputs(data=(1, 3, 9, 9)),
    conv('conv1', 'data', 32, 3),
    layer('ReLU', 'relu1', 'conv1', 'conv1'),
    conv('conv2', 'conv1', 32, 3),
    layer('LRN', 'norm', 'conv2'),
    layer('Pooling', 'pool', 'norm', '', 'pooling_param { kernel_size: 2 }'),
    conv('score', 'pool', 5, 1),
    layer('EuclideanLoss', 'loss', 'score score'),
)
sizes = np.random.default_rng(0).integers(40, 150, size=(30, 2))
for _ in range(2):
    for height, width in sizes:
        built.blobs['data'].reshape(1, 3, height, width)
        built.clear_param_diffs()
        built.forward()
        built.backward_pass(keep=False)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_second_round_over_many_sizes_takes_no_more_memory():
    """In a process of its own, as a peak cannot be seen below an older one;
    one that gives memory back at once, so that fragments do not count."""
    paths = os.pathsep.join(filter(None, sys.path))
    settings = {'OMP_NUM_THREADS': '1', 'MALLOC_MMAP_THRESHOLD_': '65536'}
    done = subprocess.run(
        [sys.executable, '-c', ROUNDS],
        env={**os.environ, 'PYTHONPATH': paths, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = map(int, done.stdout.split())
    assert second <= first * 1.05, f'{first} KiB, then {second} KiB'


def test_backward_without_keep_leaves_only_the_parameters_diffs():
    built = net(TINY)
    built.forward()
    built.backward_pass(keep=False)
    assert built.params['conv'][0].diff.any()
    kept = [name for name, blob in built.blobs.items() if blob.diff.any()]
    assert kept == ['loss'], 'the loss weights'
    built.clear_param_diffs()
    built.backward_pass(keep=False)
    assert built.params['conv'][0].diff.any(), 'the pass can be repeated'


class Noting:
    """Stands for an op that has met a wrong label on a GPU."""

    def __init__(self):
        self.asked = 0

    def __call__(self):
        self.asked += 1
        raise RuntimeError('label 9 at 2 pixels is not one of the 5 classes')


def test_check_raises_what_a_layer_has_noted():
    built = net(TINY)
    built.check()
    noting = built.nodes[-1].op.check = Noting()
    with pytest.raises(
        RuntimeError, match=r"layer 'loss' \(SoftmaxWithLoss\): label 9 at 2"
    ):
        built.check()
    built.forward()
    assert noting.asked == 1, 'on the CPU, forward has raised it already'


@pytest.mark.gpu
def test_wrong_labels_are_raised_by_forward_on_a_gpu():
    caffe.set_mode_gpu()
    built = net(TINY)
    built.blobs['label'].data[...] = 13
    with pytest.raises(RuntimeError, match="layer 'loss' .*: label 13 at 5"):
        built.forward()
    built.blobs['label'].data[...] = 12
    built.forward()
    built.blobs['label'].data[...] = 13
    assert built.forward_loss().isnan()
    with pytest.raises(RuntimeError, match='label 13 at 5 pixels'):
        built.check()
    built.check()


def test_debug_info_prints_means_in_caffes_words(capsys):
    built = net(
        'debug_info: true',
        inputs(x=(2, 3), t=(2, 3)),
        ip('y', 'x', 3, "param { name: 'w' } param { lr_mult: 0 }"),
        layer('EuclideanLoss', 'loss', 'y t'),
    )
    built.params['y'][0].data[...] = [[-2, 0, 0], [0, 1, 0], [0, 0, 0]]
    built.blobs['x'].data[...] = 1
    capsys.readouterr()
    built.forward_loss()
    built.backward_pass(keep=False)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition('] ')[2] for line in lines] == [
        '    [Forward] Layer x, top blob x data: 1',
        '    [Forward] Layer t, top blob t data: 0',
        '    [Forward] Layer y, top blob y data: 1',
        '    [Forward] Layer y, param blob w data: 0.333333',
        '    [Forward] Layer y, param blob 1 data: 0',
        '    [Forward] Layer loss, top blob loss data: 2.5',
        '    [Backward] Layer loss, bottom blob y diff: 0.5',
        '    [Backward] Layer y, param blob 0 diff: 1',
        '    [Backward] All net params (data, diff): L1 norm = (3, 9); '
        'L2 norm = (2.23607, 3.87298)',
    ]
    assert [line[0] for line in lines] == ['I'] * 8 + ['E']
    built.debug_info = False
    built.forward_loss()
    assert capsys.readouterr().err == ''
