"""Changed sequences in a study: distances by hand, one protein a family, mutants, relatives."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from plm_geometry import figures
from plm_geometry.base import paths
from plm_geometry.embedding.store import write_uniprot_h5
from plm_geometry.models import load
from plm_geometry.proteins.fasta import STANDARD_RESIDUES, Proteins
from plm_geometry.proteins.variants import mutated
from plm_geometry.study import Study
from small_proteins import write_fasta

MODEL, UNTRAINED = "mini_protein_bert", "untrained:unirep_64@0"
N_FAMILIES = 12


@pytest.fixture(scope="module")
def proteins():
    """Twelve families of two, and a short protein that has no relative."""
    rng = np.random.default_rng(3)
    found = {"SHORT": "ACDEFGHIKL"}
    for i in range(N_FAMILIES):
        word = "".join(rng.choice(list(STANDARD_RESIDUES), 100 + i))
        found |= {f"F{i}_a": word, f"F{i}_b": mutated(word, 0.6, rng)}
    return Proteins(tuple(found), tuple(found.values()), "made")


@pytest.fixture(scope="module")
def options(proteins, tmp_path_factory):
    directory = tmp_path_factory.mktemp("variants")
    write_fasta(proteins, directory / "some.fasta")
    families = {a: a.partition("_")[0] for a in proteins.accessions}
    table = pd.DataFrame(families.items(), columns=["accession", "family"])
    table.to_csv(directory / "families.tsv", sep="\t", index=False)
    return {"proteins": str(directory / "some.fasta"), "families": str(directory / "families.tsv")}


@pytest.fixture(scope="module")
def study(options, tmp_path_factory):
    controls = ["composition", "untrained:unirep_64@0-2", f"shuffled:{MODEL}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", tmp_path_factory.mktemp("cache"))
        yield Study(**options, models=[MODEL], controls=controls, n_variants=11)


def composition(sequence):
    return np.array([sequence.count(letter) for letter in STANDARD_RESIDUES]) / len(sequence)


def median_of_all_pairs(vectors):
    return np.median([((a - b) ** 2).sum() for a, b in combinations(vectors, 2)])


def test_one_protein_a_family_is_changed_and_short_ones_are_not(study, proteins):
    chosen = [proteins.accessions[i] for i in study.variants.chosen]
    assert len(chosen) == 11
    assert len({name.partition("_")[0] for name in chosen}) == 11
    assert "SHORT" not in chosen


def test_a_dose_is_the_mean_distance_of_a_model_that_is_asked_again(study, proteins):
    table = study.variants.dose().set_index(["model", "change", "level"])
    unit = median_of_all_pairs(study.vectors(UNTRAINED).astype(float))
    model, changes = load(UNTRAINED), study.variants._changes
    for change, level in (("permuted", 0.25), ("dipeptides", 1.0)):
        far = []
        for row in changes[(changes.change == change) & (changes.level == level)].itertuples():
            after, before = (
                model.forward([word]).hidden[-1][1:].mean(dim=0).double().numpy()
                for word in (row.sequence, proteins.sequences[row.number])
            )
            far.append(((after - before) ** 2).sum() / unit)
        found = table.loc[UNTRAINED, change, level]
        assert found["distance"] == pytest.approx(np.mean(far), rel=1e-3)
        spread = 2.228 * np.std(far, ddof=1) / np.sqrt(11)
        assert found["distance_high"] - found["distance"] == pytest.approx(spread, rel=1e-2)
    assert (table.xs(0.0, level="level")["distance"] == 0).all()


def test_composition_stays_where_it_is_when_residues_are_permuted_alone(study, proteins):
    dose = study.variants.dose().query("model == 'composition'")
    assert dose["distance"].abs().max() < 1e-12
    drift = study.variants.drift().query("model == 'composition' and change == 'uniform'")
    unit = median_of_all_pairs([composition(word) for word in proteins.sequences])
    changes = study.variants._changes.query("change == 'uniform' and level == 0.2")
    far = [
        ((composition(row.sequence) - composition(proteins.sequences[row.number])) ** 2).sum()
        for row in changes.itertuples()
    ]
    expected = np.mean(far) / unit
    assert drift.set_index("level")["distance"][0.2] == pytest.approx(expected, rel=1e-4)


def test_a_model_exceeds_a_control_by_the_mean_difference(study):
    found = study.variants.against_controls().set_index(["control", "change"])
    whole = study.variants.dose().query("level == 1").set_index(["model", "change"])["distance"]
    for change in ("permuted", "dipeptides"):
        expected = whole[MODEL, change] - whole[UNTRAINED, change]
        assert found.loc[(UNTRAINED, change), "difference"] == pytest.approx(expected)
    assert f"shuffled:{MODEL}" not in found.index.get_level_values("control")
    kept = study.variants.order_kept().set_index("model")["difference"]
    assert kept[MODEL] == pytest.approx(whole[MODEL, "permuted"] - whole[MODEL, "dipeptides"])


def test_copies_of_several_seeds_are_all_asked(study):
    seeds = study.variants.seeds().set_index("model")
    assert list(seeds.index) == [UNTRAINED]
    row = seeds.loc[UNTRAINED]
    assert row["seeds"] == 3
    assert row["lowest"] < row["median"] < row["highest"]
    first = study.variants.dose().query("model == @UNTRAINED and level == 1").iloc[0]
    assert row["lowest"] <= first["distance"] <= row["highest"]


def test_relatives_stand_beside_mutants_of_their_identity(study, proteins):
    pairs = study.variants.relatives().query("model == 'composition'").set_index("family")
    assert len(pairs) == N_FAMILIES
    # They were made with 0.6; an alignment may find a few residues more.
    assert pairs["identity"].between(0.58, 0.66).all()
    vectors = {a: composition(s) for a, s in zip(*vars_of(proteins), strict=True)}
    unit = median_of_all_pairs(list(vectors.values()))
    for family, row in pairs.iterrows():
        natural = ((vectors[f"{family}_a"] - vectors[f"{family}_b"]) ** 2).sum() / unit
        assert row["natural"] == pytest.approx(natural, rel=1e-4)
    for row in study.variants._mutants.itertuples():
        word = proteins.sequences[row.number]
        same = sum(a == b for a, b in zip(word, row.sequence, strict=True))
        assert same == round(row.level * len(word))


def vars_of(proteins):
    return proteins.accessions, proteins.sequences


def test_ratios_are_geometric_means_over_families_and_quotients_pair_them(study):
    pairs, ratios = study.variants.relatives(), study.variants.ratios().set_index(["model", "of"])
    logs = {name: np.log(own["natural"] / own["pam"]) for name, own in pairs.groupby("model")}
    for name, values in logs.items():
        found = ratios.loc[name, "natural / pam"]
        assert found["ratio"] == pytest.approx(np.exp(values.mean()))
        assert found["ratio_low"] < found["ratio"] < found["ratio_high"]
        assert found["n"] == N_FAMILIES
    quotients = study.variants.ratios_against_controls().set_index(["control", "of"])
    expected = np.exp((logs[MODEL].to_numpy() - logs["composition"].to_numpy()).mean())
    assert quotients.loc[("composition", "natural / pam"), "quotient"] == pytest.approx(expected)


def test_dimensions_of_shuffled_proteins_are_those_of_the_isotropy_table(study):
    (row,) = study.variants.dimensions().to_dict("records")
    k = study.isotropy.table().set_index("model")["effective_dimensions"]
    assert (row["k"], row["k_shuffled"]) == pytest.approx((k[MODEL], k[f"shuffled:{MODEL}"]))
    assert row["difference"] == pytest.approx(row["k"] - row["k_shuffled"])


def test_without_families_there_are_mutants_but_no_relatives(options, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    alone = Study(proteins=options["proteins"], models=["composition"], n_variants=10)
    assert alone.variants.relatives().empty
    assert set(alone.variants.ratios()["of"]) == {"uniform / pam"}
    assert len(alone.variants.drift()) == 14


def test_files_and_models_to_skip_read_no_changed_sequences(
    options, proteins, tmp_path, monkeypatch
):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    vectors = np.random.default_rng(0).normal(size=(len(proteins), 5)).astype("f4")
    write_uniprot_h5(tmp_path / "some.h5", proteins.accessions, vectors)
    other = Study(**options, models=[str(tmp_path / "some.h5"), "unirep_64"],
                  skip_variants="unirep_64", minis=[MODEL])  # fmt: skip
    assert other.variants.names == []
    for table in (other.variants.dose(), other.variants.ratios_against_controls()):
        assert table.empty
    figure = figures.shuffling_dose(other.variants.dose())
    assert "no model here reads changed" in figure.axes[0].texts[0].get_text().replace("\n", " ")


def test_equal_vectors_have_no_unit_and_so_no_distance(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    words = {f"P{i}": "ACDEFGHIKL" * 11 for i in range(3)} | {"Q": "ACDEFGHIKL" * 10}
    write_fasta(Proteins(tuple(words), tuple(words.values()), "made"), tmp_path / "some.fasta")
    alike = Study(proteins=str(tmp_path / "some.fasta"), models=["composition"], n_variants=2)
    drift = alike.variants.drift()
    assert drift["distance"].isna().sum() == 12
    assert (drift["distance"].dropna() == 0).all()
