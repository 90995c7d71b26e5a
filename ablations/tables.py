"""The tables of a study's page, as HTML: the summary, boundaries, tests against
arms, kernels, runs."""

import math
import os
from html import escape

from ablations.result import BANDS
from ablations.summary import bands
from score.page import table
from score.table import METRICS

NOT_RUN = 'no finished run'


def number(value, digits=2, sign=''):
    """Text with a true minus; a dash where there is none."""
    if value is None or math.isnan(value):
        return '–'
    value = round(value, digits) + 0.0  # no minus before a zero
    return f'{value:{sign}.{digits}f}'.replace('-', '−')


def with_spread(pair, scale=100, digits=2):
    """Takes: pair: mean and standard deviation, which is nan of one seed"""
    middle, deviation = (scale * value for value in pair)
    if math.isnan(middle):
        return '–'
    return (
        f'{number(middle, digits)} <small>± {number(deviation, digits)}</small>'
    )


def grouped(head, blocks, kind='grouped'):
    """A table with a heading over each block of its rows.

    Takes: blocks: [(title, rows)], rows as in score.page.table
    """
    found = table(head, [], kind)
    for title, rows in blocks:
        heading = (
            f'<tr class="block"><th colspan="{len(head)}" scope="rowgroup">'
            f'{escape(title)}</th></tr>\n'
        )
        body = ''.join(table_row(row, len(head)) for row in rows)
        part = f'<tbody>\n{heading * bool(title)}{body}</tbody>'
        found = found.replace('</table>', f'{part}</table>')
    return found.replace('<tbody>\n</tbody>', '')


def table_row(row, width):
    """A row that is too short says so over the rest of the line."""
    first, *cells = row
    text = ''.join(f'<td>{cell}</td>' for cell in cells[:-1])
    rest = f' colspan="{width - len(cells)}" class="none"'
    rest *= len(row) < width
    return (
        f'<tr><th scope="row">{first}</th>{text}'
        f'<td{rest}>{cells[-1]}</td></tr>\n'
    )


def summary(blocks):
    """Takes: blocks: [(Group, [Row])]"""
    rows = [row for _, found in blocks for row in found]
    printed = any(row.published is not None for row in rows)
    compared = any(row.difference for row in rows)
    head = ['', *(f'{name}, %' for name in METRICS.values())]
    head += ['difference of mean IU', 'p'] if compared else []
    head += ['published, %'] if printed else []
    head += ['iterations/s', 'memory, GB']

    def cells(row):
        if not row.line.results:
            return [escape(row.line.label), NOT_RUN]
        found = [escape(row.line.label)]
        found += [with_spread(row.scores[field]) for field in METRICS]
        found += differing(row.difference) if compared else []
        found += [number(row.published, 1)] if printed else []
        return [*found, number(row.pace), number(row.memory)]

    return grouped(
        head, [(group.title, map(cells, found)) for group, found in blocks]
    )


def differing(difference):
    """Gives: the cells of a Difference; in bold if its interval excludes 0"""
    if difference is None:
        return ['–', '–']
    middle, *ends = (number(100 * v, 2, '+') for v in difference[:3])
    bold = 'b' if difference.low > 0 or difference.high < 0 else 'span'
    interval = f'<small>{ends[0]} to {ends[1]}</small>'
    return [f'<{bold}>{middle}</{bold}> {interval}', chance(difference.p)]


def chance(p):
    return '&lt; 0.001' if p < 0.001 else f'{p:.3f}'


def tests_by_arm(study, blocks):
    """Mean IU, arms down, tests across, a block for each network."""
    found = {}  # net: {arm: {test: cell}}
    for _, rows in blocks:
        for row in rows:
            cells = found.setdefault(row.line.net, {})
            cell = with_spread(row.scores['mean_iu'])
            cells.setdefault(row.line.arm, {})[row.line.test] = cell
    head = ['', *map(escape, study.tests)]
    return grouped(
        head,
        [
            (
                net,
                [[escape(arm), *each.values()] for arm, each in cells.items()],
            )
            for net, cells in found.items()
        ],
    )


def boundary(group_list, number):
    """Takes: number: 0 for accuracy, 1 for mean IU"""
    head = ['', *(f'{width} px' for width in BANDS)]
    return grouped(
        head,
        [
            (group.title, [band_row(line, number) for line in group.lines])
            for group in group_list
        ],
    )


def band_row(line, number):
    if not line.results:
        return [escape(line.label), NOT_RUN]
    return [escape(line.label), *map(with_spread, bands(line)[number])]


def runs(found, out):
    """Takes: found: [(net, arm, Result)]; out: folder of the page"""
    head = ['run', 'seed', 'iterations', 'from', 'began', 'time']
    rows = []
    for net, arm, result in found:
        facts = result.facts
        starts = ', '.join(relative(path, out) for path in facts['start'])
        rows.append(
            [
                escape(f'{net}, {arm}'),
                str(facts['seed']),
                f'{facts["iterations"]:,}'.replace(',', '\u2009'),
                f'<code>{escape(starts)}</code>',
                escape(facts['began']),
                duration(facts['seconds']),
            ]
        )
    return table(head, rows, 'runs')


def relative(path, out):
    """A path as seen from the page, if it lies beside or below it."""
    try:
        found = os.path.relpath(path, out)
    except ValueError:  # another drive of Windows
        return str(path)
    return str(path) if found.startswith('../../') else found


def duration(seconds):
    """Text as 1:02:03, hours first; a dash where it is None."""
    if seconds is None:
        return '–'
    minutes, seconds = divmod(round(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02}:{seconds:02}'


def versions(found):
    """[[what, text]] of what runs share; where they differ, all that occur."""
    names = {
        'torch': 'PyTorch',
        'python': 'Python',
        'device': 'device',
        'threads': 'threads',
        'code': 'code',
    }
    rows = []
    for fact, name in names.items():
        values = [result.facts.get(fact) for _, _, result in found]
        values = list(
            dict.fromkeys('not known' if v is None else str(v) for v in values)
        )
        rows.append([name, escape(', '.join(values))])
    seeds = sorted({result.facts['seed'] for _, _, result in found})
    rows.append(['seeds', ', '.join(map(str, seeds))])
    seconds = sum(result.facts['seconds'] or 0 for _, _, result in found)
    rows.append(['time of all trainings', duration(seconds)])
    return rows


def of_images(found):
    """How many images the runs were judged on, as text."""
    counts = {
        len(counts.ids)
        for _, _, result in found
        for counts in result.counts.values()
    }
    return ' or '.join(map(str, sorted(counts)))
