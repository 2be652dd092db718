"""What chapter 05 says of one's own proteins: with families, without, and of few."""

import re

import numpy as np
import pytest

from chapter_cells import proteins_file, run_cells
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.store import write_uniprot_h5
from small_proteins import random_proteins

CHAPTER = "05_what_isotropy_buys"
SEQUENCES = list(random_proteins(30, longest=60).sequences)


@pytest.fixture
def run(tmp_path):
    def run(sequences=SEQUENCES, family_size=None, **options):
        fasta = proteins_file(tmp_path / "some.fasta", sequences)
        if family_size:
            rows = [f"P{i:03}\tF{i // family_size}\n" for i in range(len(sequences))]
            (tmp_path / "families.tsv").write_text("accession\tfamily\n" + "".join(rows))
            options["families"] = str(tmp_path / "families.tsv")
        options = {"controls": ["composition"]} | options
        ran = run_cells(CHAPTER, tmp_path, proteins=str(fasta), **options)
        assert not re.search(r"\b(nan|NaN|inf)\b", ran.shown)
        return ran

    return run


def test_the_reading_begins_with_its_conclusion_from_the_tables(run):
    ran = run(family_size=2, models=["unirep_64"])
    numbers, table = ran.numbers, ran.table("retrieval").set_index("model")
    change = table.top_1["unirep_64"] - table.top_1["composition"]
    assert numbers["best_against_widest:top_1"] == pytest.approx(change)
    assert numbers["best_against_widest:top_1_low"] < 0 < numbers["best_against_widest:top_1_high"]
    assert "**Whether effective dimensions rank embeddings is *undecided*: averaged" in ran.shown


def test_random_vectors_alone_do_not_tell_what_dimensions_buy(run, tmp_path):
    vectors = np.random.default_rng(0).normal(size=(len(SEQUENCES), 24)).astype("float32")
    names = [f"P{i:03}" for i in range(len(vectors))]
    write_uniprot_h5(tmp_path / "given.h5", names, vectors, model_name="given")
    options = {"models": [str(tmp_path / "given.h5")], "controls": [], "distance_controls": []}
    ran = run(family_size=2, **options)
    assert "nothing here has more dimensions" in ran.shown
    assert "best_against_widest:top_1" not in ran.numbers
    assert "**Order.**" not in ran.shown


def test_without_families_retrieval_is_not_told(run):
    ran = run(SEQUENCES[:4], models=["unirep_64"])
    assert "**This run has no retrieval" in ran.shown
    assert not set(re.findall(r"\*\*(Use|Remedies|Components)\.", ran.shown))


def test_three_proteins_are_too_few(run):
    with pytest.raises(InputError, match="at least 4 proteins"):
        run(SEQUENCES[:3], models=["unirep_64"])
