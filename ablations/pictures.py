"""The pictures of a study's page: what upsampling kernels became, and images
with the predictions of every arm."""

from html import escape

import numpy as np
from PIL import Image

from ablations.statistics import spread
from ablations.summary import names_of
from ablations.tables import grouped, number, with_spread
from data.classes import VOID
from data.palette import colours_of, label_image
from score.page import data_uri, small, swatch
from surgery.bilinear import upsample_filt

POSITIVE, NEGATIVE = np.array((0, 114, 178)), np.array((213, 94, 0))
NUMBERED = 6  # pixels, up to which a kernel has room for its values
ACROSS = 7  # pictures beside each other, at most
FAINT = 4  # times smaller than the scale is too pale to be seen
ROUNDING = 1e-6  # how far a kernel that is bilinear may seem from it


def figure(picture, caption):
    """Takes: picture: HTML; caption: text"""
    caption = f'<figcaption>{caption}</figcaption>'
    return f'<figure>{picture}{caption}</figure>'


# kernels ------------------------------------------------------------------


def layers(group):
    """The upsampling layers of a group's runs, in order: names."""
    return dict.fromkeys(
        layer
        for line in group.lines
        for result in line.results
        for layer in result.kernels
    )


def distances(own):
    """How far each class's kernel is from bilinear: the norm of what differs
    over bilinear's own. Takes: own: C x k x k. Gives: C floats"""
    bilinear = upsample_filt(own.shape[-1])
    return np.linalg.norm(own - bilinear, axis=(1, 2)) / np.linalg.norm(
        bilinear
    )


def kernel_table(groups):
    """Of every layer and arm: the distance from bilinear, the share of the
    energy between classes."""
    head = ['', 'from bilinear, %', 'energy between classes, %']
    return grouped(
        head,
        [
            (
                ', '.join(filter(None, (group.title, layer))),
                [kernel_row(line, layer) for line in group.lines],
            )
            for group in groups
            for layer in layers(group)
        ],
    )


def kernel_row(line, layer):
    found = [r.kernels[layer] for r in line.results if layer in r.kernels]
    if not found:
        return [escape(line.label), 'no finished run']
    far = [distances(kernels.own).mean() for kernels in found]
    between = [kernels.between for kernels in found]
    pairs = spread(far), spread(between)
    return [escape(line.label), *(with_spread(pair) for pair in pairs)]


def kernel_pictures(group):
    """For every layer a row of heat pictures for each arm that left bilinear,
    of the first seed. All have one scale, but those that would not be seen on
    it have one of their own, which they tell. Gives: HTML"""
    shown = [
        (layer, line, line.results[0].kernels[layer].own)
        for layer in layers(group)
        for line in group.lines
        if line.results and layer in line.results[0].kernels
    ]
    shown = [each for each in shown if distances(each[2]).max() > ROUNDING]
    scale = max((abs(own).max() for *_, own in shown), default=1)
    scale = max(scale, 1)
    parts = [scale_bar(scale)] if shown else []
    for layer, line, own in shown:
        side = own.shape[-1]
        head = f'{layer} <small>{side} × {side}, {escape(line.label)}</small>'
        cells = ''.join(kernel_cells(own, scale, line.net))
        parts.append(
            f'<article><h4>{head}</h4><div class="kernels">{cells}</div>'
            '</article>\n'
        )
    return ''.join(parts)


