"""The command line as a whole: flags, usage, errors, the log in a file."""

import importlib
import re
from types import SimpleNamespace

import pytest

from caffe.cli.flags import UsageError, parse

pytestmark = pytest.mark.usefixtures('folder')


@pytest.mark.parametrize(
    'argv',
    [
        'train -solver s.prototxt -iterations 7',
        'train --solver s.prototxt --iterations 7',
        '-solver=s.prototxt train -iterations=7',
        '--solver=s.prototxt --iterations=7 -- train',
    ],
)
def test_flags_are_read_in_every_style_of_gflags(argv):
    flags, words = parse(argv.split())
    assert words == ['train']
    assert (flags.solver, flags.iterations) == ('s.prototxt', 7)
    assert (flags.gpu, flags.level, flags.sighup_effect) == ('', 0, 'snapshot')


def test_values_may_look_like_flags_and_switches_have_none():
    flags, words = parse(['-level', '-3', '-logtostderr', 'time', '-nohelp'])
    assert words == ['time'] and flags.level == -3
    assert flags.logtostderr is True and flags.help is False
    assert parse(['--logtostderr=0'])[0].logtostderr is False


@pytest.mark.parametrize(
    'argv, message',
    [
        ('train -speed 3', "unknown command line flag 'speed'"),
        ('train -solver', "flag '--solver' is missing its argument"),
        ('time -iterations x', "illegal value 'x' specified for int flag"),
        ('time -help=perhaps', "illegal value 'perhaps' specified for bool"),
    ],
)
def test_flags_that_make_no_sense_are_usage_errors(argv, message, command):
    with pytest.raises(UsageError, match=message):
        parse(argv.split())
    status, said, _ = command(argv)
    assert status == 2 and message in said[0]


@pytest.mark.parametrize('line', ['', 'train now', '-iterations 3', 'explain'])
def test_without_one_command_the_usage_is_shown(line, command):
    status, _, out = command(line)
    assert status == 2
    assert 'usage: caffe <command> <args>' in out
    for word in ('train', 'test', 'device_query', 'time', '-sigint_effect'):
        assert word in out
    assert command('-help')[0] == 0


def test_an_unknown_command_lists_the_known_ones(command):
    status, said, _ = command('tarin')
    assert status == 1
    assert said[0] == 'Available caffe actions:'
    assert said[1:5] == ['\tdevice_query', '\texplain', '\ttest', '\ttime']
    assert said[-1] == 'Unknown action: tarin'
    assert command.prefixes[-1].startswith('F')


@pytest.mark.parametrize(
    'line, message',
    [
        ('train', 'Need a solver definition to train.'),
        ('test', 'Need a model definition to score.'),
        ('test -model net.prototxt', 'Need model weights to score.'),
        ('time', 'Need a model definition to time.'),
        ('time -model no.prototxt', 'Could not open file no.prototxt'),
        ('time -model net.prototxt -phase VAL', 'phase must be "TRAIN" or'),
        ('time -model net.prototxt -gpu one', '-gpu one: give the number'),
        ('train -solver no.prototxt', 'File not found: no.prototxt'),
        ('explain net.prototxt -size 3', 'size 3: give HEIGHTxWIDTH'),
    ],
)
def test_errors_are_one_fatal_line_and_status_1(line, message, command):
    status, said, _ = command(line)
    assert status == 1
    assert message in said[-1]
    assert re.match(r'F\d{8} [\d:.]+ \d+ \w+\.py:\d+$', command.prefixes[-1])
    assert not any('Traceback' in text for text in said)


def test_a_python_layer_that_fails_shows_where(folder, command):
    (folder / 'broken_layer.py').write_text(
        'import caffe\n'
        'class Broken(caffe.Layer):\n'
        '    def setup(self, bottom, top):\n'
        "        raise ValueError('no such split')\n"
    )
    (folder / 'broken.prototxt').write_text(
        "layer { name: 'data' type: 'Python' top: 'data' python_param { "
        "module: 'broken_layer' layer: 'Broken' } }"
    )
    status, said, _ = command('time -model broken.prototxt')
    assert status == 1
    assert any('broken_layer.py", line 4' in text for text in said)
    assert 'no such split' in said[-1]


def test_a_log_folder_gets_a_file_of_the_run(folder, command):
    status, said, _ = command(
        'time -model net.prototxt -iterations 1 -log_dir l'
    )
    assert status == 0
    (path,) = [p for p in (folder / 'l').iterdir() if not p.is_symlink()]
    assert path.name.startswith('caffe.')
    written = (folder / 'l' / 'caffe.INFO').read_text().splitlines()
    assert [text.partition('] ')[2] for text in written] == said
    command('time -model net.prototxt -iterations 1')
    assert len((folder / 'l' / 'caffe.INFO').read_text().splitlines()) == len(
        said
    )


def test_minloglevel_hides_what_is_less_severe(command):
    from caffe import init_log

    try:
        line = 'time -model net.prototxt -iterations 1 -minloglevel 2'
        assert command(line)[1] == []
    finally:
        init_log(0)


def test_gpus_are_refused_where_there_are_none(command, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 0)
    status, said, _ = command('device_query -gpu all')
    assert status == 1
    assert said == [
        'Querying GPUs all',
        'Cannot use GPU in CPU-only Caffe: check mode.',
    ]
    for line in ('-gpu 0', '-gpu all'):
        assert 'GPU' in command(f'time -model net.prototxt {line}')[1][-1]


def test_device_query_tells_what_the_driver_says(command, monkeypatch):
    query = importlib.import_module('caffe.cli.device_query')
    properties = SimpleNamespace(name='Tesla K40c', total_memory=12884705280)
    cuda = query.torch.cuda
    monkeypatch.setattr(cuda, 'is_available', lambda: True)
    monkeypatch.setattr(cuda, 'device_count', lambda: 2)
    monkeypatch.setattr(cuda, 'get_device_properties', lambda i: properties)
    monkeypatch.setattr(query, 'driver', lambda: lambda n, i: 100 * i + n)
    status, said, _ = command('device_query -gpu 1')
    assert status == 0
    assert said[:6] == [
        'Querying GPUs 1',
        'Device id:                     1',
        'Major revision number:         175',
        'Minor revision number:         176',
        'Name:                          Tesla K40c',
        'Total global memory:           12884705280',
    ]
    assert 'Maximum dimension of block:    102, 103, 104' in said
    assert 'Kernel execution timeout:      Yes' in said
    assert len(said) == 19
    assert (
        'no GPU 2: this machine has 2' in command('device_query -gpu 2')[1][-1]
    )


@pytest.mark.gpu
def test_device_query_asks_a_real_driver(command):
    status, said, _ = command('device_query -gpu all')
    assert status == 0
    assert 'Warp size:                     32' in said
