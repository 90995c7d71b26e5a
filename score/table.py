"""Scores as text: the four metrics beside a published row, IU per class."""

import math

METRICS = {
    'overall_acc': 'overall accuracy',
    'mean_acc': 'mean accuracy',
    'mean_iu': 'mean IU',
    'fwavacc': 'fwavacc',
}


def metric_table(result, split, images, published=None):
    """The four metrics in percent; beside them a published row and the gap,
    if the images are the same.

    Takes: result: Metrics; split, images: name and size of what was scored
           published: a row with the metrics' names as attributes in percent
           (None: unknown), `split`, `images` and `source`
    """
    same = published is not None and (
        (published.split, published.images) == (split, images)
    )
    head = f'{"":18}{"here":>8}'
    if published is not None:
        head += f'{"published":>11}' + f'{"gap":>8}' * same
    lines = [head]
    for field, name in METRICS.items():
        here = 100 * getattr(result, field)
        line = f'{name:18}{_percent(here):>8}'
        if published is not None:
            there = getattr(published, field)
            line += f'{_percent(there):>11}'
            if same:
                gap = None if there is None else here - there
                line += f'{_percent(gap, "+"):>8}'
        lines.append(line)
    if not math.isnan(result.loss):
        lines.append(f'{"loss per image":18}{result.loss:8.6g}')
    if published is not None:
        lines.append(
            f'published: {published.split} ({published.images} images), '
            + published.source
        )
        if not same:
            lines.append('other images than here: no gap to speak of')
    return '\n'.join(lines)


def class_table(result, hist, names):
    """IU, accuracy and share of the labelled pixels, a line per class.

    Takes: hist: C x C, rows = true; names: of the classes; if they are not C
           the classes go by number
    """
    count = len(result.class_iu)
    if len(names) != count:
        names = [str(i) for i in range(count)]
    share = 100 * hist.sum(1) / max(1, hist.sum())
    width = max(5, *map(len, names))
    lines = [f'   {"class":{width}}{"IU":>8}{"accuracy":>10}{"pixels":>9}']
    for i, name in enumerate(names):
        iu, acc = 100 * result.class_iu[i], 100 * result.class_acc[i]
        lines.append(
            f'{i:2} {name:{width}}{_percent(iu):>8}{_percent(acc):>10}'
            f'{share[i]:8.2f}%'
        )
    return '\n'.join(lines)


def _percent(value, sign=''):
    if value is None or math.isnan(value):
        return '-'
    return f'{value:{sign}.2f}'
