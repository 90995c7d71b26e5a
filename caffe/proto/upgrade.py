"""Nets and solvers as older versions of Caffe wrote them, in today's form.

Caffe: upgrade_proto.cpp (UpgradeNetAsNeeded, UpgradeSolverAsNeeded). Two forms
came before: V1 has `layers` with an enum for the type, V0 has another message
inside each of these. Not here: writing the old forms.
"""

import logging

from .caffe_pb2 import LayerParameter, NetParameter, V1LayerParameter
from .upgrade_v0 import copy_field, upgrade_v0

log = logging.getLogger('caffe')

# V1 types whose name now is not the enum's in camel case
SPELLED = {
    'NONE': '',
    'ABSVAL': 'AbsVal',
    'ARGMAX': 'ArgMax',
    'BNLL': 'BNLL',
    'HDF5_DATA': 'HDF5Data',
    'HDF5_OUTPUT': 'HDF5Output',
    'LRN': 'LRN',
    'MVN': 'MVN',
    'RELU': 'ReLU',
    'SOFTMAX_LOSS': 'SoftmaxWithLoss',
    'TANH': 'TanH',
}
# parallel lists of V1 -> fields of the entries of `param`
PARAM = {
    'param': 'name',
    'blob_share_mode': 'share_mode',
    'blobs_lr': 'lr_mult',
    'weight_decay': 'decay_mult',
}
# V1 type -> the message that held these fields of transform_param
SOURCES = {
    V1LayerParameter.DATA: 'data_param',
    V1LayerParameter.IMAGE_DATA: 'image_data_param',
    V1LayerParameter.WINDOW_DATA: 'window_data_param',
}
TRANSFORM = ('scale', 'mean_file', 'crop_size', 'mirror')

SOLVER_TYPES = ('SGD', 'Nesterov', 'AdaGrad', 'RMSProp', 'AdaDelta', 'Adam')


def upgrade_net(net, source='NetParameter'):
    """Brings a NetParameter of any age up to date, in place.

    Takes: source: the file it came from, for the log
    """
    for kind, step, needed in STEPS:
        if needed(net):
            start = 'Attempting to upgrade input file specified using'
            log.info('%s deprecated %s: %s', start, kind, source)
            try:
                step(net)
            except RuntimeError as error:
                raise RuntimeError(f'{source}: {error}') from None
            log.info(
                'Successfully upgraded file specified using deprecated %s', kind
            )
    freeze_batch_norm(net)


def upgrade_solver(solver, source='SolverParameter'):
    """Replaces solver_type, an enum, by type; upgrades the nets inside."""
    if solver.HasField('solver_type'):
        if solver.HasField('type'):
            raise RuntimeError(
                f'{source}: Refusing to upgrade inconsistent SolverParameter '
                "input; the definition includes both 'solver_type' and 'type'. "
                "Remove 'solver_type'."
            )
        solver.type = SOLVER_TYPES[solver.solver_type]
        solver.ClearField('solver_type')
    for name in ('net_param', 'train_net_param'):
        if solver.HasField(name):
            upgrade_net(getattr(solver, name), source)
    for net in solver.test_net_param:
        upgrade_net(net, source)


def type_name(number):
    """The type of a layer today, from that of V1."""
    name = V1LayerParameter.LayerType.Name(number)
    words = name.split('_')
    return SPELLED.get(name, ''.join(word.capitalize() for word in words))


def is_v0(net):
    return any(layer.HasField('layer') for layer in net.layers)


def old_transforms(net):
    """Gives: (layer, its data message, names of the fields to move)"""
    for layer in net.layers:
        if layer.type in SOURCES:
            message = getattr(layer, SOURCES[layer.type])
            moved = [name for name in TRANSFORM if message.HasField(name)]
            if moved:
                yield layer, message, moved


def move_transforms(net):
    for layer, message, moved in old_transforms(net):
        for name in moved:
            copy_field(message, name, layer.transform_param, name)
            message.ClearField(name)


def upgrade_v1(net):
    if net.layer:
        raise RuntimeError(
            'Refusing to upgrade inconsistent NetParameter input; the '
            "definition includes both 'layer' and 'layers' fields. Write all "
            'of them as layer { type: "Name" ... }.'
        )
    for old in net.layers:
        new = net.layer.add()
        for field, value in old.ListFields():
            if field.name == 'type':
                new.type = type_name(value)
            elif field.name in PARAM:
                for i, one in enumerate(value):
                    while i >= len(new.param):
                        new.param.add()
                    setattr(new.param[i], PARAM[field.name], one)
            else:
                copy_field(old, field.name, new, field.name)
    net.ClearField('layers')


def inputs_to_layer(net):
    """`input` and its shapes become a layer, which comes first."""
    shapes = input_shapes(net)
    new = LayerParameter(name='input', type='Input', top=net.input)
    for dims in shapes:
        new.input_param.shape.add(dim=dims)
    for name in ('input', 'input_shape', 'input_dim'):
        net.ClearField(name)
    if shapes:
        rest = NetParameter(layer=net.layer)
        net.ClearField('layer')
        net.layer.extend([new, *rest.layer])


def input_shapes(net):
    """Gives: one list of dims per input, or none at all"""
    shapes, field = [shape.dim for shape in net.input_shape], 'input_shape'
    if not shapes:
        dims, field = net.input_dim, 'input_dim'
        shapes = [dims[i : i + 4] for i in range(0, len(dims), 4)]
        shapes = [four for four in shapes if len(four) == 4]
    need, have = len(net.input), len(shapes)
    if net.input_dim and have < need or 0 < have < need:
        raise RuntimeError(
            f'{field} must be given for every input: {need} inputs, '
            f'{have} shapes'
        )
    if have > need:
        log.warning('%s: %d inputs, %d shapes', field, need, have)
    return shapes[:need]


def freeze_batch_norm(net):
    """The three blobs of BatchNorm are statistics, not for the solver."""
    for layer in net.layer:
        if layer.type == 'BatchNorm' and len(layer.param) == 3:
            for param in layer.param:
                param.lr_mult = 0
                param.decay_mult = 0


# in this order: what it is called in the log, the step, whether it is needed
STEPS = (
    ('V0LayerParameter', upgrade_v0, is_v0),
    (
        'transformation parameters',
        move_transforms,
        lambda net: any(old_transforms(net)),
    ),
    ('V1LayerParameter', upgrade_v1, lambda net: net.layers),
    ('input fields', inputs_to_layer, lambda net: net.input),
)
