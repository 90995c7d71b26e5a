"""Pages of studies of other kinds than a grid of arms that is complete."""

import made_up_study as made
import numpy as np
from read_page import Page, minus, scores, text_of

from ablations import bound_page, page, tables
from ablations.studies import upper_bound
from ablations.study import Study
from data.classes import VOC

NET = 'voc-fcn32s'
ARMS = {'all': {}, 'some': {}, 'none': {}}
STUDY = Study('How much?', 'All.', 'Try.', (NET,), ARMS)


def networks_page(tmp_path, sizes, note=''):
    """Of one arm and seed. Takes: sizes: {network: (images, classes)}"""
    study = Study('Which?', 'None.', 'As is.', tuple(sizes), {'as is': {}})
    cells = {
        (net, 'as is', ''): [
            made.result(tmp_path, (net, 'as is', 1), 0.8, size, iterations=400)
        ]
        for net, size in sizes.items()
        if size
    }
    cells |= {(n, 'as is', ''): [] for n, size in sizes.items() if not size}
    return page.write('stride', study, cells, [], tmp_path, ['x'], note)


def test_a_study_of_one_arm_compares_the_networks(tmp_path):
    sizes = {
        'voc-fcn32s': (30, 21),
        'voc-fcn8s': (30, 21),
        'voc-fcn16s': (20, 21),
        'pascalcontext-fcn8s': (30, 60),
        'voc-fcn-alexnet': None,
    }
    found = Page(networks_page(tmp_path, sizes, 'Made up'))
    rows = found.blocks('difference of mean IU')['']
    assert rows['voc-fcn8s'][4] != '–'
    assert rows['voc-fcn16s'][4] == '–', 'other images'
    assert rows['pascalcontext-fcn8s'][4] == '–', 'other classes'
    assert rows['voc-fcn-alexnet'] == ['no finished run']
    assert '20 or 30 images' in found.said
    assert 'Made up' in found.said


def test_one_seed_has_no_spread_and_the_page_says_so(tmp_path):
    found = Page(networks_page(tmp_path, {'voc-fcn32s': (20, 21)}))
    rows = next(t for t in found.tables if 'mean IU, %' in (t or [[]])[0])
    assert rows[1][3].endswith(' ± –')
    assert 'One seed: there is no spread' in found.said
    assert 'Nothing to compare yet.' in found.said
    assert 'sample standard deviation' not in found.said


def test_arms_and_tests_make_a_matrix(tmp_path):
    tests = {'whole': {}, 'objects': {}}
    study = Study('Context?', 'Yes.', 'Mask.', (NET,), tests, tests)
    runs = {
        arm: [
            made.result(tmp_path, (NET, arm, seed), 0.8, (20, 21), tuple(tests))
            for seed in (1, 2)
        ]
        for arm in study.arms
    }
    cells = {(NET, a, t): runs[a] for a in runs for t in study.tests}
    found = Page(page.write('masking', study, cells, [], tmp_path, ['x']))
    matrix = found.blocks('whole')[NET]
    for arm, results in runs.items():
        assert matrix[arm] == [
            text_of([scores(r.counts[test].hists)[2] for r in results])
            for test in tests
        ]
    blocks = found.blocks('difference of mean IU')
    assert list(blocks) == ['voc-fcn32s, whole', 'voc-fcn32s, objects']
    curves = found.said.split('Training')[1].split('Near boundaries')[0]
    assert curves.count('mean IU, %') == 1, 'each run has one curve'


def test_a_difference_is_of_the_seeds_that_both_arms_have(tmp_path):
    cells = {
        (NET, arm, ''): [
            made.result(tmp_path, (NET, arm, s), skill, (20, 21)) for s in seeds
        ]
        for arm, skill, seeds in (('all', 0.8, (1, 2)), ('some', 0.7, (2, 3)))
    }
    found = Page(page.write('frozen', STUDY, cells, [], tmp_path, []))
    pair = [cells[NET, 'all', ''][1], cells[NET, 'some', ''][0]]
    first, second = (scores(r.counts[''].hists)[2] for r in pair)
    rows = found.blocks('difference of mean IU')[NET]
    assert rows['some'][4].split()[0] == minus(f'{second - first:+.2f}')
    assert rows['none'] == ['no finished run'], 'its cell is missing'


