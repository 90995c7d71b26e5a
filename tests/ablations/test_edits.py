"""Every edit on every network: it applies and the net still builds, or it
says why not."""

import re

import pytest
from variants import NAMES, slim, train_net

import caffe
import networks
from ablations.studies import EDITS, STUDIES, apply
from ablations.study import AS_PUBLISHED
from ablations.variant import Variant, diff

NUMBERS = {'batch': ['20'], 'momentum': ['0.9'], 'dropout': ['0.25', '0']}
CASES = [
    (name, value)
    for name, edit in EDITS.items()
    for value in (NUMBERS[name] if callable(edit.values) else edit.values)
]
SKIPS = [name for name in NAMES if re.search('16s|8s', name)]
HAVE = {  # networks that have what is edited, if not all
    'skip-scale': ['voc-fcn8s-atonce'],
    'fusion': [*SKIPS, 'nyud-fcn32s-color-hha'],
    ('fusion', 'max'): SKIPS,
    'masking': [name for name in NAMES if name.startswith('voc')],
}
ONCE = [('skip-scale', 'none'), ('dropout', '0')]  # remove what they edit


def have(name, value):
    return HAVE.get((name, value), HAVE.get(name, NAMES))


@pytest.mark.parametrize('network', NAMES)
@pytest.mark.parametrize(('name', 'value'), CASES)
def test_an_edit_leaves_a_net_or_says_why_not(name, value, network):
    variant = slim(network)
    if network not in have(name, value):
        with pytest.raises(ValueError, match=f'^{network}:? '):
            apply(variant, {name: value})
        return
    apply(variant, {name: value})
    caffe.Net(train_net(variant), caffe.TRAIN)
    again = variant.copy()
    if (name, value) in ONCE:
        with pytest.raises(ValueError, match=network):
            apply(again, {name: value})
    else:
        assert diff(variant, apply(again, {name: value})) == []


@pytest.mark.parametrize('network', NAMES)
def test_a_published_value_changes_nothing(network):
    before = Variant.read(networks.ROOT / network)
    for name, edit in EDITS.items():
        if network in have(name, edit.published):
            after = apply(before.copy(), {name: edit.published})
            assert after.texts() == before.texts(), name


def test_numbers_that_are_published_change_nothing():
    for network, momentum, size, mean in (
        ('voc-fcn8s', '0.99', '1', 'no'),
        ('voc-fcn-alexnet', '0.9', '20', 'yes'),
    ):
        before = Variant.read(networks.ROOT / network)
        values = dict(momentum=momentum, batch=size, normalised=mean)
        after = apply(before.copy(), {**values, 'dropout': '0.5'})
        assert after.texts() == before.texts()


@pytest.mark.parametrize(
    ('edits', 'message'),
    [
        ({'upsample': 'x'}, "no edit 'upsample'; have batch, .*upsampling"),
        ({'fusion': 'mean'}, 'fusion=mean: no such value; have sum, max'),
        ({'batch': 'many'}, 'batch=many: that is no number'),
        ({'batch': '2.5'}, 'voc-fcn8s: batch=2.5: a number of images is'),
        ({'batch': '0'}, 'voc-fcn8s: batch=0: a number of images is at'),
        ({'batch': 'inf'}, 'voc-fcn8s: batch=inf: a number of images is'),
        ({'batch': 'nan'}, 'voc-fcn8s: batch=nan: a number of images is'),
        ({'momentum': '1'}, 'voc-fcn8s: momentum=1: it is at least 0'),
        ({'momentum': 'nan'}, 'voc-fcn8s: momentum=nan: it is at least 0'),
        ({'dropout': '1'}, 'voc-fcn8s: dropout=1: a ratio is at least 0'),
        ({'upsampling': AS_PUBLISHED}, 'upsampling=published: no such value'),
    ],
)
def test_what_is_not_known_is_refused(edits, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        apply(slim('voc-fcn8s'), edits)


@pytest.mark.parametrize('name', STUDIES)
def test_a_study_is_made_of_what_there_is(name):
    study = STUDIES[name]
    for network in study.nets:
        before = Variant.read(networks.ROOT / network)
        for arm in study.arms.values():
            for test in study.tests.values():
                apply(apply(before.copy(), arm), test)
    cells = {(net, arm) for net in study.nets for arm in study.arms}
    assert {key[:2] for key in study.published} <= cells
    assert re.search('README|CVPR|PAMI|arXiv|appendix', study.answer)
