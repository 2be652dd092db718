"""Fixtures shared by the tests."""

import os

# Two test processes share two cores: more threads than that only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure: examples may take as long as they need.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def command(monkeypatch, capsys):
    """Run ``plm-geometry`` in this process; return (status, stdout, stderr)."""

    def run(*arguments):
        from plm_geometry.cli import main

        monkeypatch.setattr(sys, "argv", ["plm-geometry", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def refused(command):
    """Run a command that must end with status 2 and one sentence; return the sentence."""

    def run(*arguments, status=2):
        found, _, err = command(*arguments)
        assert found == status, err
        assert "Traceback" not in err
        sentences = [line for line in err.splitlines() if line.startswith("plm-geometry: ")]
        assert len(sentences) == 1, err
        return sentences[0]

    return run


@pytest.fixture(scope="session", params=["bert", "xlnet"])
def model(request, tmp_path_factory):
    """A small random checkpoint, loaded as any other."""
    from plm_geometry.models import load
    from tiny_checkpoints import WRITERS

    directory = WRITERS[request.param](tmp_path_factory.mktemp(request.param))
    return load(str(directory))


@pytest.fixture
def fasta(tmp_path):
    """Write a FASTA file, from text or bytes; return its path."""

    def write(text, name="some.fasta"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def scheduler(tmp_path, request):
    """A Dask scheduler and two workers, each a process of its own: address and workers.

    They import what is sent to them by its name, from this directory unless told otherwise.
    """
    commands = Path(sys.executable).parent
    tests = getattr(request, "param", Path(__file__).parent)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(tests)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    described = tmp_path / "scheduler.json"
    arguments = ["--no-dashboard", "--port", "0", "--host", "127.0.0.1"]
    processes = [
        subprocess.Popen(
            [commands / "dask", "scheduler", *arguments, "--scheduler-file", described], **quiet
        )
    ]
    try:
        worker = [commands / "dask", "worker", "--scheduler-file", described, "--no-dashboard"]
        worker += ["--nthreads", "1", "--no-nanny", "--local-directory", tmp_path]
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        wait_until(described.exists)
        yield json.loads(described.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_until(happened, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
