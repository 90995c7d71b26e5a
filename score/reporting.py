"""`python -m score report`: scores weights and writes the page about it."""

import os
import time
from functools import partial
from html import escape
from pathlib import Path

import torch

from data.palette import colours_of
from score.curves import curves_of
from score.gallery import Gallery
from score.nets import judged, picture, scored
from score.protocols import judge, of_data_layer
from score.report import Pace, Scores, machine, page


def report_command(args, folder, device, net, test):
    """Takes: args, ...: what the command line has prepared"""
    heads = range(len(test.tasks))
    curves = [curves_of(args.log, folder, head) for head in heads]
    names = [names_of(net, test, task) for task in test.tasks]
    colours = [colours_of(test.source.names(task)) for task in test.tasks]
    protocol = of_data_layer(test.source.layer)[0]
    by_protocol = partial(judge, protocol=protocol)
    galleries = [Gallery(args.images, by_protocol, c) for c in colours]
    net.set_keep(
        [blob for task in test.tasks for blob in task] + [*test.source.inputs]
    )
    pace = Pace()

    def watch(images):
        if device != 'cpu':
            torch.cuda.synchronize()
        pace.end(images[0].true.numel())
        for gallery, image in zip(galleries, images):
            gallery.add(image, partial(picture, net, test.source, image.name))
        pace.begin()

    totals = scored(net, test, args.save, watch)
    scores = [
        Scores(
            task.label,
            (test.split, len(test.ids)),
            judged(folder.name, test, task, *total),
            total[0],
            *(names[i], colours[i], galleries[i], curves[i]),
        )
        for i, (task, total) in enumerate(zip(test.tasks, totals))
    ]
    text = page(
        f'{folder.name} on {test.split}',
        facts(args, folder, test),
        scores,
        [*pace.rows(), *machine(device)],
    )
    write(Path(args.out), text)
    print(args.out)


def names_of(net, test, task):
    """Of the classes; their numbers, where the data layer does not say."""
    count = net.blobs[task.score].shape[1]
    names = test.source.names(task)
    return names if len(names) == count else [str(i) for i in range(count)]


def facts(args, folder, test):
    weights = Path(args.weights)
    day = time.strftime('%Y-%m-%d %H:%M', time.localtime())
    size = weights.stat().st_size / 1e6
    return [
        ['network', escape(folder.name)],
        ['weights', f'{escape(str(weights))} ({size:.1f} MB)'],
        ['images', f'{len(test.ids)} of {escape(test.split)}'],
        ['scored', day],
    ]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path = path.with_name(path.name + '.part')
    partial_path.write_text(text, encoding='utf-8')
    os.replace(partial_path, path)
