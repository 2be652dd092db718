"""Readouts beside each other: numbers against plain ones, one pass for all, official or not."""

import numpy as np
import pandas as pd
import pytest

from plm_geometry import figures
from plm_geometry.base import paths
from plm_geometry.isotropy.measures import effective_dimensions
from plm_geometry.isotropy.moments import Moments
from plm_geometry.isotropy.tables import dimensions_without_each, measured
from plm_geometry.models.proteinbert import ProteinBERTEmbedder
from plm_geometry.study import Study, embedding
from plm_geometry.study.pooling import Pooling, Readout, projected_dimensions

OPTIONS = {
    "proteins": "bacterium",
    "n_proteins": 80,
    "n_readouts": 50,
    "models": ["unirep_64"],
    "minis": ["mini_prot_bert", "mini_protein_bert"],
    "controls": ["composition"],
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "CACHE", tmp_path_factory.mktemp("pooling"))
        small = {"proteins": "bacterium", "max_residues": 120}
        study = Study(**OPTIONS | small)
        study.embed_all(lambda line: None)
        yield study


def test_dimensions_from_inner_products_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    for n, d in ((40, 100), (300, 8)):
        vectors = (rng.standard_normal((n, d)) * np.arange(1, d + 1) + 50).astype(np.float32)
        block_of = rng.integers(0, 12, n)
        counts, values = dimensions_without_each(vectors, block_of)
        plain = [vectors, *(vectors[block_of != block] for block in range(12))]
        assert counts == list(map(len, plain))
        expected = [effective_dimensions(part.astype(float)) for part in plain]
        np.testing.assert_allclose(values, expected, rtol=1e-9)


def test_vectors_that_do_not_differ_have_no_dimensions():
    assert np.isnan(dimensions_without_each(np.ones((5, 3)), np.arange(5))[1]).all()


def test_a_row_has_the_intervals_of_the_other_chapters(study):
    rows = study.pooling.ladder().set_index(["model", "readout"])
    row, vectors = rows.loc[("unirep_64", "mean")], study.vectors("unirep_64")
    block_of = study.isotropy.block_of
    parts = [Moments.from_vectors(vectors[block_of == b]) for b in np.unique(block_of)]
    plain = measured(Moments.from_vectors(vectors), parts)
    for name in ("effective_dimensions", "isoscore", "effective_dimensions_corrected",
                 "effective_dimensions_low", "effective_dimensions_high"):  # fmt: skip
        assert row[name] == pytest.approx(plain[name], rel=1e-6)


def test_the_ladder_has_every_pooling_of_the_one_pass(study):
    ladder = study.pooling.ladder()
    assert list(ladder["model"].unique()) == ["unirep_64", "composition"]
    of_model = ladder[ladder["model"] == "unirep_64"].set_index("readout")["residues"]
    assert of_model["mean"] == np.inf
    assert np.isnan(of_model["final"])
    assert set(of_model[np.isfinite(of_model)]) == set(embedding.LADDER)
    # One store, whatever pooling the chapters choose.
    chosen = [embedding.kept_poolings(embedding.load(study.settings, "unirep_64", "none")[0], p, 80)
              for p in ("mean", "final")]  # fmt: skip
    assert chosen[0] == chosen[1] == study.poolings("unirep_64")


def test_of_very_many_proteins_the_chosen_pooling_alone_is_kept(study):
    model = embedding.load(study.settings, "unirep_64", "none")[0]
    assert embedding.kept_poolings(model, "final", embedding.MOST_POOLED + 1) == ("final",)


def test_a_factor_is_that_of_plain_dimensions_and_of_itself_is_one(study):
    everyone = np.arange(len(study.common))
    vectors = study.vectors("unirep_64", "final"), study.vectors("unirep_64")
    one, other = (study.pooling._readout(some, everyone) for some in vectors)
    found = one.against(other)
    plain = effective_dimensions(vectors[0].astype(float)) / effective_dimensions(
        vectors[1].astype(float)
    )
    assert found["ratio_low"] < plain * 1.5
    assert found["ratio_low"] <= found["ratio"] <= found["ratio_high"]
    same = one.against(one)
    assert [same["ratio"], same["ratio_low"], same["ratio_high"]] == pytest.approx([1, 1, 1])
    assert same["top_1_more"] == 0


def test_with_fewer_than_ten_blocks_a_factor_has_no_interval():
    few = Readout(3, [4, 2, 2], np.array([2.0, 1.8, 1.9]), None)
    found = few.against(Readout(3, [4, 2, 2], np.array([1.0, 1.2, 1.1]), None))
    assert found["ratio"] == pytest.approx(2)
    assert np.isnan(found["ratio_low"])
    assert np.isnan(few.row()["effective_dimensions_low"])


@pytest.fixture(scope="module")
def readouts(study):
    with pytest.MonkeyPatch.context() as patch:
        # ProteinBERT's 16 million weights are tried in another test.
        patch.setattr(Pooling, "_keys", lambda self: {
            "mini ProtBERT": ["mini_prot_bert"],
            "mini ProteinBERT": ["mini_protein_bert", "mini_protein_local"],
        })  # fmt: skip
        return study.pooling.readouts(), study.pooling.contrasts()


