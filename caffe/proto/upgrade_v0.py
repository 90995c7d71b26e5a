"""The oldest nets: one flat message for all types of layers, and padding a
layer of its own.

Caffe: upgrade_proto.cpp (UpgradeV0PaddingLayers, UpgradeV0LayerParameter).
"""

import logging

from .caffe_pb2 import NetParameter, V1LayerParameter

log = logging.getLogger('caffe')

# Types whose V1 name is not their own in capitals.
RENAMED = {
    'conv': 'CONVOLUTION',
    'images': 'IMAGE_DATA',
    'innerproduct': 'INNER_PRODUCT',
    'pool': 'POOLING',
}
TYPES = frozenset(
    """accuracy bnll concat conv data dropout euclidean_loss flatten hdf5_data
    hdf5_output im2col images infogain_loss innerproduct lrn
    multinomial_logistic_loss pool relu sigmoid softmax softmax_loss split tanh
    window_data""".split()
)
# Field -> its name in the parameter message of each of these types.
FIELDS = {
    'num_output': ('num_output', 'conv innerproduct'),
    'biasterm': ('bias_term', 'conv innerproduct'),
    'weight_filler': ('weight_filler', 'conv innerproduct'),
    'bias_filler': ('bias_filler', 'conv innerproduct'),
    'pad': ('pad', 'conv pool'),
    'kernelsize': ('kernel_size', 'conv pool'),
    'stride': ('stride', 'conv pool'),
    'group': ('group', 'conv'),
    'pool': ('pool', 'pool'),
    'dropout_ratio': ('dropout_ratio', 'dropout'),
    'local_size': ('local_size', 'lrn'),
    'alpha': ('alpha', 'lrn'),
    'beta': ('beta', 'lrn'),
    'k': ('k', 'lrn'),
    'source': ('source', 'data hdf5_data images window_data infogain_loss'),
    'batchsize': ('batch_size', 'data hdf5_data images window_data'),
    'rand_skip': ('rand_skip', 'data images'),
    'shuffle_images': ('shuffle', 'images'),
    'new_height': ('new_height', 'images'),
    'new_width': ('new_width', 'images'),
    'concat_dim': ('concat_dim', 'concat'),
    'hdf5_output_param': (None, 'hdf5_output'),
    'det_fg_threshold': ('fg_threshold', 'window_data'),
    'det_bg_threshold': ('bg_threshold', 'window_data'),
    'det_fg_fraction': ('fg_fraction', 'window_data'),
    'det_context_pad': ('context_pad', 'window_data'),
    'det_crop_mode': ('crop_mode', 'window_data'),
}
# Field -> its name in transform_param, which every layer has.
TRANSFORM = {
    'scale': 'scale',
    'meanfile': 'mean_file',
    'cropsize': 'crop_size',
    'mirror': 'mirror',
}
COPIED = ('name', 'blobs', 'blobs_lr', 'weight_decay')


def upgrade_v0(net):
    """V0 to V1 in place; of the net itself only four fields are kept."""
    new = NetParameter()
    for name in ('name', 'input', 'input_dim', 'force_backward'):
        copy_field(net, name, new, name)
    for layer in without_padding(net.layers):
        old = layer.HasField('layer')
        new.layers.append(upgrade_layer(layer) if old else layer)
    net.CopyFrom(new)


def without_padding(layers):
    """The layers but `padding`, whose readers get its pad and its bottom."""
    padded = {}  # blob -> (pad, the blob before padding)
    kept = []
    for layer in layers:
        v0 = layer.layer
        if v0.type == 'padding':
            if len(layer.bottom) != 1 or len(layer.top) != 1:
                raise RuntimeError(
                    f"padding layer '{v0.name}' takes one blob, makes one"
                )
            padded[layer.top[0]] = v0.pad, layer.bottom[0]
            continue
        for i, bottom in enumerate(layer.bottom):
            if bottom in padded:
                if v0.type not in ('conv', 'pool'):
                    raise RuntimeError(
                        f"layer '{v0.name}' of type {v0.type} cannot read "
                        f"padded blob '{bottom}': only conv and pool can"
                    )
                v0.pad, layer.bottom[i] = padded[bottom]
        for top in layer.top:
            padded.pop(top, None)
        kept.append(layer)
    return kept


def upgrade_layer(layer):
    v0 = layer.layer
    new = V1LayerParameter(bottom=layer.bottom, top=layer.top)
    if v0.HasField('type'):
        if v0.type not in TYPES:
            raise RuntimeError(
                f"layer '{v0.name}': Unknown layer type: {v0.type} "
                f'(known V0 types: {", ".join(sorted(TYPES))})'
            )
        new.type = new.LayerType.Value(RENAMED.get(v0.type, v0.type.upper()))
    for field, _ in v0.ListFields():
        name = field.name
        to, types = FIELDS.get(name, (None, ''))
        if name in COPIED:
            copy_field(v0, name, new, name)
        elif name in TRANSFORM:
            copy_field(v0, name, new.transform_param, TRANSFORM[name])
        elif v0.type in types.split():
            message = RENAMED.get(v0.type, v0.type).lower() + '_param'
            if to:
                copy_field(v0, name, getattr(new, message), to)
            else:
                copy_field(v0, name, new, message)
        elif name != 'type':
            log.error('Unknown parameter %s for layer type %s', name, v0.type)
    return new


def copy_field(old, name, new, to):
    """new.to = old.name, whatever kind of field that is; one value becomes a
    list of one where the new field is repeated."""
    value, target = getattr(old, name), getattr(new, to)
    if hasattr(target, 'extend'):
        target.extend(value if hasattr(value, 'extend') else [value])
    elif hasattr(target, 'CopyFrom'):
        target.CopyFrom(value)
    elif old.HasField(name):
        setattr(new, to, value)
