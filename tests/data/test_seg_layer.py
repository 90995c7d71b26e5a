"""The mechanism of the data layers: settings, image order, prefetch."""

import gc
import json
import threading
import time
from random import Random

import numpy as np
import pytest

from data.seg_layer import SegDataLayer, bgr_minus_mean


class Numbers(SegDataLayer):
    """Items are numbers; an item's data is itself."""

    allows = SegDataLayer.allows | {'n'}
    delay = 0

    def items(self):
        self.read = []
        return list(range(self.params.get('n', 5)))

    def load(self, item):
        time.sleep(self.delay)
        self.read.append(item)
        return np.full((2, 3 + item % 4), item), np.full((3,), -item)


def shown(layer, made, passes):
    return [int(layer.step(made)[0].flat[0]) for _ in range(passes)]


# first draws of Python 2.7's randint(0, n - 1) after seed(1337)
DRAWS = {
    8498: [5249, 4531, 3108, 4978, 1408, 7005, 3260, 6710, 7832, 2614],
    795: [491, 423, 290, 465, 131, 655, 305, 627, 732, 244],
    2486: [1535, 1325, 909, 1456, 411, 2049, 953, 1962, 2291, 764],
    4998: [3087, 2665, 1828, 2927, 828, 4120, 1917, 3946, 4606, 1537],
}


@pytest.mark.parametrize('n', sorted(DRAWS))
def test_a_training_split_is_drawn_as_python_2_drew_it(layer, n):
    made = layer(Numbers, split='trainval', seed=1337, n=n)
    assert shown(layer, made, 10) == DRAWS[n]


def test_a_split_without_train_in_its_name_runs_in_order_and_wraps(layer):
    made = layer(Numbers, split='seg11valid', seed=1337, n=736)
    assert shown(layer, made, 738) == [*range(736), 0, 1]
    assert made.generator is None


def test_randomize_false_keeps_a_training_split_in_order(layer):
    made = layer(Numbers, split='train', randomize=False)
    assert shown(layer, made, 6) == [0, 1, 2, 3, 4, 0]


def test_the_global_generator_neither_decides_nor_moves(layer):
    import random

    random.seed(5)
    before = random.getstate()
    made = layer(Numbers, split='train', seed=1337, n=8498)
    random.random()
    assert shown(layer, made, 3) == DRAWS[8498][:3]
    random.seed(5)
    assert random.getstate() == before


def test_reshape_draws_nothing_and_reads_nothing_again(layer):
    made = layer(Numbers, split='train', seed=1337, n=8498)
    for _ in range(4):
        made.reshape([], made.top)
    assert made.idx == DRAWS[8498][0]
    assert made.read == [DRAWS[8498][0]]
    assert shown(layer, made, 2) == DRAWS[8498][:2]


def test_tops_take_the_items_shapes_with_a_batch_axis(layer):
    made = layer(Numbers, split='val')
    assert made.top[0].data.shape == (1, 2, 3), made.top[0].data.shape
    layer.step(made)
    made.reshape([], made.top)
    assert made.top[0].data.shape == (1, 2, 4)
    assert made.top[1].data.shape == (1, 3)


def test_a_batch_takes_several_draws_a_pass(layer):
    class Pairs(Numbers):
        batch = 2

        def load(self, item):
            return np.full(3, item), np.float32(-item)

    made = layer(Pairs, split='train', seed=1337, n=795)
    first, second = layer.step(made), layer.step(made)
    assert first[0].tolist() == [[491] * 3, [423] * 3]
    assert second[1].tolist() == [-290, -465]
    made = layer(Pairs, split='val', n=3)
    order = [layer.step(made)[1].tolist() for _ in range(3)]
    assert order == [[0, -1], [-2, 0], [-1, -2]]


def test_position_and_generator_are_all_a_run_needs_to_go_on(layer):
    made = layer(Numbers, split='train', seed=1337, n=8498)
    shown(layer, made, 4)
    upcoming, state = made.upcoming, made.generator.getstate()
    other = layer(Numbers, split='train', seed=2, n=8498)
    other.upcoming = upcoming
    other.generator.setstate(state)
    assert shown(layer, other, 6) == DRAWS[8498][4:]


def test_the_next_item_is_read_while_the_net_computes(layer):
    made = layer(Numbers, split='val')
    layer.step(made)
    deadline = time.monotonic() + 5
    while made.read != [0, 1] and time.monotonic() < deadline:
        time.sleep(0.001)
    assert made.read == [0, 1], 'not read in the background'
    assert shown(layer, made, 1) == [1]
    made.close()


