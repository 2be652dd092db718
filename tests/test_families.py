"""Families: read by accession; a protein without one is a sentence."""

import pytest

from plm_geometry.errors import InputError
from plm_geometry.families import read_families
from plm_geometry.proteins import Proteins

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
        ("accession\tfamily\nP1\tF\nP2\t", "names no family of P2"),
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
