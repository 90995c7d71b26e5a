"""What the figures of a study have in common: styles of lines, bands around
them, and matplotlib's SVG made fit for a page with several.

matplotlib is imported when something is drawn, never before.
"""

import re
import zlib

import numpy as np

from score.plot import COLOURS, LOOK, as_svg, matplotlib_here

DASHES = '-', '--', ':'  # when colours run out
MARKS = {'marker': 'o', 'markersize': 3.5}
# names and references in matplotlib's SVG; the numbered are referred to nowhere
NUMBERED = re.compile(r' id="[\w.]+_\d+"')
NAMED = re.compile(r'(id="|href="#|url\(#)')


def style(number):
    count = len(COLOURS)
    dash = DASHES[number // count % len(DASHES)]
    return {
        'color': COLOURS[number % count],
        'linestyle': dash,
        # a later line that lies on an earlier one leaves its rim to be seen
        'linewidth': max(1.4, 3.2 - 0.6 * number),
    }


def drawn(size, draw):
    """Takes: size: inches; draw: function of a matplotlib figure"""
    matplotlib = matplotlib_here()
    with matplotlib.rc_context(LOOK):
        figure = matplotlib.figure.Figure(size, layout='constrained')
        draw(figure)
        text = NUMBERED.sub('', as_svg(figure))
    own = f'f{zlib.crc32(text.encode()):x}-'  # a name occurs once on a page
    return NAMED.sub(rf'\g<1>{own}', text)


def deviation(values):
    """Of seeds x points; nan of a single seed."""
    if len(values) == 1:
        return np.full(values.shape[1], np.nan)
    return values.std(0, ddof=1)


def with_band(axes, at, mean, deviation, look):
    axes.plot(at, mean, **look)
    if not np.isnan(deviation).all():
        sides = mean - deviation, mean + deviation
        colour = look['color']
        axes.fill_between(at, *sides, color=colour, alpha=0.18, linewidth=0)