@pytest.mark.parametrize('split', ['train', 'val'])
@pytest.mark.parametrize('batch', [1, 2])
def test_an_order_that_is_dealt_out_is_that_of_one(layer, split, batch):
    class Alike(Numbers):
        def load(self, item):
            return np.full(3, item), np.float32(item)

    Alike.batch = batch

    def new(turn=0, hands=1):
        made = layer(Alike, split=split, seed=1337, n=7)
        if hands > 1:
            made.deal(turn, hands)
        return made

    def passes(made, count):
        return [layer.step(made)[1].tolist() for _ in range(count)]

    straight = passes(new(), 12)
    dealt = [new(turn, 3) for turn in range(3)]
    each = [passes(made, 2) for made in dealt]
    assert [x for four in zip(*each) for x in four] == straight[:6]
    states = [made.state() for made in dealt]
    assert states[0] == states[1] == states[2]
    for hands in (1, 2, 3):
        on = [new(turn, hands) for turn in range(hands)]
        for made in on:
            made.set_state(json.loads(json.dumps(states[0])))
        each = [passes(made, 6 // hands) for made in on]
        assert [x for few in zip(*each) for x in few] == straight[6:], hands


class Failing(Numbers):
    def load(self, item):
        if item == 1 and not hasattr(self, 'mended'):
            raise OSError('disk 7 is gone')
        return super().load(item)


def test_what_the_thread_raises_reaches_the_next_reshape(layer):
    made = layer(Failing, split='val')
    layer.step(made)
    with pytest.raises(OSError, match='disk 7') as caught:
        made.reshape([], made.top)
    names = [entry.name for entry in caught.traceback]
    assert names[-1] == 'load', f'not where it was raised: {names}'
    with pytest.raises(OSError, match='disk 7'):
        made.forward([], made.top)
    made.mended = True
    assert shown(layer, made, 2) == [1, 2], 'a mended file is read again'


def test_a_bad_item_of_one_hand_does_not_move_the_others(layer):
    class Bad(Failing):
        skip_bad = True

    dealt = [layer(Bad, split='train', seed=1337, n=4) for _ in range(2)]
    for turn, made in enumerate(dealt):
        made.phase, made.skipped = 0, {}
        made.deal(turn, 2)
    both = [shown(layer, made, 6) for made in dealt]
    draws = Random(1337)
    drawn = [int(draws.random() * 4) for _ in range(12)]
    assert 1 in drawn[::2] and 1 in drawn[1::2]
    want = [2 if at == 1 else at for at in drawn]
    assert both == [want[::2], want[1::2]], 'the next in the list'
    assert dealt[0].state() == dealt[1].state()
    assert all(made.skipped == {1: 'disk 7 is gone'} for made in dealt)


def thread_of(layer, made):
    before = set(threading.enumerate())
    layer.step(made)
    (worker,) = set(threading.enumerate()) - before
    return worker


def test_the_thread_ends_when_the_layer_is_dropped(layer):
    made = layer(Numbers, split='val')
    made.close()
    worker = thread_of(layer, made)
    del made
    gc.collect()
    worker.join(5)
    assert not worker.is_alive()


def test_the_thread_ends_on_close_and_another_starts_on_use(layer):
    made = layer(Numbers, split='val')
    made.close()
    worker = thread_of(layer, made)
    made.close()
    made.close()
    worker.join(5)
    assert not worker.is_alive()
    assert shown(layer, made, 2) == [1, 2]
    made.close()


def test_the_order_survives_slow_reading(layer):
    made = layer(Numbers, split='train', seed=1337, n=795)
    made.delay = 0.002
    assert shown(layer, made, 10) == DRAWS[795]


@pytest.mark.parametrize(
    'param_str, text',
    [
        ("{'split': 'train', 'sead': 3}", 'has unknown sead; it needs split'),
        ("{'seed': 3}", 'lacks split; it needs split and may have n, random'),
        ("{'sead': 3}", 'lacks split and has unknown sead'),
        ("['split']", 'must be a Python dict'),
        ("{'split': open('x')}", 'must be a Python dict'),
        ("{'split': ", 'must be a Python dict'),
    ],
)
def test_settings_are_a_dict_of_known_keys(layer, param_str, text):
    with pytest.raises(ValueError, match='Numbers: ') as caught:
        layer(Numbers, param_str=param_str)
    assert text in str(caught.value)


def test_tops_and_bottoms_are_counted(layer):
    with pytest.raises(
        ValueError, match='Need to define two tops: data and label'
    ):
        layer(Numbers, tops=1, split='val')
    with pytest.raises(ValueError, match='Do not define a bottom'):
        layer(Numbers, bottom=['data'], split='val')


def test_the_mean_is_subtracted_in_its_own_precision():
    """As numpy's `x -= mean` does for a float32 x."""
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (37, 41, 3), dtype=np.uint8)
    given = (104.00699, 116.66877, 122.67892)
    both = []
    for kind in (np.float64, np.float32):
        mean = np.array(given, kind)
        want = np.array(pixels, dtype=np.float32)[:, :, ::-1]
        want -= mean
        got = bgr_minus_mean(pixels, mean)
        assert got.dtype == np.float32 and got.shape == (3, 37, 41)
        assert (got == want.transpose(2, 0, 1)).all(), kind
        both.append(got)
    assert (both[0] != both[1]).any(), 'the two precisions should differ'
