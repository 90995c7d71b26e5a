"""Learning curves of one or several training logs, as PNG and SVG.

Left the loss: every displayed value faintly, a running mean over it. Right the
four metrics in percent, with the published value as a dashed line if given.
matplotlib is imported when something is drawn, never before.
"""

import io
from pathlib import Path

import numpy as np

from score.log import METRICS, read_log

# distinct in lightness too, for printing and for colour-blind eyes
# (Okabe and Ito, without their yellow)
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')
GREY = '#5f5f5f'
SCORED = [['loss', *METRICS[:2]], ['loss', *METRICS[2:]]]
ON_PAGE = {
    '#e8e8e8': 'line',
    '#b0b0b0': 'line',
    GREY: 'dim',
    COLOURS[0]: 'accent',
}
LOOK = {
    'font.size': 10,
    'axes.edgecolor': '#b0b0b0',
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.axisbelow': True,
    'axes.titlelocation': 'left',
    'axes.titlesize': 11,
    'grid.color': '#e8e8e8',
    'xtick.color': GREY,
    'ytick.color': GREY,
    'svg.fonttype': 'none',  # text stays text
    'svg.hashsalt': 'score',  # the same curves give the same file
}


def smooth(values, window):
    """Mean of the last `window` values, of fewer at the start; values that
    are no numbers stay gaps and spoil no other mean."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0))
    counts = np.cumsum(known)
    sums[window:] -= sums[:-window].copy()
    counts[window:] -= counts[:-window].copy()
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=known)


def plot(logs, out, published=None, names=None, head=0):
    """Draws runs beside each other.

    Takes: logs: logs or directories of them as paths, or what read_log gives
           out: path; PNG and SVG are both written, whatever its suffix
           published: {metric: value in percent} with 'name' for the legend
           names: one per log; without, told from the paths
           head: which scored output, where a net has several
    Gives: the two paths
    """
    paths = [Path(out).with_suffix(s) for s in ('.png', '.svg')]
    with matplotlib_here().rc_context(LOOK):
        figure = _figure(logs, published, names, head)
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(paths[0], dpi=144)
        figure.savefig(paths[1], metadata={'Date': None})
    return paths


def svg(logs, published=None, names=None, head=0):
    """The same as the text of an <svg> for a page, without a background of
    its own, in the page's colours where it defines any. Gives: str"""
    with matplotlib_here().rc_context(LOOK):
        return as_svg(_figure(logs, published, names, head))


def as_svg(figure):
    """A figure of LOOK as the text of an <svg> like that."""
    file = io.StringIO()
    nothing = dict.fromkeys(('Date', 'Creator', 'Format', 'Type'))
    figure.savefig(file, format='svg', transparent=True, metadata=nothing)
    text = file.getvalue()
    for colour, name in ON_PAGE.items():
        text = text.replace(colour, f'var(--{name}, {colour})')
    return text[text.index('<svg') :]


def _figure(logs, published, names, head):
    logs = [read_log(log) if _is_path(log) else log for log in logs]
    names = names or short_names([log.path for log in logs])
    scored = published or any(len(log.seg) > head for log in logs)
    figure = matplotlib_here().figure.Figure(
        (12, 6) if scored else (8, 5), layout='constrained'
    )
    panels = figure.subplot_mosaic(
        SCORED if scored else [['loss']],
        width_ratios=(1.5, 1, 1) if scored else None,
        sharex=True,
    )
    for i, (log, name) in enumerate(zip(logs, names)):
        _draw(panels, log, head, name, COLOURS[i % len(COLOURS)])
    _finish(panels, published or {})
    return figure


def _is_path(log):
    return isinstance(log, (str, Path))


def matplotlib_here():
    """The library. Raises: ModuleNotFoundError, with what to do, without it"""
    try:
        import matplotlib
        import matplotlib.figure
    except ImportError as error:
        raise ModuleNotFoundError(
            f'curves are drawn with matplotlib, which is not here ({error}); '
            'next: pip install -r requirements.txt'
        ) from error
    return matplotlib


def short_names(paths):
    """The shortest ends of paths that tell them apart, without the suffix of
    a log."""
    parts = []
    for path in map(Path, paths):
        log = path.suffix in ('.log', '.txt')
        parts.append((path.with_suffix('') if log else path).parts)
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ['/'.join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _draw(panels, log, head, name, colour):
    panels['loss'].plot([], [], color=colour, label=name)
    if 'loss' in log.train:
        at, loss = log.train['loss']
        width = max(1, len(loss) // 40)
        if width > 1:
            panels['loss'].plot(
                at, loss, color=colour, alpha=0.2, linewidth=0.6
            )
        panels['loss'].plot(at, smooth(loss, width), color=colour, linewidth=2)
    seg = log.seg[head] if head < len(log.seg) else {}
    for metric in set(METRICS) & set(seg):
        at, fraction = seg[metric]
        panels[metric].plot(
            at,
            100 * fraction,
            color=colour,
            marker='o' if len(at) <= 50 else None,
            markersize=3.5,
            label=f'{100 * fraction[-1]:.1f}',
        )


def _finish(panels, published):
    dashes = {'color': GREY, 'linestyle': '--', 'linewidth': 1}
    for metric in set(METRICS) & set(panels):
        value = published.get(metric)
        if value is not None:
            panels[metric].axhline(value, label=f'{value:.1f}', **dashes)
        panels[metric].set_title(f'{metric}, %')
        if panels[metric].lines:
            panels[metric].legend(
                title='last', loc='best', frameon=False, fontsize=9
            )
        else:
            panels[metric].set_yticks([])
    loss = panels['loss']
    if published:
        loss.plot([], [], label=published.get('name', 'published'), **dashes)
    loss.set_title('loss')
    loss.legend(loc='best', frameon=False)
    _scale_loss(loss)
    for name in set(panels) - set(METRICS[:2]):
        panels[name].set_xlabel('iteration')
    loss.xaxis.set_major_formatter(short_number)


def _scale_loss(axes):
    """Logarithmic, with round numbers on it, where values ask for it."""
    values = np.concatenate([line.get_ydata() for line in axes.lines])
    values = values[np.isfinite(values)]
    axes.yaxis.set_major_formatter(short_number)
    if len(values) and 0 < 4 * values.min() < values.max():
        axes.set_yscale('log')
        axes.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
        axes.yaxis.set_major_formatter(short_number)
        axes.yaxis.set_minor_formatter('')


def short_number(value, _=None):
    """Text for a tick: 250, 20k, 1.5M."""
    for unit, letter in ((1e6, 'M'), (1e3, 'k')):
        if abs(value) >= unit:
            return f'{value / unit:g}{letter}'
    return f'{value:g}'
