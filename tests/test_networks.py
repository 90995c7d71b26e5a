"""score and infer.py for every network directory, slim, on a miniature of its
dataset: they see the same images and give the same labels."""

import contextlib
import io
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from slim import NAMES, write_dataset, write_network

import infer
import networks
from data.palette import colours_of
from score import fast_hist
from score.__main__ import main as score_main
from score.palette import read_label
from score.protocols import judge, of_data_layer
from weights.published import BY_DIRECTORY


def make(name, root):
    """A network scored once, its label maps in maps/."""
    folder = write_network(name, root)
    source = networks.source(networks.prototxt(folder, 'test'))
    weights = folder / 'w.caffemodel'
    words = [name, '--weights', str(weights), '--gpu', 'cpu', '--save', 'maps']
    scored, status = printed(score_main, words)
    made = SimpleNamespace(
        name=name,
        root=root,
        source=source,
        ids=source.layer.items(),
        tasks=networks.tasks(networks.read(networks.prototxt(folder, 'test'))),
        scored=scored,
    )
    words = [*words[:-2], '-o', 'out', *map(str, images(made))]
    made.segmented, failed = printed(infer.main, words)
    assert (status, failed) == (0, 0)
    return made


def printed(command, words):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = command(words)
    return out.getvalue(), status


def images(made):
    """The files of the split that infer.py is to be given."""
    layer, first = made.source.layer, [*made.source.inputs.values()][0]
    kind = [] if first == 'data' else [first]
    return [layer.image_path(item, *kind) for item in made.ids]


@pytest.fixture(scope='module', params=NAMES)
def made(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        for variable, place in write_dataset(request.param, root / 'd').items():
            patch.setenv(variable, place)
        patch.chdir(root)
        yield make(request.param, root)


def saved(made, task, item):
    folder = Path('maps', task.label) if made.tasks[1:] else Path('maps')
    return read_label(made.root / folder / f'{item}.png')


def row(title, value, published):
    text = f'{title:18}{100 * value:8.2f}'
    return text + f'{published:11.2f}' if published is not None else text


def test_every_network_is_scored_by_its_protocols(made):
    """Against labels read by themselves and the maps that were saved."""
    kinds = of_data_layer(made.source.layer)
    assert made.scored.count('overall acc') == len(kinds) * len(made.tasks)
    for task in made.tasks:
        names, hist = made.source.names(task), 0
        for item in made.ids:
            tops = dict(zip(made.source.kinds, made.source.layer.load(item)))
            found = saved(made, task, item)
            hist = hist + fast_hist(tops[task.label], found, len(names))
        for protocol in kinds:
            want = judge(hist, protocol)
            published = next(
                (
                    score
                    for score in BY_DIRECTORY[made.name].scores
                    if score.task == task.label
                    and score.protocol in (protocol.name, None)
                ),
                None,
            )
            there = getattr(published, 'mean_iu', None)
            assert row('mean IU', want.mean_iu, there) in made.scored
            there = getattr(published, 'overall_acc', None)
            assert (
                row('overall accuracy', want.overall_acc, there) in made.scored
            )
        for number, name in enumerate(names):
            assert f'\n{number:2} {name} ' in made.scored, name


def each_map(made):
    """(task, id, file, label map) of everything that infer.py wrote."""
    for item, file in zip(made.ids, images(made)):
        for task in made.tasks:
            mark = f'_{task.label}' if made.tasks[1:] else ''
            path = made.root / 'out' / f'{file.stem}{mark}.png'
            yield task, item, path, read_label(path)


def test_infer_gives_the_labels_that_were_scored(made):
    for task, item, path, label in each_map(made):
        assert (label == saved(made, task, item)).all(), path
        assert path.with_name(f'{path.stem}_overlay.jpg').is_file()
        most = made.source.names(task)[np.bincount(label.flat).argmax()]
        line = re.search(f'{path.name}: [\\d.]+% (.*?)(,|\n)', made.segmented)
        assert line[1] == most, 'the most frequent class comes first'


def test_colours_are_the_datasets_and_explained(made):
    assert ('colours' in made.segmented) == ('voc' not in made.name)
    for task, _, path, label in each_map(made):
        names = made.source.names(task)
        with Image.open(path) as image:
            table = np.array(image.getpalette()).reshape(-1, 3)
        assert (table[: len(names)] == colours_of(names)[: len(names)]).all()
        for value in np.unique(label) if 'voc' not in made.name else ():
            red, green, blue = table[value]
            line = f'#{red:02x}{green:02x}{blue:02x} {value:3} {names[value]}'
            assert f'{line}\n' in made.segmented
