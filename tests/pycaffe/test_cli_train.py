"""`python -m caffe train`: its log, its flags, signals."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from solver_files import STEADY, write

import caffe
from caffe.cli.train import requests

ROOT = Path(__file__).parents[2]


def solver(**more):
    return write(**{'net': 'steady.prototxt', 'max_iter': 20, **more})


def parse_log(lines):
    """What parse_log.py and its kin find in the messages of a log.

    Gives: {'train' or 'test': {iteration: {name: value}}}, with lr
    """
    tables = {'train': defaultdict(dict), 'test': defaultdict(dict)}
    iteration = None
    for line in lines:
        if found := re.search(r'Iteration (\d+)', line):
            iteration = int(found[1])
        if found := re.search(
            r'lr = ([-+]?[0-9]*\.?[0-9]+(?:e[-+]\d+)?)', line
        ):
            tables['train'][iteration]['lr'] = float(found[1])
        if found := re.search(
            r'(Train|Test) net output #(\d+): (\S+) = ([.\deE+-]+)', line
        ):
            tables[found[1].lower()][iteration][found[3]] = float(found[4])
    return tables


def weights(path):
    model = caffe.Net('steady.prototxt', path, caffe.TEST)
    return model.params['ip'][0].data.copy()


def test_the_log_of_a_run_can_be_parsed(folder, command):
    path = solver(display=5, test_iter=[2], test_interval=10, random_seed=3)
    status, said, _ = command(f'train -solver {path}')
    assert status == 0
    assert said.index('Use CPU.') < said.index('Starting Optimization')
    assert said[-2:] == ['Optimization Done.'] * 2
    tables = parse_log(said)
    assert list(tables['train']) == [0, 5, 10, 15]
    assert list(tables['test']) == [0, 10, 20]
    rates = [row['lr'] for row in tables['train'].values()]
    expected = [0.01 * (1 + 0.0001 * i) ** -0.75 for i in (0, 5, 10, 15)]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    losses = [row['loss'] for row in tables['train'].values()]
    assert losses[0] > losses[-1] > 0
    prefix = r'[IW]\d{8} \d\d:\d\d:\d\d\.\d{6} \d+ \w+\.py:\d+$'
    starts = [p for p, text in zip(command.prefixes, said) if 'Iter' in text]
    assert starts and all(re.match(prefix, start) for start in starts)
    names = {'solver_iter_20.caffemodel', 'solver_iter_20.solverstate'}
    assert names <= set(os.listdir(folder))


@pytest.mark.usefixtures('folder')
def test_a_snapshot_is_resumed(command):
    path = solver(snapshot=10, snapshot_prefix='whole', random_seed=3)
    command(f'train -solver {path}')
    whole = weights('whole_iter_20.caffemodel')
    path = solver(snapshot_prefix='half', weights=['none.caffemodel'])
    line = f'train --solver={path} --snapshot=whole_iter_10.solverstate'
    status, said, _ = command(line)
    assert status == 0, 'and the weights in the solver file are ignored'
    assert 'Resuming from whole_iter_10.solverstate' in said
    assert 'SGDSolver: restoring history' in said
    np.testing.assert_array_equal(weights('half_iter_20.caffemodel'), whole)


@pytest.mark.usefixtures('folder')
def test_weights_replace_those_of_the_solver_file(command):
    caffe.Net('steady.prototxt', caffe.TEST).save('start.caffemodel')
    path = solver(max_iter=0, weights=['none.caffemodel'])
    status, said, _ = command(f'train -solver {path} -weights start.caffemodel')
    assert status == 0
    assert 'Finetuning from start.caffemodel' in said
    np.testing.assert_array_equal(
        weights('solver_iter_0.caffemodel'), weights('start.caffemodel')
    )
    status, said, _ = command(f'train -solver {path} -weights a -snapshot b')
    assert status == 1
    assert said == [
        'Give a snapshot to resume training or weights to finetune but not '
        'both.'
    ]


def test_level_and_stages_choose_layers(folder, command):
    rules = {
        'deep': 'include { min_level: 2 }',
        'extra': "include { stage: 'extra' }",
        'all': '',
    }
    text = STEADY + ''.join(
        f"layer {{ name: '{name}' type: 'Silence' bottom: 'data' {rule} }}"
        for name, rule in rules.items()
    )
    (folder / 'staged.prototxt').write_text(text)
    path = solver(net='staged.prototxt', max_iter=1, type='SGD')
    for flags, layers in [
        ('', {'all'}),
        ('-level 2', {'deep', 'all'}),
        ('-stage x,extra', {'extra', 'all'}),
    ]:
        assert command(f'train -solver {path} {flags}')[0] == 0
        saved = caffe.caffe_pb2.NetParameter.FromString(
            (folder / 'solver_iter_1.caffemodel').read_bytes()
        )
        assert layers == {x.name for x in saved.layer} & set(rules)


@pytest.mark.usefixtures('folder')
@pytest.mark.parametrize(
    'flags, fields, message',
    [
        (
            '-sigint_effect halt',
            {},
            'Invalid signal effect "halt" was specified',
        ),
        ('-sighup_effect x', {}, 'Invalid signal effect "x" was specified'),
        ('-gpu 0,1', {}, '-gpu 0,1: training on several GPUs is not'),
        ('', {'solver_mode': 1}, 'GPU'),
    ],
)
def test_what_cannot_be_is_refused(
    flags, fields, message, command, monkeypatch
):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 0)
    status, said, _ = command(f'train -solver {solver(**fields)} {flags}')
    assert status == 1 and message in said[-1]


@pytest.mark.usefixtures('folder')
def test_a_solver_file_in_cpu_mode_trains_on_the_cpu(command):
    status, said, _ = command(f'train -solver {solver(solver_mode=0)}')
    assert status == 0 and 'Use CPU.' in said


# signals ----------------------------------------------------------------------


def test_a_signal_is_told_once_and_sighup_first():
    before = signal.getsignal(signal.SIGINT)
    with requests({'SIGHUP': 'snapshot', 'SIGINT': 'stop'}) as action:
        assert action() is None
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGHUP)
        assert [action(), action(), action()] == ['snapshot', 'stop', None]
    assert signal.getsignal(signal.SIGINT) is before
    with requests({'SIGHUP': 'stop', 'SIGINT': None}) as action:
        os.kill(os.getpid(), signal.SIGINT)
        assert [action(), action()] == [None, None]


def wait_for(condition, process, seconds=60):
    for _ in range(seconds * 20):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError('it did not come')


def test_signals_snapshot_and_stop_a_running_command(folder):
    path = solver(max_iter=10**7, display=100, random_seed=3)
    log = folder / 'log'
    with open(log, 'w') as stderr:
        process = subprocess.Popen(
            [sys.executable, '-m', 'caffe', 'train', f'--solver={path}'],
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            stderr=stderr,
        )
    try:
        wait_for(lambda: 'Iteration 100 ' in log.read_text(), process)
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: list(folder.glob('*.solverstate')), process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
    said = [x.partition('] ')[2] for x in log.read_text().splitlines()]
    assert said[-2:] == ['Optimization stopped early.', 'Optimization Done.']
    assert len(list(folder.glob('solver_iter_*.caffemodel'))) == 2
