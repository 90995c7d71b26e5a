"""Scoring of a data set, with nets that are no more than blobs and forward."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

from score import compute_hist, do_seg_tests, fast_hist, metrics, seg, seg_tests

NUMBER = r'(\d+\.\d+(?:e-\d+)?|nan)'
NOW = r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{6})?'


class ArrayBlob:
    """What pycaffe gives: only .data."""

    def __init__(self, data):
        self.data = np.asarray(data, np.float32)


class TensorBlob(ArrayBlob):
    """What this project's engine gives, with gradients in flight."""

    @property
    def tensor(self):
        return torch.from_numpy(self.data).requires_grad_()


class FakeNet:
    """Goes through given scores, labels and losses, one per forward."""

    def __init__(self, items, blob=TensorBlob, names=('score', 'label')):
        self.items, self.at, self.blob, self.names = items, 0, blob, names
        self.shared = None
        self.blobs = {}
        self.show()

    def show(self):
        scores, label, loss = self.items[self.at % len(self.items)]
        self.blobs[self.names[0]] = self.blob(scores)
        self.blobs[self.names[1]] = self.blob(label)
        if loss is not None:
            self.blobs['loss'] = self.blob(loss)

    def forward(self):
        self.show()
        self.at += 1

    def share_with(self, other):
        self.shared = other


def items(sizes=((5, 7), (3, 4), (9, 2)), n=6, loss=True):
    rng = np.random.default_rng(0)
    made = []
    for i, (h, w) in enumerate(sizes):
        label = rng.integers(0, n, (1, 1, h, w))
        label[rng.random(label.shape) < 0.3] = 255
        scores = rng.integers(0, 4, (1, n, h, w))  # few values: many ties
        made.append((scores, label, 10.5 + i if loss else None))
    return made


def expected(made, n=6):
    return sum(
        fast_hist(label, scores[0].argmax(0), n) for scores, label, _ in made
    )


@pytest.mark.parametrize('blob', [ArrayBlob, TensorBlob])
def test_compute_hist_sums_over_one_forward_per_id(blob):
    made = items()
    net = FakeNet(made, blob)
    hist, loss = compute_hist(net, None, ['a', 'b', 'c'])
    assert net.at == 3
    assert (hist == expected(made)).all()
    assert loss == pytest.approx(11.5)


def test_the_order_goes_on_in_the_next_call():
    made = items()
    net = FakeNet(made)
    first, _ = compute_hist(net, None, ['a'])
    rest, _ = compute_hist(net, None, ['b', 'c'])
    assert (first == expected(made[:1])).all()
    assert (rest == expected(made[1:])).all()


def test_ids_may_be_what_loadtxt_gives(tmp_path):
    (tmp_path / 'ids.txt').write_text('2007_000033\n')
    ids = np.loadtxt(tmp_path / 'ids.txt', dtype=str)  # one id: no axis
    hist, _ = compute_hist(FakeNet(items()), str(tmp_path), ids)
    assert (hist == expected(items()[:1])).all()
    assert (tmp_path / '2007_000033.png').is_file()


def test_label_maps_are_palette_pictures(tmp_path):
    made = items()
    folder = tmp_path / 'not' / 'there' / 'yet'
    compute_hist(FakeNet(made), folder, ['a', 'b', 'c'])
    for name, (scores, _, _) in zip('abc', made):
        with Image.open(folder / f'{name}.png') as image:
            assert image.mode == 'P'
            assert image.getpalette()[3:6] == [128, 0, 0]
            assert (np.array(image) == scores[0].argmax(0)).all()


def test_a_net_without_loss_can_be_scored(capsys):
    net = FakeNet(items(loss=False))
    hist, loss = compute_hist(net, None, ['a', 'b', 'c'])
    assert np.isnan(loss)
    assert (hist == expected(items())).all()
    do_seg_tests(net, 3, False, ['a'])
    assert 'loss' not in capsys.readouterr().out


def test_other_blobs_can_be_scored():
    net = FakeNet(items(), names=('score_geo', 'geo'))
    hist, _ = compute_hist(net, None, 'abc'[:1], 'score_geo', 'geo')
    assert hist.sum()


def test_an_unknown_blob_is_refused():
    with pytest.raises(ValueError, match="no blob 'sem' .* score, label, loss"):
        compute_hist(FakeNet(items()), None, ['a'], gt='sem')


