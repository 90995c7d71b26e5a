"""Pieces of an HTML page: tables, bars, a confusion matrix, pictures.

Everything is in the text itself: pictures as data URIs, colours as variables
of report.css, which knows a light and a dark screen and paper.
"""

import base64
import io
import math
from html import escape

import numpy as np
from PIL import Image

SIDE = 320  # pixels of a picture's longer side on the page
NUMBERED = 25  # classes, up to which a matrix has room for numbers


def percent(value, sign=''):
    """Text of a percentage; a dash where there is none."""
    if value is None or math.isnan(value):
        return '–'
    return f'{value:{sign}.2f}'


def table(head, rows, kind=''):
    """Takes: rows: lists of cells as HTML; the first of each names the row"""
    top = ''.join(f'<th scope="col">{cell}</th>' for cell in head)
    body = ''.join(
        f'<tr><th scope="row">{first}</th>'
        + ''.join(f'<td>{cell}</td>' for cell in cells)
        + '</tr>\n'
        for first, *cells in rows
    )
    top = f'<thead><tr>{top}</tr></thead>' if head else ''
    return f'<table class="{kind}">{top}<tbody>\n{body}</tbody></table>'


def document(title, style, parts):
    """A whole page. Takes: title: text; style: CSS; parts: of HTML"""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<title>{escape(title)}</title>\n<style>\n{style}</style></head>\n'
        '<body>\n' + '\n'.join(parts) + '\n</body></html>\n'
    )


def small(image):
    """No larger than a page needs; labels stay labels."""
    scale = min(1, SIDE / max(image.size))
    size = [max(1, round(length * scale)) for length in image.size]
    labels = image.mode == 'P'
    how = Image.Resampling.NEAREST if labels else Image.Resampling.LANCZOS
    return image.resize(size, how)


def data_uri(image, kind='PNG', **options):
    """Takes: image: of PIL; kind: PNG or JPEG"""
    file = io.BytesIO()
    image.save(file, kind, **options)
    text = base64.b64encode(file.getvalue()).decode()
    return f'data:image/{kind.lower()};base64,{text}'


def swatch(colour):
    red, green, blue = (int(part) for part in colour)
    return f'<i style="background:rgb({red},{green},{blue})"></i>'


def bars(result, hist, names, colours):
    """IU of every class as a bar, the best first; classes without one last."""
    share = 100 * hist.sum(1) / max(1, hist.sum())
    missing = np.isnan(result.class_iu)
    order = np.lexsort((-np.nan_to_num(result.class_iu), missing))
    rows = []
    for i in order:
        iu = 100 * result.class_iu[i]
        wide = 0 if math.isnan(iu) else iu
        rows.append(
            [
                f'{swatch(colours[i])}{escape(names[i])}',
                f'<div class="bar"><b style="width:{wide:.2f}%"></b></div>',
                percent(iu),
                percent(100 * result.class_acc[i]),
                f'{share[i]:.2f}',
            ]
        )
    head = ['class', '', 'IU, %', 'accuracy, %', 'of the pixels, %']
    return table(head, rows, 'bars')


def matrix(hist, names):
    """Of each true class, a row, the share that was taken for each class.

    Takes: hist: C x C, rows = true; classes in neither truth nor prediction
           are left out
    """
    used = np.flatnonzero(hist.sum(0) + hist.sum(1))
    hist = np.asarray(hist, np.float64)[np.ix_(used, used)]
    share = (hist / np.maximum(hist.sum(1, keepdims=True), 1)).tolist()
    names = [escape(names[i]) for i in used]
    cell = 34 if len(used) <= NUMBERED else 15
    left = 12 + 6.6 * max(map(len, names), default=0)
    parts = []
    for k, name in enumerate(names):
        middle = left + (k + 0.5) * cell
        parts.append(
            f'<text x="{left - 6:.0f}" y="{middle:.1f}" class="row">{name}'
            f'</text><text transform="translate({middle:.1f} {left - 6:.0f}) '
            f'rotate(-60)">{name}</text>'
        )
    for i, j in np.ndindex(*hist.shape):
        if share[i][j] >= 0.0005 or i == j:
            where = left + j * cell, left + i * cell
            text = f'{names[i]} taken for {names[j]}'
            parts.append(_cell(where, cell, share[i][j], text))
    side = left + len(used) * cell + 40  # the last column's name leans over
    return (
        f'<svg class="matrix" viewBox="0 0 {side:.0f} {side - 36:.0f}" '
        f'style="max-width:{side:.0f}px" role="img" '
        f'aria-label="confusion matrix">\n' + '\n'.join(parts) + '</svg>'
    )


def _cell(where, side, share, title):
    """Takes: where: x, y of the corner"""
    x, y = where
    text = ''
    if side > 20 and share >= 0.005:
        dark = ' class="on"' * (share > 0.3)
        middle = f'x="{x + side / 2 - 0.5:.1f}" y="{y + side / 2 + 0.5:.1f}"'
        text = f'<text {middle}{dark}>{100 * share:.0f}</text>'
    return (
        f'<g><title>{title}: {100 * share:.2f} %</title>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{side - 1}" height="{side - 1}" '
        f'fill-opacity="{math.sqrt(share):.3f}"/>{text}</g>'
    )


def example(item, names, colours):
    """One image as a row of four pictures. Takes: item: gallery.Example"""
    found = ', '.join(
        f'{escape(names[i])} as {escape(names[j])} {100 * share:.1f} %'
        for i, j, share in item.mistakes
    )
    pictures = [
        ('image', data_uri(item.image, 'JPEG', quality=85)),
        ('label', data_uri(item.label, optimize=True)),
        ('prediction', data_uri(item.prediction, optimize=True)),
        ('error', data_uri(item.error, 'JPEG', quality=85)),
    ]
    cells = ''.join(
        f'<figure><img src="{uri}" alt="{what} of {escape(item.name)}">'
        f'<figcaption>{what}</figcaption></figure>'
        for what, uri in pictures
    )
    legend = ' '.join(
        f'<span>{swatch(colours[i])}{escape(names[i])}</span>'
        for i in item.labels
    )
    return (
        f'<article><h4>{escape(item.name)} <small>mean IU '
        f'{100 * item.iu:.1f} %, {100 * item.accuracy:.1f} % of the pixels'
        + f'; {found}'
        * bool(found)
        + f'</small></h4>\n<div class="four">{cells}</div>\n'
        f'<p class="legend">{legend}</p></article>\n'
    )
