"""The generated dataset: the same everywhere, and what it claims to be."""

import hashlib

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from data import classes, places, shapes
from data.command import main
from data.figures.objects import OBJECTS
from data.figures.paint import Dice, Figure
from data.figures.picture import KINDS, crop, picture, voc_label
from data.shapes_layers import ShapesClassifyLayer
from data.voc_layers import SBDDSegDataLayer, VOCSegDataLayer

MEAN = (104.00699, 116.66877, 122.67892)


def digest(*arrays):
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:16]


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """A small one: 24 pictures to train on, 8 held out."""
    root = tmp_path_factory.mktemp('shapes')
    shapes.write(root, train=24, val=8, crops=30, held_out=10)
    return root


# of labels, pictures and crops. Other ones: raise VERSION in shapes.py, so
# that nobody keeps the old pictures, and pin the new digests here
DIGESTS = ['997e5a8f8e26870b', '08b7d41edd7a4884', '4c4753c3050c901e']


def test_pictures_are_the_same_on_every_machine():
    pictures = [picture(shapes.SEED, number) for number in range(12)]
    found = [
        digest(*[voc_label(kinds, border) for _, kinds, border in pictures]),
        digest(*[image for image, _, _ in pictures]),
        digest(*[crop(shapes.CROP_SEED, number)[0] for number in range(12)]),
    ]
    assert found == DIGESTS


def test_a_picture_does_not_depend_on_those_before_it():
    first = picture(3, 5)
    picture(3, 6)
    for one, other in zip(first, picture(3, 5)):
        assert (one == other).all()


def test_the_dice_are_fair_and_frozen():
    dice = Dice(1, 2)
    drawn = [dice.below(5) for _ in range(500)]
    assert sorted(set(drawn)) == [0, 1, 2, 3, 4]
    assert min(map(drawn.count, set(drawn))) > 60
    assert [round(Dice(7).between(0, 1000))] == [324], (
        'MT19937, seeded by array'
    )


def test_distances_of_shapes_are_in_units_of_the_figure():
    figure = Figure(Dice(0), 50, 40, 20, area=(80, 100))
    inside = {
        'box': (figure.box(-0.5, -0.25, 0.5, 0.25), 20 * 10),
        'circle': (figure.circle(0, 0, 0.5), np.pi * 10**2),
        'ellipse': (figure.ellipse(0, 0, 0.8, 0.4), np.pi * 16 * 8),
        'bar': (figure.bar(-0.5, 0, 0.5, 0, 0.2), 20 * 8 + np.pi * 16),
        'polygon': (figure.polygon((-0.5, -0.5), (0.5, -0.5), (0, 0.5)), 200),
    }
    for name, ((_, distance), area) in inside.items():
        assert abs((distance < 0).sum() - area) < 0.06 * area, name
        edge = distance.copy()
        edge[1:-1, 1:-1] = 1
        assert edge.min() > 0, f'{name} is cut off'


def test_every_class_is_painted_and_stays_in_its_frame():
    for kind, (paint, _) in OBJECTS.items():
        figure = Figure(Dice(4, kind), 80, 80, 40)
        paint(figure)
        assert 0.08 < figure.solid.sum() / 80**2 < 0.8, classes.VOC[kind]
        edge = figure.cover.copy()
        edge[1:-1, 1:-1] = 0
        assert edge.max() == 0, f'{classes.VOC[kind]} is cut off'


def test_labels_have_void_along_every_outline_and_nowhere_else():
    for number in range(6):
        _, classes, border = picture(9, number)
        label = voc_label(classes, border)
        assert set(np.unique(label)) <= {0, 255, *KINDS}
        plain = np.where(border, 0, label)
        assert (plain == np.where(border, 0, classes)).all()
        sides = classes[:, 1:] != classes[:, :-1]
        assert border[:, 1:][sides].all() and border[:, :-1][sides].all()


def test_the_dataset_has_at_least_eight_classes_in_every_split(made):
    for split in ('train', 'val'):
        ids = places.read_ids(made / 'sbdd' / 'dataset' / f'{split}.txt')
        found = set()
        for name in ids:
            path = made / 'sbdd' / 'dataset' / 'cls' / f'{name}.mat'
            label = loadmat(path)['GTcls'][0]['Segmentation'][0]
            assert label.dtype == np.uint8
            found |= set(np.unique(label))
        assert len(found) >= 9, (split, sorted(found))


def test_splits_are_related_as_vocs_and_sbds():
    lists = shapes.splits(240, 60)
    voc = 'pascal/VOC2011/ImageSets/Segmentation'
    train = set(lists['sbdd/dataset/train.txt'])
    val = lists[f'{voc}/val.txt']
    assert set(val) & train, 'VOC val and SBD train share ids'
    held_out = [name for name in val if name not in train]
    assert lists[f'{voc}/seg11valid.txt'] == held_out
    assert not set(lists[f'{voc}/train.txt']) & set(val)
    assert not train & set(lists['sbdd/dataset/val.txt'])
    assert len(train) == 240 and len(held_out) == 60


