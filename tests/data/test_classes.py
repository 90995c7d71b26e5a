"""Names and colours of classes."""

import numpy as np
import pytest

from data import classes
from data.palette import COLOURS, colours_of, distinct

ALL = {
    'VOC': 21,
    'SIFTFLOW': 33,
    'SIFTFLOW_GEOMETRIC': 3,
    'NYUD': 40,
    'CONTEXT': 60,
}
KNOWN = {  # as the papers' figures and the releases have them
    'VOC': {0: 'background', 15: 'person', 20: 'tvmonitor'},
    'SIFTFLOW': {0: 'awning', 5: 'building', 27: 'sky', 32: 'window'},
    'SIFTFLOW_GEOMETRIC': {0: 'sky', 1: 'horizontal', 2: 'vertical'},
    'NYUD': {0: 'wall', 19: 'floor mat', 31: 'night stand', 39: 'otherprop'},
    'CONTEXT': {0: 'background', 11: 'diningtable', 50: 'sky', 59: 'wood'},
}


@pytest.mark.parametrize('name', ALL)
def test_a_dataset_has_a_name_for_each_output(name):
    names = getattr(classes, name)
    assert len(set(names)) == len(names) == ALL[name]
    for number, known in KNOWN[name].items():
        assert names[number] == known


def test_siftflows_classes_are_in_alphabetical_order():
    assert sorted(classes.SIFTFLOW) == classes.SIFTFLOW


def test_vocs_classes_have_vocs_colours():
    assert (colours_of(classes.VOC) == COLOURS).all()


@pytest.mark.parametrize('name', [name for name in ALL if name != 'VOC'])
def test_other_colours_differ_clearly(name):
    names = getattr(classes, name)
    table = colours_of(names).astype(int)
    used = np.concatenate([table[: len(names)], table[255:]])
    apart = np.abs(used[:, None] - used).sum(2)
    apart[np.diag_indices(len(used))] = 999
    assert apart.min() >= 40, 'of 765'
    assert (table[0] == 0).all() == (names[0] == 'background')
    assert (table[255] == COLOURS[255]).all(), 'void is cream everywhere'


def test_more_colours_begin_with_the_same():
    assert (distinct(40)[:33] == distinct(33)).all()
