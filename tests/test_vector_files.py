"""Files of every format are opened alike, whole or in pieces, here or by a cluster's workers."""

import io
from functools import partial

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tqdm import tqdm

from plm_geometry.base.errors import InputError
from plm_geometry.embedding.file_isotropy import VectorFile
from plm_geometry.embedding.formats import open_vectors
from plm_geometry.isotropy.moments import Moments, merge_all
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
            VectorFile(tmp_path / name).open()


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


@pytest.mark.parametrize("write", [*NAMED, *MATRICES, write_store])
@pytest.mark.parametrize(("first", "last"), [(0, 2), (3, 4), (5, 20), (14, 15), (20, 25)])
def test_some_blocks_are_those_of_the_whole(write, first, last, vectors, tmp_path):
    write(tmp_path / "file", vectors)
    opened = open_vectors(tmp_path / "file")
    every = list(opened.blocks(7))[first:last]
    some = list(opened.blocks(7, first, last))
    assert len(some) == len(every)
    for block, expected in zip(some, every, strict=True):
        np.testing.assert_array_equal(block, expected)


@pytest.fixture
def small_blocks(monkeypatch):
    """Make seven vectors of twelve dimensions a block, and three blocks a task."""
    monkeypatch.setattr("plm_geometry.embedding.file_isotropy._BLOCK_BYTES", 7 * 8 * 12)
    monkeypatch.setattr("plm_geometry.embedding.file_isotropy._BLOCKS_PER_TASK", 3)


def differ_by(parts, others):
    """Return the largest difference of two lists of Moments, relative to their size."""
    pairs = [(getattr(a, field), getattr(b, field))
             for a, b in zip(parts, others, strict=True)
             for field in ("mean", "scatter", "unit_sum", "unit_square_sum")]  # fmt: skip
    return max(np.abs(a - b).max() / np.abs(a).max() for a, b in pairs)


@pytest.mark.usefixtures("small_blocks")
def test_parts_hold_every_vector_once(vectors, tmp_path):
    write_npy(tmp_path / "v.npy", vectors.astype(float))
    parts = VectorFile(tmp_path / "v.npy").random_parts(10, seed=1, progress=False)
    assert [part.count for part in parts] == [10] * 10
    whole = Moments.from_vectors(vectors.astype(float))
    assert differ_by([merge_all(parts)], [whole]) < 1e-12


@pytest.mark.usefixtures("small_blocks")
def test_a_cluster_computes_the_same_parts_though_a_worker_is_lost(scheduler, vectors, tmp_path):
    address, workers = scheduler
    write_npy(tmp_path / "v.npy", vectors.astype(float))
    file = VectorFile(tmp_path / "v.npy")
    here = file.random_parts(10, seed=1, progress=False)
    workers[0].kill()
    there = file.random_parts(10, seed=1, cluster=address, progress=False)
    assert [part.count for part in there] == [10] * 10
    assert differ_by(here, there) < 1e-12


def test_a_file_that_is_another_one_on_a_worker_is_refused(
    scheduler, vectors, tmp_path, monkeypatch
):
    write_npy(tmp_path / "v.npy", vectors)
    opened = open_vectors(tmp_path / "v.npy")
    monkeypatch.setattr(VectorFile, "open", lambda self: opened)
    write_npy(tmp_path / "v.npy", vectors[:50])
    with pytest.raises(InputError, match="not the same file on all machines"):
        VectorFile(tmp_path / "v.npy").random_parts(
            10, seed=1, cluster=scheduler[0], progress=False
        )


def test_a_file_that_no_worker_finds_is_one_sentence(scheduler, vectors, tmp_path, monkeypatch):
    write_npy(tmp_path / "v.npy", vectors)
    opened = open_vectors(tmp_path / "v.npy")
    monkeypatch.setattr(VectorFile, "open", lambda self: opened)
    (tmp_path / "v.npy").unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        VectorFile(tmp_path / "v.npy").random_parts(
            10, seed=1, cluster=scheduler[0], progress=False
        )


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


@pytest.mark.usefixtures("small_blocks")
def test_a_bar_counts_vectors_and_is_gone_when_an_error_is_said(terminal, vectors, tmp_path):
    vectors[20] = np.nan
    write_npy(tmp_path / "v.npy", vectors)
    with pytest.raises(InputError, match="row 20 holds NaN"):
        VectorFile(tmp_path / "v.npy").random_parts(10, seed=1)
    drawn = [line for line in terminal.getvalue().split("\r") if line.strip()]
    assert ["0/100" in drawn[0], "14/100" in drawn[-1]] == [True, True]
    assert "vectors" in drawn[-1]
    assert terminal.getvalue().endswith(" \r")


def test_no_bar_is_drawn_where_none_is_asked_for(terminal, vectors, tmp_path):
    write_npy(tmp_path / "v.npy", vectors)
    VectorFile(tmp_path / "v.npy").random_parts(10, seed=1, progress=False)
    assert terminal.getvalue() == ""
