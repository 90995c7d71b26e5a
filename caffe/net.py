"""Net: a NetParameter brought to life; pycaffe's caffe.Net.

Caffe: net.cpp, _caffe.cpp, pycaffe.py; spec sections C.1, C.8, C.9. What
runs is a flat list of nodes (node.py), made by build.py; how it runs is
passes.py and batches.py, what a net holds parts.py, its model files
model_io.py.
"""

import os
from pathlib import Path

from caffe import alignment, batches, model_io
from caffe.build import build
from caffe.graph import filter_net, insert_splits
from caffe.log import logger
from caffe.node import MAYBE, SURELY
from caffe.ops import memory_data
from caffe.parts import Parts
from caffe.passes import Passes
from caffe.proto import caffe_pb2 as pb
from caffe.proto import text
from caffe.proto.upgrade import upgrade_net

TRAIN, TEST = 0, 1


class Net(Parts, Passes):
    """Net(file, phase, level=0, stages=None, weights=None), or the old form
    Net(file, weights, phase).

    Takes: file: path of a prototxt, or a NetParameter; then root is the
        folder beside which Python layers are looked up
    Raises: RuntimeError in Caffe's words for whatever cannot be built
    """

    def __init__(
        self,
        network_file,
        *args,
        phase=None,
        level=0,
        stages=None,
        weights=None,
        root=None,
    ):
        args = list(args)
        if args and isinstance(args[0], (str, os.PathLike)):
            weights = args.pop(0)  # the old form
            number = args[0] if args else phase
            for line in OLD_FORM:
                logger.warning(line.format(network_file, number, weights))
        if len(args) > 4:
            raise TypeError(f'Net takes no argument {args[4]!r}')
        given = dict(zip(('phase', 'level', 'stages', 'weights'), args))
        phase = given.get('phase', phase)
        if phase not in (TRAIN, TEST):
            raise TypeError('Net needs a phase: caffe.TRAIN or caffe.TEST')
        stages = given.get('stages', stages) or []
        if isinstance(stages, str):
            raise TypeError(f'stages is a list of names, not {stages!r}')
        weights = given.get('weights', weights)
        param, roots = read(network_file, root)
        if weights is not None:
            must_open(weights)
        param.state.phase = phase
        param.state.level = given.get('level', level)
        param.state.stage.extend(stages)
        self._build(param, roots)
        if weights is not None:
            self.copy_from(weights)

    def _build(self, param, roots):
        param = filter_net(param)
        self.param = insert_splits(param)
        self.name = param.name
        self.phase = param.state.phase
        self.debug_info = param.debug_info
        built = build(self.param, roots)
        for line in alignment.warnings(param):
            logger.warning(line)
        self.nodes, self.learnable = built.nodes, built.learnable
        self.blobs = built.blobs
        self.inputs, self.outputs = built.inputs, built.outputs
        records = self.phase == TRAIN or param.force_backward
        self._get_ready(SURELY if records else MAYBE)

    # whole data sets --------------------------------------------------------

    forward_all = batches.forward_all
    forward_backward_all = batches.forward_backward_all
    set_input_arrays = memory_data.set_input_arrays

    # files ------------------------------------------------------------------

    copy_from = model_io.copy_from
    share_with = model_io.share_with
    save = model_io.save
    save_hdf5 = model_io.save_hdf5
    load_hdf5 = model_io.load_hdf5


OLD_FORM = (
    'DEPRECATION WARNING - deprecated use of Python interface',
    'Use this instead (with the named "weights" parameter):',
    "Net('{}', {}, weights='{}')",
)


def read(source, root):
    """A NetParameter of our own to change, and where Python layers may be."""
    param = pb.NetParameter()
    if isinstance(source, pb.NetParameter):
        param.CopyFrom(source)
        upgrade_net(param)
    else:
        must_open(source)
        param.CopyFrom(text.read_net(os.fspath(source)))
        root = root or Path(source).resolve().parent
    if root is None:
        return param, []
    parent = Path(root).resolve().parent
    return param, [Path(root), parent, parent / 'data']


def must_open(path):
    try:
        with open(path, 'rb'):
            pass
    except OSError as error:
        raise RuntimeError(
            f'Could not open file {os.fspath(path)} ({error.strerror})'
        ) from None
