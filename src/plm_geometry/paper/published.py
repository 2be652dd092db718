"""Published values, each with its source, and the paper's beside a run's rows.

They lie in ``data/published/*.csv``: the paper's, those of IsoScore's authors, and what was
measured on published embeddings. What the paper's available text does not print is absent
there: nothing is filled in.
"""

from typing import Any

import numpy as np
import pandas as pd

from plm_geometry.association import COLUMNS
from plm_geometry.base.errors import InputError
from plm_geometry.base.paths import PUBLISHED


def table(name: str, **options: Any) -> pd.DataFrame:
    """Read one table of published values, as it is stored.

    Parameters
    ----------
    name : str
        The file's name in ``data/published`` without ``.csv``.
    **options
        Of `pandas.read_csv`: ``dtype=str`` keeps numbers as they are printed.

    Raises
    ------
    InputError
        If there is no such table.
    """
    known = sorted(path.stem for path in PUBLISHED.glob("*.csv"))
    if name not in known:
        raise InputError(f"There is no published table {name!r}; there are {', '.join(known)}.")
    return pd.read_csv(PUBLISHED / f"{name}.csv", **options)


def global_isotropy() -> pd.DataFrame:
    """Return the paper's table of global isotropy, one row a model.

    Returns
    -------
    DataFrame
        Indexed by model key: title, n (embedding dimensions), isoscore, printed_dimensions,
        and effective_dimensions, which is i (n - 1) + 1 [1]_ before the paper rounds it.

    References
    ----------
    .. [1] Rudman et al., IsoScore, Findings of ACL 2022.
    """
    frame = table("global_isotropy").set_index("model")
    frame["effective_dimensions"] = frame["isoscore"] * (frame["n"] - 1) + 1
    return frame


def correlation_matrix() -> pd.DataFrame:
    """Return the paper's ProtBERT matrix of Pearson correlations over protein pairs.

    Returns
    -------
    DataFrame
        Shape (4, 4), rows and columns `association.COLUMNS`; the paper's *similarity score*
        is ``sequence_identity``.
    """
    upper = table("correlation_protbert").pivot(index="first", columns="second", values="pearson")
    upper = upper.reindex(index=COLUMNS, columns=COLUMNS)
    matrix = upper.fillna(upper.T)
    for measure in COLUMNS:
        matrix.loc[measure, measure] = 1.0
    return matrix.rename_axis(index=None, columns=None)


def entries(matrix: pd.DataFrame) -> dict[str, float]:
    """Return the entries above a square matrix's diagonal, named ``row:column``."""
    names = list(matrix)
    return {
        f"{row}:{column}": float(matrix.loc[row, column])
        for i, row in enumerate(names)
        for column in names[i + 1 :]
    }


def beside_correlations(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the paper's correlations beside the rows of its ProtBERT.

    Parameters
    ----------
    frame : DataFrame
        ``Study.correlations()``, or any frame with columns counterpart, a and b.

    Returns
    -------
    DataFrame
        The same rows with published, missing for every other model: the paper's text available
        to us prints no other matrix.
    """
    printed = correlation_matrix()
    rows = zip(frame["counterpart"], frame["a"], frame["b"], strict=True)
    found = [printed.loc[a, b] if model == "prot_bert" else np.nan for model, a, b in rows]
    return frame.assign(published=found)


def local_dimensions() -> float:
    """Return the effective dimensions an amino acid uses on average ("about 14")."""
    return float(table("local_isotropy").set_index("quantity").value.effective_dimensions_average)


def wide_models() -> list[str]:
    """Return the keys of the paper's models of 1,024 dimensions, which its local numbers are of."""
    return list(global_isotropy().query("n == 1024").index)


def beside_local(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the paper's average of local dimensions beside the rows that it holds for.

    Parameters
    ----------
    frame : DataFrame
        ``Study.local_isotropy()``, or any frame with a column ``counterpart``.

    Returns
    -------
    DataFrame
        The same rows with published_dimensions: missing but for the paper's models of 1,024
        dimensions.
    """
    is_wide = frame["counterpart"].isin(wide_models())
    average = is_wide.map({True: local_dimensions(), False: np.nan})
    return frame.assign(published_dimensions=average)


def natural_language() -> pd.DataFrame:
    """Return IsoScores of the word tokens of WikiText-2, one row a model and layer [1]_.

    Returns
    -------
    DataFrame
        model, title, layer, isoscore, quoted_by_paper (what the paper prints of it), last
        (whether it is the model's last layer), d, and effective_dimensions, which is
        i (d - 1) + 1; the last two are missing where the source does not print the width.

    References
    ----------
    .. [1] Rudman et al., IsoScore, Findings of ACL 2022.
    """
    frame = table("natural_language")
    last = frame.groupby("model")["layer"].transform("max") == frame["layer"]
    dimensions = frame["isoscore"] * (frame["d"] - 1) + 1
    return frame.assign(last=last, effective_dimensions=dimensions)


def beside_language(residues: pd.DataFrame | None, proteins: pd.DataFrame) -> pd.DataFrame:
    """Put a run's clouds under those of natural-language models, like first with like.

    Parameters
    ----------
    residues : DataFrame or None
        ``Study.local_isotropy()``, of which the rows over all residues are taken; None for a
        run of files of embeddings, which have no residues.
    proteins : DataFrame
        ``Study.global_isotropy()``.

    Returns
    -------
    DataFrame
        title, role ("published" for what others computed), of ("word tokens", "residues" or
        "whole proteins", in this order), d, isoscore, effective_dimensions and whose.
    """
    tokens = natural_language().query("last")
    paper = global_isotropy().rename(columns={"n": "d"})
    every = [] if residues is None else [residues[residues["residue"] == "all"]]
    parts = [
        tokens.assign(of="word tokens", role="published", whose="Rudman et al. 2022"),
        *(rows.assign(of="residues", whose="this run") for rows in every),
        proteins.assign(of="whole proteins", whose="this run"),
        paper.assign(of="whole proteins", role="published", whose="the paper"),
    ]
    columns = ["title", "role", "of", "d", "isoscore", "effective_dimensions", "whose"]
    together = pd.concat([part[columns] for part in parts], ignore_index=True)
    return together.astype({"d": "Int64"})


def measured_real(model: str) -> pd.Series:
    """Return what was measured on published embeddings of a model, by its key."""
    return table("measured_real").set_index("model").loc[model]


def beside(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the published values of global isotropy beside a run's.

    Parameters
    ----------
    frame : DataFrame
        ``Study.global_isotropy()``: one row a model or control.

    Returns
    -------
    DataFrame
        The same rows with published_n, published_isoscore, published_effective_dimensions and
        published_printed_dimensions, missing where the paper has no such model.
    """
    columns = ["n", "isoscore", "effective_dimensions", "printed_dimensions"]
    found = global_isotropy()[columns].add_prefix("published_").reindex(frame["counterpart"])
    joined = frame.assign(**{name: found[name].to_numpy() for name in found})
    whole = ["published_n", "published_printed_dimensions"]
    return joined.astype(dict.fromkeys(whole, "Int64"))
