"""The page of the study that trains nothing, the upper bound on the mean IU of
predictions coarser than the image. Its parts are those of page.py."""

import csv
import io
from html import escape

import numpy as np

from ablations import drawing, page, pictures, sheets, tables
from ablations.studies.upper_bound import WAYS
from score.page import table
from score.plot import GREY


def write(name, study, bound, out, commands, note=''):
    """Writes report.html, table.csv and table.tex.

    Takes: bound: upper_bound.Bound; the others: see page.write
    Gives: path of the page
    """
    known = any(row.paper is not None for row in bound.rows)
    head = ['factor', *WAYS, *['paper'] * known]
    rows = [
        [f'{row.factor}', *(tables.number(value) for value in row[1:3])]
        + [tables.number(row.paper, 1)] * known
        for row in bound.rows
    ]
    about = (
        f'Mean IU in percent on {bound.images} images of {bound.split}, the '
        f'test split of {bound.network}; no spread: nothing is drawn by lot.'
    )
    parts = [
        *page.opening(name, study, note),
        '<h2>Results</h2>',
        table(head, rows),
        f'<p>{escape(about)}</p>',
        page.curve(figure(bound)),
        '<h2>Examples</h2>',
        *(example(each, bound.names) for each in bound.examples),
        *page.again([], out, commands),
    ]
    tex = sheets.tabular(
        f'{sheets.escaped(study.question)} {sheets.escaped(about)}',
        name,
        head,
        [[cell.replace('–', '--') for cell in row] for row in rows],
    )
    return page.save(name, study, parts, csv_text(bound), tex, out)


def csv_text(bound):
    """As percentages in full, as the rows have them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(bound.rows[0]._fields)
    writer.writerows(bound.rows)
    return text.getvalue()


def figure(bound):
    """Mean IU against the factor, with the paper's beside it."""
    factors, *ways, paper = (np.array(each) for each in zip(*bound.rows))

    def draw(canvas):
        axes = canvas.subplots()
        for number, (way, values) in enumerate(zip(WAYS, ways)):
            look = drawing.style(number)
            axes.plot(factors, values, label=way, **look, **drawing.MARKS)
        if bound.rows[0].paper is not None:
            look = {'color': GREY, 'linestyle': '--', **drawing.MARKS}
            axes.plot(factors, paper, label='paper', **look)
        axes.set_xscale('log', base=2)
        axes.set_xticks(factors, map(str, factors))
        axes.set_xlabel('factor of downsampling')
        axes.set_title('mean IU, %')
        axes.legend(loc='lower left', frameon=False)

    return drawing.drawn((12, 4), draw)


def example(each, names):
    """One label, and what becomes of it. Takes: each: upper_bound.Example"""
    maps = [('label', each.label)]
    for way in WAYS:
        for factor, found in getattr(each, way).items():
            maps.append((f'{way}, {factor}', found))
    return pictures.labels(each.name, maps, names)
