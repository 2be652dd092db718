"""phmmer of all against all: what HMMER itself finds, resumed where it was stopped."""

import numpy as np
import pyhmmer
import pytest
from pyhmmer.easel import Alphabet, SequenceFile

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.proteins import phmmer
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.fasta import Proteins
from small_proteins import write_fasta


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def some():
    """The bacterium's 40 first proteins, with which some are related."""
    return read_proteins("bacterium").select(range(40))


def test_hits_are_those_of_hmmer_reading_the_same_file(some, tmp_path):
    write_fasta(some, tmp_path / "some.fasta")
    with SequenceFile(tmp_path / "some.fasta", digital=True, alphabet=Alphabet.amino()) as file:
        block = file.read_block()
    expected = {}
    for hits in pyhmmer.phmmer(block, block, cpus=2, E=10, bias_filter=False):
        for hit in hits:
            spans = [d.alignment for d in hit.domains]
            best = spans[int(np.argmax([d.score for d in hit.domains]))]
            lengths = len(hits.query), hit.length
            coverage = (
                (best.hmm_to - best.hmm_from + 1) / lengths[0],
                (best.target_to - best.target_from + 1) / lengths[1],
            )
            expected[hits.query.name, hit.name] = (hit.evalue, hit.score, *coverage)
    found = phmmer.search_all(some)
    columns = ["e_value", "score", "query_coverage", "target_coverage"]
    ours = {
        (some.accessions[row.query], some.accessions[row.target]): tuple(row[columns])
        for _, row in found.astype({"query": object, "target": object}).iterrows()
    }
    others = {pair: hit for pair, hit in expected.items() if pair[0] != pair[1]}
    assert len(others) > 10
    assert ours.keys() == others.keys()
    for pair, hit in others.items():
        assert ours[pair] == pytest.approx(hit, rel=1e-12)


def test_a_stopped_search_goes_on_and_a_finished_one_is_read(some):
    told = []
    whole = phmmer.search_all(some, tell=told.append)
    [directory] = (paths.CACHE / "phmmer").iterdir()
    files = sorted(directory.iterdir())
    assert len(files) == 3  # blocks of at most 16 queries
    assert phmmer.search_all(some, tell=told.append).equals(whole)
    assert len(told) == 1
    files[1].unlink()  # as if it had been stopped before this block was written
    kept = files[0].stat().st_mtime_ns
    assert phmmer.search_all(some, tell=told.append).equals(whole)
    assert files[0].stat().st_mtime_ns == kept
    assert told[1].startswith("phmmer: 13 of 40 proteins against all, about ")


def test_a_hit_is_as_significant_as_the_number_of_proteins_allows(some):
    among = phmmer.search_all(some)
    strong = among.loc[among["e_value"].sub(1e-20).abs().idxmin()]
    alone = phmmer.search_all(some.select([int(strong["query"]), int(strong["target"])]))
    [few] = alone.loc[alone["query"] == 0, "e_value"]
    assert strong["e_value"] == pytest.approx(few * 20)


def test_proteins_without_a_hit_make_an_empty_table():
    found = phmmer.search_all(Proteins(("A", "B", "C"), ("M", "X" * 50, "MKUOBZJ" * 10), "made"))
    assert len(found) == 0
    assert {"query", "target", "e_value", "query_coverage", "target_coverage"} <= set(found)


def test_a_protein_longer_than_hmmer_takes_is_a_sentence():
    with pytest.raises(InputError, match="long has 100,001 residues"):
        phmmer.search_all(Proteins(("long",), ("M" * 100_001,), "made"))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.1, "2 seconds"), (600, "10 minutes"), (9000, "2.5 hours")]
)
def test_a_forecast_is_told_in_a_fitting_unit(seconds, words):
    assert phmmer._in_words(seconds) == words
