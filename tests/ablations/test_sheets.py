"""table.csv and table.tex of a study."""

import csv
import re

import made_up_study as made
import numpy as np
import pytest

from ablations import sheets
from ablations.study import Study
from ablations.summary import groups, rows
from score.hist import metrics

STUDY = Study(
    question=r'Is 50 % of A&B enough_for ~{C}^2 #1\?',
    answer='Yes.',
    method='Try.',
    nets=('voc-fcn32s', 'voc-fcn8s'),
    arms={'all': {}, 'some_of': {}},
    published={('voc-fcn32s', 'all'): 63.6},
)


@pytest.fixture(scope='module')
def cells(tmp_path_factory):
    root = tmp_path_factory.mktemp('sheets')
    return {
        (net, arm, ''): [
            made.result(root, (net, arm, seed), 0.8, (20, 21), iterations=400)
            for seed in (1, 2)
            if (net, arm) != ('voc-fcn8s', 'some_of')
        ]
        for net in STUDY.nets
        for arm in STUDY.arms
    }


@pytest.fixture(scope='module')
def tex(cells):
    blocks = [(g, rows(g, STUDY.published)) for g in groups(STUDY, cells)]
    return sheets.tex_text('some_study', STUDY, blocks)


def test_the_csv_has_every_run_in_full(cells):
    lines = list(csv.DictReader(sheets.csv_text(cells).splitlines()))
    runs = [(key, r) for key, results in cells.items() for r in results]
    assert len(lines) == len(runs) == 6
    for line, ((net, arm, test), result) in zip(lines, runs):
        assert (line['net'], line['arm'], line['test']) == (net, arm, test)
        assert line['seed'] == str(result.facts['seed'])
        assert line['folder'] == result.facts['folder']
        counts = result.counts['']
        hist = counts.hists.sum(0)
        assert float(line['overall accuracy']) == np.trace(hist) / hist.sum()
        assert float(line['mean IU']) == metrics(hist).mean_iu
        band = counts.bands[3]
        accuracy = np.trace(band) / band.sum()
        assert float(line['accuracy within 8 px']) == accuracy
        assert float(line['memory, GB']) == 3.21


def test_the_csv_leaves_empty_what_is_not_known(cells):
    first = next(iter(cells.values()))[0]
    facts = {**first.facts, 'memory': None, 'iterations_per_second': None}
    some = {('a', 'b', ''): [first._replace(facts=facts)]}
    line = next(csv.DictReader(sheets.csv_text(some).splitlines()))
    assert line['memory, GB'] == line['iterations per second'] == ''


def test_the_latex_is_balanced(tex):
    depth = 0
    for brace in re.findall(r'(?<!\\)[{}]', tex):
        depth += 1 if brace == '{' else -1
        assert depth >= 0
    assert depth == 0
    begun = re.findall(r'\\begin\{(\w+)\}', tex)
    assert begun == re.findall(r'\\end\{(\w+)\}', tex)[::-1]
    assert len(re.findall(r'(?<!\\)\$', tex)) % 2 == 0
    for rule in (r'\toprule', r'\midrule', r'\bottomrule'):
        assert rule in tex


def test_every_row_of_the_latex_has_all_columns(tex):
    columns = re.search(r'\\begin\{tabular\}\{@\{\}(\w+)@', tex).group(1)
    lines = [line for line in tex.splitlines() if line.endswith(r'\\')]
    assert len(lines) == 1 + 2 + 4, 'head, networks, arms'
    for line in lines:
        wide = re.findall(r'\\multicolumn\{(\d+)\}', line)
        cells = len(re.findall(r'(?<!\\)&', line)) + 1
        assert cells + sum(int(n) - 1 for n in wide) == len(columns), line


def test_the_latex_escapes_what_is_special_there(tex):
    caption = re.search(r'\\caption\{(.*)\}', tex).group(1)
    assert caption.startswith(
        r'Is 50 \% of A\&B enough\_for \textasciitilde{}\{C\}'
        r'\textasciicircum{}2 \#1\textbackslash{}? Scores in \%, mean $\pm$ '
        'standard deviation over 2 seeds.'
    )
    assert r'some\_of &' in tex
    assert r'\label{tab:some-study}' in tex


def test_the_latex_has_the_numbers_of_the_page(tex, cells):
    results = cells['voc-fcn32s', 'all', '']
    values = [100 * metrics(r.counts[''].hists.sum(0)).mean_iu for r in results]
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    line = next(x for x in tex.splitlines() if x.startswith('all &'))
    assert rf'${mean:.2f} {{\scriptstyle\pm {deviation:.2f}}}$' in line
    assert line.endswith(r'& -- & -- & 63.6 \\')
