"""Pictures of nets, through graphviz.

    python -m caffe.draw NET.prototxt OUT.png [--rankdir LR] [--phase TRAIN]

Caffe: python/caffe/draw.py and draw_net.py; spec section F.4. pydot (or
pydotplus) and graphviz's program `dot` are needed for this alone:
`pip install pydot`. Not here: anything about a net that its prototxt does not
say.
"""

import argparse
import os
import sys

from caffe.graph import included
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text

OTHER = '#6495ED'
COLOURS = {
    'Convolution': '#FF5050',
    'Deconvolution': '#FF5050',
    'Pooling': '#FF9900',
    'InnerProduct': '#CC33FF',
}
LAYER = {'shape': 'record', 'style': 'filled'}
IN_PLACE = {**LAYER, 'fillcolor': '#90EE90'}
BLOB = {'shape': 'octagon', 'style': 'filled', 'fillcolor': '#E0E0E0'}


def pydot_module():
    """pydotplus or pydot, whichever is there."""
    try:
        import pydotplus as module
    except ImportError:
        try:
            import pydot as module
        except ImportError:
            raise ImportError(
                'caffe.draw needs pydot (or pydotplus), and for pictures '
                'graphviz: pip install pydot; apt-get install graphviz'
            ) from None
    return module


def get_pydot_graph(
    caffe_net, rankdir, label_edges=True, phase=None, display_lrm=False
):
    """Takes: caffe_net: NetParameter; rankdir: LR, TB, BT or RL; phase: draws
        only the layers of that phase; display_lrm: shows learning-rate
        multipliers
    Gives: pydot.Dot
    """
    module = pydot_module()
    graph = module.Dot(
        caffe_net.name or 'Net', graph_type='digraph', rankdir=rankdir
    )
    nodes, edges = nodes_and_edges(caffe_net, label_edges, phase, display_lrm)
    for name, style in nodes.items():
        graph.add_node(module.Node(quoted(name), **style))
    for source, target, label in edges:
        graph.add_edge(
            module.Edge(quoted(source), quoted(target), label=quoted(label))
        )
    return graph


def quoted(name):
    """A name as the dot language takes it, whatever is in it."""
    return '"' + name.replace('"', '\\"') + '"'


def nodes_and_edges(net, label_edges=True, phase=None, display_lrm=False):
    """Gives: name -> style of its node; (source, target, label) triples"""
    nodes, edges = {}, []
    for layer in net.layer:
        if not drawn(layer, phase):
            continue
        node = f'{layer.name}_{layer.type}'
        nodes[node] = style(layer, display_lrm)
        for blob in layer.bottom:
            nodes[f'{blob}_blob'] = {'label': quoted(blob), **BLOB}
            edges.append((f'{blob}_blob', node, ''))
        for blob in layer.top:
            nodes[f'{blob}_blob'] = {'label': quoted(blob), **BLOB}
            label = edge_label(layer) if label_edges else ''
            edges.append((node, f'{blob}_blob', label))
    return nodes, edges


def drawn(layer, phase):
    return phase is None or included(layer, pb.NetState(phase=phase))


def style(layer, display_lrm):
    look = {**LAYER, 'fillcolor': COLOURS.get(layer.type, OTHER)}
    if list(layer.bottom) == list(layer.top) and len(layer.top) == 1:
        look = IN_PLACE
    return {'label': quoted(node_label(layer, display_lrm)), **look}


def node_label(layer, display_lrm=False):
    """The layer's name, type, and window, line by line."""
    lines = [layer.name, f'({layer.type})']
    if layer.type == 'Pooling':
        p = layer.pooling_param
        lines[1] = f'(Pooling {pb.PoolingParameter.PoolMethod.Name(p.pool)})'
        lines += window(p)
    elif layer.type in ('Convolution', 'Deconvolution'):
        lines += window(layer.convolution_param)
    if display_lrm and layer.param:
        rates = ', '.join(f'{param.lr_mult:g}' for param in layer.param)
        lines.append(f'lr mult: {rates}')
    return '\\n'.join(lines)


def window(p):
    """kernel size, stride and pad, as far as they are not implied."""
    sizes = {'kernel size': 'kernel', 'stride': 'stride', 'pad': 'pad'}
    for name, field in sizes.items():
        value = getattr(p, 'kernel_size' if field == 'kernel' else field)
        values = [value] if isinstance(value, int) else list(value)
        if p.HasField(f'{field}_h') or p.HasField(f'{field}_w'):
            values = [getattr(p, f'{field}_h'), getattr(p, f'{field}_w')]
        default = 1 if field == 'stride' else 0
        sizes[name] = 'x'.join(map(str, values)) or str(default)
    return [f'{name}: {value}' for name, value in sizes.items()]


def edge_label(layer):
    """How wide a layer's output is: channels, or for data the batch."""
    if layer.type == 'Data':
        return f'Batch {layer.data_param.batch_size}'
    if layer.type in ('Convolution', 'Deconvolution'):
        return str(layer.convolution_param.num_output)
    if layer.type == 'InnerProduct':
        return str(layer.inner_product_param.num_output)
    return ''


def draw_net(caffe_net, rankdir, ext='png', phase=None, display_lrm=False):
    """The picture as bytes. Takes: ext: png, svg, pdf, ..., or raw, which is
    graphviz's own text and does without graphviz"""
    graph = get_pydot_graph(
        caffe_net, rankdir, phase=phase, display_lrm=display_lrm
    )
    if ext == 'raw':
        return graph.to_string()
    try:
        return graph.create(format=ext)
    except FileNotFoundError:
        raise FileNotFoundError(
            "graphviz's program `dot` is not on PATH (apt-get install "
            'graphviz); a file ending in .raw does without it'
        ) from None


def draw_net_to_file(
    caffe_net, filename, rankdir='LR', phase=None, display_lrm=False
):
    """Draws into a file; the part of its name after the last dot says how."""
    ext = os.fspath(filename).rpartition('.')[2]
    picture = draw_net(caffe_net, rankdir, ext, phase, display_lrm)
    with open(filename, 'wb') as file:
        file.write(picture if isinstance(picture, bytes) else picture.encode())


def main(argv=None):
    parser = argparse.ArgumentParser('python -m caffe.draw', description=DRAW)
    add = parser.add_argument
    add('input_net_proto_file')
    add('output_image_file', help='its ending says how: .png, .svg, .raw')
    add('--rankdir', default='LR', help='LR, TB, BT or RL (%(default)s)')
    add('--phase', default='ALL', choices=['TRAIN', 'TEST', 'ALL'])
    add('--display_lrm', action='store_true', help='show lr_mult')
    args = parser.parse_args(argv)
    phase = None if args.phase == 'ALL' else pb.Phase.Value(args.phase)
    try:
        net = text.read_net(args.input_net_proto_file)
        print(f'Drawing net to {args.output_image_file}')
        draw_net_to_file(
            net, args.output_image_file, args.rankdir, phase, args.display_lrm
        )
    except (RuntimeError, OSError, ImportError) as error:
        print(f'caffe.draw: {error}', file=sys.stderr)
        return 1


DRAW = 'Draws a net as a graph of its layers and blobs.'

if __name__ == '__main__':
    sys.exit(main())
