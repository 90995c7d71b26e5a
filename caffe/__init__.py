"""caffe: the part of pycaffe that fully convolutional networks use, on
PyTorch. It is not BVLC Caffe: it reads and writes Caffe's files, takes its
Python API and gives its numbers, but shares none of its code. The guide to
the whole surface is docs/pycaffe.md; `python -m caffe` is the command line.
"""

# ruff: noqa: F401  (imported for those who import this)
from caffe import allocator, coord_map, io
from caffe.classifier import Classifier
from caffe.detector import Detector
from caffe.device import (
    set_device,
    set_mode_cpu,
    set_mode_gpu,
    set_random_seed,
)
from caffe.log import init_log, log
from caffe.net import TEST, TRAIN, Net
from caffe.net_spec import NetSpec, layers, params, to_proto
from caffe.ops import layer_type_list
from caffe.ops.python import Layer
from caffe.parallel import (
    NCCL,
    has_nccl,
    set_multiprocess,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from caffe.proto import caffe_pb2
from caffe.solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)
from caffe.timer import Timer

__version__ = '1.0.0'  # the Caffe whose behaviour this is

allocator.keep_memory()
