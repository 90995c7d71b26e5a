"""The layer types: one class for each, under the name that a prototxt gives
as `type`."""

from caffe.ops.accuracy import Accuracy
from caffe.ops.activations import (
    BNLL,
    ELU,
    AbsVal,
    Clip,
    Exp,
    Log,
    PReLU,
    Swish,
    Threshold,
)
from caffe.ops.argmax import ArgMax
from caffe.ops.batch_norm import BatchNorm
from caffe.ops.convolution import Convolution, Deconvolution
from caffe.ops.crop import Crop
from caffe.ops.data_sources import DummyData, HDF5Data, HDF5Output
from caffe.ops.database import Data
from caffe.ops.eltwise import Eltwise
from caffe.ops.im2col import Im2col
from caffe.ops.image_data import ImageData
from caffe.ops.infogain import InfogainLoss
from caffe.ops.inner_product import InnerProduct
from caffe.ops.input import Input
from caffe.ops.losses import EuclideanLoss, SigmoidCrossEntropyLoss
from caffe.ops.lrn import LRN
from caffe.ops.memory_data import MemoryData
from caffe.ops.more_losses import (
    ContrastiveLoss,
    HingeLoss,
    MultinomialLogisticLoss,
)
from caffe.ops.neuron import Dropout, Power, ReLU, Sigmoid, TanH
from caffe.ops.parameter import Parameter
from caffe.ops.pooling import Pooling
from caffe.ops.python import Python
from caffe.ops.reductions import MVN, Reduction
from caffe.ops.reindex import BatchReindex, Embed, Filter, Tile
from caffe.ops.scale import Bias, Scale
from caffe.ops.shaping import Concat, Flatten, Reshape, Silence, Slice, Split
from caffe.ops.softmax import Softmax, SoftmaxWithLoss
from caffe.ops.spp import SPP

OPS = {
    'AbsVal': AbsVal,
    'Accuracy': Accuracy,
    'ArgMax': ArgMax,
    'BNLL': BNLL,
    'BatchNorm': BatchNorm,
    'BatchReindex': BatchReindex,
    'Bias': Bias,
    'Clip': Clip,
    'Concat': Concat,
    'ContrastiveLoss': ContrastiveLoss,
    'Convolution': Convolution,
    'Crop': Crop,
    'Data': Data,
    'Deconvolution': Deconvolution,
    'Dropout': Dropout,
    'DummyData': DummyData,
    'ELU': ELU,
    'Eltwise': Eltwise,
    'Embed': Embed,
    'EuclideanLoss': EuclideanLoss,
    'Exp': Exp,
    'Filter': Filter,
    'Flatten': Flatten,
    'HDF5Data': HDF5Data,
    'HDF5Output': HDF5Output,
    'HingeLoss': HingeLoss,
    'Im2col': Im2col,
    'ImageData': ImageData,
    'InfogainLoss': InfogainLoss,
    'InnerProduct': InnerProduct,
    'Input': Input,
    'LRN': LRN,
    'Log': Log,
    'MVN': MVN,
    'MemoryData': MemoryData,
    'MultinomialLogisticLoss': MultinomialLogisticLoss,
    'PReLU': PReLU,
    'Parameter': Parameter,
    'Pooling': Pooling,
    'Power': Power,
    'Python': Python,
    'ReLU': ReLU,
    'Reduction': Reduction,
    'Reshape': Reshape,
    'SPP': SPP,
    'Scale': Scale,
    'Sigmoid': Sigmoid,
    'SigmoidCrossEntropyLoss': SigmoidCrossEntropyLoss,
    'Silence': Silence,
    'Slice': Slice,
    'Softmax': Softmax,
    'SoftmaxWithLoss': SoftmaxWithLoss,
    'Split': Split,
    'Swish': Swish,
    'TanH': TanH,
    'Threshold': Threshold,
    'Tile': Tile,
}

RECURRENT = (
    'recurrent layers are not implemented: unroll the steps in the prototxt, '
    'sharing parameters by name, or use a Python layer'
)
REFUSED = {
    'LSTM': RECURRENT,
    'LSTMUnit': RECURRENT,
    'RNN': RECURRENT,
    'WindowData': (
        "R-CNN's windows are not implemented: cut them out beforehand and use "
        'ImageData, or use a Python layer'
    ),
}


def layer_type_list():
    """The names of all layer types, sorted."""
    return sorted(OPS)


def op_class(type, layer=None):
    """The class for a prototxt's `type`.

    Raises: RuntimeError that names the layer, if given, and the known types
    """
    if type in OPS:
        return OPS[type]
    where = '' if layer is None else f"layer '{layer}': "
    hints = [name for name in OPS if name.lower() == type.lower()]
    hint = f' Did you mean {hints[0]}?' if hints else ''
    hint = f' {type}: {REFUSED[type]}' if type in REFUSED else hint
    raise RuntimeError(
        f'{where}Unknown layer type: {type} (known types: '
        f'{", ".join(layer_type_list())}){hint}'
    )
