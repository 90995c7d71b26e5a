"""Prototxt is read as leniently and written as plainly as by Caffe."""

import re

import pytest

from caffe.proto import text
from caffe.proto.caffe_pb2 import (
    Datum,
    LayerParameter,
    NetParameter,
    SolverParameter,
)

LENIENT = {
    'comments': '# one\nname: "x"  # two\n#three',
    'no colon before a brace': 'layer { name: "x" }',
    'a colon before a brace': 'layer: { name: "x" }',
    'angle brackets': 'layer < name: "x" >',
    'a colon before an angle bracket': 'layer: < name: "x" >',
    'commas and semicolons': 'name: "x", debug_info: true; input: "y"',
    'a semicolon after a brace': 'layer { name: "x" };',
    'single quotes': "name: 'x'",
    'joined strings': 'name: "x" \'y\'\n  "z"',
    'enum by name': 'state { phase: TRAIN }',
    'enum by number': 'state { phase: 0 }',
    'hexadecimal': 'input_dim: 0x1F',
    'a list': 'input_dim: [1, 0x2, 3]',
    'an empty list': 'input_dim: [] name: "x"',
    'a list of messages': 'layer: [ { name: "x" }, < name: "y" > ]',
    'windows line ends': 'name: "x"\r\nlayer {\r\n}\r\n',
    'nothing between fields': 'name:"x"layer{}debug_info:true',
}
MEANT = {
    'comments': 'name: "x"\n',
    'commas and semicolons': 'name: "x"\ninput: "y"\ndebug_info: true\n',
    'single quotes': 'name: "x"\n',
    'joined strings': 'name: "xyz"\n',
    'enum by name': 'state {\n  phase: TRAIN\n}\n',
    'enum by number': 'state {\n  phase: TRAIN\n}\n',
    'hexadecimal': 'input_dim: 31\n',
    'a list': 'input_dim: 1\ninput_dim: 2\ninput_dim: 3\n',
    'an empty list': 'name: "x"\n',
    'a list of messages': 'layer {\n  name: "x"\n}\nlayer {\n  name: "y"\n}\n',
    'windows line ends': 'name: "x"\nlayer {\n}\n',
    'nothing between fields': 'name: "x"\ndebug_info: true\nlayer {\n}\n',
}
LAYER = 'layer {\n  name: "x"\n}\n'


def net(source):
    return text.parse(source, NetParameter(), 'a.prototxt')


@pytest.mark.parametrize('leniency', LENIENT)
def test_leniency(leniency):
    found = text.to_text(net(LENIENT[leniency]))
    assert found == MEANT.get(leniency, LAYER)


@pytest.mark.parametrize('true', ['true', 'True', 't', '1'])
@pytest.mark.parametrize('false', ['false', 'False', 'f', '0'])
def test_bools_have_four_spellings(true, false):
    found = net(f'layer {{ propagate_down: [{true}, {false}] }}').layer[0]
    assert list(found.propagate_down) == [True, False]


def test_c_escapes_are_undone():
    found = net(r"""name: "a\'b\"c\\d\ne\tf\x41\101" """)
    assert found.name == 'a\'b"c\\d\ne\tfAA'


def test_param_str_of_the_published_nets_survives():
    source = r"python_param { param_str: '{\'seed\': 1337, \'a\': (1, 2)}' }"
    found = text.parse(source, LayerParameter(), 'a')
    assert found.python_param.param_str == "{'seed': 1337, 'a': (1, 2)}"


def test_floats_have_many_spellings():
    found = net('layer { loss_weight: [1e-10, .5, 1.f, 2, inf, -inf, -3E+2] }')
    assert list(found.layer[0].loss_weight)[1:] == [
        0.5,
        1,
        2,
        float('inf'),
        -float('inf'),
        -300,
    ]


ERRORS = {
    'layer {\n  nme: "x"\n}': (
        'a.prototxt:2:3: Message type "LayerParameter" has no field named '
        '"nme" (did you mean "name"?). Failed to parse NetParameter file: '
        'a.prototxt'
    ),
    'layer { num_output: 3 }': 'it belongs in convolution_param, inner_product',
    'layer { dilation: 3 }': 'it belongs in convolution_param',
    'type: "ReLU"': 'it belongs in layers or layer',
    'base_lr: 1': 'this looks like a solver definition',
    'layers { type: CROP }': 'a.prototxt:1:16: .*CROP.*layer { type: "Crop"',
    'layer { type: RELU }': 'write type: "ReLU"',
    'layer { type: Crop }': 'write "Crop" in quotes',
    'layer {\n\n name "x" }': 'a.prototxt:3:7: Expected ":"',
    'layer { name: "x"': 'Expected "}"',
    'name: "x"\nname: "y"': 'a.prototxt:2:.* multiple "name" fields',
    'input_dim: 3.5': "Couldn't parse integer: 3.5",
    'input_dim: 99999999999': 'Value out of range',
    'debug_info: yes': 'Expected "true" or "false"',
    'state { phase: 2 }': 'no value with number 2',
    'name: "x': 'a.prototxt:1:7: .*missing ending quote',
    'layer { clip_param { min: 1 } }': 'clip_param.max must be given',
    'größe: 3': 'has no field named|[Ee]xpected identifier',
}


