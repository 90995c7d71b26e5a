"""The log: glog's line format, through Python's logging."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

import caffe
from caffe.log import init_log, logger, num

LOG = Path(__file__).resolve().parents[2] / 'caffe' / 'log.py'
PREFIX = r'{}20\d{{6}} \d\d:\d\d:\d\d\.\d{{6}} \d+ test_solver_log\.py:\d+\] '


def test_a_line_has_glogs_prefix_and_the_place_of_the_call(capsys):
    caffe.log('50% of layers\nand more')
    logger.warning('careful')
    logger.error('wrong')
    text = capsys.readouterr().err
    expected = (
        'I',
        r'50% of layers\nand more\n',
        'W',
        r'careful\n',
        'E',
        'wrong',
    )
    parts = [
        PREFIX.format(letter) + message
        for letter, message in zip(expected[::2], expected[1::2])
    ]
    assert re.fullmatch(''.join(parts) + r'\n', text), text


def test_init_log_hides_what_is_less_severe(capsys):
    try:
        init_log(1)
        logger.info('hidden')
        logger.warning('shown')
        init_log(0, False)
        logger.warning('hidden too')
        logger.error('shown too')
    finally:
        init_log()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split('] ')[1] for line in lines] == ['shown', 'shown too']


def test_lines_do_not_break_a_progress_bar(capsys):
    with logging_redirect_tqdm([logger]), tqdm(total=2, file=sys.stderr) as bar:
        caffe.log('between')
        bar.update()
    text = capsys.readouterr().err
    assert re.search(r'[\r\n]I20[^\r\n]*\] between\n', text), repr(text)


@pytest.mark.parametrize(
    'value, text',
    [
        (1e-10, '1e-10'),
        (0.00048828125, '0.000488281'),
        (1000000, '1e+06'),
        (123456.5, '123456'),
        (791.57263184, '791.573'),
        (0.0001, '0.0001'),
        (0, '0'),
        (-2.0, '-2'),
        (float('nan'), 'nan'),
        (float('inf'), 'inf'),
    ],
)
def test_numbers_look_as_from_a_c_stream(value, text):
    assert num(value) == text


def script(code, **environment):
    """Runs caffe/log.py by itself, then code. Gives: stderr"""
    code = f'import runpy, logging\n{code}'.replace(
        'LOAD', f'runpy.run_path({str(LOG)!r})'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stderr


def test_glog_minloglevel_is_honoured():
    code = 'LOAD["logger"].info("low"); LOAD["logger"].error("high")'
    text = script(code, GLOG_minloglevel='2')
    assert 'low' not in text
    assert text.startswith('E20') and text.endswith('] high\n')


def test_an_application_that_set_up_the_logger_keeps_its_own():
    code = (
        'own = logging.StreamHandler()\n'
        'logging.getLogger("caffe").addHandler(own)\n'
        'assert LOAD["logger"].handlers == [own]\n'
        'LOAD["logger"].warning("mine")'
    )
    assert script(code) == 'mine\n'


def test_a_configured_root_logger_does_not_print_lines_twice():
    text = script('logging.basicConfig(level=0); LOAD["log"]("once")')
    assert text.count('once') == 1


def test_levels_follow_pythons_names():
    assert logger.isEnabledFor(logging.INFO)
    assert not logger.isEnabledFor(logging.DEBUG)
