"""Parameters between nets that are not quite alike."""

from types import SimpleNamespace

import numpy as np
import pytest

from surgery import add_inputs, expand_score, transplant


def blob(array):
    return SimpleNamespace(data=array, shape=array.shape)


def net(**layers):
    """{layer: [shape, ...]} as a net with counting numbers in it."""
    numbers = iter(range(10**6))
    params = {
        name: [
            blob(
                np.array([next(numbers) for _ in range(np.prod(shape))])
                .reshape(shape)
                .astype(np.float32)
            )
            for shape in shapes
        ]
        for name, shapes in layers.items()
    }
    return SimpleNamespace(params=params)


def zeroed(**layers):
    made = net(**layers)
    for blobs in made.params.values():
        for each in blobs:
            each.data[...] = 0
    return made


def test_transplant_copies_by_name():
    old = net(conv=[(4, 3, 5, 2), (4,)])
    new = zeroed(conv=[(4, 3, 5, 2), (4,)])
    transplant(new, old)
    for mine, theirs in zip(new.params['conv'], old.params['conv']):
        np.testing.assert_array_equal(mine.data, theirs.data)
        assert not np.shares_memory(mine.data, theirs.data)


def test_transplant_keeps_the_flat_order_of_another_shape():
    old, new = net(fc6=[(4, 30)]), zeroed(fc6=[(4, 2, 3, 5)])
    report = transplant(new, old)
    np.testing.assert_array_equal(
        new.params['fc6'][0].data.ravel(), np.arange(120)
    )
    assert [str(move.new) for move in report.of('coerced')] == ['fc6[0]']


def test_transplant_puts_a_trunk_under_a_suffix():
    old = net(conv=[(4, 3)], fc=[(2, 5)])
    new = zeroed(convcolor=[(4, 3)], convhha=[(4, 3)], fccolor=[(2, 5)])
    report = transplant(new, old, 'color')
    assert new.params['convcolor'][0].data.max() == 11
    assert new.params['convhha'][0].data.max() == 0
    assert [str(m.new) for m in report.of('left as it was')] == ['convhha[0]']


def test_transplant_drops_layers_and_blobs_the_new_net_lacks():
    old = net(conv=[(4, 3), (4,)], fc8=[(7, 2), (7,)])
    report = transplant(zeroed(conv=[(4, 3)]), old)
    dropped = [str(move.old) for move in report.of('dropped')]
    assert dropped == ['conv[1]', 'fc8[0]', 'fc8[1]']


def test_transplant_says_what_it_does_as_the_published_script(capsys):
    old = net(conv=[(4, 3), (4,)], fc=[(2, 15)], gone=[(1,)])
    transplant(zeroed(conva=[(4, 3)], fca=[(2, 5, 3)]), old, 'a')
    assert capsys.readouterr().out.splitlines() == [
        'copying conv  ->  conva 0',
        'dropping conv 1',
        'coercing fc 0 from (2, 15) to (2, 5, 3)',
        'dropping gone 0',
    ]


def test_the_report_is_a_table_of_every_blob():
    old = net(conv=[(4, 3)], fc=[(2, 15)], gone=[(1, 6)])
    new = zeroed(conv=[(4, 3)], fc=[(2, 5, 3)], score=[(3, 2)])
    assert str(transplant(new, old)).splitlines() == [
        'copied          conv[0]   4 x 3',
        'coerced         fc[0]     2 x 15 -> 2 x 5 x 3',
        'dropped         gone[0]   1 x 6',
        'left as it was  score[0]  3 x 2',
        'parameter blobs: 1 copied, 1 coerced, 1 dropped, 1 left as it was',
    ]


def test_nets_without_parameters_make_an_empty_report():
    said = str(transplant(net(), net()))
    assert said.startswith('parameter blobs: 0 copied')


@pytest.mark.parametrize('size', [(3, 7), (3, 40)])
def test_transplant_refuses_a_wrong_size_before_it_copies(size):
    old = net(conv=[(4, 3)], score_fr=[size])
    new = zeroed(conv=[(4, 3)], score_fr=[(3, 5, 2)])
    said = rf'score_fr\[0\]: 3 x {size[1]} holds .*, 3 x 5 x 2 needs 30'
    with pytest.raises(ValueError, match=said):
        transplant(new, old)
    assert new.params['conv'][0].data.max() == 0, 'nothing may be copied'


@pytest.mark.parametrize('bias', ['1-D', 'of old'])
def test_expand_score_puts_the_old_classes_first(bias):
    old_bias, new_bias = {
        '1-D': ((3,), (5,)),
        'of old': ((1, 1, 1, 3), (1, 1, 1, 5)),
    }[bias]
    old = net(score=[(3, 7, 1, 1), old_bias])
    new = net(score59=[(5, 7, 1, 1), new_bias])
    before = [each.data.copy() for each in new.params['score59']]
    expand_score(new, 'score59', old, 'score')
    weight, biases = (each.data for each in new.params['score59'])
    np.testing.assert_array_equal(weight[:3], old.params['score'][0].data)
    np.testing.assert_array_equal(weight[3:], before[0][3:])
    np.testing.assert_array_equal(biases.ravel()[:3], [21, 22, 23])
    np.testing.assert_array_equal(biases.ravel()[3:], before[1].ravel()[3:])


@pytest.mark.parametrize('shape', [(2, 7, 1, 1), (5, 6, 1, 1)])
def test_expand_score_refuses_fewer_classes_or_other_features(shape):
    old = net(score=[(3, 7, 1, 1), (3,)])
    new = zeroed(wide=[shape, (5,)])
    with pytest.raises(ValueError, match=r'score\[0\] .* into wide\[0\]'):
        expand_score(new, 'wide', old, 'score')


def test_expand_score_names_a_missing_layer():
    with pytest.raises(ValueError, match='wide: the net has no parameters'):
        expand_score(net(), 'wide', net(score=[(3, 7)]), 'score')


@pytest.mark.parametrize('further', [1, 2])
def test_further_inputs_are_seen_as_the_mean_of_the_old(further):
    old = net(conv=[(4, 3, 5, 2), (4,)])
    new = zeroed(wide=[(4, 3 + further, 5, 2), (4,)])
    add_inputs(new, 'wide', old, 'conv')
    (weight, bias), (mine, my_bias) = old.params['conv'], new.params['wide']
    np.testing.assert_array_equal(mine.data[:, :3], weight.data)
    for channel in range(3, 3 + further):
        mean = sum(weight.data[:, c].astype(float) for c in range(3)) / 3
        np.testing.assert_allclose(mine.data[:, channel], mean, rtol=1e-6)
    np.testing.assert_array_equal(my_bias.data, bias.data)


@pytest.mark.parametrize('shape', [(4, 2, 5, 2), (6, 4, 5, 2), (4, 4, 2, 5)])
def test_add_inputs_refuses_other_filters_by_name(shape):
    old, new = net(conv=[(4, 3, 5, 2)]), zeroed(wide=[shape])
    with pytest.raises(ValueError, match=r'conv\[0\] \(4 x 3 x 5 x 2\) does'):
        add_inputs(new, 'wide', old, 'conv')
    assert not new.params['wide'][0].data.any()
