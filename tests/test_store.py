"""The store: atomic, resumable, and never mixing two different runs."""

import subprocess
import sys
import types

import numpy as np
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import fingerprint, source_digest
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.isotropy.moments import Moments


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def made_store(directory, order, width=3, rows_per_block=2, layers=1):
    store = EmbeddingStore(directory, {"model": "m"})
    plan = {"order": order, "rows_per_block": rows_per_block}
    store.create(plan, (layers, len(order), width), (2, width), rows_per_block)
    return store


def test_vectors_written_in_plan_order_are_read_in_input_order(tmp_path, rng):
    vectors = rng.normal(size=(5, 3)).astype("float32")
    order = [4, 0, 3, 1, 2]
    store = made_store(tmp_path, order)
    for start in (0, 2, 4):
        block = slice(start, min(start + 2, 5))
        store.write_block(block, vectors[order][None, block], slice(0, 0), np.empty((0, 3)))
    np.testing.assert_array_equal(store.read_vectors(0), vectors)


def test_sampled_residues_of_proteins_that_were_left_out_are_missing(tmp_path):
    store = made_store(tmp_path, [0, 1])
    store.write_block(slice(0, 1), np.zeros((1, 1, 3)), slice(0, 1), np.full((1, 3), np.nan))
    store.write_block(slice(1, 2), np.zeros((1, 1, 3)), slice(1, 2), np.ones((1, 3)))
    np.testing.assert_array_equal(store.read_sample(), np.ones((1, 3)))


def test_progress_is_read_back_to_the_last_bit(tmp_path, rng):
    store = made_store(tmp_path, [0, 1])
    moments = {0: {"A": Moments.from_vectors(rng.normal(size=(50, 3)))}}
    store.write_progress(7, moments, {"P1": "why"})
    blocks_done, found, left_out = EmbeddingStore(tmp_path, {"model": "m"}).read_progress()
    assert (blocks_done, left_out) == (7, {"P1": "why"})
    for name, array in moments[0]["A"].to_arrays().items():
        np.testing.assert_array_equal(found[0]["A"].to_arrays()[name], array)


def test_a_store_without_progress_starts_from_nothing(tmp_path):
    assert made_store(tmp_path, [0]).read_progress() == (0, {}, {})


def test_another_description_is_refused_by_the_name_of_what_differs(tmp_path):
    store = EmbeddingStore(tmp_path, {"model": "m", "precision": "fp32"})
    store.write_progress(1, {}, {})
    with pytest.raises(InputError, match="differs in precision"):
        EmbeddingStore(tmp_path, {"model": "m", "precision": "bf16"})


def test_a_store_that_holds_nothing_yet_serves_another_run(tmp_path):
    EmbeddingStore(tmp_path, {"model": "m", "precision": "fp32"})
    store = EmbeddingStore(tmp_path, {"model": "m", "precision": "bf16"})
    store.write_progress(1, {}, {"P1": "why"})
    again = EmbeddingStore(tmp_path, {"model": "m", "precision": "bf16"})
    assert again.read_progress() == (1, {}, {"P1": "why"})


def test_what_a_killed_writer_left_is_swept_by_the_next(tmp_path):
    script = (
        "import os, sys, pathlib; from plm_geometry.base.files import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1]) / 'progress.npz') as partial:\n"
        "    partial.write_text('half'); os.kill(os.getpid(), 9)"
    )
    made_store(tmp_path, [0])
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert list(tmp_path.glob(".*.part"))
    store = EmbeddingStore(tmp_path, {"model": "m"})
    assert not list(tmp_path.glob(".*.part"))
    assert store.read_progress() == (0, {}, {})


def test_fingerprint_depends_on_content_not_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_source_digest_notices_a_changed_module(tmp_path):
    module = types.ModuleType("room")
    path = tmp_path / "room.py"
    module.__file__ = str(path)
    path.write_text("x = 1")
    before = source_digest(module)
    path.write_text("x = 2")
    assert source_digest(module) != before
