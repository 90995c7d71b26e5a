"""Flags as gflags reads them: `-flag v`, `--flag v`, `-flag=v`, `--flag=v`,
before or after the command; `--` ends them. Spec section H.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple


class UsageError(Exception):
    pass


class Flag(NamedTuple):
    default: Any
    help: str


FLAGS = {
    'gpu': Flag('', "number of the GPU, or 'all' if there is one"),
    'solver': Flag('', 'train: the solver definition'),
    'model': Flag('', 'test, time: the net definition'),
    'phase': Flag('', 'time: TRAIN or TEST; default TRAIN'),
    'level': Flag(0, "the net state's level"),
    'stage': Flag('', "the net state's stages, with commas"),
    'snapshot': Flag('', 'train: the .solverstate to go on from'),
    'weights': Flag('', 'train: models to start from, with commas; test'),
    'iterations': Flag(50, 'test, time: how many'),
    'sigint_effect': Flag('stop', 'train: stop, snapshot or none'),
    'sighup_effect': Flag('snapshot', 'train: stop, snapshot or none'),
    'size': Flag('', 'explain: HxW of the images'),
    'log_dir': Flag('', 'where to write the log to as well'),
    'minloglevel': Flag(0, 'the least severity shown: 0 INFO .. 3 FATAL'),
    'logtostderr': Flag(False, 'no effect: the log is on stderr anyway'),
    'alsologtostderr': Flag(False, 'no effect: the log is on stderr anyway'),
    'help': Flag(False, 'show this'),
}
TRUTHS = dict.fromkeys(('1', 't', 'true', 'y', 'yes'), True)
TRUTHS.update(dict.fromkeys(('0', 'f', 'false', 'n', 'no'), False))


def parse(argv):
    """Gives: the flags as attributes; the words that are no flags
    Raises: UsageError
    """
    values = {name: flag.default for name, flag in FLAGS.items()}
    words, rest = [], list(argv)
    while rest:
        word = rest.pop(0)
        if word == '--':
            words += rest
            break
        if not word.startswith('-') or word == '-':
            words.append(word)
            continue
        name, equals, value = word.lstrip('-').partition('=')
        name, value = name.replace('-', '_'), value if equals else None
        if name.startswith('no') and name[2:] in FLAGS and value is None:
            name, value = name[2:], 'no'
        values[name] = convert(name, value, rest)
    return SimpleNamespace(**values), words


def convert(name, value, rest):
    """The value of a flag, taken from what follows if it has none."""
    if name not in FLAGS:
        raise UsageError(f"unknown command line flag '{name}'")
    default = FLAGS[name].default
    if value is None and isinstance(default, bool):
        return True
    if value is None:
        if not rest:
            raise UsageError(f"flag '--{name}' is missing its argument")
        value = rest.pop(0)
    try:
        if isinstance(default, bool):
            return TRUTHS[value.lower()]
        return type(default)(value)
    except (KeyError, ValueError):
        kind = type(default).__name__
        raise UsageError(
            f"illegal value '{value}' specified for {kind} flag '{name}'"
        ) from None
