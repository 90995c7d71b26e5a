"""The yardstick: what BVLC's own Python tests assert (spec section F.5), line
by line, and where it is tested here; then the lines that had no other home."""

import re
from pathlib import Path

import pytest

import caffe
from caffe import layers as L
from caffe import params as P

TESTS = Path(__file__).parents[1]

NET, GRAPH = 'caffe/test_net.py', 'caffe/test_graph.py'
SPEC, MAP = 'caffe/test_net_spec.py', 'caffe/test_coord_map.py'
SAVE, COPY = 'caffe/test_model_save.py', 'caffe/test_model_io.py'
LAYER, MODULE = 'caffe/test_python_layer.py', 'caffe/test_python_module.py'
SOLVER, HERE = 'caffe/test_solver.py', 'pycaffe/test_yardstick.py'
IO = 'caffe/test_io.py'

# BVLC's test -> the file here and its tests
F5 = {
    'TestNet.test_memory': (
        NET,
        'test_blobs_and_parameters_outlive_their_net',
    ),
    'TestNet.test_layer_dict': (
        NET,
        'test_layer_dict_has_the_names_and_types',
    ),
    'TestNet.test_forward_backward': (
        NET,
        'test_two_backward_passes_double_the_parameters_diffs',
    ),
    'TestNet.test_forward_start_end': (
        NET,
        'test_forward_from_and_to_a_layer_reads_what_was_written',
    ),
    'TestNet.test_backward_start_end': (
        NET,
        'test_backward_from_and_to_a_layer_reads_what_was_written',
    ),
    'TestNet.test_clear_param_diffs': (
        NET,
        'test_clear_param_diffs_clears_the_views',
    ),
    'TestNet.test_inputs_outputs': (
        NET,
        'test_names_are_ordered_dicts_of_lists',
    ),
    'TestNet.test_top_bottom_names': (
        NET,
        'test_names_are_ordered_dicts_of_lists',
    ),
    'TestNet.test_save_and_read': (
        NET,
        'test_both_constructors_read_the_same_weights',
    ),
    'TestNet.test_save_hdf5': (
        SAVE,
        'test_hdf5_brings_the_same_weights_back',
    ),
    'TestLevels.test_0, test_1': (GRAPH, 'test_levels_choose_layers'),
    'TestStages.test_A, test_B, test_AandB': (
        GRAPH,
        'test_stages_choose_layers',
    ),
    'TestAllInOne.test_train, test_val, test_deploy': (
        GRAPH,
        'test_one_file_is_trained_tested_and_deployed',
    ),
    'net_spec.test_lenet': (
        HERE,
        'test_lenet_from_a_spec_has_its_layers',
    ),
    'net_spec.test_zero_tops': (HERE, 'test_a_net_without_outputs_gives_none'),
    'net_spec.test_type_error': (
        SPEC,
        'test_an_input_that_is_no_top_is_a_type_error',
    ),
    'coord_map.test_conv_pool_deconv': (
        MAP,
        'test_a_deconvolution_undoes_its_convolution',
        'test_pooling_moves_the_centre',
    ),
    'coord_map.test_pass': (MAP, 'test_pointwise_layers_change_nothing'),
    'coord_map.test_padding': (
        MAP,
        'test_padding_shifts_and_padding_back_undoes_it',
    ),
    'coord_map.test_multi_conv': (
        MAP,
        'test_tops_and_bottoms_of_one_layer_map_alike',
    ),
    'coord_map.test_rect': (MAP, 'test_axes_of_their_own_are_kept_apart'),
    'coord_map.test_nd_conv': (MAP, 'test_more_spatial_axes_work'),
    'coord_map.test_crop_of_crop': (
        MAP,
        'test_a_crop_counts_for_its_first_bottom',
    ),
    'coord_map.test_crop_helper': (MAP, 'test_crop_makes_the_layer'),
    'coord_map.test_catch_unconnected': (
        MAP,
        'test_unconnected_blobs_are_named_with_the_layer_in_the_way',
    ),
    'coord_map.test_catch_scale_mismatch, test_catch_negative_crop': (
        MAP,
        'test_a_scale_mismatch_is_named',
        'test_a_negative_crop_is_named',
    ),
    'io.TestBlobProtoToArray.test_old_format': (
        IO,
        'test_old_dims_win_over_shape_and_absent_ones_are_zero',
    ),
    'io.TestBlobProtoToArray.test_new_format': (
        IO,
        'test_an_array_survives_the_message',
    ),
    'io.TestBlobProtoToArray.test_no_shape, test_scalar': (
        IO,
        'test_without_a_shape_one_number_is_a_scalar',
    ),
    'io.TestArrayToDatum.test_label_none_size': (
        'pycaffe/test_images.py',
        'test_a_datum_has_a_label_only_if_given',
    ),
    'test_layer_type_list': (HERE, 'test_layer_types_are_listed'),
    'test_nccl.test_newuid': (HERE, 'test_there_is_no_nccl'),
    'test_draw.test_draw_net': (
        'pycaffe/test_draw.py',
        'test_every_net_of_this_repository_can_be_drawn',
    ),
    'python_layer.test_forward, test_backward': (
        LAYER,
        'test_forward_and_backward_go_through_the_layers',
    ),
    'python_layer.test_reshape': (
        LAYER,
        'test_a_reshaped_input_reshapes_the_layers',
    ),
    'python_layer.test_exception': (
        MODULE,
        'test_what_a_layer_raises_arrives_unchanged',
    ),
    'python_layer.test_parameter': (
        LAYER,
        'test_a_parameter_of_a_python_layer_is_one_of_the_net',
    ),
    'python_layer.test_phase': (LAYER, 'test_the_phase_reaches_the_layer'),
    'python_layer_with_param_str.test_forward, test_backward': (
        LAYER,
        'test_param_str_reaches_the_layer',
    ),
    'solver.test_solve': (SOLVER, 'test_solve_runs_to_max_iter'),
    'solver.test_apply_update': (
        SOLVER,
        'test_apply_update_applies_the_diffs_as_they_are',
    ),
    'solver.test_net_memory': (SOLVER, 'test_nets_outlive_their_solver'),
    'solver.test_snapshot': (
        SOLVER,
        'test_snapshot_writes_both_files_to_the_current_directory',
    ),
}


