"""`python -m score report`: one page about a scoring run."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image
from slim import write_dataset, write_network

from data.palette import COLOURS
from score import fast_hist, gallery, page
from score.__main__ import main
from score.hist import metrics
from score.seg import Scored

VOID_TAGS = {'meta', 'img', 'br'}
NOW = '2016-05-20 12:00:00'
LOG = 'I0520 12:00:00.1 9 solver.cpp:2] Iteration 0, loss = 3.5\n' + (
    f'>>> {NOW} Iteration 4 mean IU 0.25\n'
)


class Tags(HTMLParser):
    """What a page consists of; fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources, self.text = [], [], ''
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.sources += [v for k, v in attrs if k in ('src', 'href')]
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.sources += [v for k, v in attrs if k in ('src', 'href')]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def report(root, monkeypatch, name, *words):
    for variable, place in write_dataset(name, root / 'd').items():
        monkeypatch.setenv(variable, place)
    folder = write_network(name, root)
    monkeypatch.chdir(root)
    (folder / 'train-20160520-120000.log').write_text(LOG)
    weights = f'{name}/w.caffemodel'
    args = [name, '--weights', weights, '--gpu', 'cpu', '-o', 'out/r.html']
    assert main(['report', *args, *words]) == 0
    return (root / 'out' / 'r.html').read_text(encoding='utf-8')


@pytest.fixture(scope='module')
def siftflow(tmp_path_factory):
    """The page of a network with two tasks, and its folder."""
    root = tmp_path_factory.mktemp('report')
    with pytest.MonkeyPatch.context() as patch:
        return report(root, patch, 'siftflow-fcn16s', '--images', '1'), root


def test_the_page_is_whole_in_itself(siftflow):
    text, _ = siftflow
    assert '<script' not in text
    assert not re.search(r'url\((?!#)|@import|<link', text)
    sources = Tags(text).sources
    assert all(s.startswith(('data:image/', '#')) for s in sources), sources
    for uri in (s for s in sources if s.startswith('data:')):
        data = base64.b64decode(uri.partition(',')[2])
        Image.open(io.BytesIO(data)).verify()
    pictures = [s for s in sources if s.startswith('data:')]
    assert len(pictures) == 2 * 2 * 4, 'tasks x (best, worst) x pictures'


def test_the_page_has_every_section(siftflow):
    text = Tags(siftflow[0]).text
    for task in ('sem', 'geo'):
        for section in ('Scores', 'Training', 'Classes', 'Confusions'):
            assert f'{section}: {task}' in text, (section, task)
        assert f'Worst images: {task}' in text
    for word in (
        '85.20',
        '94.30',
        'only classes that the truth has',
        'vertical',
    ):
        assert word in text, word
    assert re.search(r'per image, median\s*[\d.]+ ms', text)
    assert re.search(r'peak memory\s*[\d.]+ GB of the process', text)


def test_the_numbers_are_those_of_the_tables(siftflow, capsys, monkeypatch):
    text, root = siftflow
    monkeypatch.chdir(root)
    for variable, place in write_dataset('siftflow', root / 'd').items():
        monkeypatch.setenv(variable, place)
    name = 'siftflow-fcn16s'
    args = [name, '--weights', f'{name}/w.caffemodel', '--gpu', 'cpu']
    assert main(args) == 0
    out = capsys.readouterr().out
    found = re.findall(
        r'^(?:mean IU|fwavacc|overall accuracy) +(\S+)', out, re.M
    )
    assert len(found) == 12
    for value in found:
        assert f'<td>{value}</td>' in text, value


def test_a_page_is_written_without_logs(tmp_path, monkeypatch):
    monkeypatch.setattr('score.reporting.curves_of', lambda *_: None)
    text = report(tmp_path, monkeypatch, 'pascalcontext-fcn8s')
    assert 'Training' not in Tags(text).text
    assert 'without class 0' in text


@pytest.mark.parametrize('name', ['nyud-fcn32s-hha', 'nyud-fcn32s-color-d'])
def test_nets_that_see_depth_have_pages(tmp_path, monkeypatch, name):
    text = report(tmp_path, monkeypatch, name, '--images', '2')
    assert text.count('alt="image of') == 2, 'two images in all'


