"""What ablate.py tells without training anything: the studies, the fields that
an edit changes, what is wrong with a command."""

import re

import pytest

import ablate
from ablations.studies import STUDIES


def test_without_arguments_the_studies_are_listed(capsys):
    assert ablate.main([]) == 0
    said = ' '.join(capsys.readouterr().out.split())
    for name, study in STUDIES.items():
        assert name in said
        assert ' '.join(study.question.split()) in said
        assert ' '.join(study.answer.split()) in said


def test_show_prints_the_fields_that_change(capsys):
    assert ablate.main(['show', 'voc-fcn8s', 'upsampling=learned']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == '--- train.prototxt, val.prototxt, deploy.prototxt'
    assert [x for x in lines if x.startswith('-  ')] == ['-  lr_mult: 0']
    assert [x for x in lines if x.startswith('+  ')] == ['+  lr_mult: 1']


@pytest.mark.parametrize(
    'words, message',
    [
        (['upsamplign'], 'no study upsamplign; have upsampling, stride'),
        (['show', 'voc-fcn8s', 'upsamplin=fixed'], 'no edit .upsamplin.; have'),
        (['show', 'voc-fcn8s', 'upsampling=lerned'], 'no such value; have'),
        (['show', 'voc-fcn9s', 'upsampling=fixed'], 'no network directory'),
        (['show', 'voc-fcn8s', 'learned'], 'usage: ablate.py show NET'),
        (['frozen', '--nets', 'voc-fcn9s'], 'voc-fcn9s: no network directory'),
        (['frozen', '--shapes', '--voc', '.'], 'leave out --voc'),
        (['frozen', '--only', 'x', 'cpu'], 'no such run of this study'),
        (['frozen', '--only', 'x', '--print'], 'leave --only out'),
        (['frozen', '--out', '/dev/null'], '--out /dev/null: '),
        (['frozen', '--pri'], 'unrecognized arguments: --pri'),
        (['show', 'voc-fcn8s', 'batch=1', 'batch=2'], 'batch=2: an edit twice'),
        (
            ['upper-bound', '--nets', 'voc-fcn8s', 'siftflow-fcn8s'],
            'voc-fcn8s and siftflow-fcn8s have different ones',
        ),
        (['frozen', '--seeds', '0'], 'invalid positive value'),
    ],
)
def test_a_wrong_command_ends_in_one_message(
    words, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    try:
        status = ablate.main(words)
    except SystemExit as stop:  # as argparse ends
        status = stop.code
    said = capsys.readouterr().err
    assert status in (1, 2)
    assert re.search(message, said), said
