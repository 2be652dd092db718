"""Downloads of checkpoints from a real server on this machine that answers as the hub does."""

import hashlib
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import huggingface_hub.constants
import pytest

import tiny_checkpoints
from plm_geometry import paths
from plm_geometry.errors import InputError
from plm_geometry.models import describe_model, hub, load

COMMIT = "c" * 40


class Hub(BaseHTTPRequestHandler):
    """Serves one repository, lab/tiny, from the server's ``directory``."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requested.append(self.path)
        if self.path.startswith("/api/models/lab/tiny/revision/"):
            files = sorted(path.name for path in self.server.directory.iterdir())
            siblings = [{"rfilename": name} for name in files]
            info = {"id": "lab/tiny", "sha": COMMIT, "siblings": siblings}
            self.answer(json.dumps(info).encode())
        elif self.path.startswith("/api/models/lab/tiny/tree/"):
            entries = [self.entry(path) for path in self.server.directory.iterdir()]
            self.answer(json.dumps(entries).encode())
        elif self.path.startswith("/lab/tiny/resolve/"):
            name = Path(urlparse(self.path).path).name
            self.answer((self.server.directory / name).read_bytes())
        else:
            self.answer(b"", 404, {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def entry(self, path):
        return {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0" * 40}

    def answer(self, content, status=200, headers=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "GET":
            return
        if self.path.endswith("model.safetensors") and self.server.cuts > 0:
            self.server.cuts -= 1
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.directory, server.requested, server.cuts = tmp_path / "repository", [], 0
    tiny_checkpoints.write_bert(server.directory)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    settings = {
        "HF_HUB_OFFLINE": False,
        "ENDPOINT": address,
        "HUGGINGFACE_CO_URL_TEMPLATE": address + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setattr(huggingface_hub.constants, name, value)
    yield server
    server.shutdown()
    server.server_close()


def fetched(server):
    return {path.rsplit("/", 1)[1] for path in server.requested if "/resolve/" in path}


def go_offline(server, monkeypatch):
    server.requested.clear()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def test_a_hub_id_is_fetched_once_and_then_needs_no_network(server, monkeypatch):
    model = load("lab/tiny")
    assert (model.name, model.title) == ("lab/tiny", "lab/tiny")
    assert model.identity["revision"] == COMMIT
    assert "model.safetensors" in fetched(server)
    go_offline(server, monkeypatch)
    assert load("lab/tiny").identity == model.identity
    assert server.requested == []


def test_a_checkpoint_in_the_older_format_alone_is_fetched(server):
    tiny_checkpoints.as_pytorch_bin(server.directory)
    assert load("lab/tiny").width == 32
    assert "pytorch_model.bin" in fetched(server)


def test_of_two_formats_and_unneeded_files_only_one_is_fetched(server):
    for name in ("pytorch_model.bin", "tf_model.h5", "modeling_own.py"):
        (server.directory / name).write_bytes(b"never asked for")
    load("lab/tiny")
    assert fetched(server) == {
        "config.json",
        "vocab.txt",
        "tokenizer_config.json",
        "model.safetensors",
    }


def test_an_untrained_copy_fetches_no_weights(server):
    assert load("untrained:lab/tiny").is_control
    assert fetched(server) == {"config.json", "vocab.txt", "tokenizer_config.json"}


def test_a_description_fetches_no_weights(server):
    card = describe_model("lab/tiny")
    assert fetched(server) == {"config.json", "vocab.txt", "tokenizer_config.json"}
    model = load("lab/tiny")
    assert (card.title, card.width, card.max_residues) == (
        model.title,
        model.width,
        model.max_residues,
    )


def test_a_download_that_is_cut_is_taken_up(server):
    server.cuts = 1
    assert load("lab/tiny").width == 32
    assert sum("safetensors" in path for path in server.requested) > 1


def test_weights_that_never_came_are_refused_in_a_sentence(server, monkeypatch):
    describe_model("lab/tiny")
    go_offline(server, monkeypatch)
    assert describe_model("lab/tiny").width == 32
    with pytest.raises(InputError, match=r"cannot be fetched \(.*offline"):
        load("lab/tiny")


def test_a_cache_that_holds_a_configuration_alone_is_no_checkpoint(server, tmp_path, monkeypatch):
    cached = tmp_path / "cache" / "models--lab--tiny"
    snapshot = cached / "snapshots" / COMMIT
    shutil.copytree(server.directory, snapshot, ignore=shutil.ignore_patterns("*.safetensors"))
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(COMMIT)
    go_offline(server, monkeypatch)
    assert describe_model("lab/tiny").width == 32
    with pytest.raises(InputError, match="is not on this machine and cannot be fetched"):
        load("lab/tiny")


def test_a_repository_that_is_not_there_is_refused(server):
    with pytest.raises(InputError, match="has no public model lab/other at revision main"):
        load("lab/other")


def test_without_network_what_was_fetched_still_loads(server, monkeypatch):
    before = load("lab/tiny").identity
    # Nothing listens on the discard port.
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert load("lab/tiny").identity == before


def test_without_network_anything_else_is_refused_in_a_sentence(server, monkeypatch):
    go_offline(server, monkeypatch)
    with pytest.raises(InputError, match="lab/tiny is not on this machine and cannot be fetched"):
        load("lab/tiny")
    assert server.requested == []


def test_the_official_dump_is_fetched_once_and_verified(server, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    content = (server.directory / "config.json").read_bytes()
    url = f"http://127.0.0.1:{server.server_port}/lab/tiny/resolve/{COMMIT}/config.json?download=1"
    with pytest.raises(InputError, match="0000"):
        hub.fetch_dump(url, "0" * 64)
    path = hub.fetch_dump(url, hashlib.sha256(content).hexdigest())
    assert (path.name, path.read_bytes()) == ("config.json", content)
