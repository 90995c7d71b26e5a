"""Measuring a model against plain loops and the scoring that users know."""

import shutil
from types import SimpleNamespace

import miniatures
import numpy as np
import pytest
import slim
import torch
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

import caffe
import surgery
from ablations import measure, studies
from ablations.result import BANDS
from ablations.study import Edit
from data.palette import save_label
from score import compute_hist
from score.palette import read_label
from score.seg import Scored

IDS = ['2007_000033', '2007_000061', '2007_000129']


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A slim voc-fcn8s and three images to score it on."""
    root = tmp_path_factory.mktemp('measure')
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(miniatures.VOC, 'val', IDS)
        environ = slim.write_dataset('voc-fcn8s', root / 'data')
    folder = slim.write_network('voc-fcn8s', root)
    model = str(folder / 'w.caffemodel')
    net = caffe.Net(str(folder / 'deploy.prototxt'), caffe.TEST, weights=model)
    net.blobs['data'].reshape(1, 3, 37, 44)
    rng = np.random.default_rng(6)
    net.blobs['data'].data[...] = rng.normal(0, 60, (1, 3, 37, 44))
    net.forward()
    usual = np.median(net.blobs['score'].data[0], axis=(1, 2))
    net.params['score_pool3'][1].data[...] -= usual  # else one class wins
    net.save(model)
    return SimpleNamespace(folder=folder, environ=environ)


@pytest.fixture
def network(place, monkeypatch):
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    return place.folder


def measured(network, tests=None, device='cpu', **more):
    tests = {'': {}} if tests is None else tests
    model = network / 'w.caffemodel'
    return measure.measure(network, model, tests, device, **more)


def moved(variant):
    """An edit that changes what a net predicts at every pixel: its scores are
    cut out elsewhere."""
    (layer,) = (x for x in variant.layers('Crop') if x.name == 'score')
    layer.crop_param.offset[0] = 3


@pytest.fixture
def crop(monkeypatch):
    edit = Edit('where scores are cut out', 'there', {'here': moved})
    monkeypatch.setitem(studies.EDITS, 'crop', edit)


def scored_by_hand(network, place, edit=None):
    """compute_hist on the same weights. Gives: hist; mean loss; {id: map}"""
    path = network / 'val.prototxt'
    if edit:
        before, after = path.read_text().split('offset: 31')
        path = place / 'edited.prototxt'
        path.write_text(f'{before}offset: 3{after}')
    net = caffe.Net(
        str(path), caffe.TEST, weights=str(network / 'w.caffemodel')
    )
    hist, loss = compute_hist(net, place / 'maps', IDS)
    maps = {name: read_label(place / 'maps' / f'{name}.png') for name in IDS}
    return hist, loss, maps


def label_of(place, name):
    root = place.environ['VOC_DIR']
    return read_label(f'{root}/SegmentationClass/{name}.png')


# counts -------------------------------------------------------------------


def test_the_counts_add_up_to_compute_hists(network, tmp_path, device):
    counts, _, _ = measured(network, device='cpu' if device == 'cpu' else '0')
    hist, loss, _ = scored_by_hand(network, tmp_path)
    assert counts[''].ids.tolist() == IDS
    assert_array_equal(counts[''].hists.sum(0), hist)
    assert counts[''].losses.mean() == pytest.approx(loss)


def test_every_image_is_counted_by_itself(network, place, tmp_path):
    counts, _, _ = measured(network)
    assert counts[''].hists.dtype == np.int32, 'small on disk'
    _, _, maps = scored_by_hand(network, tmp_path)
    assert all(len(np.unique(each)) > 1 for each in maps.values())
    for name, found in zip(IDS, counts[''].hists):
        expected = np.zeros((21, 21), int)
        for true, pred in zip(label_of(place, name).flat, maps[name].flat):
            if true != 255:
                expected[true, pred] += 1
        assert_array_equal(found, expected, name)


def test_bands_are_the_pixels_near_void(network, place, tmp_path):
    counts, _, _ = measured(network)
    _, _, maps = scored_by_hand(network, tmp_path)
    expected = sum(
        bands_by_loops(label_of(place, name), maps[name], 21) for name in IDS
    )
    assert_array_equal(counts[''].bands, expected)
    whole = counts[''].hists.sum(0)
    assert 0 < counts[''].bands[0].sum() < counts[''].bands[-1].sum()
    assert counts[''].bands[-1].sum() < whole.sum(), 'some pixels are far away'


def bands_by_loops(true, pred, classes):
    void = [at for at in np.ndindex(true.shape) if true[at] == 255]
    out = np.zeros((len(BANDS), classes, classes), int)
    for at in np.ndindex(true.shape):
        if true[at] == 255:
            continue
        for number, width in enumerate(BANDS):
            if any(
                (at[0] - r) ** 2 + (at[1] - c) ** 2 <= width**2 for r, c in void
            ):
                out[number, true[at], pred[at]] += 1
    return out


def scored(true, pred, classes):
    hist = torch.zeros(classes, classes, dtype=torch.int64)
    true, pred = torch.tensor(true).float(), torch.tensor(pred)
    return Scored('an image', pred, true, hist, None)


@pytest.mark.parametrize('share', [0.004, 0.1, 0.9])
def test_bands_by_distance_at_any_density_of_void(share):
    rng = np.random.default_rng(3)
    true = rng.integers(0, 5, (37, 29))
    pred = rng.integers(0, 5, (37, 29))
    true[rng.random(true.shape) < share] = 255
    found = measure.near_void(scored(true, pred, 5))
    assert_array_equal(found, bands_by_loops(true, pred, 5))


def test_an_image_without_void_is_in_no_band():
    found = measure.near_void(scored([[0, 1, 2]], [[0, 0, 2]], 3))
    assert_array_equal(found, np.zeros((len(BANDS), 3, 3)))


def test_a_pixel_as_far_as_a_band_is_wide_is_in_it():
    known = np.ones((1, 40), bool)
    known[0, 0] = False
    found = measure.rings(known)[0]
    wide = [(found <= number).sum() for number in range(len(BANDS))]
    assert wide == list(BANDS)
    assert found[0] == len(BANDS), 'void itself is in no band'


# tests and pictures ---------------------------------------------------------


def test_a_test_edits_the_net_and_no_file(network, tmp_path, crop):
    before = {path: path.read_bytes() for path in network.iterdir()}
    tests = {'as it is': {}, 'cut elsewhere': {'crop': 'here'}}
    counts, kernels, pictures = measured(network, tests)
    assert list(counts) == list(tests)
    plain, edited = (each.hists.sum(0) for each in counts.values())
    assert (plain != edited).any()
    assert_array_equal(edited, scored_by_hand(network, tmp_path, 'edit')[0])
    assert before == {path: path.read_bytes() for path in network.iterdir()}
    _, _, maps = scored_by_hand(network, tmp_path)
    assert_array_equal(pictures[0].prediction, maps[IDS[0]], 'the first test')
    assert len(pictures) == len(IDS)


def test_pictures_are_those_of_the_first_images(network, place, tmp_path):
    _, _, pictures = measured(network, pictures=2)
    _, _, maps = scored_by_hand(network, tmp_path)
    assert [each.name for each in pictures] == IDS[:2]
    for each in pictures:
        path = f'{place.environ["VOC_DIR"]}/JPEGImages/{each.name}.jpg'
        with Image.open(path) as image:
            assert_array_equal(each.image, np.asarray(image))
        assert_array_equal(each.label, label_of(place, each.name))
        assert (each.label == 255).any()
        assert_array_equal(each.prediction, maps[each.name])


def test_of_several_tasks_the_first_is_measured(tmp_path, monkeypatch):
    environ = slim.write_dataset('siftflow-fcn32s', tmp_path / 'data')
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    network = slim.write_network('siftflow-fcn32s', tmp_path)
    counts, _, pictures = measured(network)
    assert counts[''].hists.shape == (2, 33, 33), 'semantic classes'
    assert [each.name for each in pictures] == miniatures.SIFTFLOW['test']


def test_bilinear_kernels_have_no_energy_between_classes(network):
    _, kernels, _ = measured(network)
    assert list(kernels) == ['upscore2', 'upscore_pool4', 'upscore8']
    for name, size in zip(kernels, (4, 4, 16)):
        assert kernels[name].between == 0, name
        expected = np.tile(surgery.upsample_filt(size), (21, 1, 1))
        assert_allclose(kernels[name].own, expected, rtol=1e-6)


# refusals -----------------------------------------------------------------


def test_without_a_test_nothing_is_measured(network):
    with pytest.raises(ValueError, match='voc-fcn8s: no test to measure it by'):
        measured(network, {})


def test_a_model_of_another_net_is_refused(network, tmp_path):
    other = slim.write_network('voc-fcn-alexnet', tmp_path)
    with pytest.raises((ValueError, RuntimeError), match='w.caffemodel'):
        measure.measure(network, other / 'w.caffemodel', {'': {}}, 'cpu')


def test_an_unknown_edit_is_refused_before_anything_is_read(network):
    with pytest.raises(ValueError, match="no edit 'colour'; have .*upsampling"):
        measure.measure(network, 'no file', {'x': {'colour': '1'}}, 'cpu')


def test_an_image_that_is_all_void_is_named(
    network, place, tmp_path, monkeypatch
):
    voc = tmp_path / 'VOC2011'
    shutil.copytree(place.environ['VOC_DIR'], voc)
    path = voc / 'SegmentationClass' / f'{IDS[1]}.png'
    save_label(path, np.full_like(read_label(path), 255))
    monkeypatch.setenv('VOC_DIR', str(voc))
    with pytest.raises(ValueError, match=f'{IDS[1]}.png: every pixel is void'):
        measured(network)
