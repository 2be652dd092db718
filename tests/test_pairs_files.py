"""Pairs from files: each format, and one sentence for what cannot be used."""

import gzip

import pandas as pd
import pytest

from plm_geometry.base.errors import InputError
from plm_geometry.pairs import read_pairs

ACCESSIONS = ("P1", "P2", "NA", "P4")
# "NA" is an accession like any other here, not a missing value.
PAIRS = [("P1", "P2"), ("NA", "P1"), ("P4", "NA")]
ROWS = ([0, 2, 3], [1, 0, 2])


def written(path, separator, header, end="\n"):
    lines = ([("accession_a", "accession_b")] if header else []) + PAIRS
    path.write_text("".join(separator.join(line) + end for line in lines), newline="")
    return path


def read(path):
    first, second = read_pairs(path, ACCESSIONS)
    return first.tolist(), second.tolist()


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("name", "separator"), [("p.tsv", "\t"), ("p", "\t"), ("p.csv", ",")])
def test_text_is_read_with_and_without_a_header(tmp_path, name, separator, header):
    assert read(written(tmp_path / name, separator, header)) == ROWS


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path):
    path = written(tmp_path / "p.tsv", "\t", header=True, end="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read(path) == ROWS


def test_compressed_text_is_read(tmp_path):
    text = written(tmp_path / "p.csv", ",", header=True).read_bytes()
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(text))
    assert read(path) == ROWS


def test_parquet_is_read_as_an_earlier_alignment_left_it(tmp_path):
    path = tmp_path / "pairs.parquet"
    table = pd.DataFrame(PAIRS, columns=["accession_a", "accession_b"])
    table.assign(alignment_score=1.5).to_parquet(path)
    assert read(path) == ROWS


def test_named_columns_are_found_among_others(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("score\taccession_b\taccession_a\n7\tP2\tP1\n8\tP4\tP1\n")
    assert read(path) == ([0, 0], [1, 3])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("P1\tP2\nP1\tQ7\n", "names Q7, which the proteins do not hold"),
        ("Q7\tQ8\nP1\tQ9\n", "names Q7 and 2 others, which the proteins do not hold"),
        ("protein_a\tprotein_b\nP1\tP2\n", "names protein_a and 1 other, which"),
        ("P1\tP2\nP4\tP4\n", "pairs P4 with itself"),
        ("P1\tP2\nP1\tP2\n", r"pair of P1 and P2 twice \(repeated pairs: 1\)"),
        ("P1\tP2\nP4\tP1\nP2\tP1\nP1\tP4\n", r"pair of P1 and P2 twice \(repeated pairs: 2\)"),
        ("", "names no pair"),
        ("\n", "names no pair"),
        ("accession_a\taccession_b\n", "names no pair"),
        ("P1\nP2\n", "1 column separated by tabs; give two"),
        ("P1\tP2\t7\n", "3 columns separated by tabs; give two"),
        ("P1\tP2\nP1\tP2\tP4\n", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "p.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence) as caught:
        read_pairs(path, ACCESSIONS)
    assert "p.tsv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["none.tsv", "none.parquet"])
def test_a_missing_file_is_one_sentence(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(tmp_path / name, ACCESSIONS)


@pytest.mark.parametrize("name", ["cut.tsv.gz", "cut.parquet"])
def test_a_truncated_file_is_one_sentence(tmp_path, name):
    path = tmp_path / name
    table = pd.DataFrame({"accession_a": ["P1"] * 999, "accession_b": range(999)})
    if name.endswith(".gz"):
        table.to_csv(path, sep="\t")
    else:
        table.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(path, ACCESSIONS)


def test_parquet_without_the_columns_is_one_sentence(tmp_path):
    path = tmp_path / "p.parquet"
    pd.DataFrame({"a": ["P1"], "b": ["P2"]}).to_parquet(path)
    with pytest.raises(InputError, match="columns accession_a and accession_b"):
        read_pairs(path, ACCESSIONS)


def test_a_missing_value_in_parquet_is_no_accession(tmp_path):
    path = tmp_path / "p.parquet"
    pd.DataFrame({"accession_a": ["P1", None], "accession_b": ["P2", "P4"]}).to_parquet(path)
    with pytest.raises(InputError, match="names nan, which the proteins do not hold"):
        read_pairs(path, ACCESSIONS)