def kernel_cells(own, scale, network):
    names, far = names_of(network, len(own)), distances(own)
    bilinear, mean = upsample_filt(own.shape[-1]), own.mean(0)
    yield kernel(bilinear, scale, 'bilinear')
    most = abs(own).max()
    note = ''
    if FAINT * most < scale:
        scale, note = most or 1, f'<br>full colour ±{most:.2g}'
    yield kernel(mean, scale, 'mean of classes', note)
    change = mean - bilinear
    most = abs(change).max() or 1
    text = f'mean − bilinear<br>full colour ±{most:.2g}'
    yield figure(heat(change, most), text)
    order = np.argsort(-far, kind='stable')
    for i in dict.fromkeys((order[0], order[len(order) // 2], order[-1])):
        text = f'{escape(names[i])}, {number(100 * far[i], 1)} % off'
        yield kernel(own[i], scale, text, note)


def kernel(values, scale, title, note=''):
    text = f'{title}<br>{limits(values)}{note}'
    return figure(with_values(values, scale), text)


def limits(kernel):
    low, high = (number(value, 3) for value in (kernel.min(), kernel.max()))
    return f'{low} to {high}'


def heat(kernel, scale):
    """White is 0, blue is positive, orange negative.

    Takes: kernel: k x k; scale: what has the full colour
    Gives: HTML of a picture
    """
    share = (kernel / scale).clip(-1, 1)[..., None]
    full = np.where(share > 0, POSITIVE, NEGATIVE)
    pixels = (255 + (full - 255) * abs(share)).round().astype(np.uint8)
    uri = data_uri(Image.fromarray(pixels), optimize=True)
    return f'<img src="{uri}" alt="kernel">'


def with_values(kernel, scale):
    """heat, and the values on it if there is room."""
    picture, side = heat(kernel, scale), len(kernel)
    if side > NUMBERED:
        return picture
    texts = ''.join(
        f'<text x="{24 * x + 12}" y="{24 * y + 12}"'
        + ' class="on"' * bool(abs(kernel[y, x]) > 0.7 * scale)
        + f'>{number(kernel[y, x])}</text>'
        for y, x in np.ndindex(side, side)
    )
    return (
        f'<div class="values">{picture}<svg viewBox="0 0 {24 * side} '
        f'{24 * side}" aria-hidden="true">{texts}</svg></div>'
    )


def scale_bar(scale):
    ends = (f'rgb({",".join(map(str, c))})' for c in (NEGATIVE, POSITIVE))
    low, high = ends
    return (
        f'<p class="scale">{number(-scale)} <span style="background:'
        f'linear-gradient(90deg,{low},#fff,{high})"></span> '
        f'{number(scale)}</p>'
    )


# predictions --------------------------------------------------------------


def predictions(group):
    """image | label | prediction of each line, of the first seed. Gives: HTML;
    lines with other images than the first one's have a part of their own"""
    parts = {}  # names of images, of classes: lines
    for line in group.lines:
        if line.results:
            images = tuple(p.name for p in line.results[0].pictures)
            classes = line.counts()[0].hists.shape[-1]
            names = tuple(names_of(line.net, classes))
            parts.setdefault((images, names), []).append(line)
    return ''.join(
        article(lines, number, list(names))
        for (images, names), lines in parts.items()
        for number in range(len(images))
    )


def article(lines, number, names):
    """One image. Takes: lines: that predict it; number: of the image; names:
    of the classes"""
    shown = [line.results[0].pictures[number] for line in lines]
    first = shown[0]
    maps = [('label', first.label)]
    maps += [(e.label, picture.prediction) for e, picture in zip(lines, shown)]
    return labels(first.name, maps, names, photograph(first.image, first.name))


def labels(name, maps, names, before=''):
    """Label maps beside each other, with a legend. Gives: HTML

    Takes: maps: [(title, H x W uint8, 255 = void)]; names: of the classes
           before: HTML of another figure, the first
    """
    colours = colours_of(names)
    cells = [before] * bool(before)
    for title, label in maps:
        uri = data_uri(small(label_image(label, colours)), optimize=True)
        alt = escape(f'{title} of {name}')
        cells.append(figure(f'<img src="{uri}" alt="{alt}">', escape(title)))
    seen = np.unique(np.concatenate([label.ravel() for _, label in maps]))
    known = [(names[i], i) for i in seen if i < len(names)]
    known += [('void', VOID)] * bool(VOID in seen)
    legend = ' '.join(
        f'<span>{swatch(colours[i])}{escape(text)}</span>' for text, i in known
    )
    return (
        f'<article><h4>{escape(name)}</h4><div class="across" '
        f'style="--across:{min(len(cells), ACROSS)}">{"".join(cells)}</div>\n'
        f'<p class="legend">{legend}</p></article>\n'
    )


def photograph(image, name):
    uri = data_uri(small(Image.fromarray(image)), 'JPEG', quality=85)
    alt = escape(f'image of {name}')
    return figure(f'<img src="{uri}" alt="{alt}">', 'image')
