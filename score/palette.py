"""Label maps in a reader's eyes: overlays, and grids with a legend.

The colours and names are those of data/; needs numpy and Pillow only.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data.classes import VOC, VOID
from data.palette import COLOURS, label_image

INK, PAPER = (40, 40, 40), (255, 255, 255)


def read_label(path):
    """The labels of a palette or grayscale image. Gives: H x W uint8."""
    with Image.open(path) as image:
        if image.mode not in ('P', 'L'):
            raise ValueError(
                f'{path}: mode {image.mode} holds colours, not labels; a label '
                'map is a palette (P) or grayscale (L) image'
            )
        return np.array(image, np.uint8)


def colour(label, colours=COLOURS):
    """H x W labels -> H x W x 3 uint8."""
    return colours[np.asarray(label).astype(np.uint8)]


def overlay(image, label, alpha=0.5, colours=COLOURS, clear=0):
    """The label colours laid over the image.

    Takes: image: H x W x 3 uint8 RGB, label: H x W; clear: the label whose
           pixels stay as they are, background; None if there is none
    Gives: H x W x 3 uint8
    """
    image, label = np.asarray(image), np.asarray(label)
    if image.shape != (*label.shape, 3):
        raise ValueError(
            f'image {image.shape} and label map {label.shape} do not match'
        )
    mixed = (1 - alpha) * image + alpha * colour(label, colours)
    mixed[label == clear] = image[label == clear]
    return mixed.round().astype(np.uint8)


def grid(rows, titles, names=VOC, side=240):
    """One picture of several beside each other, with titles and a legend.

    Takes: rows: lists of cells, one per title: PIL images or arrays, H x W x 3
           (photograph) or H x W (labels, shown in their colours)
           names: of the labels, for the legend of those that occur
           side: pixels of a cell's longer side
    Gives: PIL image, RGB
    """
    for row in rows:
        if len(row) != len(titles):
            raise ValueError(f'{len(row)} cells under {len(titles)} titles')
    gap, font = side // 20, ImageFont.load_default(side // 14)
    cells = [[_cell(cell, side) for cell in row] for row in rows]
    widths = [max(cell.width for cell in column) for column in zip(*cells)]
    legend = _legend(_labels_in(rows), names, sum(widths), gap, font)
    top = gap // 2 + 2 * font.size
    heights = [max(cell.height for cell in row) + gap for row in cells]
    size = (
        sum(widths) + gap * (len(widths) + 1),
        top + sum(heights) + legend.height,
    )
    page = Image.new('RGB', size, PAPER)
    draw, x = ImageDraw.Draw(page), gap
    for title, width, column in zip(titles, widths, zip(*cells)):
        place = (x + width / 2, top - font.size / 2)
        draw.text(place, title, INK, font, anchor='ms')
        y = top
        for cell, height in zip(column, heights):
            page.paste(cell, (x + (width - cell.width) // 2, y))
            y += height
        x += width + gap
    page.paste(legend, (gap, top + sum(heights)))
    return page


def _labels_in(rows):
    maps = (np.asarray(cell) for row in rows for cell in row)
    seen = [np.unique(label) for label in maps if label.ndim == 2]
    return np.unique(np.concatenate(seen)) if seen else ()


def _legend(labels, names, width, gap, font):
    """Swatches and names, in as many equal columns as the width allows."""
    texts = ['void' if v == VOID else _name(v, names) for v in labels]
    box, line = font.size, round(1.6 * font.size)
    step = box * 2 + gap + int(max(map(font.getlength, texts), default=0))
    across = max(1, (width + gap) // step)
    down = -(-len(texts) // across)
    page = Image.new('RGB', (width, down * line + gap * bool(texts)), PAPER)
    draw = ImageDraw.Draw(page)
    for i, (value, text) in enumerate(zip(labels, texts)):
        x, y = i % across * step, i // across * line
        fill = tuple(COLOURS[value].tolist())
        draw.rectangle((x, y, x + box, y + box), fill, INK)
        place = (x + 1.6 * box, y + box / 2)
        draw.text(place, text, INK, font, anchor='lm')
    return page


def _name(label, names):
    return names[label] if label < len(names) else str(label)


def _cell(cell, side):
    if not isinstance(cell, Image.Image):
        cell = np.asarray(cell)
        cell = label_image(cell) if cell.ndim == 2 else Image.fromarray(cell)
    scale = side / max(cell.size)
    size = [max(1, round(length * scale)) for length in cell.size]
    labels = cell.mode == 'P'  # a mean of two labels would be a third one
    how = Image.Resampling.NEAREST if labels else Image.Resampling.LANCZOS
    return cell.resize(size, how).convert('RGB')
