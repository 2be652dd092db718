"""Alignment into Parquet: the same rows, resumed after a kill, never mixed up."""

import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.pairs import (
    AlignmentSettings,
    align_pairs,
    align_to_parquet,
    alignment,
    all_pairs,
    draw_pairs,
    read_note,
    table,
)
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, Proteins, read_fasta
from small_proteins import write_fasta


def random_proteins(n: int, longest: int = 300, seed: int = 0) -> Proteins:
    rng = np.random.default_rng(seed)
    sequences = [
        "".join(rng.choice(list(STANDARD_RESIDUES), k)) for k in rng.integers(5, longest, n)
    ]
    return Proteins(tuple(f"P{i:05d}" for i in range(n)), ("MUK", *sequences[1:]), "random")


@pytest.fixture(autouse=True)
def _many_small_blocks(monkeypatch):
    monkeypatch.setattr(alignment, "_FEWEST_CELLS", 500_000)


@pytest.fixture
def proteins():
    return random_proteins(40)


@pytest.fixture
def pairs():
    return draw_pairs(40, 300, seed=1)


CHOSEN = AlignmentSettings(matrix="JOHNSON", denominator="shorter")


def test_the_file_holds_what_align_pairs_returns(proteins, pairs, tmp_path):
    path = tmp_path / "new" / "pairs.parquet"
    align_to_parquet(proteins, *pairs, CHOSEN, path, progress=False)
    expected = align_pairs(proteins, *pairs, CHOSEN, progress=False)
    pd.testing.assert_frame_equal(pd.read_parquet(path), expected, check_dtype=False)
    assert [p.name for p in path.parent.iterdir()] == ["pairs.parquet"]


def test_the_file_tells_how_it_was_made(proteins, pairs, tmp_path):
    path = tmp_path / "pairs.parquet"
    align_to_parquet(proteins, *pairs, CHOSEN, path, note={"seed": 1}, progress=False)
    note = read_note(path)
    assert note["matrix"] == "JOHNSON"
    assert (note["gap_open"], note["gap_extend"]) == (11, 1)
    assert (note["mode"], note["denominator"]) == ("global", "shorter")
    assert (note["engine"], note["ties"], note["seed"]) == ("parasail", "max", 1)
    assert note["proteins_sha256"] == proteins.sha256
    assert note["replaced_residues"] == {"U as C": 1}


def test_a_finished_file_is_not_computed_again(proteins, pairs, tmp_path):
    path = tmp_path / "pairs.parquet"
    align_to_parquet(proteins, *pairs, CHOSEN, path, progress=False)
    written = path.stat().st_mtime_ns
    align_to_parquet(proteins, *pairs, CHOSEN, path, progress=False)
    assert path.stat().st_mtime_ns == written


def test_other_alignments_are_never_overwritten_or_mixed(proteins, pairs, tmp_path, monkeypatch):
    path = tmp_path / "pairs.parquet"
    align_to_parquet(proteins, *pairs, CHOSEN, path, progress=False)
    with pytest.raises(InputError, match=r"pairs\.parquet holds something else"):
        align_to_parquet(proteins, *pairs, AlignmentSettings(), path, progress=False)
    with pytest.raises(InputError, match=r"pairs\.parquet holds something else"):
        align_to_parquet(random_proteins(40, seed=9), *pairs, CHOSEN, path, progress=False)

    def fail(*_):
        raise KeyboardInterrupt

    unfinished = tmp_path / "unfinished.parquet"
    monkeypatch.setattr(table, "_write", fail)
    with pytest.raises(KeyboardInterrupt):
        align_to_parquet(proteins, *pairs, CHOSEN, unfinished, progress=False)
    with pytest.raises(InputError, match=r"unfinished\.parquet\.parts holds something else"):
        align_to_parquet(proteins, *pairs, AlignmentSettings(), unfinished, progress=False)


def test_a_killed_run_goes_on_without_aligning_again(tmp_path, monkeypatch):
    monkeypatch.undo()  # the killed process cuts blocks as usual
    proteins = random_proteins(30, longest=2_500)
    fasta, path = tmp_path / "proteins.fasta", tmp_path / "pairs.parquet"
    write_fasta(proteins, fasta)
    script = (
        "from plm_geometry.pairs import *; from plm_geometry.pairs import all_pairs\n"
        "from plm_geometry.proteins.fasta import read_fasta\n"
        f"align_to_parquet(read_fasta({str(fasta)!r}), *all_pairs(30), AlignmentSettings(),"
        f" {str(path)!r}, workers=1)"
    )
    parts = tmp_path / "pairs.parquet.parts"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)

    def finished():
        return list(parts.glob("[0-9]*.int64"))

    while len(finished()) < 3:
        assert process.poll() is None, "it finished before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = [slice(*map(int, part.stem.split("-"))) for part in finished()]
    aligned = []
    original = alignment._BlockAligner.__call__

    def record(aligner, block):
        aligned.append(block.shape[1])
        return original(aligner, block)

    monkeypatch.setattr(alignment._BlockAligner, "__call__", record)
    first, second = all_pairs(30)
    proteins = read_fasta(fasta)
    align_to_parquet(proteins, first, second, AlignmentSettings(), path, progress=False)
    assert sum(block.stop - block.start for block in done) + sum(aligned) == 435
    expected = align_pairs(proteins, first, second, progress=False)
    pd.testing.assert_frame_equal(pd.read_parquet(path), expected, check_dtype=False)
    assert not parts.exists()


def test_a_full_disk_is_one_sentence_and_what_is_aligned_stays(proteins, pairs, tmp_path):
    path = tmp_path / "pairs.parquet"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The parts fit, the file does not: for a process, a full disk on demand.
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_500, hard))
    try:
        with pytest.raises(InputError, match="once there is room"):
            align_to_parquet(proteins, *pairs, CHOSEN, path, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.glob("pairs.parquet.parts/[0-9]*.int64"))
    assert not path.exists()
    align_to_parquet(proteins, *pairs, CHOSEN, path, progress=False)
    assert len(pd.read_parquet(path)) == 300


def test_a_place_that_cannot_be_written_is_named(proteins, pairs, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        align_to_parquet(
            proteins, *pairs, CHOSEN, tmp_path / "file" / "pairs.parquet", progress=False
        )
