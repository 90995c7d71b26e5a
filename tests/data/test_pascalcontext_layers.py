"""PASCALContextSegDataLayer on a miniature of the releases."""

import numpy as np
import pytest
from miniatures import CONTEXT, context_names, numbered, save_mat, write_context
from PIL import Image
from scipy.io import loadmat

from data import classes
from data.pascalcontext_layers import PASCALContextSegDataLayer, class_of_name


@pytest.fixture
def roots(tmp_path):
    write_context(tmp_path)
    return tmp_path / 'pascal', tmp_path / 'pascal-context'


@pytest.fixture
def make(layer, roots):
    def make(split='val', **params):
        voc, context = map(str, roots)
        params.update(voc_dir=voc, context_dir=context, split=split)
        return layer(PASCALContextSegDataLayer, **params)

    return make


def label_by_loops(raw):
    """459 names to 59 as the original's text describes it."""
    names, few = context_names(), list(classes.CONTEXT[1:])
    renames = (
        *(('table', 'diningtable'), ('bedclothes', 'bedcloth')),
        ('cloth', 'clothes'),
    )
    for there, here in renames:
        few[few.index(here)] = there
    label = np.zeros(raw.shape, int)
    for number, name in enumerate(few):
        label[raw == names.index(name) + 1] = number + 1
    return label


@pytest.mark.parametrize('name', CONTEXT['val'])
def test_459_names_become_59_and_background(make, layer, roots, name):
    made = make()
    while made.indices[made.idx] != name:
        layer.step(made)
    _, label = layer.step(made)
    raw = loadmat(roots[1] / 'trainval' / f'{name}.mat')['LabelMap']
    assert (label[0, 0] == label_by_loops(raw)).all()
    assert {0, 1} <= set(np.unique(label)) and label.max() <= 59


def test_all_three_renames_are_among_the_labels(roots):
    table, names = class_of_name(roots[1]), context_names()
    for there, here in (
        *(('table', 'diningtable'), ('bedclothes', 'bedcloth')),
        *(('cloth', 'clothes'), ('sky', 'sky')),
    ):
        number = table[1 + names.index(there)]
        assert classes.CONTEXT[number] == here
    assert sorted(table[table > 0]) == list(range(1, 60)), 'each of 59 once'


@pytest.mark.parametrize('first', [0, 1])
def test_berkeleys_lists_give_the_same_labels(roots, first):
    """classes-400.txt and classes-59.txt, whose row 0 shifts nothing."""
    context = roots[1]
    want = class_of_name(context)
    (context / 'labels.txt').rename(context / 'classes-400.txt')
    (context / '59_labels.txt').unlink()
    names = classes.CONTEXT[first:]
    (context / 'classes-59.txt').write_text(numbered(names, first))
    assert (class_of_name(context) == want).all()


def test_without_a_list_of_the_59_ours_serves(roots):
    want = class_of_name(roots[1])
    (roots[1] / '59_labels.txt').unlink()
    assert (class_of_name(roots[1]) == want).all()


def test_spaces_in_names_do_not_matter(roots):
    path = roots[1] / 'labels.txt'
    want = class_of_name(roots[1])
    text = path.read_text().replace('tvmonitor', 'tv monitor')
    path.write_text(text.replace('\n', '\r\n'))
    assert (class_of_name(roots[1]) == want).all()


def test_missing_names_are_asked_for(roots):
    (roots[1] / 'labels.txt').unlink()
    with pytest.raises(FileNotFoundError, match='neither labels.txt nor'):
        class_of_name(roots[1])


def test_a_list_with_a_gap_is_refused(roots):
    path = roots[1] / 'labels.txt'
    rows = path.read_text().splitlines()
    path.write_text('\n'.join(rows[:7] + rows[8:]))
    with pytest.raises(ValueError, match='labels.txt: rows must be `1: name`'):
        class_of_name(roots[1])


def test_a_class_without_a_name_is_named(roots):
    (roots[1] / 'labels.txt').write_text('1: aeroplane\n2: wood\n')
    with pytest.raises(
        ValueError, match='class 2, bicycle, is not among the 2'
    ):
        class_of_name(roots[1])


def test_images_are_bgr_minus_a_float32_mean(make, layer, roots):
    data, _ = layer.step(make())
    path = roots[0] / 'VOC2010' / 'JPEGImages' / '2008_000002.jpg'
    pixels = np.asarray(Image.open(path)).astype(np.float32)
    want = pixels[:, :, ::-1] - np.array((104.007, 116.669, 122.679), 'f')
    assert (data[0] == want.transpose(2, 0, 1)).all()


def test_a_missing_label_is_named(make, roots):
    path = roots[1] / 'trainval' / '2008_000002.mat'
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f'{path}: no such label'):
        make()


def test_a_number_without_a_name_is_named(make, roots):
    path = roots[1] / 'trainval' / '2008_000002.mat'
    label = loadmat(path)['LabelMap']
    label[0, 0] = 460
    save_mat(path, LabelMap=label)
    with pytest.raises(ValueError, match='value 460, and 1 pixels'):
        make()


@pytest.mark.parametrize('where', ['VOC2010', '../pascal/VOC2010', ''])
def test_voc_dir_may_be_the_release_or_what_holds_it(
    make, roots, monkeypatch, where
):
    monkeypatch.setenv('VOC_DIR', str(roots[0] / where))
    assert make().voc == roots[0] / 'VOC2010'


def test_a_release_beside_the_one_named_is_found(make, roots, monkeypatch):
    """VOC_DIR may name VOC2011, for the nets that read that."""
    other = roots[0] / 'VOC2011'
    for folder in ('JPEGImages', 'ImageSets/Main', 'SegmentationClass'):
        (other / folder).mkdir(parents=True)
    monkeypatch.setenv('VOC_DIR', str(other))
    assert make().voc == roots[0] / 'VOC2010'


def test_a_list_of_ones_own_precedes_the_releases(make, roots, monkeypatch):
    monkeypatch.setenv('CONTEXT_DIR', str(roots[1]))
    (roots[1] / 'val.txt').write_text('2008_000019\n')
    assert make().indices == ['2008_000019']
