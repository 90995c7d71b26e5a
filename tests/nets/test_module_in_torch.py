"""A net as a torch module under what torch does with modules: training, other
types, autocast, torch.compile."""

import numpy as np
import pytest
import torch
from model_files import little
from torch.nn import functional as F

import caffe
import nets
from caffe.proto import caffe_pb2 as pb
from nets import edits


def x(*shape):
    rng = np.random.default_rng(shape)
    return torch.from_numpy(rng.uniform(-3, 3, shape).astype('f4'))


def test_training_steps_lower_the_loss():
    model = nets.load(little()).train()
    learned = [p for p in model.parameters() if p.requires_grad]
    sgd = torch.optim.SGD(learned, lr=0.05)
    a = x(2, 3, 20, 24)
    label = (a.argmax(1) + 1).long()
    losses = []
    for _ in range(8):
        loss = F.cross_entropy(model(a), label)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert model.upscore.weight.grad is None


def test_gradients_are_those_of_the_engine():
    param = little()
    model = nets.load(edits.without(param, 'Dropout'))
    net = caffe.Net(with_backward(param), caffe.TRAIN)
    for name, blobs in net.params.items():
        for blob, value in zip(blobs, model.get_submodule(name).parameters()):
            blob.data[...] = value.detach().numpy()
    a = x(1, 3, 20, 24)
    score = model(a)
    seed = x(*score.shape)
    score.backward(seed)
    net.forward(data=a.numpy())
    net.backward(score=seed.numpy())
    for name in ('conv1', 'fc6', 'scaled', 'score_pool'):
        have = model.get_submodule(name).weight.grad.numpy()
        want = net.params[name][0].diff
        np.testing.assert_allclose(
            have, want, rtol=1e-4, atol=1e-5 * np.abs(want).max(), err_msg=name
        )


def with_backward(param):
    copied = pb.NetParameter()
    copied.CopyFrom(param)
    copied.force_backward = True
    return copied


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_the_module_moves_to_other_types(dtype):
    model = nets.load(little())
    a = x(1, 3, 20, 24)
    with torch.no_grad():
        want = model(a)
        have = model.to(dtype)(a.to(dtype))
    assert have.dtype == dtype
    assert (have.float() - want).abs().max() < 0.05 * want.abs().max()


def test_autocast_computes_in_its_own_type():
    model = nets.load(little())
    a = x(1, 3, 20, 24)
    want = model(a)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        have = model(a)
    assert have.dtype == torch.bfloat16
    have.float().sum().backward()
    assert model.conv1.weight.grad.dtype == torch.float32
    assert (have.float() - want).abs().max() < 0.05 * want.abs().max()


@pytest.mark.filterwarnings('ignore:.*should not be instantiated')  # torch
def test_torch_compile_makes_one_graph_for_all_sizes():
    model = nets.load(little())
    torch._dynamo.reset()
    graphs = []

    def count(graph, inputs):
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(model, backend=count, fullgraph=True, dynamic=True)
    with torch.no_grad():
        for size in ((20, 24), (31, 17), (44, 52)):
            a = x(2, 3, *size)
            torch.testing.assert_close(compiled(a), model(a))
    assert len(graphs) == 1