def test_networks_are_read_in_every_version(readouts):
    rows, _ = readouts
    assert len(rows) == 2 * 2 * 2 * 2
    versions = rows.groupby(["network", "readout"]).size()
    assert set(versions.index) == {
        ("mini ProtBERT", "mean"),
        ("mini ProtBERT", "first"),
        ("mini ProteinBERT", "own"),
        ("mini ProteinBERT", "mean"),
    }
    assert (versions == 4).all()
    assert set(rows[rows["readout"] == "own"]["d"]) == {64}
    assert set(
        rows[(rows["network"] == "mini ProteinBERT") & (rows["readout"] == "mean")]["d"]
    ) == {32}
    assert (rows["n"] == 50).all()


def test_contrasts_differ_in_one_thing(readouts):
    rows, contrasts = readouts
    at = rows.set_index(["network", "readout", "trained", "norm"])["effective_dimensions"]
    assert contrasts.groupby("contrast").size().to_dict() == {
        "norm": 8,
        "readout": 8,
        "training": 8,
    }
    for row in contrasts[contrasts["contrast"] == "norm"].itertuples():
        plain = at[row.network, row.readout, row.trained, True]
        without = at[row.network, row.readout, row.trained, False]
        assert row.ratio == pytest.approx(plain / without, rel=0.35)  # the factor is corrected
        assert row.norm


def test_trained_proteinbert_is_read_where_it_is_among_the_models_and_its_copy_anyway():
    both = Study(models=["protein_bert", "protein_bert_local"]).pooling
    alone = Study(models=["unirep_64"]).pooling
    keys = both._keys()["ProteinBERT"]
    assert keys == ["protein_bert", "protein_bert_local"]
    untrained = {("untrained:protein_bert", True), ("untrained:protein_bert_local", True)}
    assert set(alone._versions(keys)) == untrained
    trained = {(key, norm) for key in keys for norm in (True, False)}
    assert set(both._versions(keys)) == untrained | trained


def test_layers_end_with_the_chapters_own(study):
    layers = study.pooling.layers()
    assert list(layers["layer"].unique()) == [1, 2, 3, 4]
    last = layers[(layers["layer"] == 4) & (layers["readout"] == "final")].iloc[0]
    vectors = study.vectors("unirep_64", "final")[study.pooling.subset].astype(float)
    assert last["effective_dimensions"] == pytest.approx(effective_dimensions(vectors), rel=1e-4)


def test_the_subset_is_of_whole_families_and_all_where_there_are_no_more(study):
    families = np.array(study.families_of(study.common))
    chosen = set(study.pooling.subset)
    assert len(chosen) == 50
    cut = [
        f
        for f in set(families)
        if 0 < len(chosen & set(np.flatnonzero(families == f))) < (families == f).sum()
    ]
    assert len(cut) <= 1
    assert len(Study(**OPTIONS | {"n_readouts": 0, "n_proteins": 30}).pooling.subset) == 30


def test_random_projections_keep_dimensions_as_expected_and_components_the_leading_ones(study):
    rows = study.pooling.widths("unirep_64")
    random = rows[rows["how"] == "random"].groupby("width").mean(numeric_only=True)
    assert list(random.index) == [8, 16, 32]
    np.testing.assert_allclose(random["effective_dimensions"], random["expected"], rtol=0.35)
    vectors = study.vectors("unirep_64").astype(float)
    variances = np.linalg.eigvalsh(np.cov(vectors.T))[::-1][:8]
    components = rows[(rows["how"] == "components") & (rows["width"] == 8)].iloc[0]
    expected = variances.sum() ** 2 / (variances**2).sum()
    assert components["effective_dimensions"] == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(rows["isoscore"] * (rows["d"] - 1) + 1, rows["effective_dimensions"])


def test_the_theorem_holds_over_many_projections():
    rng = np.random.default_rng(1)
    spectrum, m = 0.8 ** np.arange(60), 12
    k = spectrum.sum() ** 2 / (spectrum**2).sum()
    draws = rng.standard_normal((2000, 60, m)) / np.sqrt(m)
    projected = draws.transpose(0, 2, 1) @ (spectrum[:, None] * draws)
    traces = np.trace(projected, axis1=1, axis2=2)
    found = (traces**2).mean() / (projected**2).sum(axis=(1, 2)).mean()
    assert found == pytest.approx(projected_dimensions(k, m), rel=0.02)


def test_the_figures_draw_what_there_is(study, readouts):
    ladder = study.pooling.ladder()
    drawn = figures.pooling_ladder(ladder)
    lines = [line.get_ydata() for line in drawn.axes[0].lines if len(line.get_ydata()) == 6]
    mean = ladder[(ladder["model"] == "unirep_64") & (ladder["readout"] == "mean")].iloc[0]
    assert lines[0][-1] == mean["effective_dimensions"]
    assert figures.readout_forest(readouts[0]).axes[0].get_xscale() == "log"
    assert len(figures.widths(study.pooling.widths("unirep_64")).axes) == 3
    assert figures.pooling_ladder(pd.DataFrame()).axes
    unknown = ladder.assign(top_1=np.nan, top_1_low=np.nan, top_1_high=np.nan)
    words = [text.get_text() for text in figures.pooling_ladder(unknown).axes[1].texts]
    assert words == ["families are not known"]


def test_the_published_size_makes_its_own_vector_and_the_mean_of_residues():
    for by_residues, width in ((False, 512), (True, 128)):
        model = ProteinBERTEmbedder("x", None, seed=0, reads_residues=by_residues)
        norm = model.module.get_submodule(model.last_norm)
        assert norm.normalized_shape == (model.width,) == (width,)
