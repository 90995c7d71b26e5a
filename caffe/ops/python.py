"""Python layers: caffe.Layer for those who write one, and the op that runs
it. Caffe: python_layer.hpp, layer_factory.cpp.

The class named by `python_param` is looked up beside the prototxt, in its
parent folder, in the parent's `data` folder, then on sys.path. Whatever its
methods raise reaches the caller unchanged, but for a note of the layer's name
(Python 3.11 on).
"""

import importlib
import sys
import weakref
from pathlib import Path

from caffe.blob import Blob
from caffe.ops.base import Op


class BlobVec(list):
    """A list of blobs; add_blob appends a zero one."""

    def add_blob(self, *dims, **kwargs):
        if kwargs:
            raise RuntimeError('BlobVec.add_blob takes no kwargs')
        self.append(Blob(dims))


class Layer:
    """What a layer written in Python derives from (pycaffe's caffe.Layer).

    `param_str` and `phase` are set before `setup`. `setup` runs once, then
    `reshape` when the net is built and before every forward. Bottoms and
    tops are lists of Blobs. `self.blobs.add_blob(...)` in setup makes a
    parameter. `close`, if there is one, is called when the net goes away.
    `state()` and `set_state(values)`, if there, carry what a layer remembers
    (JSON's types) through a snapshot.
    """

    def __init__(self, param):
        self.layer_param_ = param

    def setup(self, bottom, top):
        raise NotImplementedError(f'{type(self).__name__} has no setup')

    def reshape(self, bottom, top):
        raise NotImplementedError(f'{type(self).__name__} has no reshape')

    def forward(self, bottom, top):
        raise NotImplementedError(f'{type(self).__name__} has no forward')

    def backward(self, top, propagate_down, bottom):
        raise NotImplementedError(f'{type(self).__name__} has no backward')


class Python(Op):
    """Hands blobs, not tensors, to the layer object: see Node."""

    bottoms = (0, None)
    tops = (0, None)

    def connect(self, bottoms, tops, roots):
        """Makes the layer object and lets it set up and reshape its tops.

        Takes: roots: folders to look for the module in before sys.path
        """
        param = self.param.python_param
        self.layer = find_class(param.module, param.layer, roots)(self.param)
        self.layer.param_str = param.param_str
        self.layer.phase = self.phase
        self.layer.blobs = BlobVec()
        self.layer.type = 'Python'
        if hasattr(self.layer, 'close'):
            # The op goes when its net does; also a net that was never ready.
            weakref.finalize(self, self.layer.close)
        self.ask('setup', bottoms, tops)
        self.blobs = self.layer.blobs
        self.ask('reshape', bottoms, tops)

    def run(self, bottoms, tops):
        self.ask('reshape', bottoms, tops)
        self.ask('forward', bottoms, tops)

    def ask(self, method, *args):
        """Calls the layer object; notes on what it raises who it was."""
        try:
            getattr(self.layer, method)(*args)
        except Exception as error:
            if hasattr(error, 'add_note'):  # Python 3.11
                name, kind = self.param.name, type(self.layer).__name__
                error.add_note(f"in layer '{name}' (Python, {kind}.{method})")
            raise


def find_class(module, name, roots):
    """The class `name` of `module`, imported from the first place that has
    it.

    Raises: RuntimeError that lists the places searched, if none has it; what
        the module itself raises while it is imported
    """
    places = [str(Path(root).resolve()) for root in roots]
    loaded = sys.modules.get(module) or _import(module, places)
    try:
        return getattr(loaded, name)
    except AttributeError:
        where = getattr(loaded, '__file__', 'a built-in module')
        raise RuntimeError(
            f"Python layer: module '{module}' ({where}) has no class '{name}'"
        ) from None


def _import(module, places):
    before = list(sys.path)
    sys.path[:0] = places
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f'{module}.'.startswith(f'{error.name}.'):
            raise  # the module is there, and imports what is missing
        searched = '\n  '.join(place or '.' for place in sys.path)
        raise RuntimeError(
            f"Python layer: No module named '{module}'. Searched:\n  {searched}"
            '\nPut it beside the prototxt or its folder on PYTHONPATH.'
        ) from None
    finally:
        sys.path[:] = before
