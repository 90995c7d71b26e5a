"""Small solver files and the nets they train, for tests in a folder of their
own (fixture solver_folder)."""

import os
from pathlib import Path

from net_text import TINY as NET

import caffe
from caffe.proto import caffe_pb2 as pb

# A regression whose data never change, so that a resumed run must repeat the
# numbers of an undisturbed one.
STEADY = """
name: 'steady'
layer { name: 'data' type: 'DummyData' top: 'data' top: 'label'
  dummy_data_param {
    shape { dim: 3 dim: 5 } shape { dim: 3 dim: 2 }
    data_filler { type: 'constant' value: 0.3 }
    data_filler { type: 'constant' value: 1 } } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'
  inner_product_param { num_output: 2
    weight_filler { type: 'uniform' min: -1 max: 1 } } }
layer { name: 'loss' type: 'EuclideanLoss' bottom: 'ip' bottom: 'label'
  top: 'loss' }
"""
SETTINGS = {
    'net': 'net.prototxt',
    'base_lr': 0.01,
    'momentum': 0.9,
    'weight_decay': 0.0005,
    'lr_policy': 'inv',
    'gamma': 0.0001,
    'power': 0.75,
}
KINDS = 'AdaDelta', 'AdaGrad', 'Adam', 'Nesterov', 'RMSProp', 'SGD'


def write_nets(folder):
    (Path(folder) / 'net.prototxt').write_text(NET)
    (Path(folder) / 'steady.prototxt').write_text(STEADY)


def write(path='solver.prototxt', **more):
    """Writes a solver file; a value None leaves that setting out."""
    fields = {**SETTINGS, **more}
    if fields.get('type') in ('AdaGrad', 'RMSProp'):
        fields['momentum'] = 0
    param = pb.SolverParameter(
        **{k: v for k, v in fields.items() if v is not None}
    )
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with open(path, 'w') as file:
        file.write(str(param))
    return path


def steady(**more):
    return caffe.get_solver(write(net='steady.prototxt', **more))


def said(capsys):
    """The messages logged since the last call."""
    lines = capsys.readouterr().err.splitlines()
    return [line.partition('] ')[2] or line for line in lines]


def params_of(net):
    return [b.data.copy() for blobs in net.params.values() for b in blobs]
