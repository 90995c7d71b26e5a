"""Nets written in Python: layers (L), enum values (P), NetSpec, to_proto.

    n = NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 500, 500]))
    n.conv = L.Convolution(n.data, num_output=64, kernel_size=3)
    n.relu = L.ReLU(n.conv, in_place=True)
    n.to_proto()                                 # a NetParameter

pycaffe: net_spec.py. A layer's options are checked against caffe.proto when
the NetParameter is made; what they mean, and whether shapes fit, only Net
knows. No torch here.
"""

from collections import Counter
from functools import partial

from caffe.proto import caffe_pb2

# Convolution -> convolution_param: the field that holds a type's own options.
# Types that share another's message (Deconvolution, SoftmaxWithLoss) have none.
OWN_FIELD = {
    field.message_type.name[: -len('Parameter')]: field.name
    for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields
    if field.name.endswith('_param')
}


class Top:
    """Output number `n` of the layer `fn`; `name` once a NetSpec gave one."""

    def __init__(self, fn, n):
        self.fn = fn
        self.n = n
        self.name = None

    def to_proto(self):
        return to_proto(self)

    def __str__(self):
        return self.name or f'an unnamed {self.fn.type_name}'


class Function:
    """A layer: its type, the Tops it reads, its options, the Tops it makes."""

    def __init__(self, type_name, inputs, ntop, in_place, params):
        for i, top in enumerate(inputs):
            if not isinstance(top, Top):
                raise TypeError(
                    f'{type_name} input {i} is not a Top (type is {type(top)})'
                )
        self.type_name = type_name
        self.inputs = inputs
        self.ntop = ntop
        self.in_place = in_place
        self.params = params
        self.tops = tuple(Top(self, n) for n in range(ntop))


def assign(message, field, value):
    """Sets a field from plain Python values: a dict stands for a message, a
    list for a repeated field, where a single value needs no list."""
    if field not in message.DESCRIPTOR.fields_by_name:
        raise AttributeError(f'{message.DESCRIPTOR.name} has no field {field}')
    slot = getattr(message, field)
    if hasattr(slot, 'append'):
        values = value if isinstance(value, (list, tuple)) else [value]
        if not values:
            raise IndexError(f'{field}: an empty list says nothing')
        for item in values:
            if isinstance(item, dict):
                assign_all(slot.add(), item)
            else:
                slot.append(item)
    elif isinstance(value, dict):
        assign_all(slot, value)
    else:
        setattr(message, field, value)


def assign_all(message, values):
    for field, value in values.items():
        assign(message, field, value)


def assign_option(layer, option, value):
    """Puts a layer's keyword where it belongs: into the message of its type,
    or (convolution_param, loss_weight, include, ...) into the layer itself."""
    own = OWN_FIELD.get(layer.type)
    if own and not option.endswith('param'):
        message = getattr(layer, own)
        if option in message.DESCRIPTOR.fields_by_name:
            return assign(message, option, value)
    return assign(layer, option, value)


def write(roots, names):
    """Writes down every layer that the roots need.

    Takes: roots: Tops, and Functions without tops; names: {root: its name}
    Gives: NetParameter, each layer after the layers it reads; what has no
        name is called after its type: Convolution1, Convolution2, ...
    """
    names = dict(names)
    unnamed = Counter()
    layers = {}  # Function -> its LayerParameter, in the order of the net

    def name_of(thing, type_name):
        if thing not in names:
            unnamed[type_name] += 1
            names[thing] = f'{type_name}{unnamed[type_name]}'
        return names[thing]

    def visit(fn):
        if fn in layers:
            return
        for bottom in fn.inputs:
            visit(bottom.fn)
        layer = caffe_pb2.LayerParameter(type=fn.type_name)
        layer.name = name_of(fn.tops[0] if fn.tops else fn, fn.type_name)
        layer.bottom.extend(layers[top.fn].top[top.n] for top in fn.inputs)
        if fn.in_place:
            layer.top.extend(layer.bottom)
        else:
            layer.top.extend(name_of(top, fn.type_name) for top in fn.tops)
        for option, value in fn.params.items():
            try:
                assign_option(layer, option, value)
            except (AttributeError, IndexError, TypeError, ValueError) as e:
                raise type(e)(f'{layer.name}: {option}: {e}') from None
        layers[fn] = layer

    for root in roots:
        visit(root.fn if isinstance(root, Top) else root)
    return caffe_pb2.NetParameter(layer=layers.values())


class NetSpec:
    """A net in the making: `n.pool1 = L.Pooling(...)`, or n['pool1'], adds a
    layer and names its blob; `n.pool1` is that blob."""

    def __init__(self):
        super().__setattr__('tops', {})

    def __setattr__(self, name, top):
        if not isinstance(top, (Top, Function)):
            raise TypeError(f'{name} is not a Top (type is {type(top)})')
        self.tops[name] = top
        top.name = name

    def __getattr__(self, name):  # only for names Python does not find
        return self.__dict__['tops'][name]

    def __setitem__(self, name, top):
        setattr(self, name, top)

    def __getitem__(self, name):
        return self.tops[name]

    def to_proto(self):
        names = {top: name for name, top in self.tops.items()}
        return write(self.tops.values(), names)


class Layers:
    """L: `L.Convolution(bottom, num_output=64, kernel_size=3)`."""

    def __getattr__(self, type_name):
        if type_name.startswith('__'):  # asked by copy, doctest, IPython
            raise AttributeError(type_name)
        return partial(add_layer, type_name)


class Parameters:
    """P: `P.Pooling.MAX` is the number of MAX in PoolingParameter."""

    def __getattr__(self, name):
        return getattr(caffe_pb2, f'{name}Parameter')


def add_layer(type_name, /, *bottoms, ntop=1, in_place=False, **params):
    """A layer of any type, known to the engine or not.

    Gives: its Top; a tuple of Tops where ntop > 1; itself where ntop == 0
    """
    fn = Function(type_name, bottoms, ntop, in_place, params)
    if ntop == 0:
        return fn
    return fn.tops[0] if ntop == 1 else fn.tops


def to_proto(*tops):
    """The NetParameter of these Tops and all they need, without a NetSpec:
    every name is automatic."""
    return write(tops, {})


layers = Layers()
params = Parameters()
