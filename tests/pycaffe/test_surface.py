"""The names that pycaffe has (spec sections C.9, E.9, F), here and in the
guide."""

import re
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from net_text import inputs, ip, layer, net
from solver_files import STEADY

import caffe
from caffe.proto import caffe_pb2 as pb

ROOT = Path(__file__).parents[2]

MODULE_NAMES = """
AdaDeltaSolver AdaGradSolver AdamSolver Classifier Detector Layer NCCL Net
NesterovSolver NetSpec RMSPropSolver SGDSolver TEST TRAIN Timer __version__
coord_map get_solver has_nccl init_log io layer_type_list layers log params
proto set_device set_mode_cpu set_mode_gpu set_multiprocess set_random_seed
set_solver_count set_solver_rank solver_count solver_rank to_proto
"""
IO_NAMES = """
Transformer array_to_blobproto array_to_datum arraylist_to_blobprotovector_str
blobproto_to_array blobprotovector_str_to_arraylist datum_to_array load_image
oversample resize_image
"""
NET_NAMES = """
_blob_loss_weights _blob_names _blobs _bottom_ids _inputs _layer_names
_outputs _top_ids after_backward after_forward backward before_backward
before_forward blob_loss_weights blobs bottom_names clear_param_diffs copy_from
forward forward_all forward_backward_all inputs layer_dict layers load_hdf5
outputs params reshape save save_hdf5 set_input_arrays share_with top_names
_forward _backward
"""
BLOB_NAMES = 'channels count data diff height num reshape shape width'
SOLVER_NAMES = """
add_callback apply_update iter lr net param restore share_weights snapshot
solve step test_nets
"""


def steady():
    param = pb.SolverParameter(base_lr=0.001, lr_policy='fixed')
    text_format.Parse(STEADY, param.net_param)
    return caffe.get_solver(param)


def missing(thing, names):
    return [name for name in names.split() if not hasattr(thing, name)]


def test_the_names_of_pycaffe_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    built = net(
        inputs(data=(2, 3)), ip('ip', 'data', 4), layer('ReLU', 'r', 'ip')
    )
    solver = steady()
    assert missing(caffe, MODULE_NAMES) == []
    assert missing(caffe.io, IO_NAMES) == []
    assert missing(built, NET_NAMES) == []
    assert missing(built.blobs['data'], BLOB_NAMES) == []
    assert missing(solver, SOLVER_NAMES) == []
    assert missing(caffe.proto.caffe_pb2, 'NetParameter SolverParameter') == []
    assert caffe.__version__ == '1.0.0'
    assert (caffe.TRAIN, caffe.TEST) == (0, 1)


def test_the_rate_is_caffes_float(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solver = steady()
    assert type(solver) is caffe.SGDSolver
    assert solver.lr == 0.0010000000474974513
    solver.param.base_lr = 0.5
    assert solver.lr == 0.5


def test_the_guide_names_every_public_name():
    guide = (ROOT / 'docs' / 'pycaffe.md').read_text()
    names = f'{MODULE_NAMES} {IO_NAMES} {NET_NAMES} {BLOB_NAMES} {SOLVER_NAMES}'
    unnamed = [
        name
        for name in sorted({*names.split()})
        if not re.search(rf'\b{name}\b', guide)
    ]
    assert unnamed == []


def test_all_that_can_be_imported_is_no_accident():
    public = {name for name in vars(caffe) if not name.startswith('_')}
    modules = {n for n in public if type(getattr(caffe, n)) is type(np)}
    known = {*MODULE_NAMES.split(), 'caffe_pb2'}
    assert public - modules <= known, sorted(public - modules - known)
