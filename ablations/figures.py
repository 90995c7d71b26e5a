"""The figures of a study's page, as text of <svg>: differences of mean IU with
their intervals, learning curves, scores near boundaries.

A line is a mean over seeds, the band around it their standard deviation.
"""

import numpy as np

from ablations.drawing import MARKS, deviation, drawn, style, with_band
from ablations.result import BANDS
from ablations.summary import bands, published_of
from score.log import METRICS, read_log
from score.plot import GREY, short_number, smooth

# differences --------------------------------------------------------------


def differences(blocks):
    """Every difference and its interval. Takes: blocks: [(Group, [Row])]
    Gives: None if there is none"""
    found = [
        (group, row, number)
        for group, rows in blocks
        for number, row in enumerate(rows)
        if row.difference
    ]
    if not found:
        return None
    places = np.cumsum(
        [
            1 + 0.6 * (i > 0 and found[i - 1][0] is not group)
            for i, (group, _, _) in enumerate(found)
        ]
    )

    def draw(figure):
        axes = figure.subplots()
        for place, (_, row, number) in zip(places, found):
            mean, low, high = (100 * value for value in row.difference[:3])
            colour = style(number)['color']
            axes.plot([low, high], [place, place], color=colour, linewidth=2)
            axes.plot([mean], [place], color=colour, marker='o', markersize=6)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks(places, [named(*each[:2]) for each in found])
        axes.tick_params('y', length=0)
        axes.grid(False, axis='y')
        axes.spines['left'].set_visible(False)
        axes.set_ylim(places[-1] + 0.7, places[0] - 0.7)
        axes.set_xlabel('difference of mean IU, points')

    return drawn((12, 0.9 + 0.3 * places[-1]), draw)


def named(group, row):
    pair = f'{row.line.label} − {group.lines[0].label}'
    return ', '.join(filter(None, (group.title, pair)))


# curves -------------------------------------------------------------------


def curves(group, published):
    """Loss and the four metrics over iterations.

    Takes: published: of the Study: a dashed line in the colour of its line
    Gives: None if no run has a log
    """
    logs = [(line, logs_of(line.results)) for line in group.lines]
    if not any(found for _, found in logs):
        return None

    def draw(figure):
        panels = figure.subplot_mosaic(
            [['loss', *METRICS[:2]], ['loss', *METRICS[2:]]],
            width_ratios=(1.5, 1, 1),
            sharex=True,
        )
        for number, (line, found) in enumerate(logs):
            if found:
                look = {**style(number), 'label': line.label}
                draw_logs(panels, found, look)
                draw_published(panels, published_of(line, published), look)
        finish(panels)

    return drawn((12, 6), draw)


def logs_of(results):
    """The logs of runs, as far as they are still there."""
    found = []
    for result in results:
        try:
            found.append(read_log(result.facts['folder']))
        except (OSError, ValueError):
            continue
    return found


def draw_logs(panels, logs, look):
    losses = [log.train['loss'] for log in logs if 'loss' in log.train]
    smoothed = [
        each._replace(value=smooth(each.value, max(1, len(each.value) // 40)))
        for each in losses
    ]
    draw_mean(panels['loss'], smoothed, look)
    for metric in METRICS:
        found = [log.seg[0] for log in logs if log.seg]
        found = [
            seg[metric]._replace(value=100 * seg[metric].value)
            for seg in found
            if metric in seg
        ]
        few = found and len(found[0].value) <= 50
        draw_mean(panels[metric], found, {**look, **(MARKS if few else {})})


def draw_mean(axes, found, look):
    """Takes: found: a Curve of each seed"""
    if not found:
        return
    at = found[0].iteration
    for curve in found[1:]:
        at = np.intersect1d(at, curve.iteration)
    values = np.stack([c.value[np.isin(c.iteration, at)] for c in found])
    with_band(axes, at, values.mean(0), deviation(values), look)


def draw_published(panels, value, look):
    """A dashed line in the colour of what it is of."""
    if value is not None:
        dashes = {'color': look['color'], 'linestyle': '--', 'linewidth': 1}
        panels['mean IU'].axhline(value, **dashes)


def finish(panels):
    for metric in METRICS:
        panels[metric].set_title(f'{metric}, %')
    loss = panels['loss']
    loss.set_title('loss')
    loss.legend(loc='upper right', frameon=False)
    scale_loss(loss)
    loss.xaxis.set_major_formatter(short_number)
    for name in ('loss', *METRICS[2:]):
        panels[name].set_xlabel('iteration')


def scale_loss(axes):
    """Logarithmic where it falls far, with round numbers on it."""
    values = np.concatenate([[1], *(line.get_ydata() for line in axes.lines)])
    values = values[np.isfinite(values)][1:]
    if len(values) and 0 < 4 * values.min() < values.max():
        axes.set_yscale('log', subs=())
        axes.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
        axes.set_ylim(values.min() / 1.3, values.max() * 1.3)
    axes.yaxis.set_major_formatter(short_number)


# boundaries ---------------------------------------------------------------


def boundary(group):
    """Accuracy and mean IU against the width of the band around void.

    Gives: None if no run of the group has finished
    """
    scores = [bands(line) for line in group.lines]
    if not any(scores):
        return None

    def draw(figure):
        panels = figure.subplots(1, 3)
        for at, name in enumerate(('accuracy', 'mean IU')):
            for number, each in enumerate(scores):
                if each:
                    look = {**style(number), **MARKS}
                    look['label'] = group.lines[number].label
                    pairs = 100 * np.array(each[at]).T
                    with_band(panels[at], BANDS, *pairs, look)
            panels[at].set_title(f'{name}, %')
        draw_gaps(panels[2], group, [each and each[1] for each in scores])
        for axes in panels:
            axes.set_xscale('log', base=2)
            axes.set_xticks(BANDS, map(str, BANDS))
            axes.set_xlabel('pixels from void, at most')
        panels[0].legend(loc='upper left', frameon=False)

    return drawn((12, 3.6), draw)


def draw_gaps(axes, group, scores):
    """Of mean IU to the first line's, which would not be seen beside it."""
    axes.set_title(f'mean IU less that of {group.lines[0].label}, points')
    for number, each in enumerate(scores):
        if each and scores[0]:
            gaps = 100 * np.subtract(each, scores[0])[:, 0]
            axes.plot(BANDS, gaps, **style(number), **MARKS)
