import re
from itertools import combinations

import msprime
import numpy as np
import pandas as pd
import parasail
import pytest

from plm_geometry.errors import InputError
from plm_geometry.evolution import (
    LETTERS,
    SWISSPROT,
    _present_columns,
    evolve_family,
    segment_states,
    substitution_model,
)
from plm_geometry.paths import DEMO
from plm_geometry.proteins import STANDARD_RESIDUES, read_fasta
from plm_geometry.simulate import (
    ASPECTS,
    simulate_biosphere,
    split_biosphere,
    write_demo,
)


@pytest.fixture(scope="module")
def small():
    return simulate_biosphere(seed=3, n_proteins=400, n_families=25)


@pytest.fixture(scope="module")
def demo():
    """The shipped proteome: (proteins, annotations by accession, truth by accession)."""
    tables = (
        pd.read_csv(DEMO / name, sep="\t", keep_default_na=False).set_index("accession")
        for name in ("annotations.tsv", "truth.tsv")
    )
    return read_fasta(DEMO / "proteome.fasta.gz"), *tables


def identity(a, b):
    result = parasail.nw_stats_scan_32(a, b, 11, 1, parasail.pam250)
    return result.matches / result.length


def pairs_within(groups, n, rng):
    """Draw `n` pairs of rows of one group."""
    rows = list(pd.Series(range(len(groups))).groupby(np.asarray(groups)).indices.values())
    pairs = [pair for members in rows for pair in combinations(members, 2)]
    return [pairs[i] for i in rng.choice(len(pairs), n, replace=False)]


def pairs_between(groups, n, rng):
    drawn = rng.integers(len(groups), size=(4 * n, 2))
    return [(a, b) for a, b in drawn if groups[a] != groups[b]][:n]


def test_the_same_seed_gives_the_same_biosphere_and_another_seed_another(small):
    again = simulate_biosphere(seed=3, n_proteins=400, n_families=25)
    other = simulate_biosphere(seed=4, n_proteins=400, n_families=25)
    assert again.proteins.sha256 == small.proteins.sha256
    pd.testing.assert_frame_equal(again.annotations, small.annotations)
    pd.testing.assert_frame_equal(again.truth, small.truth)
    assert other.proteins.sha256 != small.proteins.sha256


def test_every_protein_is_one_of_a_kind_and_made_of_standard_residues(small):
    proteins = small.proteins
    assert len(set(proteins.sequences)) == len(set(proteins.accessions)) == len(small)
    assert all(re.fullmatch(r"SIM\d{5}", accession) for accession in proteins.accessions)
    assert set("".join(proteins.sequences)) <= set(STANDARD_RESIDUES)
    assert all(sequence.startswith("M") for sequence in proteins.sequences)


def test_a_clade_lies_in_one_family(small):
    assert (small.truth.groupby("clade")["family"].nunique() == 1).all()
    assert small.truth["family"].nunique() == 25


def test_the_parts_of_a_biosphere_share_nothing_and_miss_nothing(small):
    split = split_biosphere(small, n_demo=50, n_held_out=30)
    parts = [set(part.proteins.sequences) for part in (split.demo, split.held_out, split.training)]
    assert [len(part) for part in parts] == [50, 30, len(small) - 80]
    assert len(set.union(*parts)) == len(small)
    assert list(split.held_out.annotations["accession"]) == list(split.held_out.proteins.accessions)


def test_fewer_proteins_than_families_is_refused():
    with pytest.raises(InputError, match="3 proteins cannot fill 5 families"):
        simulate_biosphere(n_proteins=3, n_families=5)


def test_the_mixture_of_all_segments_has_exactly_the_composition_of_swissprot():
    share, emission = segment_states()
    np.testing.assert_allclose(emission.sum(axis=1), 1)
    np.testing.assert_allclose(share @ emission, SWISSPROT, rtol=1e-9)
    # and yet the segments differ from it and from one another
    assert np.abs(emission - SWISSPROT).sum(axis=1).min() > 0.4


def test_substitution_keeps_the_composition_and_runs_alike_in_both_directions_of_time():
    model, changes = substitution_model()
    flow = SWISSPROT[:, None] * model.transition_matrix
    np.testing.assert_allclose(flow, flow.T, atol=1e-6)  # PAM's own table is rounded
    np.testing.assert_allclose(changes, 1 - np.trace(flow))
    assert model.alleles == list(LETTERS)


def test_a_family_without_depth_is_one_sequence():
    sequences, clades = evolve_family(6, 120, 0.0, seed=1)
    assert len(set(sequences)) == 1
    assert len(sequences[0]) == 120
    assert clades.min() == 1


def test_a_family_of_one_is_its_root():
    sequences, clades = evolve_family(1, 80, 1.0, seed=1)
    assert len(sequences[0]) == 80
    assert clades.tolist() == [1]


