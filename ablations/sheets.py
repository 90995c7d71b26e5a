"""A study's tables as files: table.csv of every run, table.tex of the summary.

The first is for further computing, with fractions in full; the second for a
paper, with percentages; it needs the package booktabs.
"""

import csv
import io
import math

from ablations.result import BANDS
from ablations.statistics import band_scores
from ablations.summary import DRAWS
from score.hist import metrics
from score.table import METRICS

CSV, TEX = 'table.csv', 'table.tex'
HEAD = [
    *('net', 'arm', 'test', 'seed', 'iterations', *METRICS.values()),
    *(f'accuracy within {width} px' for width in BANDS),
    *(f'mean IU within {width} px' for width in BANDS),
    *('iterations per second', 'memory, GB', 'folder'),
]
SPECIAL = {
    **{letter: f'\\{letter}' for letter in '&%$#_{}'},
    '\\': r'\textbackslash{}',
    '~': r'\textasciitilde{}',
    '^': r'\textasciicircum{}',
    '±': r'$\pm$',
    '−': '$-$',
    '–': '--',
}


def csv_text(cells):
    """A row for each run and test. Takes: cells: see page.write"""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(HEAD)
    for key, results in cells.items():
        for result in results:
            writer.writerow([*key, *run_cells(result, key[-1])])
    return text.getvalue()


def run_cells(result, test):
    facts, counts = result.facts, result.counts[test]
    total = metrics(counts.hists.sum(0))
    accuracy, mean_iu = band_scores(counts.bands)
    values = [getattr(total, field) for field in METRICS]
    values += [*accuracy, *mean_iu]
    values += [facts.get('iterations_per_second'), facts.get('memory')]
    texts = ['' if unknown(value) else repr(float(value)) for value in values]
    return [facts['seed'], facts['iterations'], *texts, facts['folder']]


def unknown(value):
    return value is None or math.isnan(value)


# LaTeX --------------------------------------------------------------------


def tex_text(name, study, blocks):
    """Takes: blocks: [(Group, [Row])]"""
    found = [row for _, rows in blocks for row in rows]
    compared = any(row.difference for row in found)
    printed = any(row.published is not None for row in found)
    head = ['', 'pixel acc.', 'mean acc.', 'mean IU', 'f.w. IU']
    head += ['difference', '$p$'] * compared + ['publ.'] * printed
    body = []
    for group, rows in blocks:
        if group.title:
            title = rf'\emph{{{escaped(group.title)}}}'
            body.append([rf'\multicolumn{{{len(head)}}}{{l}}{{{title}}}'])
        body += [tex_row(row, compared, printed, len(head)) for row in rows]
        body.append([])
    text = caption(study, found, compared)
    return tabular(text, name, head, body[:-1])


def tabular(caption, name, head, rows):
    """A table of cells in LaTeX; an empty row is a line across. Takes: name:
    of the study"""
    body = [' & '.join(row) + r' \\' if row else r'\midrule' for row in rows]
    lines = [
        r'% needs \usepackage{booktabs}',
        r'\begin{table}',
        r'\centering\footnotesize\setlength{\tabcolsep}{2.5pt}',
        rf'\caption{{{caption}}}',
        rf'\label{{tab:{name.replace("_", "-")}}}',
        rf'\begin{{tabular}}{{@{{}}l{"r" * (len(head) - 1)}@{{}}}}',
        r'\toprule',
        ' & '.join(head) + r' \\',
        r'\midrule',
        *body,
        r'\bottomrule',
        r'\end{tabular}',
        r'\end{table}',
    ]
    return '\n'.join(lines) + '\n'


def tex_row(row, compared, printed, width):
    label = escaped(row.line.label)
    if not row.line.results:
        rest = rf'\multicolumn{{{width - 1}}}{{l}}{{no finished run}}'
        return [label, rest]
    cells = [label, *(with_spread(row.scores[field]) for field in METRICS)]
    if compared:
        cells += differing(row.difference)
    if printed:
        cells.append('--' if unknown(row.published) else f'{row.published:.1f}')
    return cells


def with_spread(pair):
    middle, deviation = (100 * value for value in pair)
    if math.isnan(deviation):
        return f'{middle:.2f}'
    return rf'${middle:.2f} {{\scriptstyle\pm {deviation:.2f}}}$'


def differing(difference):
    if difference is None:
        return ['--', '--']
    middle, low, high = (f'{100 * value:+.2f}' for value in difference[:3])
    p = '$< 0.001$' if difference.p < 0.001 else f'{difference.p:.3f}'
    return [rf'${middle}\;{{\scriptstyle[{low},\,{high}]}}$', p]


def caption(study, rows, compared):
    seeds = max((len(row.line.results) for row in rows), default=0)
    text = escaped(study.question)
    text += r' Scores in \%'
    if seeds > 1:
        text += rf', mean $\pm$ standard deviation over {seeds} seeds'
    text += '.'
    if compared:
        text += (
            ' Differences are of mean IU, to the first row of a block, with '
            r'the 95\,\% interval of a paired bootstrap over images '
            f'({DRAWS} draws).'
        )
    return text


def escaped(text):
    return ''.join(SPECIAL.get(letter, letter) for letter in text)
