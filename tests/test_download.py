"""Downloads, against a real HTTP server on the loopback interface."""

import hashlib
import http.server
import json
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from plm_geometry.base.download import fetch
from plm_geometry.base.errors import InputError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; cuts the first answer short where the path asks for it."""

    requests: list[str]
    cut_next = False
    content = CONTENT

    def do_GET(self):
        etag = hashlib.sha256(self.content).hexdigest()
        asked = self.headers.get("Range", "bytes=0-")
        start = int(asked[6:-1]) if self.headers.get("If-Range") == etag else 0
        self.requests.append(self.headers.get("Range", "whole"))
        if self.path == "/missing":
            return self.send_error(404)
        if start >= len(self.content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", "Wed, 05 Feb 2025 00:00:00 GMT")
        self.end_headers()
        stop = 1_200_000 if type(self).cut_next else len(self.content)
        type(self).cut_next = False
        self.wfile.write(self.content[start:stop])

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    handler = type("OwnHandler", (Handler,), {"requests": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server():
    with serving() as found:
        yield found


def test_a_download_is_whole_and_recorded(server, tmp_path):
    url, _ = server
    record = fetch(f"{url}/file.gz", tmp_path / "file.gz", sha256=SHA256)
    assert (tmp_path / "file.gz").read_bytes() == CONTENT
    assert record == json.loads((tmp_path / "file.gz.json").read_text())
    assert record["sha256"] == SHA256
    assert record["date"].startswith("Wed, 05 Feb 2025")


def test_a_cut_download_is_taken_up_where_it_broke(server, tmp_path):
    url, handler = server
    handler.cut_next = True
    with pytest.raises(InputError, match="run the command again"):
        fetch(f"{url}/file.gz", tmp_path / "file.gz")
    assert not (tmp_path / "file.gz").exists()
    fetch(f"{url}/file.gz", tmp_path / "file.gz", sha256=SHA256)
    assert (tmp_path / "file.gz").read_bytes() == CONTENT
    assert handler.requests[0] == "whole"
    assert handler.requests[1] != "whole"


def test_a_file_that_changed_on_the_server_is_not_spliced_to_its_old_beginning(server, tmp_path):
    url, handler = server
    handler.cut_next = True
    with pytest.raises(InputError):
        fetch(f"{url}/file.gz", tmp_path / "file.gz")
    handler.content = CONTENT[::-1]
    fetch(f"{url}/file.gz", tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == CONTENT[::-1]


def test_a_download_that_was_whole_but_not_yet_named_is_only_verified(server, tmp_path):
    url, _ = server
    part = tmp_path / "file.gz.part"
    part.write_bytes(CONTENT)
    known = {"url": f"{url}/file.gz", "version": SHA256}
    part.with_name("file.gz.part.json").write_text(json.dumps(known))
    fetch(f"{url}/file.gz", tmp_path / "file.gz", sha256=SHA256)
    assert (tmp_path / "file.gz").read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.gz", "file.gz.json"]


def test_a_mistyped_checksum_does_not_cost_the_file(server, tmp_path):
    url, _ = server
    fetch(f"{url}/file.gz", tmp_path / "file.gz")
    with pytest.raises(InputError, match="correct the checksum"):
        fetch(f"{url}/file.gz", tmp_path / "file.gz", sha256="0" * 64)
    assert (tmp_path / "file.gz").read_bytes() == CONTENT


def test_another_address_is_another_file(server, tmp_path):
    url, handler = server
    fetch(f"{url}/one", tmp_path / "file.gz")
    handler.content = CONTENT[::-1]
    fetch(f"{url}/two", tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == CONTENT[::-1]


def test_what_is_here_already_is_not_asked_for_again(server, tmp_path):
    url, handler = server
    for _ in range(2):
        fetch(f"{url}/file.gz", tmp_path / "file.gz")
    assert len(handler.requests) == 1


def test_a_wrong_checksum_is_refused_and_the_file_removed(server, tmp_path):
    url, _ = server
    with pytest.raises(InputError, match="corrupt or another release"):
        fetch(f"{url}/file.gz", tmp_path / "file.gz", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_a_sentence(server, tmp_path):
    url, _ = server
    with pytest.raises(InputError, match="answers 404"):
        fetch(f"{url}/missing", tmp_path / "file.gz")


def test_no_network_is_a_sentence(tmp_path):
    with serving() as (url, _):
        pass  # closed again: nothing listens there now
    with pytest.raises(InputError, match="cannot be reached"):
        fetch(f"{url}/file.gz", tmp_path / "file.gz")
