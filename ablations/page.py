"""A study's page, report.html, whole in itself: question, answers, table,
curves, boundaries, kernels, pictures, and how to have the same again.

Not here: its numbers (summary.py), how its parts look (tables.py, figures.py,
pictures.py, page.css and score/report.css), its tables as files (sheets.py).
"""

import re
from html import escape
from pathlib import Path

from ablations import figures, pictures, sheets, tables
from ablations.statistics import COVERS, significance
from ablations.summary import DRAWS, groups, rows, runs, trained
from caffe.proto.files import replacing
from score.page import document, table
from score.report import STYLE as SHARED

NAME = 'report.html'
STYLES = SHARED, Path(__file__).with_name('page.css')


def write(name, study, cells, failed, out, commands, note=''):
    """Writes report.html, table.csv and table.tex.

    Takes:
        name: of the study
        study: Study
        cells: {(net, arm, test): [Result of each seed]}, of finished runs;
            a cell may be empty, or missing if another of its net is there
        failed: [(name of a run, its message)]
        out: folder, which must be there
        commands: exact command lines, the study's first
        note: text that a reader must see before the numbers
    Gives: path of the page
    """
    blocks = [(g, rows(g, study.published)) for g in groups(study, cells)]
    found = runs(cells)
    parts = [
        *opening(name, study, note),
        *conclusion(blocks),
        *failures(failed),
        *results(study, blocks, found),
    ]
    if found:
        parts += curves(study, trained(study, cells))
        parts += boundaries([group for group, _ in blocks])
        if study.kernels:
            parts += kernels(trained(study, cells))
        parts += predictions(trained(study, cells))
    parts += again(found, out, commands)
    csv = sheets.csv_text(cells)
    tex = sheets.tex_text(name, study, blocks)
    return save(name, study, parts, csv, tex, out)


def save(name, study, parts, csv, tex, out):
    """Writes the page and its tables. Gives: path of the page"""
    title = f'{heading(name)}: {study.question}'
    style = ''.join(path.read_text() for path in STYLES)
    for file, text in (
        (NAME, document(title, style, parts)),
        (sheets.CSV, csv),
        (sheets.TEX, tex),
    ):
        with replacing(Path(out, file)) as temporary:
            Path(temporary).write_text(text, encoding='utf-8')
    return Path(out, NAME)


# sections, as lists of HTML -----------------------------------------------


def heading(name):
    """Of a study's name."""
    return name.replace('_', ' ').replace('-', ' ').capitalize()


def opening(name, study, note):
    parts = [
        f'<h1>{escape(heading(name))}</h1>',
        f'<p class="question">{escape(study.question)}</p>',
    ]
    if note:
        parts.append(f'<div class="failed"><p>{escape(note)}</p></div>')
    facts = [
        ["the papers' answer", escape(study.answer)],
        ['method', escape(study.method)],
    ]
    return [*parts, table([], facts, 'facts')]


def conclusion(blocks):
    """What this study says, a sentence for each comparison."""
    sentences = [
        f'<p>{escape(sentence(group, row))}</p>'
        for group, found in blocks
        for row in found
        if row.difference
    ]
    if not sentences:
        sentences = ['<p>Nothing to compare yet.</p>']
    return [f'<div class="answer">{"".join(sentences)}</div>']


def sentence(group, row):
    pair = f'{row.line.label} against {group.lines[0].label}'
    said = re.sub(r'-(?=\d)', '−', significance(row.difference))
    said = f'{", ".join(filter(None, (group.title, pair)))}: {said}'
    if len(row.by_seed) < 2:
        return f'{said} over images, of one seed.'
    each = (tables.number(100 * value, 2, '+') for value in row.by_seed)
    return f'{said} over images; seed by seed {", ".join(each)}.'


def failures(failed):
    if not failed:
        return []
    messages = ''.join(
        f'<b>{escape(run)}</b><pre>{escape(message)}</pre>'
        for run, message in failed
    )
    count = f'{len(failed)} run' + 's' * (len(failed) > 1)
    return [f'<div class="failed"><h2>{count} failed</h2>{messages}</div>']


