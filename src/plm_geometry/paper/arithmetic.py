"""Arithmetic on what is printed: which rounding, how many proteins."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from plm_geometry.isotropy.measures import printed_dimensions

# How many pairs n proteins make, by what counts as a pair.
PAIR_COUNTS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "unordered": lambda n: n * (n - 1) / 2,
    "unordered, with itself": lambda n: n * (n + 1) / 2,
    "ordered": lambda n: n * (n - 1),
    "ordered, with itself": lambda n: n * n,
}


def roundings(table: pd.DataFrame) -> pd.DataFrame:
    """Put every rounding of effective dimensions beside what is printed.

    Parameters
    ----------
    table : DataFrame
        ``published.global_isotropy()``.

    Returns
    -------
    DataFrame
        ``title, n, isoscore, effective_dimensions``, ``lowest`` and ``highest`` (the dimensions
        that an IsoScore printed like this can have), ``floor, nearest, ceiling`` and
        ``printed_dimensions``.
    """
    # IsoScores are printed with six decimals: half of the last one is their error.
    exact, half = table["effective_dimensions"], 0.5e-6 * (table["n"] - 1)
    return table.assign(
        lowest=exact - half,
        highest=exact + half,
        floor=np.floor(exact).astype(int),
        nearest=np.round(exact).astype(int),
        ceiling=exact.map(printed_dimensions),
    )


def proteins_for_pairs(n_pairs: float) -> pd.DataFrame:
    """Return how many proteins make about so many pairs, by what counts as one.

    Parameters
    ----------
    n_pairs : float
        As printed, with two significant digits.

    Returns
    -------
    DataFrame
        ``counting`` (of `PAIR_COUNTS`), ``proteins`` (whose number of pairs is nearest),
        ``pairs`` of these, and ``fewest`` and ``most`` proteins that round to what is printed,
        missing where no number does.
    """
    unit = 10 ** (np.floor(np.log10(n_pairs)) - 1)
    numbers = np.arange(2, int(2 * np.sqrt(n_pairs)) + 2, dtype=np.int64)
    rows = []
    for counting, count in PAIR_COUNTS.items():
        made = count(numbers)
        nearest = np.abs(made - n_pairs).argmin()
        fitting = numbers[np.abs(made - n_pairs) <= unit / 2]
        ends = (fitting.min(), fitting.max()) if len(fitting) else (pd.NA, pd.NA)
        rows.append((counting, numbers[nearest], made[nearest], *ends))
    return pd.DataFrame(rows, columns=["counting", "proteins", "pairs", "fewest", "most"])
