"""Reading FASTA: what is accepted and counted, what is refused with a sentence."""

import bz2
import gzip
import lzma
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from Bio import bgzf
from hypothesis import given
from hypothesis import strategies as st

from plm_geometry.base.errors import InputError, NothingLeftError
from plm_geometry.embedding.files import EmbeddingFile
from plm_geometry.embedding.store import write_uniprot_h5
from plm_geometry.proteins.fasta import (
    OTHER_RESIDUES,
    STANDARD_RESIDUES,
    Proteins,
    cut_to,
    read_fasta,
    sample,
    within_limit,
)
from small_proteins import write_fasta


def test_uniprot_headers_name_the_accession_and_others_their_first_word(fasta):
    found = read_fasta(fasta(">sp|P12345|X_YEAST Protein\nMK\n>Q9H400 Cell.membrane-M\nMA\n"))
    assert found.accessions == ("P12345", "Q9H400")


def test_sequences_over_several_lines_are_joined(fasta):
    assert read_fasta(fasta(">a\nMKV\nLLA\n\n>b\nG\n")).sequences == ("MKVLLA", "G")


def test_normalisations_are_made_and_counted(fasta):
    found = read_fasta(fasta(">a\r\nmkV*\r\n>b\r\nMA\r\n>b\r\nMA\r\n"))
    assert found.sequences == ("MKV", "MA")
    assert found.notes == {
        "Windows line ends": 6,
        "trailing *": 1,
        "lower case": 1,
        "repeated records": 1,
    }


def test_clean_files_have_no_notes(fasta):
    assert read_fasta(fasta(">a\nMKV\n")).notes == {}


def test_every_iupac_letter_is_a_residue(fasta):
    letters = STANDARD_RESIDUES + OTHER_RESIDUES
    assert read_fasta(fasta(f">a\n{letters}\n")).sequences == (letters,)


