import string

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

import tiny_checkpoints
from plm_geometry.models.base import ProteinError
from plm_geometry.models.tokens import TokenTable, pad
from plm_geometry.models.transformers_lm import ARCHITECTURES


def table_of(directory, name, **options):
    tiny_checkpoints.WRITERS[name](directory, **options)
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    return TokenTable(tokenizer, ARCHITECTURES[name].spelling, "MODEL"), tokenizer


@pytest.fixture(scope="module", params=sorted(tiny_checkpoints.WRITERS))
def table(request, tmp_path_factory):
    return (*table_of(tmp_path_factory.mktemp("x"), request.param), request.param)


@given(sequence=st.text(string.ascii_uppercase, max_size=30))
def test_the_table_reads_any_protein_as_the_tokenizer_does(table, sequence):
    tokens, tokenizer, name = table
    found = tokens.with_specials(tokens.residue_tokens(sequence))
    expected = tokenizer(ARCHITECTURES[name].spelling.write(sequence))["input_ids"]
    assert found.tolist() == expected


def test_special_tokens_stand_where_the_architectures_put_them(tmp_path):
    names = {"bert": ("[CLS]", "[SEP]"), "xlnet": ("", "<sep><cls>"), "t5": ("", "</s>")}
    names["esm"] = ("<cls>", "<eos>")
    for name, (before, after) in names.items():
        tokens, tokenizer = table_of(tmp_path / name, name)
        assert "".join(tokenizer.convert_ids_to_tokens(tokens.before)) == before
        assert "".join(tokenizer.convert_ids_to_tokens(tokens.after)) == after
        assert tokens.n_special == len(tokens.before) + len(tokens.after)


def test_the_classification_token_is_found_at_either_end(tmp_path):
    positions = {"bert": "first", "esm": "first", "xlnet": "last", "t5": None}
    for name, position in positions.items():
        tokens, tokenizer = table_of(tmp_path / name, name)
        assert tokens.cls_position == position
        protein = tokens.with_specials(tokens.residue_tokens("MKV"))
        if position is not None:
            assert protein[0 if position == "first" else -1] == tokenizer.cls_token_id


def test_lower_case_residues_are_read_as_upper_case(table):
    tokens = table[0]
    assert tokens.residue_tokens("mkv").tolist() == tokens.residue_tokens("MKV").tolist()


def test_a_tokenizer_that_lower_cases_is_refused_instead_of_reading_unknowns(tmp_path):
    tokens, _ = table_of(tmp_path, "bert", lower=True)
    with pytest.raises(ProteinError, match=r"MODEL's tokenizer breaks at position 1 \(M\)"):
        tokens.residue_tokens("MKV")


def test_a_letter_missing_from_the_vocabulary_is_refused_with_its_position(tmp_path):
    vocabulary = [piece for piece in tiny_checkpoints.PROT_BERT_VOCABULARY if piece != "W"]
    tokens, _ = table_of(tmp_path, "bert", vocabulary=vocabulary)
    assert tokens.residue_tokens("MKV").size == 3
    with pytest.raises(ProteinError, match=r"position 3 \(W\)") as caught:
        tokens.residue_tokens("MKWV", 4)
    assert caught.value.index == 4
    assert str(caught.value.named("P1")).startswith("Protein P1 does not give one token a residue")


def test_a_tokenizer_that_joins_residues_is_refused_where_it_does(tmp_path):
    vocabulary = [*tiny_checkpoints.ESM_VOCABULARY, "LGA"]
    tokens, tokenizer = table_of(tmp_path, "esm", vocabulary=vocabulary)
    assert tokenizer.tokenize("MLGAV") == ["M", "LGA", "V"]
    assert tokens.residue_tokens("MLGVA").size == 5
    with pytest.raises(ProteinError, match=r"position 2 \(L\)"):
        tokens.residue_tokens("MLGAV")


def test_tables_of_differently_numbered_vocabularies_differ(tmp_path):
    one, _ = table_of(tmp_path / "one", "bert")
    swapped = tiny_checkpoints.PROT_BERT_VOCABULARY.copy()
    swapped[5], swapped[6] = swapped[6], swapped[5]
    other, _ = table_of(tmp_path / "other", "bert", vocabulary=swapped)
    again, _ = table_of(tmp_path / "again", "bert")
    assert one.digest == again.digest != other.digest


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_padding_keeps_every_row_in_place(lengths):
    rows = [np.arange(1, n + 1) for n in lengths]
    tokens, is_token = pad(rows, value=-1)
    assert tokens.shape == is_token.shape == (len(rows), max(lengths))
    for row, found, mask in zip(rows, tokens, is_token, strict=True):
        assert found[mask].tolist() == row.tolist()
        assert (found[~mask] == -1).all()
        assert (np.diff(mask.astype(int)) <= 0).all()
