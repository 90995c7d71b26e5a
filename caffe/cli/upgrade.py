"""`upgrade`: a net or solver definition of any age in today's form.

Caffe: tools/upgrade_net_proto_text.cpp, upgrade_solver_proto_text.cpp. Beyond
those: Crop layers of the branch in which fully convolutional nets were born,
which had no offset, are given the one that aligns. Comments are lost. Not
here: models, which are read at any age and saved in today's form by net.save.
"""

import re

from caffe.alignment import missing_offsets
from caffe.log import logger
from caffe.proto import caffe_pb2 as pb
from caffe.proto import files, text
from caffe.proto.upgrade import upgrade_net

# That branch's enum of layer types had a value that Caffe 1.0's has not: it
# is read as one that no layer has.
OLD_CROP = re.compile(r'(\btype\s*:\s*)CROP\b')


def upgrade(flags, old, new=None):
    """Writes `new`; without it, to stdout."""
    try:
        message = read_old(old)
        fill_offsets(message)
    except RuntimeError as wrong:
        try:
            message = text.read_solver(old)
        except RuntimeError:
            raise wrong from None
    written = text.to_text(message)
    if new is None:
        print(written, end='')
        return
    with files.replacing(new) as path, open(path, 'w') as file:
        file.write(written)
    kind = message.DESCRIPTOR.name
    logger.info('Wrote upgraded %s text proto to %s', kind, new)


def read_old(path):
    """The net of a prototxt of any age, also of the branch before 1.0."""
    source = OLD_CROP.sub(r'\1NONE', text.read_text(path))
    net = text.parse(source, pb.NetParameter(), path)
    upgrade_net(net, path)
    for layer in net.layer:
        layer.type = layer.type or 'Crop'
    return net


def fill_offsets(net):
    """Writes into every Crop layer without an offset the one that aligns."""
    for layer, aligned, trouble in missing_offsets(net):
        who = f"layer '{layer.name}'"
        if aligned is None:
            logger.warning('%s: its offset stays 0: %s', who, trouble)
            continue
        layer.crop_param.MergeFrom(aligned)
        logger.info(
            "%s: crop_param { axis: %d %s }, where '%s' shows the same "
            "place as '%s'",
            who,
            aligned.axis,
            ' '.join(f'offset: {offset}' for offset in aligned.offset),
            *layer.bottom,
        )
