"""Arithmetic on what is printed: which rounding, how many proteins, which layer."""

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
ROUNDINGS: Mapping[str, Callable[[float], float]] = {
    "down": np.floor,
    "nearest": np.round,
    "up": np.ceil,
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


def matching_layers(tokens: pd.DataFrame) -> pd.DataFrame:
    """Return which layers' scores of word tokens give the quoted number, by rounding.

    Parameters
    ----------
    tokens : DataFrame
        ``published.natural_language()``: title, d, layer, isoscore, quoted_by_paper, last.

    Returns
    -------
    DataFrame
        One row a quoted model: ``title, d, quoted, last_layer`` (its score), and for each of
        `ROUNDINGS` the layers that match, as text; "none" where none does.
    """
    rows = []
    for title, model in tokens.groupby("title", sort=False):
        for quoted in model["quoted_by_paper"].dropna():
            scores = model.set_index("layer")["isoscore"]
            row = {"title": title, "d": model["d"].iloc[0], "quoted": quoted}
            row["last_layer"] = scores.iloc[-1]
            for name, rounded in ROUNDINGS.items():  # the quoted numbers have two decimals
                matches = scores.index[rounded(scores * 100).eq(np.round(quoted * 100))]
                row[name] = ", ".join(map(str, matches)) or "none"
            rows.append(row)
    return pd.DataFrame(rows)
