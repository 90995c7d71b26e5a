"""The memory check and what follows when a GPU is full, on a CPU that says it
is one; no memory is short here, so who fills it says so itself."""

from types import SimpleNamespace

import pytest
import torch
from small_runs import directory

import caffe
import surgery
from caffe import device
from training import checks
from training.ranks import Ranks
from training.watch import Watch

FULL = torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 9 GiB')
NORM = """
  layer { name: 'norm' type: 'BatchNorm' bottom: 'conv1_1' top: 'conv1_1' }
"""


@pytest.fixture
def solver(tmp_path, monkeypatch):
    """A slim FCN-32s after one iteration."""
    folder, environ = directory(tmp_path, snapshot=0)
    for name in ('VOC_DIR', 'SBD_DIR'):
        monkeypatch.setenv(name, environ[name])
    monkeypatch.chdir(folder)
    path = folder / 'train.prototxt'
    text = path.read_text()
    at = text.index('layer {', text.index('name: "conv1_1"'))
    path.write_text(text[:at] + NORM + text[at:])
    solver = caffe.get_solver('solver.prototxt')
    solver.net.copy_from(str(tmp_path / 'start' / 'vgg.caffemodel'))
    surgery.interp(solver.net, ['upscore'])
    solver.step(1)
    return solver


@pytest.fixture
def gpu(monkeypatch):
    kind = SimpleNamespace(type='cuda')
    stub = SimpleNamespace(device=lambda: kind, generator=device.generator)
    monkeypatch.setattr(checks, 'device', stub)
    for name in ('reset_peak_memory_stats', 'synchronize'):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    monkeypatch.setattr(torch.cuda, 'max_memory_allocated', lambda: 3e9)


def weights(solver):
    return [b.data.copy() for bs in solver.net.params.values() for b in bs]


def same(one, other):
    return all((a == b).all() for a, b in zip(one, other))


def test_the_memory_check_leaves_no_trace(solver, gpu):
    image = solver.net.layers[0].indices[1]
    before = weights(solver)
    line = checks.memory(solver, 1)
    assert line == (
        f'the largest training image, {image}, takes 3.00 GB of the GPU'
    )
    assert solver.net.layers[0].current == [image]
    assert same(weights(solver), before), "BatchNorm's averages too"
    state = solver.net.layers[0].state()
    drawn = device.generator().get_state()
    checks.memory(solver, 0)
    assert solver.net.layers[0].state() == state
    assert torch.equal(device.generator().get_state(), drawn)


def test_a_gpu_too_small_is_told_with_the_image(solver, gpu):
    image = solver.net.layers[0].indices[0]

    def fill(i):
        if i == 5:
            raise FULL

    solver.net.after_forward(fill)
    with pytest.raises(
        ValueError,
        match=rf'the largest training image, {image} \(1 x 3 x \d+ x \d+\), '
        'does not fit into the memory of the GPU: CUDA out of memory',
    ):
        checks.memory(solver, 0)


def test_the_memory_check_counts_what_the_first_update_will_add(solver):
    fresh = caffe.get_solver(solver.param)
    learned = [x for x in fresh.net.learnable if x.lr_mult]
    assert len(learned) < len(fresh.net.learnable)
    held = checks.histories(fresh.rule)
    assert [t.shape for t in held] == [x.blob.tensor.shape for x in learned]
    assert checks.histories(solver.rule) == [], 'nothing is added any more'


def watched(solver):
    return Watch(solver, lambda: None, Ranks())


def test_a_gpu_that_fills_up_leaves_the_last_iteration(solver):
    watch = watched(solver)

    def fill(i):
        if i == 5 and solver.iter == 3:
            raise FULL

    solver.net.after_forward(fill)
    with pytest.raises(
        RuntimeError,
        match=r'the GPU ran out of memory at iteration 3, image 2008_0000\d+, '
        r'data 1 x 3 x \d+ x \d+\. The last good .* CUDA out of memory',
    ):
        with watch.saving():
            solver.step(9)
    again = caffe.get_solver(solver.param)
    again.restore('snapshot/train_iter_3.solverstate')
    assert same(weights(again), weights(solver))


def test_weights_that_are_half_updated_are_not_kept(solver, tmp_path):
    watch, update = watched(solver), solver.rule.update

    def fill(members, *args):
        full = solver.iter == 3
        update(members[:3] if full else members, *args)
        if full:
            raise FULL

    solver.rule.update = fill
    with pytest.raises(RuntimeError, match='ran out of memory at iteration 3'):
        with watch.saving():
            solver.step(9)
    assert not list(tmp_path.rglob('*.solverstate'))
