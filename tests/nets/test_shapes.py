"""The shapes that comments give are those of the deployed net."""

import re
from functools import cache
from pathlib import Path

import pytest
from published_settings import SCORES, of

import caffe
from caffe.proto.text import read_net
from nets import edits

ROOT = Path(__file__).parents[2]
NETS = sorted(path.parent.name for path in ROOT.glob('*-*/net.py'))
# n.score = crop(...)  # 21 x 500 x 500
# stack(n, n.data, TRUNK)  # fc7: 4096 x 16 x 16
BLOB = re.compile(
    r'^ +(?:(?:n|t|half)\.(\w+) =|stack).*# (?:(\w+): )?'
    r'(\w+) x (\d+) x (\d+)$',
    re.M,
)
SUFFIX = re.compile(r'_(sem|geo)(?=c?$)|(color|hha)$')  # of t and half
ROW = re.compile(
    r"^ *\*?(conv|pool|fc)\('?(\w+)'?.*# .*?(\d+) x (\d+) x (\d+)$", re.M
)
NARROW = 16  # divides the features, and the halves of CaffeNet


@cache
def shapes(name):
    """Blob shapes of the deployed net, built with narrow features."""
    param = read_net(str(ROOT / name / 'deploy.prototxt'))
    net = caffe.Net(edits.slim(param, NARROW), caffe.TEST)
    return {blob: tuple(net.blobs[blob].shape) for blob in net.blobs}


def commented(pattern, path):
    for *name, channels, height, width in pattern.findall(path.read_text()):
        yield ''.join(name), (channels, int(height), int(width))


@pytest.mark.parametrize('name', NETS)
def test_net_py_gives_its_shapes(name):
    comments = dict(commented(BLOB, ROOT / name / 'net.py'))
    assert len(comments) >= 3
    seen = set()
    for blob, (_, channels, *size) in shapes(name).items():
        plain = blob if blob in comments else SUFFIX.sub('', blob)
        if plain not in comments:
            continue
        seen.add(plain)
        classes, *said = comments[plain]
        assert size == said, blob
        if classes == 'C':  # of the task
            classes = of(SCORES, name)[f'score_{SUFFIX.search(blob)[1]}']
        wide = NARROW if blob.startswith('fc') else 1
        assert channels * wide == int(classes), blob
    assert seen == set(comments)


@pytest.mark.parametrize(
    ('trunk', 'name', 'least'),
    [('vgg16', 'voc-fcn32s', 8), ('caffenet', 'voc-fcn-alexnet', 9)],
)
def test_a_trunk_gives_its_shapes(trunk, name, least):
    comments = dict(commented(ROW, ROOT / 'nets' / f'{trunk}.py'))
    assert len(comments) >= least
    for blob, (channels, *size) in comments.items():
        narrow = (1, int(channels) // NARROW, *size)
        assert shapes(name)[blob] == narrow, blob


# H -> blob: H', for the shortest image, the tallest of VOC, and between;
# by the end of a network's name
HEIGHTS = {
    'fcn32s': {
        500: dict(conv1_1=698, pool1=349, pool5=22, fc6=16, upscore=544),
        375: dict(conv1_1=573, pool3=72, pool5=18, fc6=12, upscore=416),
        1: dict(conv1_1=199, pool2=50, pool5=7, fc6=1, upscore=64),
    },
    'fcn16s': {
        333: dict(pool4=34, upscore2=24, upscore16=400),
        256: dict(pool4=29, upscore2=20, upscore16=336),
    },
    'fcn8s': {
        375: dict(pool3=72, upscore_pool4=54, upscore8=440),
        1: dict(pool3=25, upscore_pool4=10, upscore8=88),
    },
    'atonce': {333: dict(upscore_pool4=50, upscore8=408)},
    'alexnet': {
        500: dict(conv1=173, pool1=86, pool2=43, pool5=21, upscore=543),
        333: dict(conv1=131, pool1=65, pool2=32, pool5=16, upscore=383),
        1: dict(conv1=48, pool1=24, pool2=12, pool5=6, upscore=63),
    },
}
HEIGHTS.update(color=HEIGHTS['fcn32s'], hha=HEIGHTS['fcn32s'])
HEIGHTS['color-d'] = {
    333: dict(conv1_1_bgrd=531, pool4=34, fc6=11, upscore=384)
}
TWICE = ('', '_sem', '_geo', 'color', 'hha')


@pytest.mark.parametrize('name', NETS)
def test_images_of_any_size_keep_it(name):
    """Heights and widths are independent: spec G.2, last table."""
    param = read_net(str(ROOT / name / 'deploy.prototxt'))
    net = caffe.Net(edits.slim(param, NARROW), caffe.TEST)
    heights = HEIGHTS[max((e for e in HEIGHTS if name.endswith(e)), key=len)]
    for height, expected in heights.items():
        for blob in net.inputs:
            net.blobs[blob].reshape(1, net.blobs[blob].shape[1], height, 67)
        net.reshape()
        for blob, size in expected.items():
            found = {blob + end for end in TWICE} & set(net.blobs)
            assert found, blob
            assert {net.blobs[each].shape[2] for each in found} == {size}
        for blob, classes in of(SCORES, name).items():
            assert tuple(net.blobs[blob].shape) == (1, classes, height, 67)
