"""Families: read by accession, or found by links; a protein without one is a sentence."""

import json

import numpy as np
import pandas as pd
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.proteins.datasets import read_proteins
from plm_geometry.proteins.families import find_families, read_families, remote_pairs
from plm_geometry.proteins.fasta import Proteins
from small_proteins import write_fasta

PROTEINS = Proteins(("P1", "P2"), ("MK", "MV"), "made")


@pytest.mark.parametrize(("name", "mark"), [("f.tsv", "\t"), ("f.csv", ",")])
def test_families_are_read_by_accession_whatever_else_the_table_holds(tmp_path, name, mark):
    lines = [["accession", "clade", "family"], ["P2", "x", "F1"], ["P9", "x", "F3"],
             ["P1", "x", "007"]]  # fmt: skip
    (tmp_path / name).write_text("\n".join(mark.join(line) for line in lines))
    assert read_families(str(tmp_path / name), PROTEINS) == {"P1": "007", "P2": "F1"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("accession\tclan\nP1\tF", "no column 'family'"),
        ("accession\tfamily\nP1\tF", "names no family of P2"),
        ("accession\tfamily\nP1\tF\nP2\t", "names no family of P2; give"),
        ("", "cannot be read"),
    ],
)
def test_a_table_that_does_not_serve_is_a_sentence(tmp_path, text, sentence):
    (tmp_path / "f.tsv").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_families(str(tmp_path / "f.tsv"), PROTEINS)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read from"):
        read_families(str(tmp_path / "none.tsv"), PROTEINS)


def test_a_table_of_other_proteins_says_so(tmp_path):
    (tmp_path / "f.tsv").write_text("accession\tfamily\nQ1\tF\n")
    with pytest.raises(InputError, match=r"f\.tsv is of other proteins: none of the 2 of made"):
        read_families(str(tmp_path / "f.tsv"), PROTEINS)


# Families by links


def hits_of(*rows):
    columns = ["query", "target", "e_value", "query_coverage", "target_coverage"]
    return pd.DataFrame(rows, columns=columns)


def random_hits(n, n_hits, seed):
    rng = np.random.default_rng(seed)
    ends = rng.integers(n, size=(n_hits, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    rest = 10 ** rng.uniform(-12, 1, len(ends)), *rng.uniform(0.5, 1, (2, len(ends)))
    return hits_of(*zip(*ends.T, *rest, strict=True))


def linked(row):
    return row.e_value <= 1e-5 and min(row.query_coverage, row.target_coverage) >= 0.7


def flooded(n, hits):
    """The family of each protein, and the links between each two, by plain loops."""
    neighbours = [set() for _ in range(n)]
    for row in hits.itertuples():
        if linked(row):
            neighbours[row.query].add(row.target)
            neighbours[row.target].add(row.query)
    steps = []
    for start in range(n):
        reached, front, step = {start: 0}, {start}, 0
        while front:
            step += 1
            front = {b for a in front for b in neighbours[a]} - reached.keys()
            reached |= dict.fromkeys(front, step)
        steps.append(reached)
    return [min(reached) for reached in steps], steps


@pytest.mark.parametrize("seed", range(8))
def test_families_and_remote_pairs_are_those_of_plain_loops(seed):
    n = 60
    hits = random_hits(n, 40 + 40 * seed, seed)
    family, steps = flooded(n, hits)
    assert find_families(n, hits).tolist() == family
    direct = {frozenset((h.query, h.target)) for h in hits.itertuples() if h.e_value <= 0.01}
    expected = {
        (a, b, steps[a][b], family[a])
        for a in range(n)
        for b in range(a + 1, n)
        if b in steps[a] and frozenset((a, b)) not in direct
    }
    remote = remote_pairs(n, hits)
    assert set(remote.itertuples(index=False, name=None)) == expected
    assert expected or seed == 0


def test_a_link_needs_both_coverages_and_one_direction_of_the_search():
    hits = hits_of((0, 1, 1e-9, 0.9, 0.7), (2, 1, 1e-9, 0.9, 0.69), (3, 4, 1e-4, 1.0, 1.0))
    assert find_families(5, hits).tolist() == [0, 0, 2, 3, 4]


def test_no_hits_at_all_leave_each_protein_alone():
    assert find_families(3, hits_of()).tolist() == [0, 1, 2]
    assert len(remote_pairs(3, hits_of())) == 0


# The bacterium's


def shipped(name):
    return pd.read_csv(paths.BACTERIUM / name, sep="\t")


def test_the_bacteriums_tables_agree_with_its_proteins_and_each_other():
    bacterium, about = read_proteins("bacterium"), json.loads(
        (paths.BACTERIUM / "families.json").read_text())  # fmt: skip
    table, remote = shipped("families.tsv"), shipped("remote_pairs.tsv")
    assert tuple(table["accession"]) == bacterium.accessions
    assert about["sha256"] == bacterium.sha256
    sizes = table["family"].value_counts()
    assert about["families"] == len(sizes)
    assert about["families_of_two_or_more"] == (sizes > 1).sum()
    assert about["largest"] == sizes.head(10).tolist()
    assert about["proteins_in_those"] == sizes[sizes > 1].sum()
    assert about["remote_pairs"] == len(remote) > 0
    family = dict(zip(table["accession"], table["family"], strict=True))
    for side in ("accession_a", "accession_b"):
        assert (remote[side].map(family) == remote["family"]).all()
    assert all(family[name] == name for name in sizes.index)
    assert not remote.duplicated(["accession_a", "accession_b"]).any()
    assert read_families("bacterium", bacterium) == family


@pytest.mark.parametrize("rank", [4, 8])
def test_searching_one_of_its_families_again_finds_one_family(tmp_path, monkeypatch, rank):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    bacterium, table = read_proteins("bacterium"), shipped("families.tsv")
    name = table["family"].value_counts().index[rank]
    members = bacterium.select(np.flatnonzero(table["family"] == name))
    assert 5 < len(members) < 20
    assert set(read_families("phmmer", members).values()) == {name}


def test_the_command_writes_what_read_families_finds(tmp_path, monkeypatch, command):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    related = shipped("families.tsv")["family"] == "HG003690_17"
    some = read_proteins("bacterium").select([*range(20), *np.flatnonzero(related)])
    write_fasta(some, tmp_path / "some.fasta")
    status, out, err = command("families", tmp_path / "some.fasta", "--out", tmp_path / "found")
    assert status == 0
    assert f"families: {len(set(read_families('phmmer', some).values()))}" in err
    found = read_families(out.strip(), some)
    assert found == read_families("phmmer", some)
    assert (len(some), len(set(found.values()))) == (27, 21)
    assert list(pd.read_csv(tmp_path / "found" / "remote_pairs.tsv", sep="\t")) == [
        "accession_a", "accession_b", "links", "family"]  # fmt: skip
