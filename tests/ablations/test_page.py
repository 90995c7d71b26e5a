"""A study's page: everything is there, from there, and the numbers are those
of the counts."""

import base64
import io
import re
import statistics

import made_up_study as made
import numpy as np
import pytest
from PIL import Image
from read_page import Page, minus, scores, text_of

from ablations import page
from ablations.statistics import paired, significance
from ablations.studies import upsampling

ARMS = {'fixed': 0.0, 'learned': 0.02, 'random': 0.3}  # and how they change
SKILL = {'fixed': 0.8, 'learned': 0.803, 'random': 0.7}
NETS = 'voc-fcn32s', 'voc-fcn8s'
STUDY = upsampling.STUDY._replace(
    nets=NETS,
    arms={arm: {'upsampling': arm} for arm in ARMS},
    published={('voc-fcn32s', 'fixed'): 63.6},
)
FAILED = [('voc-fcn8s random seed 1', 'loss <nan> at 120\nlower base_lr')]
COMMANDS = ['python ablate.py upsampling --seeds 2 0', 'again & again']


def upsampling_cells(root):
    """Two networks, three arms, two seeds, one arm of a network missing."""
    return {
        (net, arm, ''): [
            made.result(root, (net, arm, s), SKILL[arm], (40, 21), change=far)
            for s in (1, 2)
            if (net, arm) != ('voc-fcn8s', 'random')
        ]
        for net in NETS
        for arm, far in ARMS.items()
    }


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """A page, and the cells it is of."""
    root = tmp_path_factory.mktemp('study')
    cells = upsampling_cells(root)
    path = page.write('upsampling', STUDY, cells, FAILED, root, COMMANDS)
    return Page(path), cells, path


def test_the_page_is_whole_in_itself(written):
    found, _, path = written
    text = path.read_text(encoding='utf-8')
    assert '<script' not in text
    assert not re.search(r'url\((?!#)|@import|<link', text)
    assert all(s.startswith(('data:image/', '#')) for s in found.sources)
    assert len(found.ids) == len(set(found.ids)) > 20
    named = {f'#{each}' for each in found.ids}
    asked = [s for s in found.sources if s.startswith('#')]
    asked += re.findall(r'url\((#[^)]*)\)', text)
    assert set(asked) == named
    pictures = [s for s in found.sources if s.startswith('data:')]
    for uri in pictures:
        data = base64.b64decode(uri.partition(',')[2])
        Image.open(io.BytesIO(data)).verify()
    kernels = 6 * 2 * (2 + 1)  # pictures x layers x arms that learned, 32s + 8s
    assert len(pictures) == kernels + 2 * (2 + 3) + 2 * (2 + 2)


def test_the_page_says_what_was_asked_and_answered(written):
    found, _, _ = written
    for text in (STUDY.question, STUDY.answer, STUDY.method):
        assert text in found.said
    for section in (
        'Results',
        'Training',
        'Near boundaries',
        'What the kernels became',
        'Predictions',
        'Runs',
    ):
        assert section in found.said, section


def test_the_summary_has_the_means_and_spreads_of_the_counts(written):
    found, cells, _ = written
    table = found.blocks('difference of mean IU')
    assert list(table) == list(NETS)
    for (net, arm, _), results in cells.items():
        if results:
            each = [scores(r.counts[''].hists) for r in results]
            wanted = [text_of(values) for values in zip(*each)]
            assert table[net][arm][:4] == wanted, (net, arm)
    assert table['voc-fcn8s']['random'] == ['no finished run']
    assert table['voc-fcn32s']['fixed'][-3:] == ['63.6', '31.65', '3.21']
    assert table['voc-fcn32s']['random'][-3:] == ['–', '30.45', '3.51']


def test_the_summary_has_the_paired_difference_to_the_first_arm(written):
    found, cells, _ = written
    table = found.blocks('difference of mean IU')
    for (net, arm, _), results in cells.items():
        if not results:
            continue
        cell, p = table[net][arm][4:6]
        if arm == 'fixed':
            assert (cell, p) == ('–', '–')
            continue
        first = cells[net, 'fixed', '']
        sides = [[r.counts[''] for r in each] for each in (first, results)]
        means = [
            statistics.mean(scores(c.hists)[2] for c in side) for side in sides
        ]
        difference = paired(*sides)
        low, high = 100 * difference.low, 100 * difference.high
        wanted = f'{means[1] - means[0]:+.2f} {low:+.2f} to {high:+.2f}'
        assert cell == minus(wanted)
        assert p == (
            '< 0.001' if difference.p < 1e-3 else f'{difference.p:.3f}'
        )
        said = minus(significance(difference))
        own, other = ([scores(c.hists)[2] for c in side] for side in sides)
        each = ', '.join(f'{b - a:+.2f}' for a, b in zip(own, other))
        said = f'{said} over images; seed by seed {minus(each)}.'
        assert f'{net}, {arm} against fixed: {said}' in found.said


def test_boundaries_have_a_column_for_every_width(written):
    found, cells, _ = written
    first, second = (t for t in found.tables if '32 px' in (t or [[]])[0])
    bands = [r.counts[''].bands for r in cells['voc-fcn8s', 'learned', '']]
    for table, number in ((first, 0), (second, 2)):
        rows = table[[row[0] for row in table].index('voc-fcn8s') :]
        row = next(row for row in rows if row[0] == 'learned')
        for width in range(6):
            values = [scores(b[width : width + 1])[number] for b in bands]
            assert row[1 + width] == text_of(values), width


def test_kernels_are_measured_against_bilinear(written):
    found, cells, _ = written
    table = found.blocks('energy between classes, %')
    for layer, side in made.LAYERS.items():
        ramp = 1 - abs(np.arange(side) - (side - 1) / 2) / (side / 2)
        bilinear = np.outer(ramp, ramp)
        kernels = [r.kernels[layer] for r in cells['voc-fcn32s', 'random', '']]
        off = [
            statistics.mean(
                float(((k - bilinear) ** 2).sum() / (bilinear**2).sum()) ** 0.5
                for k in each.own.astype(float)
            )
            for each in kernels
        ]
        rows = table[f'voc-fcn32s, {layer}']
        wanted = text_of([100 * v for v in off])
        assert rows['random'] == [wanted, '100.00 ± 0.00']
        assert rows['fixed'] == ['0.00 ± 0.00', '0.00 ± 0.00']


def test_kernels_that_stayed_bilinear_have_no_pictures(written):
    said = written[0].said
    assert 'upscore2 4 × 4, learned' in said
    assert 'upscore16 32 × 32, random' in said
    assert '4 × 4, fixed' not in said


def test_a_failed_run_is_shown_with_its_message(written):
    text = written[2].read_text(encoding='utf-8')
    box = re.search('<div class="failed">(.*?)</div>', text, re.S).group(1)
    assert '1 run failed' in box
    assert 'voc-fcn8s random seed 1' in box
    assert 'loss &lt;nan&gt; at 120\nlower base_lr' in box


def test_the_runs_can_be_repeated(written):
    found, cells, path = written
    assert '\n'.join(COMMANDS) in found.said
    rows = next(t for t in found.tables if (t or [[]])[0][:1] == ['run'])
    assert len(rows) - 1 == sum(map(len, cells.values()))
    assert rows[2] == [
        *('voc-fcn32s, fixed', '2', '4\u2009000', 'vgg16-fcn.caffemodel'),
        *('2026-11-20 10:11', '1:02:05'),
    ]
    for text in ('2.11.0', '3.12.3', 'NVIDIA H100', '3e88161'):
        assert text in found.said
    assert str(path.parent) not in found.said, 'paths are seen from the page'