def results(study, blocks, found):
    parts = ['<h2>Results</h2>']
    if len(study.arms) > 1 and len(study.tests) > 1:
        parts += [
            '<p>Mean IU in percent; trained as the row, tested as the column '
            'says.</p>',
            wide(tables.tests_by_arm(study, blocks)),
            '<h3>All of it</h3>',
        ]
    parts.append(wide(tables.summary(blocks)))
    parts.append(f'<p>{about(blocks, found)}</p>')
    drawing = figures.differences(blocks)
    return parts + ([curve(drawing)] if drawing else [])


def about(blocks, found):
    """What the numbers of the table are."""
    seeds = {result.facts['seed'] for _, _, result in found}
    text = f'{tables.of_images(found)} images. ' if found else ''
    text += 'Means over classes are of all that occur. '
    if len(seeds) > 1:
        text += (
            f'Mean ± sample standard deviation over up to {len(seeds)} seeds. '
        )
    elif seeds:
        text += 'One seed: there is no spread over seeds to speak of. '
    if any(row.difference for _, each in blocks for row in each):
        text += (
            'Differences are to the first row of a block, of the seeds that '
            'both have, with the 95 % percentile interval of a paired '
            f'bootstrap over images ({DRAWS} draws); bold where it excludes '
            f'0. p is not corrected for the number of comparisons. {COVERS} '
        )
    text += (
        'Iterations per second: mean over seeds, of runs that may have shared '
        'the machine; memory: the largest peak.'
    )
    return escape(text)


def curves(study, group_list):
    parts = []
    for group in group_list:
        parts += titled(group, figures.curves(group, study.published))
    if not parts:
        return []
    text = (
        '<p>Running mean of the loss, and the scores of the tests during '
        'training: mean over seeds, shaded: their standard deviation; dashed: '
        'the published mean IU, where there is one.</p>'
    )
    return ['<h2>Training</h2>', text, *parts]


def boundaries(group_list):
    parts = ['<h2>Near boundaries</h2>']
    parts.append(
        '<p>Only pixels that are no further from a void one than so many '
        'pixels count. Mean over seeds, shaded: their standard deviation.</p>'
    )
    for group in group_list:
        parts += titled(group, figures.boundary(group))
    for number, name in enumerate(('Accuracy', 'Mean IU')):
        parts.append(f'<h3>{name} within a band, %</h3>')
        parts.append(wide(tables.boundary(group_list, number)))
    return parts


def kernels(group_list):
    group_list = [g for g in group_list if pictures.layers(g)]
    parts = ['<h2>What the kernels became</h2>']
    parts.append(
        "<p>From bilinear: the norm of a class's kernel less the bilinear one, "
        "over the norm of that; mean over classes. Energy: the layer's sum of "
        'squared weights; between classes, the share off the diagonal.</p>'
    )
    parts.append(wide(pictures.kernel_table(group_list)))
    parts.append(
        '<p>Below, kernels of the first seed: of the classes, the one farthest '
        'from bilinear, the middle one and the nearest. One scale for a '
        'network, unless a picture gives its own full colour.</p>'
    )
    for group in group_list:
        parts += titled(group, pictures.kernel_pictures(group), '{}')
    return parts


def predictions(group_list):
    parts = []
    for group in group_list:
        parts += titled(group, pictures.predictions(group), '{}')
    text = '<p>Of the first seed.</p>'
    return ['<h2>Predictions</h2>', text, *parts] if parts else []


def again(found, out, commands):
    """The runs, and what someone needs to repeat them."""
    parts = ['<h2>Runs</h2>']
    if found:
        parts.append(wide(tables.runs(found, out)))
        parts.append('<h3>Versions</h3>')
        parts.append(table([], tables.versions(found), 'facts'))
    text = escape('\n'.join(commands))
    return [*parts, '<h3>Commands</h3>', f'<pre>{text}</pre>']


def titled(group, content, around='<div class="curves">{}</div>'):
    if not content:
        return []
    title = [f'<h3>{escape(group.title)}</h3>'] if group.title else []
    return [*title, around.format(content)]


def curve(drawing):
    return f'<div class="curves">{drawing}</div>'


def wide(content):
    return f'<div class="wide">{content}</div>'
