"""Specifications are what a study with these settings finds, each alone."""

import numpy as np
import pandas as pd
import pytest

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.embedding.run import N_GROUPS
from plm_geometry.embedding.store import write_uniprot_h5
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.models import load
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, Proteins
from plm_geometry.study import Study, choices, readings
from plm_geometry.study.choices import CHOICES_OF
from small_proteins import random_proteins, write_fasta

BERT, PROTEINBERT = "mini_prot_bert", "mini_protein_bert"
N = 40
CUT = 60


def relatives(seed=0):
    """Random proteins, half of them copies of others with some residues changed."""
    half = random_proteins(N // 2, longest=100, seed=seed).sequences
    rng = np.random.default_rng(seed)
    copies = []
    for number, sequence in enumerate(half):
        letters = np.array(list(sequence))
        changed = rng.random(len(letters)) < number / N
        letters[changed] = rng.choice(list(STANDARD_RESIDUES), changed.sum())
        copies.append("".join(letters))
    return Proteins(tuple(f"P{i:02}" for i in range(N)), (*half, *copies), "made")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("choices")
    write_fasta(relatives(), folder / "some.fasta")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", folder / "cache")
        patch.setattr(readings, "TRUNCATIONS", (CUT, 10_000))
        patch.setattr(readings, "PADDINGS", ("none", "power of two", "64"))
        patch.setattr(choices, "GAPS", ((5, 1),))
        patch.setattr(choices, "_LEAST_PAIRS", 3)
        yield folder


@pytest.fixture(scope="module")
def options(folder):
    return {"proteins": str(folder / "some.fasta"), "models": [BERT, PROTEINBERT, "composition"],
            "n_pairs": 0}  # fmt: skip


@pytest.fixture(scope="module")
def study(options):
    return Study(**options, n_choices=N)


@pytest.fixture(scope="module")
def tables(study):
    return {number: study.choices.table(number) for number in CHOICES_OF}


@pytest.fixture(scope="module")
def alone(options):
    """Make a study with other settings of its own."""
    return lambda **settings: Study(**options | settings)


def row_of(table, **levels):
    for name, level in levels.items():
        table = table[table[name] == level]
    assert len(table) == 1
    return table.iloc[0]


ALL = {"proteins": str(N), "draw": "1"}


@pytest.mark.parametrize("pooling", ["mean", "mean_with_special", "first", "max"])
@pytest.mark.parametrize("truncation", ["whole", str(CUT)])
def test_dimensions_are_those_of_a_study_with_that_pooling_and_cut(
    tables, alone, pooling, truncation
):
    other = alone(models=[BERT], pooling=pooling,
                  max_residues=CUT if truncation != "whole" else 0)  # fmt: skip
    found = row_of(tables["effective_dimensions"], model=BERT, pooling=pooling,
                   truncation=truncation, layer="last", **ALL)  # fmt: skip
    expected = other.isotropy.table()["effective_dimensions"].iloc[0]
    assert found["effective_dimensions"] == pytest.approx(expected, rel=1e-5)
    assert found["own"] == (pooling == "mean" and truncation == "whole")
    assert found["share"] == pytest.approx(expected / 96, rel=1e-5)


@pytest.mark.parametrize(
    ("padding", "truncation"), [("power of two", "whole"), ("64", str(CUT)), ("none", str(CUT))]
)
def test_proteinberts_padding_is_that_of_a_study_with_it(tables, alone, padding, truncation):
    other = alone(models=[PROTEINBERT], padded_length=padding,
                  max_residues=CUT if truncation != "whole" else 0)  # fmt: skip
    found = row_of(tables["effective_dimensions"], model=PROTEINBERT,
                   padding=padding, truncation=truncation, layer="last", **ALL)  # fmt: skip
    expected = other.isotropy.table()["effective_dimensions"].iloc[0]
    assert found["effective_dimensions"] == pytest.approx(expected, rel=1e-5)


def test_a_padded_length_is_tried_only_where_it_holds_the_longest_protein(tables):
    table = tables["effective_dimensions"].query("model == @PROTEINBERT")
    assert set(table[table["padding"] == "64"]["truncation"]) == {str(CUT)}
    assert set(table[table["padding"] == "none"]["truncation"]) == {"whole", str(CUT)}
    assert set(table["pooling"]) == {"own"}


def test_the_layer_before_is_that_of_a_forward_pass(study, tables):
    model = load(BERT)
    vectors = []
    for sequence in study.common.sequences:
        output = model.forward([sequence], [-2])
        vectors.append(output.hidden[0][output.is_residue].mean(dim=0).numpy())
    found = row_of(tables["effective_dimensions"], model=BERT, pooling="mean",
                   truncation="whole", layer="one before", **ALL)  # fmt: skip
    assert found["effective_dimensions"] == pytest.approx(
        effective_dimensions(np.array(vectors)), rel=1e-4
    )


def test_samples_are_nested_and_their_numbers_are_over_their_members(study, tables):
    small, large = study.choices.readings.subsets[0], study.choices.readings.subsets[3]
    assert small.choice == {"proteins": "8", "draw": "1"}
    assert large.choice == {"proteins": "20", "draw": "1"}
    assert large.members[small.members].all()
    assert small.members.sum() == 8
    assert study.choices.readings.subsets[-1].members.all()
    found = row_of(tables["effective_dimensions"], model=BERT, pooling="mean",
                   truncation="whole", layer="last", **large.choice)  # fmt: skip
    expected = effective_dimensions(study.vectors(BERT)[large.members])
    assert found["effective_dimensions"] == pytest.approx(expected, rel=1e-5)
    draws = {tuple(s.blocks) for s in study.choices.readings.subsets if s.choice["proteins"] == "8"}
    assert len(draws) == 3


def test_local_dimensions_are_averages_of_a_study_with_that_cut(tables, alone):
    other = alone(models=[BERT], max_residues=CUT).local.table()
    letters = other[other["residue"].isin(list(STANDARD_RESIDUES))].dropna(
        subset="effective_dimensions"
    )
    expected = {
        "mean of twenty": letters["effective_dimensions"].mean(),
        "mean by residues": np.average(letters["effective_dimensions"], weights=letters["n"]),
        "one cloud": other.set_index("residue").loc["all", "effective_dimensions"],
    }
    table = tables["local_dimensions"]
    for averaging, value in expected.items():
        found = row_of(table, model=BERT, truncation=str(CUT), layer="last", averaging=averaging,
                       **ALL)  # fmt: skip
        assert found["local_dimensions"] == pytest.approx(value, rel=1e-5)
    # A composition's amino acids have one vector each.
    assert set(table["model"]) == {BERT, PROTEINBERT}


def test_local_dimensions_of_a_sample_are_those_of_its_proteins_alone(
    study, tables, alone, tmp_path
):
    subset = study.choices.readings.subsets[4]
    write_fasta(study.common.select(np.flatnonzero(subset.members)), tmp_path / "half.fasta")
    other = alone(proteins=str(tmp_path / "half.fasta"), models=[BERT]).local.table()
    found = row_of(tables["local_dimensions"], model=BERT, truncation="whole",
                   layer="last", averaging="one cloud", **subset.choice)  # fmt: skip
    expected = other.set_index("residue").loc["all", "effective_dimensions"]
    assert found["local_dimensions"] == pytest.approx(expected, rel=1e-5)


def test_earlier_layers_have_local_dimensions_over_all_proteins(tables):
    table = tables["local_dimensions"].query("layer == 'one before'")
    assert set(table["proteins"]) == {str(N)}
    assert table["local_dimensions"].gt(1).all()


@pytest.mark.parametrize(
    ("mode", "gaps", "denominator"),
    [("global", "11/1", "alignment_length"), ("local", "5/1", "shorter"),
     ("semiglobal", "11/1", "aligned_columns")],
)  # fmt: skip
def test_correlations_are_those_of_a_study_with_that_alignment(
    tables, alone, mode, gaps, denominator
):
    gap_open, gap_extend = map(float, gaps.split("/"))
    other = alone(models=[BERT], pooling="max", mode=mode, gap_open=gap_open,
                  gap_extend=gap_extend, denominator=denominator)  # fmt: skip
    entries = other.correlation.table().set_index(["a", "b"])["estimate"]
    alignment = {"mode": mode, "gaps": gaps, "denominator": denominator}
    reading = {"model": BERT, "pooling": "max", "truncation": "whole", "layer": "last", **ALL}
    found = row_of(tables["cosine_identity"], **reading, **alignment)
    expected = entries["cosine_similarity", "sequence_identity"]
    assert found["cosine_identity"] == pytest.approx(expected, abs=1e-6)
    sign = row_of(tables["cosine_squared"], **reading)
    expected = entries["cosine_similarity", "squared_euclidean"]
    assert sign["cosine_squared"] == pytest.approx(expected, abs=1e-5)
    agreement = row_of(tables["score_identity"], **alignment, **ALL)
    expected = entries["alignment_score", "sequence_identity"]
    assert agreement["score_identity"] == pytest.approx(expected, abs=1e-9)
    assert agreement["own"] == (gaps == "11/1" and mode == "global")


def test_a_samples_correlation_is_over_the_pairs_within_it(study, tables, alone, tmp_path):
    subset = study.choices.readings.subsets[3]
    write_fasta(study.common.select(np.flatnonzero(subset.members)), tmp_path / "half.fasta")
    other = alone(proteins=str(tmp_path / "half.fasta"), models=["composition"]).correlation.table()
    found = row_of(tables["cosine_identity"], model="composition", pooling="mean",
                   truncation="whole", mode="global", gaps="11/1",
                   denominator="alignment_length", **subset.choice)  # fmt: skip
    expected = other.set_index(["a", "b"])["estimate"]["cosine_similarity", "sequence_identity"]
    assert found["cosine_identity"] == pytest.approx(expected, abs=1e-9)


def test_every_combination_occurs_once(study, tables):
    for number, columns in CHOICES_OF.items():
        table = tables[number]
        assert not table.duplicated(["model", *columns]).any()
        assert table.groupby("model")["own"].sum().eq(1).all()
    expected = 2 * 4 * 2 * len(study.choices.readings.subsets) * 3 * 2 * 3
    table = tables["cosine_identity"]
    assert (table["model"] == BERT).sum() == expected


def test_a_control_has_no_layers_or_special_tokens_to_choose(tables):
    table = tables["effective_dimensions"].query("model == 'composition'")
    assert set(table["layer"]) == {"last"}
    assert set(table["pooling"]) == {"mean", "max"}


def test_what_was_read_is_found_again(tables, options, monkeypatch):
    monkeypatch.setattr("plm_geometry.embedding.forward.ForwardPass.compute", None)
    monkeypatch.setattr("plm_geometry.pairs.alignment.AlignmentJob.run", None)
    again = Study(**options, n_choices=N)
    for number in CHOICES_OF:
        pd.testing.assert_frame_equal(again.choices.table(number), tables[number])


def test_many_pairs_are_a_weighted_sample_that_agrees_with_all(options, study, monkeypatch):
    monkeypatch.setattr(choices, "_N_PAIRS", 500)
    sampled = Study(**options | {"models": [BERT]}, n_choices=N)
    assert len(sampled.choices._sample[0]) == 500
    keys = {"mode": "global", "gaps": "11/1", "denominator": "alignment_length", **ALL}
    few, every = (row_of(s.choices.table("score_identity"), **keys) for s in (sampled, study))
    assert few["score_identity"] == pytest.approx(every["score_identity"], abs=0.1)


def test_a_file_of_embeddings_leaves_nothing_to_choose_but_proteins_and_alignments(
    study, tables, alone, tmp_path
):
    file = tmp_path / "given.h5"
    write_uniprot_h5(file, study.common.accessions, study.vectors(BERT), model_name="given")
    other = alone(models=[str(file)])
    dimensions = other.choices.table("effective_dimensions")
    assert set(dimensions["pooling"]) == {readings.AS_IT_IS}
    assert len(dimensions) == len(study.choices.readings.subsets)
    assert dimensions["own"].sum() == 1
    own = row_of(tables["effective_dimensions"], model=BERT, own=True)
    found = dimensions[dimensions["own"]]["effective_dimensions"].iloc[0]
    assert found == pytest.approx(own["effective_dimensions"], rel=1e-5)
    local = other.choices.table("local_dimensions")
    assert local.empty
    assert {"title", "own", *CHOICES_OF["local_dimensions"]} <= set(local)


def test_too_few_proteins_are_a_sentence(alone, tmp_path):
    write_fasta(random_proteins(2 * N_GROUPS - 1), tmp_path / "few.fasta")
    with pytest.raises(InputError, match="at least 20 proteins, and there are 19"):
        alone(proteins=str(tmp_path / "few.fasta")).choices.table("effective_dimensions")