def test_the_data_check_finds_nothing_wrong(made, monkeypatch, capsys):
    for name in ('VOC_DIR', 'SBD_DIR'):
        monkeypatch.setenv(name, '')
    status = main(['check', '--voc', str(made), '--sbd', str(made)])
    text = capsys.readouterr().out
    assert status == 0, text
    assert 'SBD train: 24 ids, 24 sound' in text


def test_the_real_layers_read_it(layer, made, monkeypatch):
    monkeypatch.setenv('VOC_DIR', str(made))
    monkeypatch.setenv('SBD_DIR', str(made))
    train = layer(
        SBDDSegDataLayer,
        sbdd_dir='../data/sbdd/dataset',
        split='train',
        mean=MEAN,
        seed=1337,
    )
    test = layer(
        VOCSegDataLayer,
        voc_dir='../data/pascal/VOC2011',
        split='seg11valid',
        mean=MEAN,
    )
    _, label = layer.step(train)
    _, want, _ = picture(shapes.SEED, int(0.6177528569514706 * 24))
    assert (label[0, 0] == want).all()
    data, label = layer.step(test)
    image, classes, border = picture(shapes.SEED, 24)
    assert (label[0, 0] == voc_label(classes, border)).all()
    off = data[0].transpose(1, 2, 0)[:, :, ::-1] + MEAN[::-1] - image
    assert np.abs(off).mean() < 12, 'JPEG changes pixels a little'


def test_sizes_vary_within_bounds(made):
    sizes = set()
    for path in sorted((made / 'pascal/VOC2011/JPEGImages').iterdir()):
        with Image.open(path) as image:
            sizes.add(image.size)
    assert len(sizes) > 20
    assert min(map(min, sizes)) >= 96 and max(map(max, sizes)) <= 240


def test_written_twice_it_is_left_alone(made, capsys):
    path = made / 'sbdd' / 'dataset' / 'cls' / 'shapes_0001.mat'
    before = path.read_bytes(), path.stat().st_mtime_ns
    shapes.write(made, train=24, val=8, crops=30, held_out=10)
    assert 'already there' in capsys.readouterr().out
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_an_interrupted_or_other_one_is_written_anew(tmp_path):
    small = dict(train=3, val=2, crops=2, held_out=1)
    shapes.write(tmp_path, **small)
    path = tmp_path / 'sbdd' / 'dataset' / 'cls' / 'shapes_0001.mat'
    before = path.read_bytes()
    path.unlink()
    stamp = tmp_path / shapes.STAMP
    stamp.write_text(stamp.read_text().replace('true', 'false'))
    shapes.write(tmp_path, **small)
    assert path.read_bytes() == before, 'not the same bytes on another day'
    shapes.write(tmp_path, **dict(small, train=4))
    ids = places.read_ids(tmp_path / 'sbdd' / 'dataset' / 'train.txt')
    assert len(ids) == 4


def test_one_whose_stamp_was_cut_off_is_written_anew(tmp_path):
    sizes = dict(train=2, val=1, crops=1, held_out=1)
    shapes.write(tmp_path / 'shapes', **sizes)
    stamp = tmp_path / 'shapes' / shapes.STAMP
    whole = stamp.read_text()
    stamp.write_text(whole[:20])
    shapes.write(tmp_path / 'shapes', **sizes)
    assert stamp.read_text() == whole


def test_it_never_mixes_with_other_files(tmp_path):
    (tmp_path / 'precious.txt').write_text('mine')
    with pytest.raises(ValueError, match='has other things in it'):
        shapes.write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ['precious.txt']


def test_crops_are_single_objects_with_their_class(layer, made):
    """In the middle of zeros, which a net sees as its own padding."""
    image, _ = crop(shapes.CROP_SEED, 32)
    crop_layer = layer(
        ShapesClassifyLayer,
        classify_dir=str(made / 'classify'),
        split='val',
        mean=MEAN,
        batch=4,
        size=len(image) + 16,
    )
    data, label = layer.step(crop_layer)
    assert data.shape == (4, 3, len(image) + 16, len(image) + 16)
    kinds = [crop(shapes.CROP_SEED, number)[1] for number in range(30, 34)]
    assert [KINDS[int(k)] for k in label] == kinds
    assert shapes.CLASSES[int(label[0])] == classes.VOC[kinds[0]]
    assert not data[:, :, :8].any() and not data[:, :, :, -8:].any()
    middle = data[2, :, 8:-8, 8:-8].transpose(1, 2, 0)[:, :, ::-1]
    assert np.abs(middle + MEAN[::-1] - image).mean() < 12


def test_a_crop_too_large_for_the_net_is_named(layer, made):
    side = len(crop(shapes.CROP_SEED, 0)[0])
    text = f"{side} x {side} pixels do not fit into 'size': 64"
    with pytest.raises(ValueError, match=text):
        layer(
            ShapesClassifyLayer,
            classify_dir=str(made / 'classify'),
            split='val',
            mean=MEAN,
            batch=2,
            size=64,
        )


def test_a_missing_crop_set_says_how_to_write_it(layer):
    with pytest.raises(FileNotFoundError, match='`python -m data shapes`'):
        layer(
            ShapesClassifyLayer,
            classify_dir='../data/shapes/classify',
            split='train',
            mean=MEAN,
            batch=2,
            size=224,
        )