@pytest.mark.parametrize('theirs', F5)
def test_every_line_of_bvlcs_tests_has_its_test(theirs):
    file, *names = F5[theirs]
    there = re.findall(r'^def (test_\w+)', (TESTS / file).read_text(), re.M)
    assert set(names) <= set(there), f'{theirs}: not in {file}'


# lines without another home ---------------------------------------------------


def lenet(batch=2):
    n = caffe.NetSpec()
    n.data, n.label = L.DummyData(
        shape=[dict(dim=[batch, 1, 28, 28]), dict(dim=[batch, 1, 1, 1])],
        transform_param=dict(scale=1 / 255),
        ntop=2,
    )
    fill = dict(weight_filler=dict(type='xavier'))
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, **fill)
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.conv2 = L.Convolution(n.pool1, kernel_size=5, num_output=50, **fill)
    n.pool2 = L.Pooling(n.conv2, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.ip1 = L.InnerProduct(n.pool2, num_output=500, **fill)
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.ip2 = L.InnerProduct(n.relu1, num_output=10, **fill)
    n.loss = L.SoftmaxWithLoss(n.ip2, n.label)
    return n


def anonymous(n):
    return caffe.to_proto(n.loss)


@pytest.mark.parametrize('proto', [caffe.NetSpec.to_proto, anonymous])
def test_lenet_from_a_spec_has_its_layers(proto, tmp_path):
    param = proto(lenet())
    assert param.layer[6].bottom == param.layer[6].top
    (tmp_path / 'lenet.prototxt').write_text(str(param))
    built = caffe.Net(str(tmp_path / 'lenet.prototxt'), caffe.TEST)
    assert len(built.layers) == 9
    (loss,) = built.forward().values()
    assert 0.1 < loss < 50


def test_a_net_without_outputs_gives_none():
    n = caffe.NetSpec()
    n.data = L.DummyData(shape=dict(dim=[10, 3]))
    n.silence1 = L.Silence(n.data, ntop=0)
    n.silence2 = L.Silence(n.data, ntop=0)
    built = caffe.Net(n.to_proto(), caffe.TEST)
    assert built.forward() == {}


def test_layer_types_are_listed():
    types = list(caffe.layer_type_list())
    assert {'Data', 'Convolution', 'InnerProduct'} <= set(types)
    assert types == sorted(types) and all(type(t) is str for t in types)


def test_there_is_no_nccl():
    assert caffe.has_nccl() is False
    with pytest.raises(RuntimeError, match='no NCCL'):
        caffe.NCCL.new_uid()
    caffe.set_solver_count(1)
    caffe.set_solver_rank(0)
    caffe.set_multiprocess(True)
    assert (caffe.solver_count(), caffe.solver_rank()) == (1, 0)
    with pytest.raises(RuntimeError, match=r'set_solver_count\(2\): one'):
        caffe.set_solver_count(2)
    with pytest.raises(RuntimeError, match=r'set_solver_rank\(1\): one'):
        caffe.set_solver_rank(1)
