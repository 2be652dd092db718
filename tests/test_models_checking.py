import numpy as np
import pandas as pd
import pytest

import tiny_checkpoints
from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.models import check, checking, load
from plm_geometry.models.checking import PROTEINS, REFERENCES, reference_figures, summarise


def residue_vectors(directory):
    output = load(directory).forward(PROTEINS)
    return output.hidden[0][output.is_residue].numpy()


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A tiny checkpoint, and stored figures that say it is ProtBERT-BFD."""
    directory = tiny_checkpoints.write_bert(tmp_path / "bert")
    figures = pd.DataFrame(summarise(residue_vectors(directory)))
    figures.insert(0, "checkpoint", "prottrans_bert_bfd")
    figures.to_csv(tmp_path / "reference_embeddings.csv", index=False, float_format="%.7g")
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    return directory


def test_the_right_checkpoint_passes_and_shows_the_figure(checkpoint):
    result = check(str(checkpoint), against="prot_bert_bfd")
    assert result.passed
    assert "largest relative difference of a residue is" in result.message
    assert len(result.residues) == 15
    assert result.residues["relative_difference"].max() < 1e-5


def test_another_checkpoint_fails(checkpoint, tmp_path):
    other = tiny_checkpoints.write_bert(tmp_path / "other", layer_norm_eps=1e-2)
    result = check(str(other), against="prot_bert_bfd")
    assert result.passed is False
    assert "does not compute" in result.message


def test_a_checkpoint_without_reference_says_so(checkpoint):
    result = check(str(checkpoint))
    assert result.passed is None
    assert "there is no reference for this checkpoint" in result.message
    assert list(result.residues["residue"]) == list("PROTEINSEQWENCE")


def test_an_unknown_reference_is_refused(checkpoint):
    with pytest.raises(InputError, match="no reference for 'prot_bert'; there are some for"):
        check(str(checkpoint), against="prot_bert")


def test_a_file_of_embeddings_cannot_be_checked(tmp_path):
    np.save(tmp_path / "vectors.npy", np.ones((1, 3)))
    (tmp_path / "vectors.txt").write_text("P1")
    with pytest.raises(InputError, match="if it holds embeddings, name the model"):
        check(str(tmp_path / "vectors.npy"))


@pytest.mark.parametrize("key", sorted(REFERENCES))
def test_a_figure_is_stored_for_every_residue(key):
    figures = reference_figures(key)
    assert "".join(figures["residue"]) == "".join(PROTEINS)
    numbers = figures[["norm", *checking._PROJECTIONS]].to_numpy()
    assert np.isfinite(numbers).all()
    # A product with random signs is about as large as the norm.
    assert 0.5 < (numbers[:, 1:] ** 2).mean() ** 0.5 / numbers[:, 0].mean() < 2


def test_projections_estimate_relative_differences():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 1024))
    differences = rng.normal(size=vectors.shape) * 1e-3
    before, after = (pd.DataFrame(summarise(v)) for v in (vectors, vectors + differences))
    products = (after - before)[checking._PROJECTIONS].to_numpy()
    estimates = np.sqrt((products**2).mean(axis=1)) / np.linalg.norm(differences, axis=1)
    assert np.abs(estimates - 1).mean() < 0.2
    assert estimates.max() < 2
    assert estimates.min() > 0.4
