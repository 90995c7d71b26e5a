"""The files of a network directory: its nets as text, one net for each use.

deploy derives the net that users run from one that is trained, so that no
net.py describes it again.
"""

from pathlib import Path

from caffe import caffe_pb2
from caffe.proto.text import to_text

HEADER = '# Written by net.py: change it there.\n'


def deploy(net, **shapes):
    """The net that users run: `fed`, and without dropout."""
    deployed = fed(net, **shapes)
    for layer in list(deployed.layer):
        if layer.type == 'Dropout' and layer.top == layer.bottom:
            deployed.layer.remove(layer)
    return deployed


def fed(net, **shapes):
    """The same net with images in and scores out.

    Takes: net: NetParameter; shapes: {blob: shape} to feed
    Gives: NetParameter that begins with an Input layer, `input`, of these
        blobs; without layers that need other data (labels: the losses)
    """
    for blob in shapes:
        if not any(blob in layer.bottom for layer in net.layer):
            raise ValueError(f'no layer of the net reads {blob!r}')
    out = caffe_pb2.NetParameter()
    first = out.layer.add(name='input', type='Input', top=shapes)
    for shape in shapes.values():
        first.input_param.shape.add(dim=shape)
    known = set(shapes)
    for layer in net.layer:
        if layer.bottom and known.issuperset(layer.bottom):
            out.layer.add().CopyFrom(layer)
            known.update(layer.top)
    return out


def write(net_py, fcn, train, test, **shapes):
    """Writes the three files beside a net.py.

    Takes: fcn: split -> NetParameter; train, test: splits, and names of
        their files; shapes: see deploy
    """
    nets = {train: fcn(train), test: fcn(test)}
    nets['deploy'] = deploy(nets[test], **shapes)
    for name, net in nets.items():
        path = Path(net_py).resolve().with_name(f'{name}.prototxt')
        path.write_text(HEADER + to_text(net))
