"""The layer types: one class for each, under the name that a prototxt gives
as `type`."""

from caffe.ops.accuracy import Accuracy
from caffe.ops.argmax import ArgMax
from caffe.ops.batch_norm import BatchNorm
from caffe.ops.convolution import Convolution, Deconvolution
from caffe.ops.crop import Crop
from caffe.ops.data_sources import Data, DummyData, HDF5Data, HDF5Output
from caffe.ops.eltwise import Eltwise
from caffe.ops.inner_product import InnerProduct
from caffe.ops.input import Input
from caffe.ops.losses import EuclideanLoss, SigmoidCrossEntropyLoss
from caffe.ops.lrn import LRN
from caffe.ops.neuron import Dropout, Power, ReLU, Sigmoid, TanH
from caffe.ops.pooling import Pooling
from caffe.ops.python import Python
from caffe.ops.scale import Bias, Scale
from caffe.ops.shaping import Concat, Flatten, Reshape, Silence, Slice, Split
from caffe.ops.softmax import Softmax, SoftmaxWithLoss

OPS = {
    'Accuracy': Accuracy,
    'ArgMax': ArgMax,
    'BatchNorm': BatchNorm,
    'Bias': Bias,
    'Concat': Concat,
    'Convolution': Convolution,
    'Crop': Crop,
    'Data': Data,
    'Deconvolution': Deconvolution,
    'Dropout': Dropout,
    'DummyData': DummyData,
    'Eltwise': Eltwise,
    'EuclideanLoss': EuclideanLoss,
    'Flatten': Flatten,
    'HDF5Data': HDF5Data,
    'HDF5Output': HDF5Output,
    'InnerProduct': InnerProduct,
    'Input': Input,
    'LRN': LRN,
    'Pooling': Pooling,
    'Power': Power,
    'Python': Python,
    'ReLU': ReLU,
    'Reshape': Reshape,
    'Scale': Scale,
    'Sigmoid': Sigmoid,
    'SigmoidCrossEntropyLoss': SigmoidCrossEntropyLoss,
    'Silence': Silence,
    'Slice': Slice,
    'Softmax': Softmax,
    'SoftmaxWithLoss': SoftmaxWithLoss,
    'Split': Split,
    'TanH': TanH,
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
    raise RuntimeError(f'{where}Unknown layer type: {type} (known types: '
                       f'{", ".join(layer_type_list())}){hint}')