def test_deeper_families_are_less_alike():
    means = []
    for depth in (0.05, 0.4, 2.0):
        families = [evolve_family(6, 200, depth, seed=seed)[0] for seed in range(6)]
        means.append(np.mean([identity(a, b) for f in families for a, b in combinations(f, 2)]))
    assert means[0] > means[1] + 0.15 > means[2] + 0.3


def test_insertions_and_deletions_balance():
    lengths = [len(s) for seed in range(60) for s in evolve_family(4, 200, 1.0, seed=seed)[0]]
    assert np.mean(lengths) == pytest.approx(200, rel=0.02)
    assert np.std(lengths) > 3


def test_indels_follow_the_tree():
    """Maximum parsimony explains each column with few events, but not if members are shuffled."""
    tree = msprime.sim_ancestry(30, ploidy=1, population_size=1, random_seed=5).first()
    rng = np.random.default_rng(0)
    present = _present_columns(tree, 300, 1.0, rng)
    varying = present[:, present.any(axis=0) & ~present.all(axis=0)].T
    shuffled = rng.permuted(varying, axis=1)

    def events(columns):
        return np.mean([len(tree.map_mutations(c.astype(np.int8), ("0", "1"))[1]) for c in columns])

    assert len(varying) > 50
    assert events(varying) < 2
    assert events(shuffled) > 1.5 * events(varying)


def test_the_shipped_demo_is_what_the_simulation_writes(tmp_path, demo):
    write_demo(split_biosphere(simulate_biosphere()).demo, tmp_path)
    assert read_fasta(tmp_path / "proteome.fasta.gz").sha256 == demo[0].sha256
    for name in ("annotations.tsv", "truth.tsv"):
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes()


def test_the_demo_has_lengths_like_swissprot(demo):
    lengths = demo[0].lengths
    assert len(lengths) == 1000
    assert 40 <= lengths.min() < 100
    assert 900 < lengths.max() <= 2048
    assert np.median(lengths) == pytest.approx(295, abs=35)
    assert lengths.mean() == pytest.approx(340, abs=30)


def test_the_demo_has_the_composition_of_swissprot(demo):
    residues = np.array(list("".join(demo[0].sequences)))
    frequency = np.array([(residues == letter).mean() for letter in LETTERS])
    assert np.abs(frequency - SWISSPROT).sum() / 2 < 0.02


def test_the_demo_has_families_of_all_sizes(demo):
    sizes = demo[2]["family"].value_counts()
    assert 100 <= len(sizes) <= 120
    assert (sizes == 1).sum() >= 5
    assert 40 <= sizes.max() <= 100


def test_pairs_of_the_demo_cover_identity_from_unrelated_to_nearly_identical(demo):
    proteins, _, truth = demo
    families, rng = truth["family"].to_numpy(), np.random.default_rng(1)
    sequences = proteins.sequences
    within = [identity(sequences[a], sequences[b]) for a, b in pairs_within(families, 400, rng)]
    between = [identity(sequences[a], sequences[b]) for a, b in pairs_between(families, 200, rng)]
    counts, _ = np.histogram(within, bins=np.linspace(0.1, 1, 10))
    assert counts.min() >= 8
    assert np.mean(np.array(within) < 0.3) > 0.1
    assert max(within) > 0.98
    assert np.median(between) < 0.13
    assert max(between) < 0.25


def test_annotations_follow_clade_and_family(demo):
    proteins, annotations, truth = demo
    rng = np.random.default_rng(2)
    columns = [aspect.name for aspect in ASPECTS]
    terms = [set(";".join(row).split(";")) - {""} for row in annotations[columns].to_numpy()]

    def agreement(pairs):
        return np.mean(
            [len(terms[a] & terms[b]) / max(1, len(terms[a] | terms[b])) for a, b in pairs]
        )

    clades, families = truth["clade"].to_numpy(), truth["family"].to_numpy()
    in_clade = agreement(pairs_within(clades, 1000, rng))
    in_family = agreement(
        [(a, b) for a, b in pairs_within(families, 2000, rng) if clades[a] != clades[b]]
    )
    unrelated = agreement(pairs_between(families, 1000, rng))
    assert in_clade > in_family + 0.05
    assert in_family > 4 * unrelated
    assert list(annotations.index) == list(truth.index) == list(proteins.accessions)


def test_annotations_are_artificial_and_some_are_missing(demo):
    cells = demo[1].to_numpy().ravel()
    terms = {term for cell in cells for term in cell.split(";") if term}
    assert all(re.fullmatch(r"SIM:\d{7}", term) for term in terms)
    assert 0.08 < np.mean(cells == "") < 0.3
