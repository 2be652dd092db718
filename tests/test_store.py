"""The store: atomic, resumable, and never mixing two different runs."""

import subprocess
import sys
import types

import numpy as np
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import fingerprint, source_digest
from plm_geometry.embedding.forward import Block
from plm_geometry.embedding.plan import Plan
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.isotropy.moments import Moments


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def made_store(directory, order, width=3, rows_per_block=2, layers=1):
    store = EmbeddingStore(directory, {"model": "m"})
    zeros, sizes = np.zeros(len(order), int), np.array([len(order)])
    store.create(Plan(np.array(order), zeros, sizes, rows_per_block, 100), layers, width)
    return store


def some_moments(rng, letters="AC", d=3):
    return {letter: Moments.from_vectors(rng.normal(size=(50, d)) + 30) for letter in letters}


def same(a, b):
    return all(np.array_equal(x, b.to_arrays()[name]) for name, x in a.to_arrays().items())


def test_vectors_written_in_plan_order_are_read_in_input_order(tmp_path, rng):
    vectors = rng.normal(size=(5, 3)).astype("float32")
    order = [4, 0, 3, 1, 2]
    store = made_store(tmp_path, order)
    for start in (0, 2, 4):
        block = slice(start, min(start + 2, 5))
        store.add(block, Block(vectors[order][None, block]), [])
    np.testing.assert_array_equal(store.read_vectors(0), vectors)


def test_progress_is_read_back_to_the_last_bit(tmp_path, rng):
    store = made_store(tmp_path, [0, 1])
    moments = some_moments(rng)["A"]
    sampled = [np.ones((2, 3), np.float32), np.zeros((1, 3), np.float32)]
    found = Block(np.zeros((1, 2, 3)), {"0/4/A": moments}, {}, sampled, {"P1": "why"})
    store.left_out = {"P2": "not any more"}
    store.add(slice(0, 2), found, ["P1", "P2"])
    store.write_progress()
    found = EmbeddingStore(tmp_path, {"model": "m"})
    found.read_progress()
    assert (found.n_done, found.left_out) == (2, {"P1": "why"})
    assert same(found.moments["0/4/A"], moments)
    np.testing.assert_array_equal(found.sampled[0], [[1] * 3, [1] * 3, [0] * 3])


def test_a_store_without_progress_starts_from_scratch(tmp_path):
    found = made_store(tmp_path, [0])
    found.read_progress()
    assert (found.n_done, found.moments, found.left_out) == (0, {}, {})


def test_groups_set_aside_are_read_letter_by_letter(tmp_path, rng):
    store = made_store(tmp_path, [0, 1], layers=2)
    first, second, late, early = (some_moments(rng, letters) for letters in ("AC", "A", "C", "A"))
    store.moments = {f"1/0/{a}": m for a, m in first.items()} | {"0/0/A": early["A"]}
    store.set_aside(0)
    assert list(store.moments) == ["0/0/A"]
    store.moments["1/1/A"] = second["A"]
    store.set_aside(1)
    store.moments["1/1/C"] = late["C"]  # of a protein that was left out at first
    store.write_progress()
    groups = store.group_moments(-1)
    assert [list(group) for group in groups] == [["A", "C"], ["A", "C"]]
    for letter, expected in {"A": second["A"], "C": late["C"]}.items():
        assert groups[1][letter].count == 50
        np.testing.assert_allclose(groups[1][letter].scatter, expected.scatter, rtol=1e-12)
    assert same(store.group_moments(0)[0]["A"], early["A"])
    with pytest.raises(KeyError):
        groups[0]["W"]


def test_moments_set_aside_take_half_the_room(tmp_path, rng):
    store = made_store(tmp_path, [0, 1])
    whole = some_moments(rng, "A", d=60)["A"]
    store.moments = {"0/0/A": whole}
    store.write_progress()
    store.set_aside(0)
    sizes = [(tmp_path / name).stat().st_size for name in ("group-00.npz", "progress.npz")]
    assert sizes[0] < 0.6 * sizes[1]


def test_another_description_is_refused_by_the_name_of_what_differs(tmp_path):
    store = EmbeddingStore(tmp_path, {"model": "m", "precision": "fp32"})
    store.write_progress()
    with pytest.raises(InputError, match="differs in precision"):
        EmbeddingStore(tmp_path, {"model": "m", "precision": "bf16"})


def test_a_store_that_holds_nothing_yet_serves_another_run(tmp_path):
    EmbeddingStore(tmp_path, {"model": "m", "precision": "fp32"})
    store = EmbeddingStore(tmp_path, {"model": "m", "precision": "bf16"})
    store.n_done = 1
    store.write_progress()
    again = EmbeddingStore(tmp_path, {"model": "m", "precision": "bf16"})
    again.read_progress()
    assert again.n_done == 1


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
    assert store.n_done == 0


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
