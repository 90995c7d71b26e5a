"""What a network directory says of itself: its nets, data layer and tasks.

Read from its prototxts, none of which is run: a person's own directory of the
same form works like the fifteen. score and infer.py ask here.
"""

from ast import literal_eval
from pathlib import Path
from typing import NamedTuple

from caffe.ops.python import find_class
from caffe.proto import text

ROOT = Path(__file__).resolve().parent
FILES = {  # some directories train on trainval and test on test
    'train': ('train.prototxt', 'trainval.prototxt'),
    'test': ('val.prototxt', 'test.prototxt'),
}


class Task(NamedTuple):
    """One labelling that a net gives: SIFT Flow's nets have two."""

    score: str  # blob of the scores
    label: str  # blob, and top of the data layer
    loss: str  # blob


def folder(name):
    """The folder of a network: as given, or that of this repository."""
    for place in (Path(name), ROOT / name):
        if prototxt(place, 'test'):
            return place.resolve()
    have = {p.parent.name for f in FILES['test'] for p in ROOT.glob(f'*/{f}')}
    raise FileNotFoundError(
        f'{name}: no network directory (one with a val.prototxt or '
        f'test.prototxt); here are ' + (', '.join(sorted(have)) or 'none')
    )


def prototxt(place, use):
    """A directory's net for training or testing, or None. Takes: use: train
    or test"""
    found = (path for f in FILES[use] if (path := Path(place, f)).is_file())
    return next(found, None)


def read(path):
    return text.read_net(str(path))


def data_param(param, path):
    """The layer of a net that reads a dataset's split."""
    for layer in param.layer:
        if layer.type == 'Python' and 'split' in layer.python_param.param_str:
            return layer
    raise ValueError(f'{path}: no Python layer with a split in its param_str')


class Source(NamedTuple):
    """A net's data layer, with its settings but not set up: it has not looked
    for its dataset."""

    layer: object  # of a class in data/, or a person's own
    kinds: dict  # blob -> what the layer calls that top

    def names(self, task):
        """The classes of a task; none if the layer does not say."""
        known = getattr(self.layer, 'names', {})
        return known.get(self.kinds.get(task.label), [])

    @property
    def inputs(self):
        """What is no label, as kinds."""
        labels = getattr(self.layer, 'names', {})
        return {b: kind for b, kind in self.kinds.items() if kind not in labels}


def source(path):
    """The Source of a prototxt."""
    param = data_param(read(path), path)
    python = param.python_param
    roots = [path.parent, path.parent.parent, ROOT / 'data']
    layer = find_class(python.module, python.layer, roots)(param)
    if not hasattr(layer, 'read_params'):
        raise ValueError(
            f'{path}: {python.layer} is no SegDataLayer (data/seg_layer.py), '
            f'so its settings and its list are not known'
        )
    layer.param_str = python.param_str
    layer.params = layer.read_params()
    return source_of(layer, param)


def source_of(layer, param):
    """Takes: param: LayerParameter of that data layer"""
    tops = getattr(layer, 'tops', param.top)
    return Source(layer, dict(zip(param.top, tops)))


def with_split(param, path, split=None):
    """Lets a net's data layer read another split. Gives: the split's name"""
    python = data_param(param, path).python_param
    settings = literal_eval(python.param_str)
    settings['split'] = split or settings['split']
    python.param_str = repr(settings)
    return settings['split']


def tasks(param):
    """A Task for each loss; what it is of, its bottoms say."""
    found = [
        Task(*layer.bottom[:2], layer.top[0])
        for layer in param.layer
        if layer.type == 'SoftmaxWithLoss'
    ]
    return found or [Task('score', 'label', 'loss')]


# deploy nets --------------------------------------------------------------


def deploy_file(name):
    """The prototxt of a net to be run, from what a person calls it."""
    for place in (Path(name), ROOT / name):
        if place.is_file():
            return place
        if (place / 'deploy.prototxt').is_file():
            return place / 'deploy.prototxt'
    have = sorted(p.parent.name for p in ROOT.glob('*/deploy.prototxt'))
    raise FileNotFoundError(
        f'{name}: neither a prototxt nor a directory with a deploy.prototxt; '
        f'here are {", ".join(have) or "none"}'
    )


def read_deploy(path):
    """The NetParameter of a net that is fed with images."""
    advice = 'give the network directory, or its deploy.prototxt'
    try:
        param = read(path)
    except RuntimeError as error:
        if is_solver(path):
            raise ValueError(
                f'{path}: settings of a solver, not a net; {advice}'
            ) from error
        raise
    if any(layer.type == 'Python' for layer in param.layer):
        raise ValueError(
            f'{path}: a net that reads a dataset by itself; {advice}'
        )
    return param


def is_solver(path):
    try:
        text.read_solver(str(path))
    except RuntimeError:
        return False
    return True


def deploy_tasks(param, path):
    """The tasks of a deploy net, and what its images are to be.

    Gives: Source of the net for testing beside it, None if there is none;
        Tasks, of which labels and losses are those of that net
    """
    tops = [top for layer in param.layer for top in layer.top]
    test = prototxt(Path(path).parent, 'test')
    if test is not None:
        known = [task for task in tasks(read(test)) if task.score in tops]
        if known:
            return source(test), known
    if 'score' not in tops:
        raise ValueError(f"{path}: no blob 'score' in it")
    return None, [Task('score', 'label', 'loss')]
