"""What lengths explain, against scikit-learn, plain least squares and refitting in a loop."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures

from plm_geometry.association import (
    adjusted_for_lengths,
    correlation_interval,
    lengths,
    r_squared_on_lengths,
)
from plm_geometry.base.errors import InputError

TWO = ["alignment_score", "sequence_identity"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pairs(rng, n_proteins: int = 40, n_pairs: int = 600) -> pd.DataFrame:
    """Return two quantities that share lengths, and little else."""
    every = np.stack(np.triu_indices(n_proteins, 1))
    first, second = every[:, rng.choice(every.shape[1], n_pairs, replace=False)]
    length = np.exp(rng.normal(5.8, 0.7, n_proteins)).round()
    a, b = length[first], length[second]
    common, own = rng.standard_normal(n_pairs), rng.standard_normal(n_pairs)
    return pd.DataFrame(
        {
            "accession_a": [f"P{i}" for i in first],
            "accession_b": [f"P{i}" for i in second],
            "length_a": a,
            "length_b": b,
            "alignment_score": 0.3 * np.minimum(a, b) - 0.9 * abs(a - b) + 30 * common,
            "sequence_identity": np.minimum(a, b) / np.maximum(a, b) + 0.05 * (common + own),
        }
    )


def functions_of_lengths(frame: pd.DataFrame) -> np.ndarray:
    logs = np.log(np.sort(frame[["length_a", "length_b"]].to_numpy(), axis=1))
    return PolynomialFeatures(4, include_bias=False).fit_transform(logs - logs.mean())


def test_fits_are_scikit_learns(rng, monkeypatch):
    monkeypatch.setattr(lengths, "_BLOCK_PAIRS", 250)  # several blocks, the last not full
    frame, weights = pairs(rng), rng.uniform(1, 5, 600)
    x = functions_of_lengths(frame)
    adjusted = adjusted_for_lengths(frame, TWO, weights=weights)
    explained = r_squared_on_lengths(frame, TWO, weights=weights)
    for name in TWO:
        model = LinearRegression().fit(x, frame[name], sample_weight=weights)
        residual = frame[name] - model.predict(x)
        np.testing.assert_allclose(adjusted[name], residual, atol=1e-6 * frame[name].std())
        score = model.score(x, frame[name], sample_weight=weights)
        assert explained.estimate[name] == pytest.approx(score, abs=1e-8)
    pd.testing.assert_frame_equal(adjusted.drop(columns=TWO), frame.drop(columns=TWO))


def test_adjusting_uncovers_what_lengths_hide(rng):
    frame = pairs(rng, 200, 8000)
    adjusted = adjusted_for_lengths(frame, TWO)
    # Of the two residuals, the second holds the first's noise and as much of its own.
    assert adjusted[TWO].corr().iloc[0, 1] == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert frame[TWO].corr().iloc[0, 1] > 0.8


def test_the_order_of_the_two_proteins_does_not_matter(rng):
    frame = pairs(rng)
    flipped = frame.copy()
    flipped.loc[::2, ["length_a", "length_b"]] = frame.loc[::2, ["length_b", "length_a"]].to_numpy()
    pd.testing.assert_frame_equal(
        adjusted_for_lengths(frame, TWO)[TWO], adjusted_for_lengths(flipped, TWO)[TWO]
    )


def test_intervals_are_those_of_refitting_without_each_protein(rng):
    frame = pairs(rng)
    x = functions_of_lengths(frame)

    def explained(kept):
        y = frame.alignment_score[kept]
        return LinearRegression().fit(x[kept], y).score(x[kept], y)

    def partial(kept):
        residuals = [
            frame[name][kept] - LinearRegression().fit(x[kept], frame[name][kept]).predict(x[kept])
            for name in TWO
        ]
        return np.corrcoef(residuals)[0, 1]

    def fisher_error(statistic):
        sides = frame.accession_a, frame.accession_b
        without = [
            np.arctanh(statistic(((sides[0] != name) & (sides[1] != name)).to_numpy()))
            for name in set(sides[0]) | set(sides[1])
        ]
        return np.sqrt((len(without) - 1) * np.var(without))

    found = r_squared_on_lengths(frame, TWO).loc["alignment_score"]
    half_width = np.arctanh(np.sqrt(found.high)) - np.arctanh(np.sqrt(found.estimate))
    expected = fisher_error(lambda kept: np.sqrt(explained(kept)))
    assert half_width == pytest.approx(stats.norm.ppf(0.975) * expected, rel=0.1)
    adjusted = adjusted_for_lengths(frame, TWO)
    interval = correlation_interval(
        *(adjusted[name] for name in [*TWO, "accession_a", "accession_b"])
    )
    half_width = np.arctanh(interval.high) - np.arctanh(interval.estimate)
    assert half_width == pytest.approx(stats.norm.ppf(0.975) * fisher_error(partial), rel=0.1)


def test_lengths_that_are_all_the_same_explain_nothing(rng):
    frame = pairs(rng).assign(length_a=238, length_b=238)
    adjusted = adjusted_for_lengths(frame, TWO)
    for name in TWO:
        np.testing.assert_allclose(adjusted[name], frame[name] - frame[name].mean(), atol=1e-6)
    assert r_squared_on_lengths(frame, TWO).isna().all(axis=None)


def test_a_constant_has_no_share_explained_and_nan_stays_where_it_is(rng):
    frame = pairs(rng)
    assert r_squared_on_lengths(frame.assign(alignment_score=7.0), TWO).loc[TWO[0]].isna().all()
    holed = frame.copy()
    holed.loc[[3, 50], "alignment_score"] = np.nan
    weights = pd.Series(rng.uniform(1, 5, 600))
    before = weights.copy()
    adjusted = adjusted_for_lengths(holed, TWO, weights=weights)
    pd.testing.assert_series_equal(weights, before)
    assert adjusted.alignment_score.isna().sum() == 2
    expected = adjusted_for_lengths(frame.drop([3, 50]), TWO, weights=weights.drop([3, 50]))
    pd.testing.assert_frame_equal(adjusted.drop([3, 50]), expected)


def test_bad_input_is_named(rng):
    frame = pairs(rng)
    with pytest.raises(InputError, match="length_a"):
        adjusted_for_lengths(frame.drop(columns="length_a"), TWO)
    with pytest.raises(InputError, match="not positive"):
        adjusted_for_lengths(frame.assign(length_b=0), TWO)
