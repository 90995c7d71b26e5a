"""`python -m data` and its check on miniatures of the other datasets."""

import pytest
from miniatures import (
    SUBSET,
    save_mat,
    write_context,
    write_nyud,
    write_siftflow,
)

from data import command

WRITERS = {
    'siftflow': (write_siftflow, 'SIFT Flow', 6),
    'nyud': (write_nyud, 'NYUDv2', 5),
    'context': (write_context, 'PASCAL-Context', 5),
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """write(word): that dataset in a folder of its own, and found there."""

    def write(word):
        for name, place in WRITERS[word][0](tmp_path / word).items():
            monkeypatch.setenv(name, place)
        return tmp_path / word

    return write


def run(capsys, *words):
    status = command.main(words)
    return status, capsys.readouterr().out


@pytest.mark.parametrize('word', WRITERS)
def test_a_sound_dataset_passes(write, capsys, word):
    _, name, count = WRITERS[word]
    root = write(word)
    status, text = run(capsys, 'check', word)
    assert status == 0, text
    assert f'{count} items, 0 problems' in text
    assert f'{name}: {root}' in text
    assert text.count('not the published list, which has') == 2


@pytest.mark.parametrize('word', WRITERS)
def test_a_missing_one_is_a_problem_where_asked_for(capsys, word):
    status, text = run(capsys, 'check', word)
    assert status == 1
    assert f'no {WRITERS[word][1]}' in text or 'no PASCAL VOC2010' in text
    assert '0 items, 1 problems' in text, 'said once, not for every split'


def test_without_words_only_what_is_there_is_looked_at(write, capsys):
    write('nyud')
    _, text = run(capsys, 'check')
    assert 'NYUDv2 test: 2 ids, 2 sound' in text
    assert 'no PASCAL VOC' in text and 'SIFT' not in text


def test_both_labellings_of_siftflow_are_counted(write, capsys):
    write('siftflow')
    _, text = run(capsys, 'check', 'siftflow')
    assert ' sem\n' in text and ' geo\n' in text
    assert '   1 horizontal        4 images' in text
    assert 'sky' in text


def test_faults_are_found(write, capsys):
    root = write('siftflow')
    (root / 'Images' / SUBSET / 'street_bost64.jpg').write_bytes(b'no image')
    (root / 'GeoLabels' / SUBSET / 'coast_natu975.mat').unlink()
    save_mat(
        root / 'SemanticLabels' / SUBSET / 'forest_for121.mat', S=[[7, 35]]
    )
    (root / 'test.txt').write_text('coast_natu975\ncoast_land111\n')
    status, text = run(capsys, 'check', 'siftflow')
    assert status == 1 and '4 problems' in text, text
    for fault in (
        'street_bost64.jpg: unreadable image of 8 bytes',
        'coast_natu975.mat: no such label',
        'forest_for121.mat: S has the value 35, and 1 pixels',
        'SIFT Flow trainval and SIFT Flow test share 1 ids (coast_land111)',
    ):
        assert fault in text, fault


def test_depth_and_hha_are_opened_where_they_are(write, capsys):
    root = write('nyud')
    (root / 'data' / 'depth' / 'img_5001.png').write_bytes(b'')
    (root / 'data' / 'hha' / 'img_5005.png').unlink()
    status, text = run(capsys, 'check', 'nyud')
    assert status == 1 and '2 problems' in text
    for kind in ('depth', 'hha'):
        for path in (root / 'data' / kind).iterdir():
            path.unlink()
        (root / 'data' / kind).rmdir()
    assert run(capsys, 'check', 'nyud')[0] == 0, 'colour nets do without'


def test_an_option_names_the_folder(write, capsys, monkeypatch):
    root = write('nyud')
    monkeypatch.setenv('NYUD_DIR', '/nowhere')
    assert run(capsys, 'check', 'nyud', '--nyud', str(root))[0] == 0


def test_an_unknown_dataset_is_named(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(['check', 'cityscapes'])
    assert stop.value.code == 2
    assert 'no dataset cityscapes; voc, siftflow' in capsys.readouterr().err


def test_the_overview_knows_all_datasets_and_their_lists(write, capsys):
    for word in WRITERS:
        write(word)
    status, text = run(capsys)
    assert status == 0
    assert 'VOC            missing. Get it from' in text
    for _, name, _ in WRITERS.values():
        assert f'{name:14} /' in text
    assert '  trainval     3 ids, not the published list, which has 795' in text
