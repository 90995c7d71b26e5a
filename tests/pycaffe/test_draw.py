"""caffe.draw: what is in the graph; the graph itself where pydot is there."""

import builtins
import sys
from types import ModuleType

import pytest
from net_text import inputs, ip, layer, parse

import caffe
import caffe.draw
from caffe.proto import text

NET = '\n'.join(
    [
        "name: 'small'",
        inputs(data=(1, 3, 9, 9)),
        layer(
            'Convolution',
            'conv',
            'data',
            rest='convolution_param { num_output: 7 kernel_size: 3 pad: 2 } '
            'param { lr_mult: 1 } param { lr_mult: 2 }',
        ),
        layer('ReLU', 'relu', 'conv', 'conv'),
        layer(
            'Pooling',
            'pool',
            'conv',
            rest='pooling_param { pool: AVE kernel_h: 2 kernel_w: 3 '
            'stride: 2 }',
        ),
        ip('fc', 'pool', 5, 'include { phase: TEST }'),
    ]
)


class Dot(list):
    """Stands in for pydot: a list of what it was given."""

    def __init__(self, name, **options):
        self.name, self.options = name, options

    add_node = add_edge = list.append

    def create(self, format):
        return f'{format} of {self.name}'.encode()

    def to_string(self):
        return f'text of {self.name}'


@pytest.fixture
def pydot(monkeypatch):
    module = ModuleType('pydot')
    module.Dot = Dot
    module.Node = lambda name, **style: (name, style)
    module.Edge = lambda source, target, label: (source, target, label)
    monkeypatch.setitem(sys.modules, 'pydotplus', None)  # not to be imported
    monkeypatch.setitem(sys.modules, 'pydot', module)


def test_layers_and_blobs_are_nodes_of_their_colours():
    nodes, _ = caffe.draw.nodes_and_edges(parse(NET))
    assert nodes['conv_Convolution'] == {
        'label': '"conv\\n(Convolution)\\nkernel size: 3\\nstride: 1\\npad: 2"',
        'shape': 'record',
        'style': 'filled',
        'fillcolor': '#FF5050',
    }
    colours = {name: style['fillcolor'] for name, style in nodes.items()}
    assert colours == {
        'data_Input': '#6495ED',
        'data_blob': '#E0E0E0',
        'conv_Convolution': '#FF5050',
        'conv_blob': '#E0E0E0',
        'relu_ReLU': '#90EE90',
        'pool_Pooling': '#FF9900',
        'pool_blob': '#E0E0E0',
        'fc_InnerProduct': '#CC33FF',
        'fc_blob': '#E0E0E0',
    }
    assert nodes['data_blob']['shape'] == 'octagon'
    assert nodes['pool_Pooling']['label'] == (
        '"pool\\n(Pooling AVE)\\nkernel size: 2x3\\nstride: 2\\npad: 0"'
    )


def test_edges_carry_widths():
    _, edges = caffe.draw.nodes_and_edges(parse(NET))
    assert ('conv_Convolution', 'conv_blob', '7') in edges
    assert ('fc_InnerProduct', 'fc_blob', '5') in edges
    assert ('data_blob', 'conv_Convolution', '') in edges
    _, edges = caffe.draw.nodes_and_edges(parse(NET), label_edges=False)
    assert {label for _, _, label in edges} == {''}


def test_phase_and_rates_are_shown_on_demand():
    nodes, _ = caffe.draw.nodes_and_edges(parse(NET), phase=caffe.TRAIN)
    assert 'fc_InnerProduct' not in nodes
    nodes, _ = caffe.draw.nodes_and_edges(
        parse(NET), phase=caffe.TEST, display_lrm=True
    )
    assert 'fc_InnerProduct' in nodes
    assert 'lr mult: 1, 2' in nodes['conv_Convolution']['label']


def test_the_graph_is_pydots(pydot):
    graph = caffe.draw.get_pydot_graph(parse(NET), 'LR')
    assert graph.name == 'small' and graph.options['rankdir'] == 'LR'
    assert ('"conv_Convolution"', '"conv_blob"', '"7"') in graph
    assert caffe.draw.draw_net(parse(NET), 'LR', 'svg') == b'svg of small'


def test_the_ending_says_how_to_draw(pydot, tmp_path):
    for name, content in [
        ('a.b.pdf', 'pdf of small'),
        ('x.raw', 'text of small'),
    ]:
        caffe.draw.draw_net_to_file(parse(NET), str(tmp_path / name), 'TB')
        assert (tmp_path / name).read_text() == content


def test_every_net_of_this_repository_can_be_drawn(pydot, goldens):
    files = sorted(goldens.parents[1].glob('*-*/*.prototxt'))
    files = [path for path in files if path.name != 'solver.prototxt']
    assert len(files) >= 15
    for path in files:
        net = text.read_net(path)
        drawn = caffe.draw.get_pydot_graph(net, 'LR')
        assert len(drawn) > len(net.layer), path


def test_pydot_itself_takes_the_graph():
    pytest.importorskip('pydot')
    assert '"conv_blob"' in caffe.draw.draw_net(parse(NET), 'LR', 'raw')


def test_the_command_draws_a_file(pydot, tmp_path, capsys):
    (tmp_path / 'net.prototxt').write_text(NET)
    out = tmp_path / 'net.png'
    args = [str(tmp_path / 'net.prototxt'), str(out), '--rankdir', 'BT']
    assert not caffe.draw.main(args)
    assert out.read_bytes() == b'png of small'
    assert capsys.readouterr().out == f'Drawing net to {out}\n'


def test_without_pydot_the_command_says_what_to_install(
    tmp_path, monkeypatch, capsys
):
    real = builtins.__import__

    def without(name, *args, **more):
        if name.startswith('pydot'):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, '__import__', without)
    (tmp_path / 'net.prototxt').write_text(NET)
    args = [str(tmp_path / 'net.prototxt'), str(tmp_path / 'net.png')]
    assert caffe.draw.main(args) == 1
    assert 'pip install pydot' in capsys.readouterr().err
