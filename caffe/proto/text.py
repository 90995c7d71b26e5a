"""Prototxt: protobuf's text format, as Caffe reads and writes it.

Caffe: io.cpp (ReadProtoFromTextFile), upgrade_proto.cpp. Reading rests on
google.protobuf.text_format; writing does not, as its floats differ from one
version to the next.
"""

import difflib
import re
import struct

from google.protobuf import text_format

from . import caffe_pb2, files
from .caffe_pb2 import NetParameter, SolverParameter, V1LayerParameter
from .explain import TEXT, what_is
from .upgrade import type_name, upgrade_net, upgrade_solver

# what was asked for, what the file may be instead
SWAPPED = (
    ('NetParameter', SolverParameter, 'solver'),
    ('SolverParameter', NetParameter, 'net'),
)
ESCAPES = {9: '\\t', 10: '\\n', 13: '\\r', 34: '\\"', 39: "\\'", 92: '\\\\'}


def read_net(path):
    """The NetParameter of a prototxt, upgraded."""
    net = parse(read_text(path), NetParameter(), path)
    upgrade_net(net, path)
    return net


def read_solver(path):
    """The SolverParameter of a prototxt; `type` replaces solver_type."""
    solver = parse(read_text(path), SolverParameter(), path)
    upgrade_solver(solver, path)
    return solver


def read_text(path):
    try:
        with open(path, 'rb') as file:
            data = file.read()
    except FileNotFoundError:
        raise files.NoSuchFile(f'File not found: {path}') from None
    except IsADirectoryError:
        raise RuntimeError(f'{path} is a directory, not a prototxt') from None
    what = what_is(data[:4096])
    if data and what != TEXT:
        what = what or 'binary (a caffemodel?)'
        raise RuntimeError(f'{path} is not a prototxt: it is {what}')
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError:  # an author's name in a comment, as a rule
        return data.decode('latin-1')


def parse(text, message, source):
    """Fills `message` from a prototxt.

    Takes: source: the file, as errors should name it
    Gives: message
    Raises: RuntimeError with the place and, where there is one, the remedy
    """
    kind = message.DESCRIPTOR.name
    failed = f'Failed to parse {kind} file: {source}'
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        row, column = error.GetLine() or 1, error.GetColumn() or 1
        what = plain(str(error), text.split('\n')[row - 1])
        if remedy := hint(what, kind):
            what += f' ({remedy})'
        what = ''.join(map(printable, what))
        raise RuntimeError(
            f'{source}:{row}:{column}: {what}. {failed}'
        ) from None
    if not message.IsInitialized():
        missing = ', '.join(message.FindInitializationErrors())
        raise RuntimeError(f'{source}: {missing} must be given. {failed}')
    return message


def plain(error, line):
    """An error of text_format without the place and the line it repeats."""
    what = re.sub(r'^\d+:\d+ : ', '', error)
    return what.replace(f"'{line}': ", '', 1).replace('caffe.', '').rstrip('.')


def printable(char):
    return char if char.isprintable() else repr(char)[1:-1]


def hint(what, kind):
    """What the author of the file may have meant, or nothing."""
    if found := re.search(r'type "(\w+)" has no field named "(.+)"', what):
        return hint_field(*found.groups(), kind)
    if found := re.search(r'LayerType" has no value named "?(\w+)', what):
        name = ''.join(word.capitalize() for word in found[1].split('_'))
        advice = f'write layer {{ type: "{name}" ... }}, not layers {{ ... }}'
        if name == 'Crop':  # from a branch of Caffe before 1.0
            advice += '; `python -m caffe upgrade OLD NEW` does so'
        return advice
    if found := re.search(r"Expected string but found: '(\w+)'", what):
        if found[1] in V1LayerParameter.LayerType.keys():
            number = V1LayerParameter.LayerType.Value(found[1])
            return f'write type: "{type_name(number)}"'
        return f'write "{found[1]}" in quotes'
    return ''


def hint_field(message, name, kind):
    fields = getattr(caffe_pb2, message).DESCRIPTOR.fields_by_name
    homes = [
        field.name
        for field in sorted(fields.values(), key=lambda field: field.number)
        if field.message_type and name in field.message_type.fields_by_name
    ]
    for one, other, what in SWAPPED:
        its = other.DESCRIPTOR.fields_by_name
        # a type where none belongs is that of a layer, as a rule
        if message == kind == one and name in its and name != 'type':
            return f'this looks like a {what} definition'
    if homes:
        *others, last = homes[:3]
        others = ', '.join(others) + ' or ' if others else ''
        return f'it belongs in {others}{last}'
    near = difflib.get_close_matches(name, fields, 1)
    return f'did you mean "{near[0]}"?' if near else ''


def to_text(message, indent=''):
    """The prototxt of a message, as Caffe prints it."""
    lines = []
    for field, value in message.ListFields():
        for one in each(value):
            if field.message_type:
                body = to_text(one, indent + '  ')
                lines.append(f'{indent}{field.name} {{\n{body}{indent}}}\n')
            else:
                lines.append(f'{indent}{field.name}: {scalar(field, one)}\n')
    return ''.join(lines)


def each(value):
    """The values of a field, as ListFields gives it: one or a sequence."""
    one = isinstance(value, (bool, int, float, str, bytes))
    return [value] if one or hasattr(value, 'ListFields') else value


def scalar(field, value):
    if field.enum_type:
        return field.enum_type.values_by_number[value].name
    if field.type == field.TYPE_BOOL:
        return 'true' if value else 'false'
    if field.type in (field.TYPE_STRING, field.TYPE_BYTES):
        data = value.encode() if isinstance(value, str) else value
        return '"' + ''.join(map(escaped, data)) + '"'
    if field.type == field.TYPE_FLOAT:
        return shortest(value, 'f', range(6, 9))
    if field.type == field.TYPE_DOUBLE:
        return shortest(value, 'd', range(15, 17))
    return str(value)


def escaped(byte):
    if byte in ESCAPES:
        return ESCAPES[byte]
    return chr(byte) if 32 <= byte < 127 else f'\\{byte:03o}'


def shortest(value, kind, digits):
    """A float in C's %g, with the fewest digits that give it back."""
    for most in digits:
        text = f'{value:.{most}g}'
        if struct.pack(kind, float(text)) == struct.pack(kind, value):
            return text
    return f'{value:.{digits.stop}g}'
