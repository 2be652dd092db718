"""`plm-geometry retrieval` as a person meets it: a table, JSON, and bad input."""

import json

import numpy as np
import pytest

from plm_geometry.association import averaged, matched_candidates, retrieve
from plm_geometry.proteins.fasta import Proteins
from small_proteins import random_proteins, write_fasta
from vector_writers import NAMES, write_h5_uniprot, write_npy

FAMILIES = np.arange(100) // 3


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    return rng.normal(size=(34, 6))[FAMILIES] + rng.normal(size=(100, 6))


@pytest.fixture
def files(tmp_path, vectors):
    """Vectors and families, and a few remote pairs, as files."""
    write_h5_uniprot(tmp_path / "v.h5", vectors)
    rows = [f"{name}\tF{family}" for name, family in zip(NAMES, FAMILIES, strict=True)]
    (tmp_path / "f.tsv").write_text("\n".join(["accession\tfamily", *rows]))
    pairs = [f"{NAMES[i]}\t{NAMES[i + 2]}" for i in range(0, 33, 3)]
    (tmp_path / "r.tsv").write_text("\n".join(["accession_a\taccession_b", *pairs]))
    return tmp_path


def test_json_holds_both_measures_with_their_intervals(command, files, vectors):
    status, out, err = command("retrieval", files / "v.h5", "--families", files / "f.tsv", "--json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    assert (content["file"], content["metric"], content["n"]) == ("v.h5", "cosine", 100)
    [row] = content["rows"]
    found = retrieve(vectors, FAMILIES)
    assert (row["queries"], row["families"]) == (99, 33)
    for measure in ("top_1", "average_precision"):
        interval = averaged(found, measure)
        ends = [row[measure], row[f"{measure}_low"], row[f"{measure}_high"]]
        assert ends == pytest.approx(interval[:3])


def test_the_metric_remote_pairs_and_like_strangers_are_as_asked_for(command, files, vectors):
    some = random_proteins(100)
    proteins = Proteins(tuple(NAMES), tuple(f"{s}A" for s in some.sequences), "made")
    write_fasta(proteins, files / "p.fasta")
    options = ["--metric", "euclidean", "--remote", files / "r.tsv", "--fasta", files / "p.fasta"]
    out = command("retrieval", files / "v.h5", "--families", files / "f.tsv", *options, "--json")[1]
    rows = {row["relatives"]: row for row in json.loads(out)["rows"]}
    assert list(rows) == ["all", "matched", "direct", "remote"]
    assert (rows["remote"]["queries"], rows["remote"]["families"]) == (22, 11)
    like = matched_candidates(proteins.lengths, proteins.composition, FAMILIES)
    expected = averaged(retrieve(vectors, FAMILIES, metric="euclidean", candidates=like))
    assert rows["matched"]["top_1"] == pytest.approx(expected.estimate)


def test_the_table_has_a_row_a_kind_and_dashes_for_intervals_of_few_families(command, files):
    (files / "r.tsv").write_text(f"accession_a\taccession_b\n{NAMES[0]}\t{NAMES[1]}\n")
    status, out, _ = command(
        "retrieval", files / "v.h5", "--families", files / "f.tsv", "--remote", files / "r.tsv"
    )
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "100 proteins"
    assert [line.split("  ")[0] for line in lines[3:6]] == [
        "all relatives", "direct relatives", "remote relatives",
    ]  # fmt: skip
    assert " to " in lines[3]
    assert " to " not in lines[5]
    assert lines[-1].startswith("Means over families")


def test_remote_pairs_of_other_proteins_are_noted(command, files):
    (files / "r.tsv").write_text("accession_a\taccession_b\nQ1\tQ2\n")
    status, out, err = command(
        "retrieval", files / "v.h5", "--families", files / "f.tsv", "--remote", files / "r.tsv"
    )
    assert status == 0
    assert "names no pair of these proteins" in err
    assert out.splitlines()[5].split()[2:5] == ["0", "0", "-"]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("accession\tclan\nP1\tF", "no column 'family'"),
        ("accession\tfamily\nQ1\tF", "is of other proteins"),
        ("\n".join(["accession\tfamily", *(f"{n}\t{n}" for n in NAMES)]), "nothing to retrieve"),
        ("\n".join(["accession\tfamily", *(f"{n}\tF" for n in NAMES[1:])]), "no family of P00000"),
    ],
)
def test_a_table_of_families_that_does_not_serve_is_a_sentence(refused, files, table, sentence):
    (files / "f.tsv").write_text(table)
    assert sentence in refused("retrieval", files / "v.h5", "--families", files / "f.tsv")


def test_what_cannot_be_retrieved_from_is_a_sentence(refused, files, vectors):
    table = ["--families", files / "f.tsv"]
    assert "plm-geometry families" in refused("retrieval", files / "v.h5", "--families", "phmmer")
    write_npy(files / "bare.npy", vectors)
    assert "bare.txt is missing" in refused("retrieval", files / "bare.npy", *table)
    write_h5_uniprot(files / "bad.h5", np.where(vectors > 2, np.nan, vectors))
    assert "is not finite" in refused("retrieval", files / "bad.h5", *table)
    write_h5_uniprot(files / "long.h5", np.repeat(vectors[:, None], 3, axis=1))
    assert "one matrix per protein" in refused("retrieval", files / "long.h5", *table)
    (files / "few.fasta").write_text(f">{NAMES[0]}\nMKV\n")
    said = refused("retrieval", files / "v.h5", *table, "--fasta", files / "few.fasta")
    assert "few.fasta lacks 99 of 100 proteins" in said
    said = refused("retrieval", files / "v.h5", *table, "--remote", files / "none.tsv")
    assert "remote pairs cannot be read" in said
