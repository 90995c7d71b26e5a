"""The fifteen recipes: what they name exists, and what they do is what the
published scripts did (spec G.3)."""

from pathlib import Path

import numpy as np
import pytest
from recordings import recorded_weights

import caffe
import networks
import solve
from caffe.proto import text
from nets import caffenet, edits, vgg16
from training.needs import CLASSIFIERS
from training.start import begin, stored
from weights.published import BY_DIRECTORY

ROOT = Path(__file__).parents[1]
NETS = [folder.name for folder in solve.networks()]
RECIPES = {name: solve.recipe_of(ROOT / name) for name in NETS}
TRUNKS = {'vgg16-fcn': vgg16.trunk, 'alexnet-fcn': caffenet.trunk}
ITERATIONS = {'voc': 4000, 'siftflow': 2000, 'nyud': 2000}
ITERATIONS['pascalcontext'] = 8000


def train_net(name):
    return text.read_net(str(networks.prototxt(ROOT / name, 'train')))


def filters(net):
    """The layers whose weights are learned."""
    return {layer.name for layer in net.layer if layer.type == 'Convolution'}


def test_all_fifteen_have_a_recipe():
    assert NETS == list(BY_DIRECTORY)
    assert len(NETS) == 15


@pytest.mark.parametrize('name', NETS)
def test_starts_exist_and_come_before(name):
    assert set(RECIPES[name].starts) <= {*CLASSIFIERS, *NETS}
    for start in RECIPES[name].starts:
        if start in NETS:
            assert NETS.index(start) < NETS.index(name)
            assert start.split('-')[0] == name.split('-')[0]


@pytest.mark.parametrize('name', NETS)
def test_new_are_the_layers_that_the_start_lacks(name):
    recipe = RECIPES[name]
    known = set()
    for start in recipe.starts:
        net = TRUNKS[start]() if start in TRUNKS else train_net(start)
        suffix = start.split('-')[-1] if len(recipe.starts) > 1 else ''
        known |= {layer + suffix for layer in filters(net)}
    if name == 'nyud-fcn32s-color-d':
        known.add('conv1_1_bgrd')  # made of conv1_1
    assert set(recipe.new) == filters(train_net(name)) - known


@pytest.mark.parametrize('name', NETS)
def test_rounds_are_the_published_ones(name):
    recipe = RECIPES[name]
    voc = 75 if 'atonce' in name else 25
    assert recipe.rounds == (voc if name.startswith('voc') else 50)
    assert recipe.iterations == ITERATIONS[name.split('-')[0]]


@pytest.mark.parametrize('name', NETS)
def test_every_task_is_scored(name):
    net = text.read_net(str(networks.prototxt(ROOT / name, 'test')))
    tasks = [(task.score, task.label) for task in networks.tasks(net)]
    assert list(RECIPES[name].tests) == tasks
    tops = [top for layer in net.layer for top in layer.top]
    assert {blob for pair in tasks for blob in pair} <= set(tops)
    assert 'loss' in tops, 'what seg_tests prints'


@pytest.mark.parametrize('name', NETS)
def test_the_solver_names_files_that_exist_and_keeps_what_it_learns(name):
    solver = text.read_solver(str(ROOT / name / 'solver.prototxt'))
    for file in (solver.train_net, *solver.test_net):
        assert (ROOT / name / file).is_file()
    recipe = RECIPES[name]
    assert recipe.rounds * recipe.iterations % solver.snapshot == 0


@pytest.mark.parametrize('use', ['train', 'test'])
@pytest.mark.parametrize('name', NETS)
def test_data_lies_in_the_datasets_usual_places(name, use):
    layer = networks.source(networks.prototxt(ROOT / name, use)).layer
    places = [v for k, v in layer.params.items() if k.endswith('_dir')]
    assert places
    for place in places:
        assert place.startswith('../data/')


# starts ---------------------------------------------------------------------


@pytest.fixture
def start(tmp_path):
    """start(name): a trained net of that directory, as a file."""

    def write(name):
        path = tmp_path / f'{name}.caffemodel'
        path.write_bytes(recorded_weights(name))
        return path

    return write


def begun(name, *weights):
    """A slim training net after its recipe's start."""
    tops = {'color': 3, 'hha': 3, 'depth': 1, 'data': 3}
    param = edits.slim(edits.without(train_net(name), 'Dropout'), 32)
    shapes = {top: (1, tops.get(top, 1), 9, 7) for top in param.layer[0].top}
    net = caffe.Net(edits.with_inputs(param, shapes), caffe.TRAIN)
    begin(net, RECIPES[name], list(weights))
    return net


def weight(path, layer, index=0):
    return stored(path).params[layer][index].data


def test_depth_is_seen_as_the_mean_of_the_colours(start, capsys):
    color = start('nyud-fcn32s-color')
    net = begun('nyud-fcn32s-color-d', color)
    first, bias = (blob.data for blob in net.params['conv1_1_bgrd'])
    old = weight(color, 'conv1_1')
    np.testing.assert_array_equal(first[:, :3], old)
    mean = old.astype(float).mean(axis=1)
    np.testing.assert_allclose(first[:, 3], mean, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(bias, weight(color, 'conv1_1', 1))
    np.testing.assert_array_equal(
        net.params['fc7'][0].data, weight(color, 'fc7')
    )
    assert net.params['upscore'][0].data.any()
    assert 'copying conv1_2  ->  conv1_2 1' in capsys.readouterr().out


def test_a_net_with_depth_can_start_from_its_like(start):
    own = start('nyud-fcn32s-color-d')
    net = begun('nyud-fcn32s-color-d', own)
    np.testing.assert_array_equal(
        net.params['conv1_1_bgrd'][0].data, weight(own, 'conv1_1_bgrd')
    )


def test_late_fusion_starts_from_a_net_for_each_image(start, capsys):
    halves = [start('nyud-fcn32s-color'), start('nyud-fcn32s-hha')]
    net = begun('nyud-fcn32s-color-hha', *halves)
    for path, image in zip(halves, ('color', 'hha')):
        for layer in ('conv1_1', 'fc6', 'score_fr'):
            for index in (0, 1):
                np.testing.assert_array_equal(
                    net.params[layer + image][index].data,
                    weight(path, layer, index),
                )
    assert net.params['upscore'][0].data.any()
    assert 'WARNING' not in capsys.readouterr().err


def test_one_file_for_both_images_is_one_that_has_both(start):
    both = start('nyud-fcn32s-color-hha')
    net = begun('nyud-fcn32s-color-hha', both)
    np.testing.assert_array_equal(
        net.params['fc7hha'][0].data, weight(both, 'fc7hha')
    )


def test_a_start_without_its_scores_is_warned_of(start, capsys):
    path = start('siftflow-fcn16s')
    net = begun('siftflow-fcn8s', path)
    assert not net.params['score_pool3_sem'][0].data.any()
    assert 'WARNING' not in capsys.readouterr().err
    begun('siftflow-fcn16s', start('nyud-fcn32s-hha'))
    assert (
        'nyud-fcn32s-hha.caffemodel has no score_fr_sem, score_fr_geo: this '
        'net continues siftflow-fcn32s' in capsys.readouterr().err
    )


def test_a_start_of_other_classes_is_refused_by_name(start):
    with pytest.raises(ValueError, match=r'score_fr\[0\]: 60 x .* needs'):
        begun('nyud-fcn32s-color-d', start('pascalcontext-fcn32s'))
