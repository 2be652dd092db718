"""The command where people work: full disks, Ctrl-C, two runs at once, checkouts to read only."""

import os
import resource
import signal
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest

from conftest import wait_until
from plm_geometry.base.files import alone
from small_proteins import random_proteins, write_fasta

COMMAND = [sys.executable, "-c", "from plm_geometry.cli import main; main()"]
# For a process, a full disk on demand.
NO_MORE_THAN_2_KB = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (2_048, 2_048))


@pytest.fixture
def proteins(tmp_path):
    """A FASTA file, under a name that is not ASCII, in a directory with a space."""
    path = tmp_path / "für mich" / "proteïne.fasta"
    path.parent.mkdir()
    write_fasta(random_proteins(80, longest=2_000), path)
    return path


def sentence(arguments, status, **options):
    """Run the command, which must end with the status and one sentence; return that."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    (found,) = [line for line in done.stderr.splitlines() if line.startswith("plm-geometry: ")]
    return found


@pytest.mark.parametrize("name", ["a.h5", "a store"])
def test_a_full_disk_is_named_and_the_same_command_goes_on_when_there_is_room(
    proteins, tmp_path, command, name
):
    arguments = ["embed", "composition", proteins, "--out", tmp_path / name]
    said = sentence(arguments, 2, preexec_fn=NO_MORE_THAN_2_KB)
    assert f"{tmp_path / name}" in said
    assert "File too large; what is finished is kept" in said
    assert command(*arguments)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_in_one_sentence_and_keeps_what_is_aligned(proteins, tmp_path, number):
    out, parts = tmp_path / "p.parquet", tmp_path / "p.parquet.parts"
    arguments = ["align", proteins, "--all-pairs", "--workers", "1", "--out", out]
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, text=True, process_group=0
    )
    wait_until(lambda: list(parts.glob("[0-9]*.int64")) or process.poll() is not None)
    os.kill(process.pid, number)
    assert process.communicate()[1] == (
        "plm-geometry: stopped; the same command goes on from here.\n"
    )
    assert process.returncode == 130
    assert list(parts.glob("[0-9]*.int64"))
    assert not list(parts.glob(".*"))


def test_ctrl_c_is_a_sentence_while_the_command_still_imports():
    script = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # not so in a background job
        "class Person:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Person())\n"
        "from plm_geometry.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == "plm-geometry: stopped; the same command goes on from here.\n"
    assert done.returncode == 130


def test_a_second_run_waits_says_so_and_finds_the_result(proteins, tmp_path):
    out = tmp_path / "p.parquet"
    arguments = [*COMMAND, "align", proteins, "--pairs", "20", "--out", out]
    with alone(out):
        process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
        said = process.stderr.readline()
        assert not out.exists()
    assert said == f"{out} is being made by another run; waiting for it\n"
    assert process.wait() == 0
    assert len(pd.read_parquet(out)) == 20
    assert sorted(os.listdir(tmp_path)) == ["für mich", "p.parquet"]


def test_where_nothing_may_be_written_the_sentence_says_where_else(proteins, refused):
    # Where not even root may make a directory.
    said = refused("align", proteins, "--pairs", 20, "--out", "/sys/nowhere/p.parquet")
    assert "/sys/nowhere" in said
    assert "; give another place with --out" in said


def printed(script, **variables):
    """Run a script with variables of the environment; return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {name: str(value) for name, value in variables.items()},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_all_that_is_made_goes_where_a_variable_says(tmp_path):
    names = ["CACHE", "RUNS", "RESULTS", "CHAPTERS", "SITE"]
    script = f"from plm_geometry.base import paths; print(*[getattr(paths, n) for n in {names}])"
    below = ["data/cache", "runs", "results", "book/chapters", "_build/html"]
    assert printed(script, PLM_GEOMETRY_WORK=tmp_path) == [
        " ".join(f"{tmp_path}/{place}" for place in below)
    ]


def test_swissprot_that_lies_in_the_checkout_is_found_there(tmp_path):
    root, work = tmp_path / "root", tmp_path / "work"
    script = "from plm_geometry.base import paths; print(paths.SWISSPROT)"
    variables = {"PLM_GEOMETRY_ROOT": root, "PLM_GEOMETRY_WORK": work}
    [later] = printed(script, **variables)
    assert later.startswith(f"{work}/")
    fetched = root / os.path.relpath(later, work)
    fetched.parent.mkdir(parents=True)
    fetched.touch()
    assert printed(script, **variables) == [str(fetched)]


def test_libraries_keep_nothing_at_a_home_that_cannot_be_written_to(tmp_path):
    script = (
        "import sys; sys.argv[1:] = ['--version']\n"
        "from plm_geometry.cli import main\n"
        "try: main()\n"
        "except SystemExit: import IPython.paths, matplotlib as m\n"
        "print(m.get_configdir(), IPython.paths.get_ipython_dir(), sep='\\n')"
    )
    found = printed(script, HOME="/sys/nobody", PLM_GEOMETRY_WORK=tmp_path)
    assert found[1:] == [f"{tmp_path}/data/cache/libraries"] * 2


def test_a_user_without_home_is_told_so(proteins, tmp_path):
    arguments = ["align", proteins, "--pairs", "2", "--out", tmp_path / "p.parquet"]
    # What expanduser leaves as it is, as where the user is not known.
    said = sentence(arguments, 2, env=os.environ | {"HOME": "~"})
    assert said.endswith("set HOME to one that can be written to.")
