"""Downloads, from a server on this machine: with resume, and checked before
they get their name."""

import http.server
import re
import threading

import pytest
from model_files import small_net, small_param

from caffe.proto import files
from caffe.proto.text import to_text
from weights import fetch as module
from weights.fetch import fetch
from weights.published import BY_DIRECTORY

NET = 'voc-fcn8s'
FILE = BY_DIRECTORY[NET].file


class Server(http.server.ThreadingHTTPServer):
    """Serves one body; may break off, or know no Range."""

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.body, self.most, self.ranges = b'', None, True
        self.asked = []  # the Range of every request
        self.address = f'http://127.0.0.1:{self.server_port}/{FILE}'


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get('Range')
        server.asked.append(wanted)
        body, start = server.body, 0
        if wanted and server.ranges:
            start = int(re.fullmatch(r'bytes=(\d+)-', wanted)[1])
            if start >= len(body):
                self.send_response(416)
                self.send_header('Content-Range', f'bytes */{len(body)}')
                self.end_headers()
                return
        self.send_response(206 if start else 200)
        self.send_header('Content-Length', str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : server.most])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def model(tmp_path, monkeypatch):
    """The bytes of a model of NET, which is a small net here."""
    folder = tmp_path / 'root' / NET
    folder.mkdir(parents=True)
    (folder / 'deploy.prototxt').write_text(to_text(small_param()))
    monkeypatch.setattr(module, 'ROOT', tmp_path / 'root')
    small_net().save(str(tmp_path / 'a.caffemodel'))
    return (tmp_path / 'a.caffemodel').read_bytes()


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / 'weights'
    folder.mkdir()
    return folder


def test_a_model_arrives_whole_under_its_name(server, model, place):
    server.body = model
    lines = fetch(NET, server.address, place)
    assert (place / FILE).read_bytes() == model
    assert [path.name for path in place.iterdir()] == [FILE]
    assert f'{len(model):,} bytes' in lines[-1]
    assert fetch(NET, server.address, place) == [
        f'{place / FILE} is here already'
    ]
    assert server.asked == [None], 'it was fetched once'


def test_an_interrupted_download_goes_on_where_it_stopped(server, model, place):
    server.body, server.most = model, 500
    with pytest.raises(OSError, match='ended after 500 of') as error:
        fetch(NET, server.address, place)
    assert '500 bytes are kept' in str(error.value)
    assert [path.name for path in place.iterdir()] == [FILE + '.part']
    server.most = None
    fetch(NET, server.address, place)
    assert server.asked == [None, 'bytes=500-']
    assert (place / FILE).read_bytes() == model


def test_without_ranges_it_begins_again(server, model, place):
    server.body, server.ranges = model, False
    (place / f'{FILE}.part').write_bytes(b'of something else')
    fetch(NET, server.address, place)
    assert (place / FILE).read_bytes() == model


def test_a_part_that_is_all_of_it_is_taken(server, model, place):
    server.body = model
    (place / f'{FILE}.part').write_bytes(model)
    fetch(NET, server.address, place)
    assert (place / FILE).read_bytes() == model


def test_a_part_that_is_too_long_is_dropped(server, model, place):
    server.body = model
    (place / f'{FILE}.part').write_bytes(model + b'more')
    fetch(NET, server.address, place)
    assert (place / FILE).read_bytes() == model


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda m: b'<html><title>moved</title></html>', 'is an HTML page'),
        (lambda m: m[:-100], 'truncated'),
        (
            lambda m: m.replace(b'score', b'SCORE'),
            'it lacks score; it has SCORE',
        ),
        (lambda m: b'', 'empty'),
    ],
)
def test_what_is_no_model_of_the_net_gets_no_name(
    server, model, place, spoil, message
):
    server.body = spoil(model)
    with pytest.raises(ValueError, match=message) as error:
        fetch(NET, server.address, place)
    assert not list(place.iterdir()), 'the next try must not go on from it'
    assert str(place / FILE) in str(error.value)


def test_without_a_network_it_says_what_to_do_by_hand(place):
    with Server() as gone:
        pass
    with pytest.raises(OSError) as error:
        fetch(NET, gone.address, place)
    text = str(error.value)
    for part in (BY_DIRECTORY[NET].address, gone.address, str(place / FILE)):
        assert part in text
    assert f'python -m weights inspect {place / FILE} --net {NET}' in text
    assert not list(place.iterdir())


def test_a_full_disk_is_named_and_what_came_is_kept(
    server, model, place, monkeypatch
):
    server.body = model

    def full(response, out, have, total):
        out.write(response.read(300))
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(module, 'receive', full)
    with pytest.raises(OSError, match='No space left on device'):
        fetch(NET, server.address, place)
    assert (place / f'{FILE}.part').stat().st_size == 300
    monkeypatch.undo()


@pytest.mark.parametrize(
    'net, message',
    [
        ('voc-none', 'voc-none: no published network; they are .*voc-fcn8s'),
        ('nyud-fcn32s-color-d', 'its weights were never published'),
    ],
)
def test_what_was_never_published_is_not_asked_for(net, message, place):
    with pytest.raises(ValueError, match=message):
        fetch(net, 'http://127.0.0.1:1/none', place)


def test_other_addresses_than_http_are_refused(place):
    with pytest.raises(OSError, match='not a http:// or https:// address'):
        fetch(NET, 'file:///etc/hostname', place)


def test_a_net_that_is_not_here_is_only_read(
    server, model, place, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, 'ROOT', tmp_path)
    server.body = model
    assert 'only read' in fetch(NET, server.address, place)[0]
    assert files.mapped(place / FILE)[:] == model