def scored(name, true, pred, classes=3):
    true, pred = torch.tensor(true), torch.tensor(pred)
    return Scored(name, pred, true, fast_hist(true, pred, classes), None)


def test_the_worst_and_the_best_are_kept():
    rng, ranked = np.random.default_rng(0), {}
    shown = gallery.Gallery(2)
    for number in rng.permutation(9):
        pred = [[0] * number + [1] * (9 - number)]
        image = scored(f'i{number}', [[0] * 9], pred)
        ranked[f'i{number}'] = number
        shown.add(image, lambda: np.zeros((1, 9, 3), np.uint8))
    assert [item.name for item in shown.worst] == ['i0', 'i1']
    assert [item.name for item in shown.best] == ['i8', 'i7']


def test_an_image_is_among_the_best_or_the_worst_not_both():
    shown = gallery.Gallery(5)
    for number in range(3):
        pred = [[0] * number + [1] * (3 - number)]
        shown.add(
            scored(f'i{number}', [[0] * 3], pred),
            lambda: np.zeros((1, 3, 3), np.uint8),
        )
    assert [item.name for item in shown.worst] == ['i0']
    assert [item.name for item in shown.best] == ['i2', 'i1']


def test_the_error_is_red_where_it_is_one():
    picture = np.full((1, 3, 3), 100, np.uint8)
    true, pred = np.array([[0, 1, 255]]), np.array([[0, 0, 0]])
    found = gallery.error_map(picture, true, pred, true < 2)
    right, wrong, void = found[0].astype(int)
    assert np.ptp(right) == 0, 'grey'
    assert wrong[0] > wrong[1] + 80
    assert void.tolist() == gallery.UNJUDGED.tolist()


def test_mistakes_come_largest_first():
    hist = np.array([[5, 3, 0], [1, 9, 0], [0, 6, 1]])
    assert gallery.mistakes(hist) == [
        (2, 1, 6 / 25),
        (0, 1, 3 / 25),
        (1, 0, 1 / 25),
    ]
    assert gallery.mistakes(np.eye(3)) == []


def test_a_matrix_says_what_was_taken_for_what():
    hist = np.zeros((4, 4), int)
    hist[0, 0], hist[0, 3], hist[3, 3] = 3, 1, 7
    text = page.matrix(hist, ['a', 'b', 'c', '<d>'])
    assert '<title>a taken for &lt;d&gt;: 25.00 %</title>' in text
    assert '>75</text>' in text
    assert '>b<' not in text, 'occurs nowhere'


@pytest.mark.parametrize('classes', [21, 60])
def test_a_matrix_of_many_classes_has_no_numbers(classes):
    text = page.matrix(np.eye(classes, dtype=int), [str(i) for i in range(60)])
    assert ('>100</text>' in text) == (classes == 21)
    Tags(text)


def test_classes_go_from_the_best_to_those_without_a_score():
    hist = np.array([[1, 1, 0], [0, 8, 0], [0, 0, 0]])
    text = page.bars(metrics(hist), hist, ['one', 'two', 'none'], COLOURS)
    assert text.index('two') < text.index('one') < text.index('none')
    assert 'width:50.00%' in text


def test_a_directory_alone_has_the_page_of_its_newest_snapshot(
    tmp_path, monkeypatch, capsys
):
    for variable, place in write_dataset('voc-fcn8s', tmp_path / 'd').items():
        monkeypatch.setenv(variable, place)
    folder = write_network('voc-fcn8s', tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ['report', 'voc-fcn8s', '--gpu', 'cpu', '--images', '1']
    words += ['--allow-train']
    assert main(words) == 1
    error = f'{folder}/snapshot has no snapshot to score: give --weights,'
    assert error in capsys.readouterr().err
    (folder / 'snapshot').mkdir()
    for iteration in (4, 12):
        path = folder / f'snapshot/train_iter_{iteration}.caffemodel'
        path.write_bytes((folder / 'w.caffemodel').read_bytes())
    assert main(words) == 0
    text = (tmp_path / 'report.html').read_text(encoding='utf-8')
    assert 'voc-fcn8s/snapshot/train_iter_12.caffemodel (' in text
