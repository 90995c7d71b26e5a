"""Who may import whom: the tree's layers, held by reading its source.

An area may import what stands beside it here; the standard library and what
pip installs are anybody's, torch excepted where TORCHLESS says so.
"""

import ast
import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AREAS = {
    'ablations',
    'caffe',
    'data',
    'nets',
    'score',
    'surgery',
    'training',
    'weights',
}
SCRIPTS = {'solve', 'demo', 'infer', 'ablate', 'networks', 'miniature'}

# file -> what of the tree it may import; the first pattern that matches holds
MAY_IMPORT = {
    'caffe/*': {'caffe'},
    'data/__main__.py': {'data', 'caffe'},
    'data/*': {'data', 'caffe.Layer', 'caffe.TRAIN'},
    'nets/module.py': {'nets', 'caffe', 'weights', 'networks'},
    'nets/*': {
        'nets',
        'caffe.NetSpec',
        'caffe.layers',
        'caffe.params',
        'caffe.caffe_pb2',
        'caffe.coord_map',
        'caffe.proto',
    },
    'surgery/__main__.py': {'surgery', 'nets', 'caffe'},
    'surgery/*': {'surgery'},
    'score/reporting.py': {'score', 'data'},
    'score/curves.py': {'score', 'weights'},
    'score/nets.py': {*('score', 'data', 'weights', 'caffe', 'networks')},
    'score/__main__.py': {
        *('score', 'nets', 'data', 'weights', 'caffe', 'networks'),
        'training.kept',
    },
    # classes and colours stand once; these two import nothing but numpy
    'score/*': {'score', 'data.classes', 'data.palette'},
    'weights/__main__.py': {'weights', 'data', 'networks'},
    'weights/compare.py': {'weights', 'score', 'networks'},
    'weights/*': {'weights', 'nets', 'surgery', 'caffe'},
    'training/*': (AREAS - {'ablations', 'nets'}) | {'networks'},
    'ablations/*': AREAS | {'demo', 'miniature', 'networks', 'solve'},
    'examples/*': {'caffe'},
    '*-*/net.py': {'nets', 'caffe'},
    '*-*/solve.py': {'solve', 'surgery', 'score', 'caffe'},
    '*.py': AREAS | SCRIPTS,
}
# Inside the engine, from the top down: none may import one above it.
FLOORS = (
    {'__init__'},
    {'solver'},
    {'net'},
    {'ops'},
    {'blob', 'fillers'},
    {'proto', 'net_spec', 'coord_map'},
)
TORCHLESS = ('caffe/net_spec.py', 'caffe/coord_map.py', 'caffe/proto/*')
TORCHLESS += ('nets/[!m]*', '*-*/net.py', 'surgery/*')


def sources():
    """The tree's own Python files, tests and generated code apart."""
    for path in sorted(ROOT.rglob('*.py')):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(('.', 'tests/', 'benchmarks/')):
            if not name.endswith('_pb2.py'):
                yield name


SOURCES = list(sources())


def some(*patterns):
    """The files that match one of these patterns."""
    return [
        name
        for name in SOURCES
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    ]


@cache
def tree(name):
    return ast.parse((ROOT / name).read_text(), name)


def imports(name):
    """The dotted names that a file imports: `from a import b` is a.b."""
    package = name.split('/')[:-1]
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1]
            home = [*above] if node.level else []
            home += [node.module] if node.module else []
            yield from ('.'.join([*home, a.name]) for a in node.names)


def attributes(name, module):
    """module.x for every `module.x` in a file that imports it whole."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == module:
                yield f'{module}.{node.attr}'


def within(found, allowed):
    return any(found == a or found.startswith(a + '.') for a in allowed)


def rule(name):
    return next(
        allowed
        for pattern, allowed in MAY_IMPORT.items()
        if fnmatch.fnmatch(name, pattern)
    )


@pytest.mark.parametrize('name', SOURCES)
def test_a_file_imports_only_what_lies_below_it(name):
    allowed = rule(name)
    for found in imports(name):
        if found.split('.')[0] not in AREAS | SCRIPTS:
            continue
        if found in AREAS and not within(found, allowed):
            # `import caffe` where only caffe.Layer may be used
            uses = set(attributes(name, found))
            assert uses, f'{name} may not import {found}'
            assert all(within(use, allowed) for use in uses), (name, uses)
        else:
            assert within(found, allowed), f'{name} may not import {found}'


@pytest.mark.parametrize('name', some('caffe/*'))
def test_the_engine_imports_downwards(name):
    own = name.split('/')[1].removesuffix('.py')
    for floor, modules in enumerate(FLOORS):
        if own in modules:
            above = set().union(*FLOORS[:floor])
            break
    else:
        return  # a part of one of these; seen from its importers
    for found in imports(name):
        area, *rest = found.split('.')
        if area == 'caffe' and rest:
            assert rest[0] not in above, f'{name} may not import {found}'


@pytest.mark.parametrize('name', some(*TORCHLESS))
def test_definitions_do_without_torch(name):
    assert not any(found.split('.')[0] == 'torch' for found in imports(name))


@pytest.mark.parametrize('name', SOURCES)
def test_no_eval_and_no_pickle(name):
    calls = [
        node.func.id
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert not {'eval', 'exec'}.intersection(calls)
    assert not any(
        found.split('.')[0] in ('pickle', 'imp') for found in imports(name)
    )


def test_no_module_hides_the_layers_of_net_spec():
    """caffe/layers.py would replace the L of `from caffe import layers`."""
    taken = {'layers', 'params'}
    assert not taken & {path.stem for path in (ROOT / 'caffe').iterdir()}


def test_the_rules_name_every_folder():
    """A new folder with Python in it needs a rule of its own."""
    ruled = AREAS | {'tests', 'benchmarks', 'examples'}
    for name in SOURCES:
        folder = name.split('/')[0]
        if '/' in name and folder not in ruled:
            assert name.endswith(('/net.py', '/solve.py')), name
