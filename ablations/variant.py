"""A network directory in memory, which edits change, and what they changed."""

import difflib
from ast import literal_eval
from pathlib import Path
from textwrap import wrap

import networks
from caffe.proto import text

SOLVER = 'solver.prototxt'
WIDTH = 80  # of a line that diff writes itself


class Variant:
    """A network's files as messages.

    network   name of the directory
    nets      {file name: NetParameter}: for training, testing, use
    solver    SolverParameter
    """

    def __init__(self, network, nets, solver):
        self.network, self.nets, self.solver = network, nets, solver

    @classmethod
    def read(cls, folder):
        """Raises: FileNotFoundError if there is no such directory"""
        folder = networks.folder(folder)
        uses = [networks.prototxt(folder, use) for use in ('train', 'test')]
        paths = [path for path in uses if path] + [folder / 'deploy.prototxt']
        nets = {path.name: text.read_net(str(path)) for path in paths}
        return cls(folder.name, nets, text.read_solver(str(folder / SOLVER)))

    def copy(self):
        return Variant(
            self.network,
            {name: copied(net) for name, net in self.nets.items()},
            copied(self.solver),
        )

    @property
    def train(self):
        return next(iter(self.nets.values()))

    def layers(self, *types):
        """The layers of these types in all nets, to change them in place."""
        for net in self.nets.values():
            yield from (layer for layer in net.layer if layer.type in types)

    def texts(self):
        """{file name: content}"""
        messages = {**self.nets, SOLVER: self.solver}
        return {name: text.to_text(each) for name, each in messages.items()}

    def write(self, folder):
        """Gives: paths of the files, which are left alone if they say the
        same already"""
        texts = self.texts().items()
        return [put(Path(folder, name), content) for name, content in texts]


def put(path, content):
    """Writes a text file, unless it says the same already. Gives: path"""
    if not path.is_file() or path.read_text() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return path


def copied(message):
    return type(message).FromString(message.SerializeToString())


# diff -----------------------------------------------------------------------


def diff(before, after):
    """What differs between two Variants, as lines of a diff: under the names
    of the files in which it changes alike, a block for each layer, or one for
    all that change alike."""
    found = {}  # (type, lines): {layer: names of files}
    for name in after.nets:
        was, now = before.nets[name].layer, after.nets[name].layer
        for layer, kind, lines in changed_layers(was, now):
            layers = found.setdefault((kind, tuple(lines)), {})
            layers.setdefault(layer, []).append(name)
    blocks = {}  # names of files: lines
    for (kind, lines), layers in found.items():
        for files, names in grouped(layers).items():
            several = 's' * (len(names) > 1)
            title = f'layer{several} {", ".join(names)} ({kind})'
            blocks.setdefault(files, []).extend([*head(title), *lines])
    was, now = (text.to_text(v.solver).splitlines() for v in (before, after))
    if lines := changes(was, now):
        blocks[(SOLVER,)] = [*head('settings'), *lines]
    return [
        line
        for files, lines in blocks.items()
        for line in (f'--- {", ".join(files)}', *lines)
    ]


def grouped(layers):
    """{files: layers} of {layer: files}."""
    groups = {}
    for layer, files in layers.items():
        groups.setdefault(tuple(files), []).append(layer)
    return groups


def head(title):
    last = '\N{NO-BREAK SPACE}@@'  # not alone on a line
    lines = wrap(f'@@ {title}{last}', WIDTH, subsequent_indent='   ')
    return [line.replace(last, ' @@') for line in lines]


def changed_layers(was, now):
    """(name, type, lines) of each layer that is new, gone or changed."""
    old = {layer.name: layer for layer in was}
    new = {layer.name: layer for layer in now}
    order = [line[2:] for line in difflib.ndiff([*old], [*new])]
    for name in dict.fromkeys(name for name in order if name in old | new):
        sides = [layer_lines(each.get(name)) for each in (old, new)]
        if lines := changes(*sides):
            yield name, (new.get(name) or old[name]).type, lines


def layer_lines(layer):
    """A layer's fields, with a line for each setting in a param_str."""
    if layer is None:
        return []
    lines = []
    for line in text.to_text(layer).splitlines():
        long = line.startswith('  param_str: ')
        lines += settings(layer.python_param.param_str) if long else [line]
    return lines


def settings(param_str):
    try:
        items = literal_eval(param_str).items()
    except (SyntaxError, ValueError, AttributeError):  # no dict: anything goes
        return [f'  param_str: {param_str!r}']
    return [f'  param_str[{key!r}]: {value!r}' for key, value in items]


def changes(was, now):
    """The lines that differ, each with its neighbours, unless these only
    name the layer."""
    lines = [*difflib.unified_diff(was, now, n=1, lineterm='')]
    lines = [' ...' if x.startswith('@@') else x for x in lines[3:]]
    return [x for x in lines if not x.startswith((' name:', ' type:', ' top:'))]
