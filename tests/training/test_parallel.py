"""What the ranks of a run say to each other and compute together: two for
real, and what one of them can show alone."""

import os
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
from forked import ROOT
from small_ranks import TORCHRUN

import caffe
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text
from training import parallel, ranks

SPEECH = """
import os, sys
sys.path[:0] = sys.argv[1:]
import torch
import torch.distributed as dist
from training import parallel, ranks
os.environ['OMP_NUM_THREADS'] = '1'
with ranks.joined('cpu') as us:
    me = us.rank
    assert us.share(me) == [0, 1]
    assert us.share('x' * (300 + 10 * me)) == ['x' * 300, 'x' * 310]
    assert us.share('x' * 300 * me) == ['', 'x' * 300]
    assert us.first(me) == 0 and us.any(me) and not us.any(False)
    if me:
        assert us.share('patient') == [None, 'patient']
    else:
        us.share(kind='wait')
        us.share(kind='wait')
        us.share()
    try:
        us.leave() if me else us.share()
        left = False
    except ranks.Left:
        left = True
    assert left == (me == 0)
    whole = torch.arange(30.0).reshape(5, 6)
    grads = [whole.t().contiguous().t(), torch.ones(()), whole.clone()]
    order = grads[0].stride()
    if me:
        grads[0] = grads[0].contiguous()
    parallel.BUCKET, version = 31, grads[2]._version
    parallel.add_up(grads, us)
    assert grads[2]._version > version, 'who keeps something of it must know'
    assert all(torch.equal(x, 2 * whole) for x in (grads[0], grads[2]))
    assert grads[1] == 2 and (me or grads[0].stride() == order)
    print('exchanged', us.part([0, 1, 2, 3, 4]))
    if me:
        raise KeyError('a mistake')
    try:
        us.share()
    except ranks.Failed as error:
        os.write(2, f'heard: {error}, {error.keep}'.encode())
"""


def test_what_ranks_say_to_each_other(tmp_path):
    script = tmp_path / 'speech.py'
    script.write_text(SPEECH)
    words = [sys.executable, *TORCHRUN, str(script), str(ROOT)]
    environ = {**os.environ, 'GLOO_SOCKET_IFNAME': 'lo', 'OMP_NUM_THREADS': '1'}
    ran = subprocess.run(words, env=environ, capture_output=True, text=True)
    assert ran.stdout == 'exchanged [1, 3]\n', ran.stderr
    assert "heard: rank 1: 'a mistake', False" in ran.stderr, ran.stderr
    assert "KeyError: 'a mistake'" in ran.stderr, 'a bug has its traceback'


def test_each_rank_of_a_machine_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    assert [ranks.gpu_of(x) for x in ('0', 3, 'cpu')] == ['0', '3', 'cpu']
    monkeypatch.setenv('LOCAL_RANK', '2')
    assert [ranks.gpu_of(x) for x in ('0', 3, '-1')] == ['2', '5', '-1']


def test_alone_nothing_is_exchanged():
    us = ranks.Ranks()
    assert us.share(3) == [3] and us.first(4) == 4 and us.any(5)
    assert us.failed(ValueError(), keep=True)
    us.leave()
    assert us.command() == 'python'


def test_a_source_that_cannot_be_shared_out_is_refused():
    source = """
        layer { name: 'same' type: 'Input' top: 'x'
          input_param { shape { dim: 1 } } }
        layer { name: 'own' type: 'MemoryData' top: 'y' top: 'label'
          memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 } }
    """
    net = caffe.Net(text.parse(source, pb.NetParameter(), 'here'), caffe.TEST)
    with pytest.raises(ValueError, match=r"'own' \(MemoryData\) cannot share"):
        parallel.deal(net, ranks.Ranks(0, 2))


@pytest.mark.gpu
def test_gradients_are_summed_over_nccl():
    """With one process: NCCL wants a GPU for each."""
    caffe.set_mode_gpu()
    torch.cuda.set_device(0)
    store = dist.HashStore()
    dist.init_process_group(
        'cpu:gloo,cuda:nccl', store=store, rank=0, world_size=1
    )
    try:
        numbers = torch.arange(6.0, device='cuda').reshape(3, 2)
        grads = [numbers.t(), torch.ones(5, device='cuda')]
        parallel.exchange(grads, dist.all_reduce)
        parallel.exchange(grads[1:], dist.all_reduce)
        parallel.exchange(grads, lambda flat: dist.broadcast(flat, 0))
        torch.cuda.synchronize()
        want = torch.arange(6.0).reshape(3, 2).t()
        assert torch.equal(grads[0].cpu(), want)
        assert torch.equal(grads[1].cpu(), torch.ones(5))
        heard = ranks.Ranks().heard(['value', 'x' * 300])
        assert heard == [['value', 'x' * 300]], 'words go over gloo'
    finally:
        dist.destroy_process_group()
