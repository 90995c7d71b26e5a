"""Which layers a NetState includes, and where splits go."""

import pytest
from net_text import conv, dims, inputs, ip, layer, net, parse

import caffe
from caffe.graph import insert_splits

DATA = inputs(data=(2, 3, 7, 5))


def dummy(name, rule=''):
    return layer(
        'DummyData',
        name,
        rest=f'dummy_data_param {{ {dims((1, 1, 10, 10))} }} {rule}',
    )


LEVELS = '\n'.join(
    [
        dummy('NoLevel'),
        dummy('Level0Only', 'include { min_level: 0 max_level: 0 }'),
        dummy('Level1Only', 'include { min_level: 1 max_level: 1 }'),
        dummy('Level>=0', 'include { min_level: 0 }'),
        dummy('Level>=1', 'include { min_level: 1 }'),
    ]
)
STAGES = '\n'.join(
    [
        dummy('A', "include { stage: 'A' }"),
        dummy('B', "include { stage: 'B' }"),
        dummy('AorB', "include { stage: 'A' } include { stage: 'B' }"),
        dummy('AandB', "include { stage: 'A' stage: 'B' }"),
        dummy('notA', "include { not_stage: 'A' }"),
        dummy('exceptB', "exclude { stage: 'B' }"),
    ]
)


@pytest.mark.parametrize(
    'level, kept',
    [
        (0, ['NoLevel', 'Level0Only', 'Level>=0']),
        (1, ['NoLevel', 'Level1Only', 'Level>=0', 'Level>=1']),
        (-1, ['NoLevel']),
    ],
)
def test_levels_choose_layers(level, kept):
    assert list(net(LEVELS, level=level).blobs) == kept


@pytest.mark.parametrize(
    'stages, kept',
    [
        (['A'], ['A', 'AorB', 'exceptB']),
        (['B'], ['B', 'AorB', 'notA']),
        (['A', 'B'], ['A', 'B', 'AorB', 'AandB']),
        (None, ['notA', 'exceptB']),
    ],
)
def test_stages_choose_layers(stages, kept):
    assert list(net(STAGES, stages=stages).blobs) == kept


def test_stages_are_added_to_the_files_and_the_level_replaces_it():
    built = net(STAGES, "state { stage: 'A' }", stages=['B'])
    assert list(built.blobs) == ['A', 'B', 'AorB', 'AandB']
    built = net(LEVELS, 'state { level: 1 }')
    assert list(built.blobs) == ['NoLevel', 'Level0Only', 'Level>=0']


def test_one_file_is_trained_tested_and_deployed():
    rules = {
        'train': "include { phase: TRAIN stage: 'train' }",
        'val': "include { phase: TEST stage: 'val' }",
        'deploy': "include { stage: 'deploy' }",
    }
    definition = [
        layer('DummyData', 'data', top='data label', rest=DUMMY + rule)
        for rule in (rules['train'], rules['val'])
    ]
    definition += [
        layer(
            'Input',
            'data',
            rest=f'input_param {{ {dims((1, 1, 10, 10))} }} {rules["deploy"]}',
        ),
        ip('ip', 'data', 2),
        layer('SoftmaxWithLoss', 'loss', 'ip label', rest=NOT_DEPLOYED),
        layer('Softmax', 'pred', 'ip', rest=rules['deploy']),
    ]
    for phase, stage, outputs in [
        (caffe.TRAIN, 'train', ['loss']),
        (caffe.TEST, 'val', ['loss']),
        (caffe.TEST, 'deploy', ['pred']),
    ]:
        built = net(*definition, phase=phase, stages=[stage])
        assert built.outputs == outputs, stage
        assert list(built.blobs['data'].shape) == [1, 1, 10, 10]


DUMMY = f'dummy_data_param {{ {dims((1, 1, 10, 10))} {dims((1, 1, 1, 1))} }} '
NOT_DEPLOYED = "include { stage: 'train' } include { stage: 'val' }"


def test_include_and_exclude_on_one_layer_are_refused():
    rules = 'include { phase: TRAIN } exclude { level: 1 }'
    rules = rules.replace('level: 1', 'min_level: 1')
    with pytest.raises(
        RuntimeError,
        match="layer 'x': Specify either include rules or exclude rules; not "
        'both.',
    ):
        net(dummy('x', rules))


def test_layers_without_a_phase_get_the_nets():
    built = net(DATA, layer('ReLU', 'r', 'data', rest='phase: TRAIN'), phase=1)
    assert [node.op.param.phase for node in built.nodes] == [1, 0]
    assert [node.op.phase for node in built.nodes] == [1, 0]


def test_stages_as_one_string_are_refused():
    with pytest.raises(TypeError, match="list of names, not 'deploy'"):
        net(STAGES, stages='deploy')


# splits ----------------------------------------------------------------------


def split(*definition):
    """name -> (bottoms, tops) of every layer, splits inserted"""
    param = insert_splits(parse('\n'.join(definition)))
    return {x.name: (list(x.bottom), list(x.top)) for x in param.layer}


def test_a_blob_of_two_readers_is_split():
    layers = split(
        DATA,
        conv('c', 'data', 4, 1),
        layer('ReLU', 'one', 'c'),
        layer('ReLU', 'two', 'c'),
    )
    assert list(layers) == ['data', 'c', 'c_c_0_split', 'one', 'two']
    assert layers['c_c_0_split'] == (['c'], ['c_c_0_split_0', 'c_c_0_split_1'])
    assert layers['one'][0] == ['c_c_0_split_0']
    assert layers['two'][0] == ['c_c_0_split_1']


def test_the_split_comes_behind_the_last_layer_in_place():
    layers = split(
        DATA,
        conv('fc7', 'data', 4, 1),
        layer('ReLU', 'relu7', 'fc7', 'fc7'),
        layer('Dropout', 'drop7', 'fc7', 'fc7'),
        layer('ReLU', 'one', 'fc7'),
        layer('ReLU', 'two', 'fc7'),
    )
    assert list(layers)[4] == 'fc7_drop7_0_split'
    assert layers['relu7'] == (['fc7'], ['fc7'])


def test_the_index_of_the_top_is_in_the_name():
    layers = split(
        layer(
            'Input', 'in', top='a b', rest=f'input_param {{ {dims((2, 3))} }}'
        ),
        layer('Concat', 'c', 'b b a'),
    )
    assert list(layers) == ['in', 'b_in_1_split', 'c']
    assert layers['c'][0] == ['b_in_1_split_0', 'b_in_1_split_1', 'a']


def test_an_explicit_loss_weight_moves_to_top_0_of_the_split():
    definition = [
        inputs(x=(2, 3), t=(2, 3)),
        layer('EuclideanLoss', 'e', 'x t', rest='loss_weight: 5'),
        layer('Power', 'p', 'e', rest='power_param { power: 2 }'),
    ]
    built = net(*definition)
    layers = built.layer_dict
    assert list(layers) == ['x', 't', 'e', 'e_e_0_split', 'p']
    assert built.bottom_names['p'] == ['e_e_0_split_1']
    params = {node.name: node.op.param for node in built.nodes}
    assert list(params['e_e_0_split'].loss_weight) == [5, 0]
    assert list(params['e'].loss_weight) == [1], 'a loss adds its own again'
    built.blobs['x'].data[...] = 1
    assert built._forward(0, 4) == 3 / 2 * (5 + 1)


def test_a_loss_that_one_layer_reads_is_not_split():
    assert 'e_e_0_split' not in split(
        inputs(x=(2, 3), t=(2, 3)),
        layer('EuclideanLoss', 'e', 'x t'),
        layer('Power', 'p', 'e'),
    )