def test_a_page_is_written_before_any_run_has_finished(tmp_path):
    cells = {(NET, arm, ''): [] for arm in ARMS}
    found = Page(page.write('frozen', STUDY, cells, [], tmp_path, []))
    assert found.said.count('no finished run') == len(ARMS)
    assert 'Training' not in found.said


def test_a_page_does_without_logs_that_have_gone(tmp_path):
    path = networks_page(tmp_path, {'voc-fcn32s': (20, 21)})
    assert 'Running mean' in Page(path).said
    runs = made.result(tmp_path / 'b', ('a', 'as is', 1), 0.8, (20, 21))
    (tmp_path / 'b/runs/full/as is/seed-1/a/train-1.log').unlink()
    study = Study('Which?', 'None.', 'As is.', ('a',), {'as is': {}})
    cells = {('a', 'as is', ''): [runs]}
    path = page.write('stride', study, cells, [], tmp_path, ['x'])
    found = Page(path)
    assert 'Running mean' not in found.said
    assert 'Near boundaries' in found.said


def test_the_upper_bound_has_a_page(tmp_path):
    rows = [
        upper_bound.Row(factor, value - 1.25, value + 0.5, value)
        for factor, value in upper_bound.PAPER.items()
    ]
    label = np.full((64, 96), 15, np.uint8)
    label[:, 50:] = 0
    maps = upper_bound.resampled(label)
    shown = [upper_bound.example('2007_000033', label, maps)]
    bound = upper_bound.Bound('voc-fcn32s', 'seg11valid', 9, VOC, rows, shown)
    path = bound_page.write(
        *('upper-bound', upper_bound.STUDY, bound, tmp_path),
        *(['python ablate.py upper-bound'], 'Of made-up labels.'),
    )
    found = Page(path)
    assert 'Of made-up labels.' in found.said
    assert 'python ablate.py upper-bound' in found.said
    assert 'Upper bound' in found.said
    table = next(t for t in found.tables if 'nearest' in (t or [[]])[0])
    assert table[1] == ['128', '49.65', '51.40', '50.9']
    assert len(table) == 7
    assert len(found.sources) >= 1 + 2 * len(upper_bound.SHOWN)
    assert all(s.startswith(('data:image/', '#')) for s in found.sources)
    assert 'person' in found.said and 'nearest, 128' in found.said
    first = (tmp_path / 'table.csv').read_text().splitlines()[1]
    assert first == '128,49.65,51.4,50.9'
    assert (
        r'128 & 49.65 & 51.40 & 50.9 \\' in (tmp_path / 'table.tex').read_text()
    )


def test_kernels_too_faint_for_the_common_scale_say_their_own(tmp_path):
    study = STUDY._replace(kernels=True, arms={'all': {}})
    run = made.result(tmp_path, (NET, 'all', 1), 0.8, (20, 21), change=0.1)
    small = {
        layer: each._replace(own=each.own / 50)
        for layer, each in run.kernels.items()
    }
    for kernels, captions in ((run.kernels, 1), (small, 5)):
        cells = {(NET, 'all', ''): [run._replace(kernels=kernels)]}
        path = page.write('upsampling', study, cells, [], tmp_path, [])
        found = Page(path).said.count('full colour ±')
        assert found == captions * len(made.LAYERS)


def test_a_number_that_is_zero_when_rounded_has_no_minus():
    assert tables.number(-0.001) == '0.00'
    assert tables.number(-0.006, sign='+') == '−0.01'
    assert tables.number(float('nan')) == '–'