@pytest.mark.parametrize('source', ERRORS)
def test_errors_name_the_place_and_the_remedy(source):
    with pytest.raises(RuntimeError) as caught:
        net(source)
    want, found = ERRORS[source], str(caught.value)
    assert want in found or re.search(want, found), found
    assert found.endswith('Failed to parse NetParameter file: a.prototxt')


def test_a_net_is_not_a_solver(tmp_path):
    path = tmp_path / 'net.prototxt'
    path.write_text('name: "x"\nlayer { }\n')
    with pytest.raises(RuntimeError, match='this looks like a net definition'):
        text.read_solver(path)


@pytest.mark.parametrize(
    'content, what',
    [
        (b'<!DOCTYPE html><html>', 'an HTML page'),
        (b'version https://git-lfs.github.com/spec/v1\n', 'a git-lfs pointer'),
        (b'\x89HDF\r\n\x1a\n\0\0', 'an HDF5 file'),
        (b'\x0a\x03net\xa2\x06\x05\x0a\x03abc', 'binary'),
    ],
)
def test_what_is_not_text_says_what_it_is(tmp_path, content, what):
    path = tmp_path / 'net.prototxt'
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match=f'is not a prototxt: it is {what}'):
        text.read_net(path)


def test_a_missing_file_is_named():
    with pytest.raises(RuntimeError, match='File not found: none.prototxt'):
        text.read_net('none.prototxt')
    with pytest.raises(
        FileNotFoundError, match='File not found: none.prototxt'
    ):
        text.read_solver('none.prototxt')


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'latin-1'])
def test_any_encoding_will_do_for_a_comment(tmp_path, encoding):
    path = tmp_path / 'net.prototxt'
    path.write_bytes('# Müller\nname: "é"\n'.encode(encoding))
    assert text.read_net(path).name == 'é'


@pytest.mark.parametrize(
    'value, written',
    [
        (1e-10, '1e-10'),
        (0.9, '0.9'),
        (1, '1'),
        (0.0005, '0.0005'),
        (104.00699, '104.00699'),
        (16777215, '16777215'),
        (0.1 + 2**-27, '0.10000001'),
        (1e6, '1e+06'),
        (float('inf'), 'inf'),
        (float('-inf'), '-inf'),
        (float('nan'), 'nan'),
        (-0.0, '-0'),
        (3.4028234663852886e38, '3.4028235e+38'),
    ],
)
def test_floats_are_written_with_the_fewest_digits(value, written):
    solver = SolverParameter(base_lr=value)
    assert text.to_text(solver) == f'base_lr: {written}\n'


def test_strings_are_escaped_as_in_c():
    found = text.to_text(NetParameter(name='\'"\\\n\t\r\x01é'))
    assert found == 'name: "' + r'\'\"\\\n\t\r\001\303\251' + '"\n'
    assert text.to_text(Datum(data=b'\xff\0')) == 'data: "\\377\\000"\n'


def printed(log, what):
    """The messages that Caffe printed into a log, as text."""
    found = re.findall(
        rf'Initializing {what} from parameters: \n(.*?)^[IWE]\d{{8}} ',
        log,
        re.DOTALL | re.MULTILINE,
    )
    return [body for body in found if body]


@pytest.mark.parametrize('case', ['sgd_step', 'sgd_clip', 'adam', 'rmsprop'])
def test_text_is_what_caffe_prints(goldens, case):
    log = (goldens / 'solver' / case / 'log.txt').read_text()
    solvers, nets = printed(log, 'solver'), printed(log, 'net')
    assert len(solvers) == 1 and len(nets) == 2
    for body in solvers:
        solver = text.parse(body, SolverParameter(), 'log')
        assert text.to_text(solver) == body
    for body in nets:
        assert text.to_text(net(body)) == body
    read = text.read_solver(goldens / 'solver' / case / 'solver.prototxt')
    assert text.to_text(read) == solvers[0]
