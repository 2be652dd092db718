"""Vectors in every format give the same isotropy, and a broken file one sentence."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.file_isotropy import file_isotropy
from plm_geometry.isotropy.measures import (
    interval_row,
    isotropy_row,
)
from plm_geometry.isotropy.moments import Moments, merge_all
from vector_writers import (
    MATRICES,
    NAMED,
    write_h5_uniprot,
    write_npy,
    write_parquet_lists,
)


@pytest.fixture
def vectors():
    return np.random.default_rng(3).standard_normal((100, 12)).astype(np.float32) + 1


@pytest.mark.parametrize("write", [*NAMED, *MATRICES])
def test_the_isotropy_of_a_file_is_that_of_its_array(write, vectors, tmp_path):
    write(tmp_path / "file", vectors)
    found = file_isotropy(tmp_path / "file", progress=False)
    expected = isotropy_row(vectors)
    assert {name: found.row[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert found.warnings == []


def test_fewer_vectors_than_dimensions_are_computed_with_a_warning(vectors, tmp_path):
    np.save(tmp_path / "few.npy", vectors.T)
    found = file_isotropy(tmp_path / "few.npy", progress=False)
    assert (found.row["n"], found.row["d"]) == (12, 100)
    assert found.row["isoscore"] == pytest.approx(isotropy_row(vectors.T)["isoscore"], rel=1e-6)
    assert len(found.warnings) == 1
    assert "--transpose" in found.warnings[0]


def test_zero_vectors_are_counted_in_a_warning(vectors, tmp_path):
    vectors[[3, 4]] = 0
    np.save(tmp_path / "zero.npy", vectors)
    found = file_isotropy(tmp_path / "zero.npy", progress=False)
    assert found.row["mean_cosine_similarity"] is None
    assert found.row["mean_cosine_similarity_low"] is None
    assert found.row["isoscore_low"] < found.row["isoscore_corrected"]
    assert "2 of the 100 vectors are zero" in found.warnings[0]


def test_intervals_are_those_of_blocks_drawn_from_the_seed(vectors, tmp_path):
    np.save(tmp_path / "v.npy", vectors)
    row = file_isotropy(tmp_path / "v.npy", n_blocks=10, seed=4, progress=False).row
    order = np.random.default_rng([4, 0]).permutation(100)
    parts = [Moments.from_vectors(vectors[order[part::10]]) for part in range(10)]
    whole = merge_all(parts)
    for name, end in interval_row(whole, map(whole.without, parts)).items():
        assert row[name] == pytest.approx(end, rel=1e-6)
    assert (row["blocks"], row["seed"]) == (10, 4)


def test_too_few_vectors_for_ten_blocks_have_no_intervals(vectors, tmp_path):
    np.save(tmp_path / "nine.npy", vectors[:9, :4])
    found = file_isotropy(tmp_path / "nine.npy", progress=False)
    assert found.row["isoscore"] > 0
    assert found.row["blocks"] is None
    assert found.row["isoscore_low"] is None
    assert "no intervals" in found.warnings[0]


def test_blocks_that_do_not_fit_in_memory_are_fewer(vectors, tmp_path, monkeypatch):
    np.save(tmp_path / "v.npy", vectors)
    monkeypatch.setattr("plm_geometry.embedding.file_isotropy._PARTS_BYTES", 8 * 12**2 * 16)
    assert file_isotropy(tmp_path / "v.npy", progress=False).row["blocks"] == 13
    monkeypatch.setattr("plm_geometry.embedding.file_isotropy._PARTS_BYTES", 8 * 12**2 * 12)
    assert file_isotropy(tmp_path / "v.npy", progress=False).row["blocks"] is None


def test_vectors_that_only_one_block_tells_apart_have_no_intervals(tmp_path):
    vectors = np.ones((50, 3))
    vectors[17] = [1, 2, 3]
    np.save(tmp_path / "one.npy", vectors)
    found = file_isotropy(tmp_path / "one.npy", progress=False)
    assert found.row["effective_dimensions"] == pytest.approx(1)
    assert found.row["effective_dimensions_low"] is None
    assert "without one of the blocks" in found.warnings[-1]


def test_vectors_too_wide_for_their_covariance_are_refused(tmp_path):
    np.save(tmp_path / "wide.npy", np.ones((3, 10_001)))
    with pytest.raises(InputError, match=r"of 10,001 dimensions, and 10,000 are the most"):
        file_isotropy(tmp_path / "wide.npy", progress=False)


@pytest.mark.parametrize("kind", ["float16", "float32"])
@pytest.mark.parametrize("rogue", [0, 50])
def test_few_narrow_vectors_far_from_zero_keep_six_digits(kind, rogue, tmp_path):
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((300, 64)) * np.arange(1, 65) ** -0.5
    vectors[:, :2] += rogue * rng.standard_normal((300, 1))  # two coordinates outweigh the others
    # In half precision, each coordinate takes a few dozen values.
    vectors = (vectors + 60 * vectors.std(axis=0)).astype(kind)
    np.save(tmp_path / "v.npy", vectors)
    exact = vectors.astype(float) - vectors.astype(float).mean(axis=0)
    covariance = exact.T @ exact
    dimensions = np.trace(covariance) ** 2 / (covariance**2).sum()
    found = file_isotropy(tmp_path / "v.npy", progress=False).row["effective_dimensions"]
    assert found == pytest.approx(dimensions, rel=1e-9)


def test_a_cloud_along_one_line_is_warned_of(tmp_path):
    rng = np.random.default_rng(0)
    line = rng.standard_normal((50, 1)) * rng.standard_normal(8)
    np.save(tmp_path / "line.npy", line + 0.01 * rng.standard_normal((50, 8)))
    found = file_isotropy(tmp_path / "line.npy", progress=False)
    assert ["BERT's pooler output" in sentence for sentence in found.warnings] == [True]


def test_a_row_that_is_not_finite_is_named_by_its_accession(vectors, tmp_path):
    vectors[57, 3] = np.nan
    write_h5_uniprot(tmp_path / "nan.h5", vectors)
    with pytest.raises(InputError, match=r"row 57 \(P00057\) holds NaN"):
        file_isotropy(tmp_path / "nan.h5", progress=False)


def ragged_h5(path):
    with h5py.File(path, "w") as file:
        file["A"], file["B"] = np.ones(4), np.ones(5)


def per_residue_h5(path):
    with h5py.File(path, "w") as file:
        file["A"], file["B"] = np.ones((30, 4)), np.ones((20, 4))


def mixed_h5(path):
    with h5py.File(path, "w") as file:
        file["A"], file["B"] = np.ones(4), np.ones((20, 4))


def text_h5(path):
    with h5py.File(path, "w") as file:
        file["A"], file["B"] = "MKV", "MKL"


def truncated(write):
    def write_part(path):
        write(path, np.ones((100, 12)))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return write_part


def ragged_parquet(path):
    pq.write_table(pa.table({"embedding": [[1.0, 2.0], [1.0, 2.0], [1.0]]}), path)


def missing_in_parquet(path):
    pq.write_table(pa.table({"embedding": [[1.0, 2.0], None, [1.0, 3.0]]}), path)


BROKEN = {
    "empty file": (lambda path: path.write_bytes(b""), "is empty"),
    "missing file": (lambda path: None, "cannot be read: No such file"),
    "text": (lambda path: path.write_text(">A\nMKV\n"), "none of the formats"),
    "a directory": (lambda path: path.mkdir(), "no store of embeddings"),
    "pickled objects": (
        lambda path: np.save(path, np.array([{}, {}], dtype=object)),
        "cannot be read as a NumPy array",
    ),
    "strings": (lambda path: np.save(path, np.array([["a", "b"]])), "holds <U1 and no numbers"),
    "a cube": (lambda path: np.save(path, np.ones((2, 3, 4))), "give a matrix"),
    "no rows": (lambda path: np.save(path, np.ones((0, 4))), "holds no vectors"),
    "truncated .npy": (truncated(write_npy), "cannot be read as a NumPy array"),
    "truncated HDF5": (truncated(write_h5_uniprot), "cannot be read as HDF5 "),
    "truncated Parquet": (truncated(write_parquet_lists), "cannot be read as Parquet"),
    "no datasets": (lambda path: h5py.File(path, "w").close(), "holds no dataset"),
    "ragged HDF5": (ragged_h5, r"dataset B, has shape \(5,\) where A has .* of 4 dimensions"),
    "per-residue HDF5": (per_residue_h5, "has one matrix per protein, .* --per residue"),
    "proteins, then residues": (mixed_h5, r"dataset B, has shape \(20, 4\) where A has one vector"),
    "text in HDF5": (text_h5, "dataset A, holds object and no numbers"),
    "ragged Parquet": (ragged_parquet, "row 2, is not as wide"),
    "missing in Parquet": (missing_in_parquet, "row 1, is not as wide"),
    "text in Parquet": (
        lambda path: pq.write_table(pa.table({"a": ["x"]}), path),
        "neither a column of lists nor columns of floats",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_clear_sentence(case, tmp_path):
    write, sentence = BROKEN[case]
    path = tmp_path / "file.npy"
    write(path)
    with pytest.raises(InputError, match=sentence) as caught:
        file_isotropy(path, progress=False)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


# VmHWM and not ru_maxrss, in which the size of the parent process shows.
PEAK = """
import re, sys
from pathlib import Path
from plm_geometry.embedding.file_isotropy import file_isotropy
found = file_isotropy(sys.argv[1], progress=False)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(found.row["n"], peak)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "large.npy"
    # A sparse file: half a gigabyte that takes no disk.
    large = np.lib.format.open_memmap(path, "w+", np.float32, (1_000_000, 128))
    large[::125_000, :3] = np.random.default_rng(0).standard_normal((8, 3))
    del large
    command = [sys.executable, "-c", PEAK, str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(answer[0]) == 1_000_000
    assert int(answer[1]) < 350_000  # kilobytes
