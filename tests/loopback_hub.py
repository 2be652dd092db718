"""A server on this machine that answers as Hugging Face's hub does, and as a site of plain files.

`python tests/loopback_hub.py DIRECTORY [PORT]` serves a directory until it is stopped: repositories
as ``OWNER/NAME/FILE``, and everything by its path, with ranges, for whatever else is fetched.
"""

import hashlib
import json
import re
import sys
import threading
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse

COMMIT = "c" * 40  # what a branch stands for
_API = re.compile(r"/api/models/([^/]+/[^/]+)/(revision|tree)/([^/?]+)")
_FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@cache
def _etag(path: Path, _modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """Answers from the server's ``directory``; ``refusals`` holds a status and a code by id."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requested.append(self.path)
        path = unquote(urlparse(self.path).path)
        if asked := _API.match(path):
            self.tell_of_repository(*asked.groups())
        elif asked := _FILE.match(path):
            self.send_from_repository(*asked.groups())
        else:
            self.send_file(self.server.directory / path.lstrip("/"))

    do_HEAD = do_GET

    def tell_of_repository(self, name, what, revision):
        if self.is_refused(name):
            return
        files = sorted(path for path in (self.server.directory / name).iterdir())
        if what == "tree":
            told = [self.entry(path) for path in files]
        else:
            siblings = [{"rfilename": path.name} for path in files]
            told = {"id": name, "sha": commit_of(revision), "siblings": siblings}
        self.send(json.dumps(told).encode(), {"Content-Type": "application/json"})

    def entry(self, path):
        return {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0" * 40}

    def send_from_repository(self, name, revision, file):
        if not self.is_refused(name):
            self.send_file(self.server.directory / name / file, commit_of(revision))

    def is_refused(self, name):
        missing = (404, "RepoNotFound")
        exists = (self.server.directory / name).is_dir()
        refusal = self.server.refusals.get(name, None if exists else missing)
        if refusal:
            status, code = refusal
            self.send(b"", {"X-Error-Code": code} if code else {}, status)
        return refusal

    def send_file(self, path, commit=""):
        if not path.is_file():
            self.send(b"", {"X-Error-Code": "EntryNotFound"}, 404)
            return
        headers = {"ETag": f'"{_etag(path, path.stat().st_mtime_ns)}"', "Accept-Ranges": "bytes"}
        content, status = path.read_bytes(), 200
        if commit:
            headers["X-Repo-Commit"] = commit
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, stop = int(asked[1]), int(asked[2] or len(content) - 1) + 1
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            content, status = content[start:stop], 206
        self.send(content, headers, status, cut=path.suffix == ".safetensors")

    def send(self, content, headers, status=200, *, cut=False):
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut and self.server.cuts > 0:
            self.server.cuts -= 1
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def commit_of(revision):
    return revision if re.fullmatch("[0-9a-f]{40}", revision) else COMMIT


@contextmanager
def serving(directory, port=0):
    """Serve `directory`; the server's ``cuts`` says how many downloads of weights break off."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Hub)
    server.directory, server.requested, server.cuts, server.refusals = directory, [], 0, {}
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    with serving(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0) as running:
        print(running.address, flush=True)
        threading.Event().wait()