def test_gzip_is_known_by_its_content_not_its_name(fasta):
    path = fasta(gzip.compress(b">a\nMKV\n"), "packed.fasta")
    assert read_fasta(path).sequences == ("MKV",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no protein"),
        ("MKV\n", "does not begin with a '>' header"),
        (">a\nMK-V\n", "protein a has '-' at position 3: these are aligned"),
        (">a\nMK*V\n", r"protein a has '\*' at position 3"),
        (">a\n>b\nMK\n", "protein a has no residues"),
        (">\nMK\n", "a record has no name"),
        (">a\nMK\n>a\nMV\n", "accession a stands for two different sequences"),
        (b"\xff\xfe\x00\x01", "is not a text file"),
        (gzip.compress(b">a\nMKV\n" * 1000, mtime=0)[:-20], "broken gzip file"),
    ],
)
def test_bad_files_are_refused_with_one_sentence(fasta, text, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        read_fasta(fasta(text))
    assert "\n" not in str(caught.value)


PACKED = {
    "gzip": gzip.compress,
    "gzip, two members": lambda text: gzip.compress(text[:9]) + gzip.compress(text[9:]),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda text: pa.compress(text, "zstd", asbytes=True),
}
MANY = "".join(f">P{i}\nMKV{'LAGIW'[i % 5] * (i % 50)}\n" for i in range(2000))


@pytest.mark.parametrize("kind", PACKED)
def test_packed_files_are_known_by_their_content_and_broken_ones_said(fasta, kind):
    packed = PACKED[kind](MANY.encode())
    assert read_fasta(fasta(packed, "p.fasta")).sha256 == read_fasta(fasta(MANY)).sha256
    for cut in (len(packed) // 2, len(packed) - 5):
        with pytest.raises(InputError, match=f"broken {kind.split(',')[0]} file"):
            read_fasta(fasta(packed[:cut], "cut.fasta"))


def test_bgzip_is_gzip(tmp_path):
    with bgzf.BgzfWriter(tmp_path / "p.bgz", "wb") as file:
        file.write(MANY.encode())
    assert len(read_fasta(tmp_path / "p.bgz")) == 2000


def test_a_byte_order_mark_and_comments_are_no_part_of_a_protein(fasta):
    found = read_fasta(fasta(b"\xef\xbb\xbf>a\n;of 2019\nMKV\n; end\n>b\nM\n"))
    assert found.accessions == ("a", "b")
    assert found.sequences == ("MKV", "M")
    assert found.notes == {"comment lines": 2}


@pytest.mark.parametrize(
    ("header", "accession"),
    [
        ("P12345-2 isoform", "P12345-2"),
        ("sp|P12345-2|X_HUMAN\tIsoform 2", "P12345-2"),
        ("PF00001/10-200", "PF00001/10-200"),
        ("gi|129295|ref|NP_1.1| old", "gi|129295|ref|NP_1.1|"),
        ("tab\tseparated", "tab"),
    ],
)
def test_names_of_every_kind_are_kept(fasta, header, accession, tmp_path):
    assert read_fasta(fasta(f">{header}\nMKV\n")).accessions == (accession,)
    write_uniprot_h5(tmp_path / "x.h5", [accession, "other"], np.eye(2), model_name="m")
    found = EmbeddingFile(tmp_path / "x.h5").vectors([accession])
    np.testing.assert_array_equal(found, [[1, 0]])


def test_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_fasta(tmp_path / "none.fasta")


sequences = st.text(alphabet=STANDARD_RESIDUES + OTHER_RESIDUES, min_size=1, max_size=40)


@given(st.lists(sequences, min_size=1, max_size=10), st.sampled_from(["x.fasta", "x.fasta.gz"]))
def test_what_is_written_is_read_back(tmp_path_factory, found, name):
    proteins = Proteins(tuple(f"p{i}" for i in range(len(found))), tuple(found), "made")
    path = tmp_path_factory.mktemp("fasta") / name
    write_fasta(proteins, path)
    assert read_fasta(path).sequences == proteins.sequences
    assert read_fasta(path).sha256 == proteins.sha256


def test_sample_is_reproducible_keeps_the_order_and_takes_no_protein_twice():
    proteins = Proteins(tuple(f"p{i:03}" for i in range(100)), ("MK",) * 100, "made")
    drawn = sample(proteins, 30, seed=5)
    assert drawn.accessions == sample(proteins, 30, seed=5).accessions
    assert drawn.accessions != sample(proteins, 30, seed=6).accessions
    assert list(drawn.accessions) == sorted(set(drawn.accessions))
    assert len(drawn) == 30


def test_whole_families_are_drawn_but_for_the_last():
    accessions = tuple(f"p{i}" for i in range(300))
    proteins = Proteins(accessions, ("M",) * 300, "made")
    families = [f"f{(i * i) % 83}" for i in range(300)]
    drawn = set(sample(proteins, 120, seed=5, families=families).accessions)
    sizes = Counter(families)
    found = Counter(f for a, f in zip(accessions, families, strict=True) if a in drawn)
    cut = [family for family, n in found.items() if n < sizes[family]]
    assert len(drawn) == 120
    assert len(cut) <= 1 < max(sizes.values())


def test_drawn_by_families_each_protein_is_as_likely():
    proteins = Proteins(tuple("abcdefgh"), ("M",) * 8, "made")
    samples = (sample(proteins, 4, seed=seed, families=list("xxxxyzzw")) for seed in range(4_000))
    drawn = Counter(accession for some in samples for accession in some.accessions)
    # The standard error of a share of 4,000 draws is 0.008.
    assert len(drawn) == 8
    assert all(abs(n / 4_000 - 0.5) < 0.04 for n in drawn.values())


def test_sample_larger_than_the_set_is_refused_with_both_numbers():
    with pytest.raises(InputError, match="5 proteins were asked for, but made holds 2"):
        sample(Proteins(("a", "b"), ("M", "K"), "made"), 5, seed=1)


def test_lengths_are_residues():
    lengths = Proteins(("a", "b"), ("MKV", "K"), "made").lengths
    np.testing.assert_array_equal(lengths, [3, 1])


def test_too_long_proteins_are_left_out_by_name():
    proteins = Proteins(("short", "long"), ("MK", "MKVLA"), "made")
    kept, left_out = within_limit(proteins, 4)
    assert kept.accessions == ("short",)
    assert left_out == {"long": "5 residues, the model takes 4"}
    with pytest.raises(NothingLeftError, match="all 2 proteins of made are longer than the 1"):
        within_limit(proteins, 1)


def test_cutting_keeps_everybody_and_names_who_was_cut():
    proteins = Proteins(("short", "long"), ("MK", "MKVLA"), "made")
    kept, cut = cut_to(proteins, 3)
    assert kept.sequences == ("MK", "MKV")
    assert cut == {"long": "cut from 5 to 3 residues"}
    np.testing.assert_array_equal(kept.lengths, [2, 3])
    assert kept.sha256 != proteins.sha256
