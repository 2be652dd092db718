"""Vectors in every format give the same isotropy, and a broken file one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from plm_geometry.errors import InputError
from plm_geometry.isotropy import isotropy_row
from plm_geometry.vectors import file_isotropy, open_vectors

NAMES = [f"P{i:05}" for i in range(100)]


@pytest.fixture
def vectors():
    return np.random.default_rng(3).standard_normal((100, 12)).astype(np.float32) + 1


def write_npy(path, vectors):
    with path.open("wb") as handle:  # given a path, NumPy would append .npy to it
        np.save(handle, vectors)


def write_npy_fortran(path, vectors):
    write_npy(path, np.asfortranarray(vectors))


def write_h5_uniprot(path, vectors):
    with h5py.File(path, "w") as file:
        for name, vector in zip(NAMES, vectors, strict=True):
            file[name] = vector


def write_h5_rows(path, vectors):
    write_h5_uniprot(path, vectors[:, None, :])


def write_h5_grouped(path, vectors):
    with h5py.File(path, "w") as file:
        for i, (name, vector) in enumerate(zip(NAMES, vectors, strict=True)):
            file[f"part{i % 3}/{name}"] = vector


def write_h5_bio_embeddings(path, vectors):
    with h5py.File(path, "w") as file:
        for i, (name, vector) in enumerate(zip(NAMES, vectors, strict=True)):
            file[f"{i:03}"] = vector
            file[f"{i:03}"].attrs["original_id"] = f"sp|{name}|X_HUMAN Some protein"


def write_h5_matrix(path, vectors):
    with h5py.File(path, "w") as file:
        file.create_dataset("embeddings", data=vectors, chunks=(7, 5))


def write_parquet_lists(path, vectors):
    pq.write_table(pa.table({"accession": NAMES, "embedding": vectors.tolist()}), path)


def write_parquet_fixed_lists(path, vectors):
    column = pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
    pq.write_table(pa.table({"accession": NAMES, "embedding": column}), path, row_group_size=30)


def write_parquet_columns(path, vectors):
    columns = {f"x{i}": column for i, column in enumerate(vectors.T)}
    pq.write_table(pa.table({"accession": NAMES, "length": range(100), **columns}), path)


def write_store(path, vectors, left_out=(), blocks_done=4):
    array = zarr.create_array(
        store=path / "vectors.zarr",
        shape=(2, *vectors.shape),
        chunks=(1, 25, vectors.shape[1]),
        dtype="float32",
        fill_value=np.nan,
    )
    array[1] = vectors
    array[0] = -(vectors**2)
    left_out = json.dumps(dict.fromkeys(left_out, "too long"))
    np.savez(path / "progress.npz", blocks_done=blocks_done, left_out=left_out)


NAMED = [
    write_h5_uniprot,
    write_h5_rows,
    write_h5_bio_embeddings,
    write_parquet_lists,
    write_parquet_fixed_lists,
    write_parquet_columns,
]
MATRICES = [write_npy, write_npy_fortran, write_h5_matrix]


@pytest.mark.parametrize("write", [*NAMED, *MATRICES, write_h5_grouped, write_store])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_every_format_gives_its_vectors_in_blocks(write, rows, vectors, tmp_path):
    path = tmp_path / "file"
    write(path, vectors)
    opened = open_vectors(path)
    blocks = list(opened.blocks(rows))
    read = np.concatenate(blocks)
    if write is write_h5_grouped:  # read group by group
        read, vectors = np.sort(read, axis=0), np.sort(vectors, axis=0)
    assert (opened.n, opened.d) == vectors.shape
    assert max(map(len, blocks)) <= rows
    np.testing.assert_array_equal(read, vectors)


@pytest.mark.parametrize("write", NAMED)
def test_accessions_are_those_of_the_file(write, vectors, tmp_path):
    write(tmp_path / "file", vectors)
    assert list(open_vectors(tmp_path / "file").accessions) == NAMES


@pytest.mark.parametrize("write", [*NAMED, *MATRICES])
def test_the_isotropy_of_a_file_is_that_of_its_array(write, vectors, tmp_path):
    write(tmp_path / "file", vectors)
    row = file_isotropy(tmp_path / "file", progress=False)
    assert row.pop("warnings") == []
    assert row == pytest.approx(isotropy_row(vectors), rel=1e-6)


@pytest.mark.parametrize("write", MATRICES)
def test_transpose_takes_the_columns_for_the_vectors(write, vectors, tmp_path):
    write(tmp_path / "file", vectors.T)
    opened = open_vectors(tmp_path / "file", transpose=True)
    np.testing.assert_array_equal(np.concatenate(list(opened.blocks(7))), vectors)


@pytest.mark.parametrize("write", NAMED)
def test_named_vectors_cannot_be_transposed(write, vectors, tmp_path):
    write(tmp_path / "file", vectors)
    with pytest.raises(InputError, match="nothing to transpose"):
        open_vectors(tmp_path / "file", transpose=True)


def test_a_key_chooses_among_datasets_columns_and_layers(vectors, tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["first"], file["second"] = vectors, 2 * vectors
    pq.write_table(
        pa.table({"first": vectors.tolist(), "second": (2 * vectors).tolist()}),
        tmp_path / "two.parquet",
    )
    for name in ("two.h5", "two.parquet"):
        block = next(open_vectors(tmp_path / name, key="second").blocks(1000))
        np.testing.assert_array_equal(block, 2 * vectors)
        with pytest.raises(InputError, match="third"):
            open_vectors(tmp_path / name, key="third")
    write_store(tmp_path / "store", vectors)
    block = next(open_vectors(tmp_path / "store", key="0").blocks(1000))
    np.testing.assert_array_equal(block, -(vectors**2))


def test_a_store_gives_no_row_for_a_protein_left_out(vectors, tmp_path):
    with_gap = vectors.copy()
    with_gap[40] = np.nan
    write_store(tmp_path / "store", with_gap, left_out=["P00040"])
    opened = open_vectors(tmp_path / "store")
    read = np.concatenate(list(opened.blocks(30)))
    assert opened.n == 99
    np.testing.assert_array_equal(read, np.delete(vectors, 40, axis=0))


def test_an_unfinished_store_is_refused(vectors, tmp_path):
    write_store(tmp_path / "store", vectors, blocks_done=3)
    with pytest.raises(InputError, match="unfinished"):
        open_vectors(tmp_path / "store")


def test_fewer_vectors_than_dimensions_are_computed_with_a_warning(vectors, tmp_path):
    np.save(tmp_path / "few.npy", vectors.T)
    row = file_isotropy(tmp_path / "few.npy", progress=False)
    assert (row["n"], row["d"]) == (12, 100)
    assert row["isoscore"] == pytest.approx(isotropy_row(vectors.T)["isoscore"], rel=1e-6)
    assert len(row["warnings"]) == 1
    assert "--transpose" in row["warnings"][0]


def test_zero_vectors_are_counted_in_a_warning(vectors, tmp_path):
    vectors[[3, 4]] = 0
    np.save(tmp_path / "zero.npy", vectors)
    row = file_isotropy(tmp_path / "zero.npy", progress=False)
    assert row["mean_cosine_similarity"] is None
    assert "2 of the 100 vectors are zero" in row["warnings"][0]


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
    "ragged HDF5": (ragged_h5, "dataset B, has 5 dimensions where A has 4"),
    "per-residue HDF5": (per_residue_h5, r"dataset A, has shape \(30, 4\)"),
    "text in HDF5": (text_h5, "dataset A, holds object and no numbers"),
    "ragged Parquet": (ragged_parquet, "row 2, is not as wide"),
    "missing in Parquet": (missing_in_parquet, "row 1, is not as wide"),
    "text in Parquet": (
        lambda path: pq.write_table(pa.table({"a": ["x"]}), path),
        "neither a column of lists nor columns of floats",
    ),
    "an endless width": (lambda path: np.save(path, np.ones((2, 20_000))), "use --transpose"),
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
from plm_geometry.vectors import file_isotropy
row = file_isotropy(sys.argv[1], progress=False)
print(row["n"], re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
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
