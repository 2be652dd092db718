"""Specification curves: a number under every combination of choices, and what moves it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

# In place of a choice: what the combination of choices adds to the sum of their effects.
INTERPLAY = "interplay"


def explained(frame: pd.DataFrame, value: str, choices: Sequence[str]) -> pd.DataFrame:
    """Return how much of a number's variation each choice explains.

    The number is fitted by least squares as a sum of effects, one for each level of each choice.
    A choice's share is what the fit loses without it. Where every combination occurs equally often
    this is the share of the variance between the choice's levels, and the shares add up to 1 with
    that of the interplay, which no sum of effects explains.

    Parameters
    ----------
    frame : DataFrame
        One row per specification; rows without the number are left out.
    value : str
        Column of the number.
    choices : sequence of str
        Columns of the choices. One with a single level is no choice, and has no row.

    Returns
    -------
    DataFrame
        ``choice, levels, share`` and ``moves``, the largest less the smallest effect; the last
        row is the `INTERPLAY`. No rows where the number does not vary.
    """
    known = frame.dropna(subset=value)
    numbers = known[value].to_numpy(np.float64)
    if len(numbers) == 0 or np.ptp(numbers) == 0:
        return _typed([])
    numbers = numbers - numbers.mean()
    effects = {name: _indicators(known[name]) for name in choices if known[name].nunique() > 1}
    total = numbers @ numbers
    left, moves = _fit(numbers, effects)
    rows = []
    for name, indicators in effects.items():
        without, _ = _fit(numbers, {other: effects[other] for other in effects if other != name})
        rows.append((name, indicators.shape[1] + 1, (without - left) / total, moves[name]))
    rows.append((INTERPLAY, np.nan, left / total, np.nan))
    return _typed(rows)


def _typed(rows: list[tuple[str, float, float, float]]) -> pd.DataFrame:
    """Return the table of these rows, whose columns have their types without any row, too."""
    kinds = {"levels": "Int64", "share": float, "moves": float}
    return pd.DataFrame(rows, columns=["choice", *kinds]).astype(kinds)


def _indicators(levels: pd.Series) -> np.ndarray:
    """Return one column for each level but the first: 1 where a row has it."""
    return pd.get_dummies(levels, drop_first=True, dtype=float).to_numpy()


def _fit(numbers: np.ndarray, effects: dict[str, np.ndarray]) -> tuple[float, dict[str, float]]:
    """Fit a sum of effects; return the squares left, and by choice the range of its effects."""
    design = np.hstack([np.ones((len(numbers), 1)), *effects.values()])
    found = np.linalg.lstsq(design, numbers, rcond=None)[0]
    residual = numbers - design @ found
    ends = np.cumsum([1, *(indicators.shape[1] for indicators in effects.values())])
    # The first level's effect is 0.
    moves = {
        name: float(np.ptp([0, *found[start:stop]]))
        for name, start, stop in zip(effects, ends[:-1], ends[1:], strict=True)
    }
    return float(residual @ residual), moves
