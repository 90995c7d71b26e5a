"""The one mechanism under every data layer: settings, image order, prefetch.

The order of images is that of Berkeley's layers under Python 2 (voc_layers.py
and its siblings): a split whose name contains `train` is drawn with
replacement, int(random() * n), one draw when the layer is set up and one after
each forward pass; any other split runs from its first item to its last and
starts over. The generator is the layer's own, so no other user of `random`
changes the order. While the net computes, a thread reads what comes next.
Several processes may share one order out, as Caffe's solver_rank does: `deal`.
Not here: what a split is and how an item is read: see `items` and `load`.
"""

import ast
import hashlib
from concurrent.futures import ThreadPoolExecutor
from random import Random

import numpy as np

import caffe
from data.read import read_image


class SegDataLayer(caffe.Layer):
    """A Python layer without bottoms that reads its tops from files.

    A subclass names its tops, its labels' classes and its settings, and
    defines `items`, `load` and `prepare`; infer.py treats images by `read` and
    `prepare`, as `load` does. Where the run stands is kept in these
    attributes, which `state` and `set_state` carry through a snapshot:
      upcoming    positions in `indices` of the next pass's items, a tuple
      dealt       the same of all processes together: one after another's
      ahead       positions that are drawn already, but for later passes
      generator   the random.Random that draws them; None: in turn
    And for whoever watches the run:
      current     the items of the last pass, a list
      skipped     {item: what is wrong with it}; None where a bad item is an
                  error: unless `skip_bad` is set, and always in tests
    """

    tops = ('data', 'label')
    names = {}  # of the classes, for each top that is a label
    needs = {'split'}  # keys of param_str
    allows = {'randomize', 'seed'}
    batch = 1
    turn, hands = 0, 1  # see `deal`
    current, skipped, skip_bad = [], None, False
    _workers = None
    _reading = None  # (positions, future) of what is read or being read

    def items(self):
        """The items to choose from, in the order of the split's file."""
        raise NotImplementedError(f'{type(self).__name__} has no items')

    def load(self, item):
        """Reads one item in a thread of its own: must not draw numbers.

        Gives: one array per top, each without the batch axis
        """
        raise NotImplementedError(f'{type(self).__name__} has no load')

    def prepare(self, kind, pixels):
        """What a net is fed with. Takes: kind: a top that is no label;
        pixels: what `read` gives. Gives: C x H x W float32"""
        raise NotImplementedError(f'{type(self).__name__} has no prepare')

    def read(self, kind, path):
        """The file of one top that is no label. Gives: H x W (x 3)"""
        return read_image(path)

    def __getstate__(self):
        """What another process needs to read items: no message, no thread."""
        left = {'layer_param_', '_workers', '_reading'}
        return {k: v for k, v in vars(self).items() if k not in left}

    def setup(self, bottom, top):
        self.params = self.read_params()
        if len(top) != len(self.tops):
            number = ('no', 'one', 'two', 'three', 'four')[len(self.tops)]
            raise ValueError(
                f'{type(self).__name__}: Need to define {number} tops: '
                f'{" and ".join(self.tops)}.'
            )
        if len(bottom):
            raise ValueError(f'{type(self).__name__}: Do not define a bottom.')
        self.indices = self.items()
        if self.skip_bad and self.phase == caffe.TRAIN:
            self.skipped = {}
        shuffled = 'train' in self.params['split']
        self.generator = None
        if shuffled and self.params.get('randomize', True):
            self.generator = Random(self.params.get('seed'))
        self.dealt = self.ahead = ()
        self.advance()

    def read_params(self):
        try:
            params = ast.literal_eval(self.param_str)
            keys = set(params.keys())
        except (SyntaxError, ValueError, AttributeError):
            raise ValueError(
                f'{type(self).__name__}: param_str must be a Python dict of '
                f'plain values, not {self.param_str!r}'
            ) from None
        missing = self.needs - keys
        unknown = keys - self.needs - self.allows
        if missing or unknown:
            fault = f'lacks {_list(missing)}' if missing else ''
            fault += ' and ' if missing and unknown else ''
            fault += f'has unknown {_list(unknown)}' if unknown else ''
            raise ValueError(
                f'{type(self).__name__}: param_str {fault}; it needs '
                f'{_list(self.needs)} and may have {_list(self.allows)}'
            )
        return params

    def reshape(self, bottom, top):
        for blob, array in zip(top, self.upcoming_arrays()):
            blob.reshape(*array.shape)

    def forward(self, bottom, top):
        for blob, array in zip(top, self.upcoming_arrays()):
            blob.data[...] = array
        self.current = [self.indices[at] for at in self.upcoming]
        self.advance()
        self.prefetch()

    def backward(self, top, propagate_down, bottom):
        """Nothing flows into files."""

    @property
    def idx(self):
        """The next item's position, under the original's name."""
        return self.upcoming[0]

    def advance(self):
        """Draws, or counts on to, the positions of the next pass."""
        drawn, count = [*self.ahead], len(self.indices)
        last = [-1, *self.dealt, *drawn][-1]
        wanted = self.batch * self.hands
        while len(drawn) < wanted:
            if self.generator is None:
                last = (last + 1) % count
                drawn.append(last)
            else:
                drawn.append(int(self.generator.random() * count))
        self.dealt, self.ahead = tuple(drawn[:wanted]), tuple(drawn[wanted:])
        self.upcoming = self.dealt[self.turn * self.batch :][: self.batch]

    def deal(self, turn, hands):
        """From now on a pass takes `hands` passes' worth of the order, of which
        part `turn`, from 0, is this process's; the others' are the others'."""
        state = self.state()
        self.turn, self.hands = turn, hands
        self.set_state(state)

    def prefetch(self):
        """Starts reading the upcoming items, unless that is under way."""
        if self._reading and self._reading[0] == self.upcoming:
            return
        if self._workers is None:
            # its thread ends with `close`, or when nothing refers to the pool
            self._workers = ThreadPoolExecutor(1, 'data layer')
        items = [self.indices[at] for at in self.upcoming]
        future = self._workers.submit(_read, self.load, items)
        self._reading = self.upcoming, future

    def upcoming_arrays(self):
        """The next pass's tops, batch axis first; raises what `load` raised,
        and reads anew the next time, should the file be mended by then."""
        while True:
            self.prefetch()
            try:
                return self._reading[1].result()
            except BaseException as error:
                self._reading = None
                if self.skipped is None or not isinstance(
                    error, (OSError, ValueError)
                ):
                    raise
                self.skip(str(error))

    def skip(self, fault):
        """Goes on to the items after the upcoming ones: in the order; where
        it is shared out, in the list, and the order stays as it is."""
        for at in self.upcoming:
            self.skipped[self.indices[at]] = fault
        if self.skipped.keys() >= set(self.indices):
            raise ValueError(f'not one image can be read: {fault}')
        if self.hands == 1:
            return self.advance()
        count = len(self.indices)
        self.upcoming = tuple((at + 1) % count for at in self.upcoming)

    def state(self):
        """Where the run stands, in JSON's types; the same in all processes
        that share the order out, and however many go on with it."""
        drawn = self.generator and self.generator.getstate()
        return {
            'upcoming': (*self.dealt, *self.ahead),
            'generator': drawn,
            'items': self.digest(),
        }

    def set_state(self, state):
        """Takes: state: what `state` gave, through JSON or not"""
        if state['items'] != self.digest():
            raise ValueError(
                f'{type(self).__name__}: the list {self.params["split"]} is '
                'not the one that this run began with. Put it back; or delete '
                'the .resume.json of the snapshot, and the order starts over'
            )
        self.generator = None
        if state['generator']:
            version, numbers, gauss = state['generator']
            self.generator = Random()
            self.generator.setstate((version, tuple(numbers), gauss))
        self.dealt, self.ahead = (), tuple(state['upcoming'])
        self.advance()

    def digest(self):
        """Tells one list of items from another."""
        listed = '\n'.join(map(str, self.indices))
        return hashlib.sha256(listed.encode()).hexdigest()

    def close(self):
        """Ends the thread. The layer may be used again: it starts another."""
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
        self._workers = self._reading = None


def _read(load, items):
    return [np.stack(arrays) for arrays in zip(*map(load, items))]


def bgr_minus_mean(pixels, mean):
    """H x W x 3 RGB uint8 -> 3 x H x W float32, blue first, minus the mean.

    The subtraction is done in the mean's own precision and rounded to
    float32 after it, as numpy does `x -= mean` for a float32 x. There are
    only 256 values a channel, so it is done for those.
    """
    values = np.arange(256, dtype=np.float32)
    table = (values - np.reshape(mean, (3, 1))).astype(np.float32)  # 3 x 256
    return np.stack([table[c][pixels[:, :, 2 - c]] for c in range(3)])


def _list(keys):
    return ', '.join(sorted(keys)) or 'nothing else'
