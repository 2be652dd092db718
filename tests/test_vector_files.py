"""Files of every format are opened alike and read in blocks."""

import io
from functools import partial

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tqdm import tqdm

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.file_isotropy import file_isotropy
from plm_geometry.embedding.formats import open_vectors
from vector_writers import (
    MATRICES,
    NAMED,
    NAMES,
    write_h5_grouped,
    write_npy,
    write_store,
)


@pytest.fixture
def vectors():
    return np.random.default_rng(3).standard_normal((100, 12)).astype(np.float32) + 1


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


def test_a_key_chooses_among_datasets_and_columns(vectors, tmp_path):
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
        with pytest.raises(InputError, match="--key"):
            file_isotropy(tmp_path / name)


def test_one_matrix_leaves_nothing_to_choose(vectors, tmp_path):
    np.save(tmp_path / "one.npy", vectors)
    with pytest.raises(InputError, match="nothing to choose"):
        open_vectors(tmp_path / "one.npy", key="3")


def test_a_store_of_several_layers_needs_one_of_them(vectors, tmp_path):
    write_store(tmp_path / "store", vectors, layers=(0, 6, -1))
    block = next(open_vectors(tmp_path / "store", key="6").blocks(1000))
    np.testing.assert_array_equal(block, -2 * vectors)
    for key in (None, "1"):
        with pytest.raises(
            InputError, match=r"layers \[0, 6, -1\]; choose one of them with --layer"
        ):
            open_vectors(tmp_path / "store", key=key)


def test_a_store_gives_no_row_for_a_protein_left_out(vectors, tmp_path):
    with_gap = vectors.copy()
    with_gap[40] = np.nan
    write_store(tmp_path / "store", with_gap, left_out=["P00040"])
    opened = open_vectors(tmp_path / "store")
    read = np.concatenate(list(opened.blocks(30)))
    assert opened.n == 99
    np.testing.assert_array_equal(read, np.delete(vectors, 40, axis=0))


def test_an_unfinished_store_is_refused(vectors, tmp_path):
    write_store(tmp_path / "store", vectors, n_done=90)
    with pytest.raises(InputError, match="unfinished"):
        open_vectors(tmp_path / "store")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """What a terminal is shown, at once and not ten times a second."""
    terminal = Terminal()
    drawn_there = partial(tqdm, file=terminal, mininterval=0)
    monkeypatch.setattr("plm_geometry.embedding.file_isotropy.tqdm", drawn_there)
    return terminal


def test_a_bar_counts_vectors_and_is_gone_when_an_error_is_said(
    terminal, vectors, tmp_path, monkeypatch
):
    monkeypatch.setattr("plm_geometry.embedding.file_isotropy._BLOCK_BYTES", 7 * 8 * 12)
    vectors[20] = np.nan
    write_npy(tmp_path / "v.npy", vectors)
    with pytest.raises(InputError, match="row 20 holds NaN"):
        file_isotropy(tmp_path / "v.npy")
    drawn = [line for line in terminal.getvalue().split("\r") if line.strip()]
    assert ["0/100" in drawn[0], "14/100" in drawn[-1]] == [True, True]
    assert "vectors" in drawn[-1]
    assert terminal.getvalue().endswith(" \r")


def test_no_bar_is_drawn_where_none_is_asked_for(terminal, vectors, tmp_path):
    write_npy(tmp_path / "v.npy", vectors)
    file_isotropy(tmp_path / "v.npy", progress=False)
    assert terminal.getvalue() == ""
