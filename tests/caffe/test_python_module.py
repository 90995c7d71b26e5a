"""Where the module of a Python layer is looked for, how its errors arrive, and
when the layer is closed."""

import gc
import sys

import pytest
from net_text import inputs, net, python

import caffe

PHASE = """
import caffe

class Phase(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape()
    def forward(self, bottom, top): top[0].data[()] = self.phase
"""


FAILING = """
import caffe

class Failing(caffe.Layer):
    def setup(self, bottom, top): self.fail('setup')
    def reshape(self, bottom, top): self.fail('reshape')
    def forward(self, bottom, top): self.fail('forward')
    def backward(self, top, propagate_down, bottom): self.fail('backward')
    def fail(self, where):
        if where == self.param_str:
            raise KeyError(where)

class Bare(caffe.Layer): pass
"""


@pytest.mark.parametrize('where', ['setup', 'reshape', 'forward', 'backward'])
def test_what_a_layer_raises_arrives_unchanged(module, tmp_path, where):
    module(FAILING)
    with pytest.raises(KeyError, match=where) as caught:
        built = net(
            'force_backward: true',
            inputs(x=(2,)),
            python('it', 'Failing', 'x', more=f"param_str: '{where}'"),
            root=tmp_path,
        )
        built.forward()
        built.backward()
    assert caught.traceback[-1].name == 'fail', 'with its own traceback'
    assert caught.value.args == (where,)
    if sys.version_info >= (3, 11):
        note = f"in layer 'it' (Python, Failing.{where})"
        assert caught.value.__notes__ == [note]


def test_a_method_that_is_missing_is_named(module, tmp_path):
    module(FAILING)
    with pytest.raises(NotImplementedError) as caught:
        net(python('it', 'Bare'), root=tmp_path)
    assert str(caught.value) == 'Bare has no setup'


def test_a_missing_module_lists_where_it_was_looked_for(tmp_path):
    with pytest.raises(RuntimeError) as caught:
        net(python('it', 'Some'), root=tmp_path / 'net')
    text = str(caught.value)
    assert "No module named 'written_layers'" in text
    first, second, third = text.split('Searched:\n')[1].split('\n')[:3]
    assert [first, second, third] == [
        f'  {tmp_path / "net"}',
        f'  {tmp_path}',
        f'  {tmp_path / "data"}',
    ]


def test_a_missing_part_of_a_package_is_missing_all_the_same(tmp_path):
    package = tmp_path / 'written_package'
    package.mkdir()
    (package / '__init__.py').touch()
    definition = python('it', 'Some').replace(
        'written_layers', 'written_package.deep.layers'
    )
    with pytest.raises(
        RuntimeError, match="No module named 'written_package.deep.layers'"
    ):
        net(definition, root=tmp_path)
    del sys.modules['written_package']


def test_a_module_that_lacks_something_itself_says_what(module, tmp_path):
    module('import written_helpers_that_are_not_there')
    with pytest.raises(ModuleNotFoundError, match='written_helpers_that'):
        net(python('it', 'Some'), root=tmp_path)


def test_a_class_that_is_missing_is_told_with_the_file(module, tmp_path):
    module(PHASE)
    with pytest.raises(
        RuntimeError,
        match=r"module 'written_layers' \(.*written_layers.py\) has no class "
        "'Tenfold'",
    ):
        net(python('it', 'Tenfold'), root=tmp_path)


@pytest.mark.parametrize('where', ['net', '.', 'data'])
def test_the_module_is_found_beside_the_net_or_its_parent(
    module, tmp_path, where
):
    folder = tmp_path / 'net'
    folder.mkdir()
    (folder / 'net.prototxt').write_text(python('phase', 'Phase'))
    module(PHASE, tmp_path / where)
    path = list(sys.path)
    built = caffe.Net(str(folder / 'net.prototxt'), caffe.TEST)
    assert built.forward()['phase'] == 1
    assert sys.path == path


def test_the_nearest_module_wins(module, tmp_path):
    module('', tmp_path)
    module('', tmp_path / 'data')
    module(PHASE, tmp_path / 'net')
    assert net(python('p', 'Phase'), root=tmp_path / 'net').outputs == ['p']


# closing ----------------------------------------------------------------------

CLOSING = """
import caffe

closed = []

class Closing(caffe.Layer):
    def setup(self, bottom, top):
        if self.param_str:
            raise RuntimeError(self.param_str)
    def reshape(self, bottom, top): top[0].reshape(1)
    def forward(self, bottom, top): pass
    def close(self): closed.append(self.layer_param_.name)
"""


def test_a_layer_is_closed_when_its_net_goes(module, tmp_path):
    module(CLOSING)
    built = net(python('one', 'Closing'), root=tmp_path)
    closed = sys.modules['written_layers'].closed
    blob, held = built.blobs['one'], built.layers[0]
    built.forward()
    assert closed == []
    del built
    gc.collect()
    assert closed == ['one'], 'though somebody holds the layer'
    assert blob.data.shape == (1,) and held.phase == 0


def test_a_layer_of_a_net_that_cannot_be_built_is_closed(module, tmp_path):
    module(CLOSING)
    with pytest.raises(RuntimeError, match='^no such disk'):
        net(
            python('one', 'Closing'),
            python('two', 'Closing', more="param_str: 'no such disk'"),
            root=tmp_path,
        )
    gc.collect()
    assert sorted(sys.modules['written_layers'].closed) == ['one', 'two']
