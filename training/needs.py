"""What a training run needs before it starts: weights to begin with, images
to train on, images to test on. What is there of it, and what to do about the
rest. run.py will not start without; solve.py lists it for every network.
"""

from typing import NamedTuple

from caffe.proto import text
from networks import ROOT, source
from training.kept import newest, snapshots
from weights.load import choose_device
from weights.published import BY_DIRECTORY

CLASSIFIERS = {  # starting model: how it is made
    'vgg16-fcn': 'python -m surgery vgg16 VGG_ILSVRC_16_layers.caffemodel',
    'alexnet-fcn': 'python -m surgery caffenet '
    'bvlc_reference_caffenet.caffemodel',
}


class Need(NamedTuple):
    """One thing a run needs: what was found, or a fault, which says how to
    mend it, and the command to go on with."""

    what: str
    name: str = ''
    found: str = ''
    fault: str = ''
    command: str = ''


def needs(folder, recipe, weights=None, resume=None):
    """What this network needs to be trained, as a list of Needs.

    Takes: weights: a model file instead of the recipe's, or 'none'; resume:
        a .solverstate, or 'newest'
    """
    if resume:
        start = [state(folder, resume)]
    elif weights == 'none':
        start = []
    elif weights:
        start = [given(weights)]
    else:
        start = [begun(folder, name) for name in recipe.starts]
    return start + images(folder)


def missing(folder, recipe, weights=None, resume=None, device='cpu'):
    """What must be there before this network can be trained, and is not: a
    line each, with what to do about it."""
    faults = []
    try:
        choose_device(device)
    except (ValueError, RuntimeError) as error:
        command = f'python {folder.name}/solve.py cpu'
        faults.append(f'{str(error).rstrip(".")}. Without a GPU: {command}')
    lacking = {}  # fault: what it keeps from being done
    for need in needs(folder, recipe, weights, resume):
        if need.fault:
            lacking.setdefault(need.fault, []).append(need.what)
    for fault, what in lacking.items():
        data = f'data to {" and ".join(what)} on: '
        faults.append(data * (what[0] in ('train', 'test')) + fault)
    return faults


def state(folder, resume):
    path = newest(folder, 'solverstate') if resume == 'newest' else resume
    if path and path.is_file():
        head, model, _ = path.name.partition('.caffemodel')
        if model:
            return Need('state', fault=model_for_state(path, head))
        return Need('state', found=shown(path))
    if resume == 'newest':
        place = snapshots(folder)
        fault = f'no .solverstate in {place} to resume from'
        if other := newest(folder, 'solverstate', any_run=True):
            fault = (
                f'no .solverstate of the last run in {place} to resume from; '
                f'of another run: --resume {shown(other)}'
            )
        return Need('state', fault=fault)
    return Need('state', fault=f'{path}: no such .solverstate')


def model_for_state(path, stem):
    """What is wrong with a .caffemodel where a state is wanted."""
    states = sorted(path.parent.glob(f'{stem}.solverstate*'))
    return (
        f'{path} holds the weights of a net, not the state of a solver: '
        + (f'--resume {states[0]} goes on from there' if states else '')
        + f'--weights {path} begins with them' * (not states)
    )


def given(weights):
    if weights.is_file():
        return Need('start', found=shown(weights))
    return Need('start', fault=f'{weights}: no such model file')


def begun(folder, start):
    """The Need of one of a recipe's starts."""
    path = starting_model(folder, start)
    if path:
        return Need('start', start, found=shown(path))
    if start in CLASSIFIERS:
        return Need(
            'start',
            start,
            command=CLASSIFIERS[start],
            fault=(
                f'no starting weights {ROOT}/weights/{start}.caffemodel: make '
                f'them from the classifier, {CLASSIFIERS[start]}'
            ),
        )
    command = f'python {start}/solve.py'
    published = BY_DIRECTORY.get(start)
    put = (
        (
            f'; or put its published weights, {published.file}, into '
            f'{ROOT}/weights: python -m weights fetch {start} '
            f'({published.address})'
        )
        if published
        else ''
    )
    return Need(
        'start',
        start,
        command=command,
        fault=(
            f'no trained {start}, from which this net starts: train it, '
            f'{command}{put}'
        ),
    )


def starting_model(folder, start):
    """The file a network begins from, or None: a published or converted one
    in weights/, or the last snapshot of the network before it."""
    before = folder.parent / start
    published = BY_DIRECTORY.get(start)
    names = [f'{start}.caffemodel']
    names += [published.file] if published and published.file else []
    places = [
        place / name for place in (before, ROOT / 'weights') for name in names
    ]
    there = [place for place in places if place.is_file()]
    return (
        there[0]
        if there
        else newest(before, 'caffemodel')
        or newest(before, 'caffemodel', any_run=True)
    )


def shown(path):
    """A path as it is easiest to read: from the root of the repository."""
    return str(path.relative_to(ROOT) if ROOT in path.parents else path)


def images(folder):
    """The Needs of data: both splits, and that they have nothing in common."""
    found, splits = [], {}
    for phase in ('train', 'test'):
        try:
            layer = data_layer(folder, phase)
            splits[phase] = layer.items()
            split, count = layer.params['split'], len(splits[phase])
            found.append(Need(phase, found=f'{split}, {count} images'))
        except (OSError, ValueError) as error:
            found.append(
                Need(phase, fault=str(error), command='python -m data')
            )
    both = set(splits.get('train', ())) & set(splits.get('test', ()))
    if both:
        fault = (
            f'{len(both)} images ({sorted(both)[0]}, ...) are trained on and '
            'tested on: the scores would mean nothing. Choose disjoint splits'
        )
        found.append(
            Need('splits', fault=fault, command='python -m data check')
        )
    return found


def ids(folder, phase):
    """The images that a net of this directory runs on, in order.

    Takes: phase: train or test
    """
    return data_layer(folder, phase).items()


def data_layer(folder, phase):
    """The data layer of a directory's net, with its settings, but not set
    up: nothing is read yet."""
    solver = text.read_solver(str(folder / 'solver.prototxt'))
    path = solver.train_net if phase == 'train' else solver.test_net[0]
    return source(folder / path).layer
