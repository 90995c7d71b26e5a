"""python -m weights compare: a model's scores beside the published ones."""

import networks
from score import protocols
from score.nets import check_unseen, scored, test_net
from score.table import metric_table
from weights.load import choose_device, load, located
from weights.published import BY_DIRECTORY

CLOSE = 0.1  # of mean IU in percent: the same weights, scored by other code


def compare(directory, weights=None, gpu=None):
    """Scores a model on the split that its net tests on.

    Gives: lines to tell; whether its mean IU is as published
    Raises: ValueError if there is nothing to compare with
    """
    folder = networks.folder(directory)
    network = BY_DIRECTORY.get(folder.name)
    if network is None or not network.scores:
        raise ValueError(f'no published score of {folder.name} is known')
    if weights is None and network.file is None:
        raise ValueError(
            f'the weights of {folder.name} were never published: give --weights'
        )
    path = located(weights or network.file, folder.name)
    choose_device(gpu)
    net, test = test_net(folder)
    there = [(row.split, row.images) for row in network.scores]
    if (test.split, len(test.ids)) not in there:
        raise ValueError(
            f'{folder.name}: published are scores on the {there[0][1]} images '
            f'of {there[0][0]}; here are {len(test.ids)} of {test.split}'
        )
    check_unseen(folder, test.split, test.ids, given=False)
    lines = load(net, path)
    net.set_keep([blob for task in test.tasks for blob in task])
    lines.append(
        f'{folder.name}, {path}, {test.split} ({len(test.ids)} images)'
    )
    gaps = []
    for task, (hist, loss) in zip(test.tasks, scored(net, test)):
        row = published_row(network, task.label)
        if row is not None:
            result = judged(hist, row, test)._replace(loss=loss)
            table = metric_table(result, test.split, len(test.ids), row)
            lines += ['', f'{task.label}:', table]
            if row.mean_iu is not None:
                gaps.append(100 * result.mean_iu - row.mean_iu)
    near = all(abs(gap) <= CLOSE for gap in gaps)
    far = ', '.join(f'{gap:+.2f}' for gap in gaps)
    verdict = 'within' if near else 'NOT within'
    return [*lines, '', f'mean IU {verdict} {CLOSE} of published: {far}'], near


def published_row(network, task):
    return next((row for row in network.scores if row.task == task), None)


def judged(hist, row, test):
    """The metrics by the protocol of a published row; where its source leaves
    that open, by the papers'."""
    kinds = protocols.of_data_layer(test.source.layer)
    return protocols.judge(
        hist, next(kind for kind in kinds if row.protocol in (kind.name, None))
    )