def test_an_empty_list_of_ids_is_refused():
    with pytest.raises(ValueError, match='list of ids is empty'):
        compute_hist(FakeNet(items()), None, [])


def test_a_label_of_another_size_is_refused():
    scores, label, loss = items()[0]
    net = FakeNet([(scores, label.transpose(0, 1, 3, 2), loss)])
    with pytest.raises(ValueError, match=r'x1: .*\(1, 1, 7, 5\).*sizes differ'):
        compute_hist(net, None, ['x1'])


def test_a_batch_is_refused():
    scores, label, loss = items()[0]
    net = FakeNet([(np.concatenate([scores] * 2), label, loss)])
    with pytest.raises(ValueError, match=r"1 x C x H x W.*'score' has \(2, 6"):
        compute_hist(net, None, ['x1'])


def test_the_lines_are_berkeleys(capsys):
    made = items()
    result = do_seg_tests(FakeNet(made), 4000, False, ['a', 'b', 'c'])
    lines = capsys.readouterr().out.splitlines()
    names = ['loss', 'overall accuracy', 'mean accuracy', 'mean IU', 'fwavacc']
    assert len(lines) == 5
    values = []
    for line, name in zip(lines, names):
        found = re.fullmatch(rf'>>> {NOW} Iteration 4000 {name} {NUMBER}', line)
        assert found, line
        values.append(float(found[1]))
    want = metrics(expected(made))
    assert values == [pytest.approx(11.5), *want[:4]]
    assert result[:4] == want[:4]
    assert result.loss == pytest.approx(11.5)


def test_seg_tests_shares_weights_first_and_says_so(capsys, tmp_path):
    class Solver:
        net, test_nets, iter = object(), [FakeNet(items())], 8000

    where = str(tmp_path / 'maps' / 'iter{}')
    result = seg_tests(Solver(), where, ['a', 'b', 'c'])
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf'>>> {NOW} Begin seg tests', lines[0])
    assert re.fullmatch(rf'>>> {NOW} Iteration 8000 loss 11\.5', lines[1])
    assert len(lines) == 6
    assert Solver.test_nets[0].shared is Solver.net
    assert result.mean_iu == metrics(expected(items())).mean_iu
    assert len(list((tmp_path / 'maps' / 'iter8000').iterdir())) == 3


class Shared:
    """Of several that share images out, the one that has every second."""

    def part(self, ids):
        return ids[::2]

    def summed(self, hist, loss, seen):
        self.given = hist, loss, seen
        return hist + np.ones_like(hist), loss + 7, seen + 2


def test_images_that_are_shared_out_are_summed_up_again(capsys):
    ours = items()[::2]
    known, loss = compute_hist(FakeNet(ours), None, [*range(len(ours))])
    ids, ranks = [str(i) for i in range(len(items()))], Shared()
    result = do_seg_tests(FakeNet(ours), 4, False, ids, ranks=ranks)
    assert (ranks.given[0] == known).all()
    assert ranks.given[1:] == (pytest.approx(loss * len(ours)), len(ours))
    assert result[:4] == metrics(known + 1)[:4]
    want = (loss * len(ours) + 7) / (len(ours) + 2)
    assert result.loss == pytest.approx(want)
    assert f'Iteration 4 loss {result.loss}' in capsys.readouterr().out


def test_who_gets_no_image_has_nothing_to_add():
    class Idle(Shared):
        def part(self, ids):
            return ids[:0]

        def summed(self, hist, loss, seen):
            assert (hist, loss, seen) == (0, 0, 0)
            return np.eye(3), 8.0, 4

    hist, loss = compute_hist(FakeNet(items()), None, ['a'], ranks=Idle())
    assert (hist == np.eye(3)).all() and loss == 2


def test_a_log_gets_a_plain_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(seg, 'LOG_EVERY', 2)
    compute_hist(FakeNet(items()), None, list('abcde'))
    text = capsys.readouterr()
    assert text.err == 'scored 2 of 5 images\nscored 4 of 5 images\n'
    assert text.out == ''


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(seg.sys.stderr, 'isatty', lambda: True, raising=False)
    compute_hist(FakeNet(items()), None, list('abcde'))
    text = capsys.readouterr().err
    assert '\rscored: ' in text
    assert '/5 ' in text


def test_nothing_remains_to_be_differentiated():
    task = 'score', 'label', 'loss'
    (image,) = next(seg.each_scored(FakeNet(items()), ['a'], task))
    assert not image.loss.requires_grad
    assert not image.true.requires_grad
