"""Words that findings are made of: a range with the names of its ends, models before controls."""

import pandas as pd

from plm_geometry.figures.labels import labels, rounded

UNKNOWN = "not known here"


def named(frame: pd.DataFrame) -> pd.Series:
    """Return what each row is called: its ``label``, else made of title and role."""
    return frame["label"] if "label" in frame else labels(frame)


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of models; those of controls where a run has nothing else."""
    models = frame[frame["role"] != "control"]
    return frame if models.empty else models


def whose(frame: pd.DataFrame) -> str:
    """Return "controls" where all rows are of controls, else "models"."""
    return "controls" if len(frame) and (frame["role"] == "control").all() else "models"


def ends(values: pd.Series, names: pd.Series, spec: str) -> str:
    """Return the least and the greatest value, and whose they are.

    Parameters
    ----------
    values, names : Series
        Row by row; missing values are left out.
    spec : str
        Format of a value, as in ``format(value, spec)``.

    Returns
    -------
    str
        "1.2 in A to 3.4 in B"; "1.2 in A" of one value; "1.2 in each of 3" where they read alike.
    """
    known = values.notna().to_numpy()
    numbers, owners = values[known].astype(float).to_numpy(), names[known].to_numpy()
    if not len(numbers):
        return UNKNOWN
    places = numbers.argmin(), numbers.argmax()
    low, high = (_said(numbers[place], spec) for place in places)
    if low == high:
        return f"{low} in {owners[0]}" if len(numbers) == 1 else f"{low} in each of {len(numbers)}"
    return f"{low} in {owners[places[0]]} to {high} in {owners[places[1]]}"


def by_role(frame: pd.DataFrame, column: str, spec: str) -> str:
    """Return the range of a column over models, and apart from it that over controls.

    Parameters
    ----------
    frame : DataFrame
        ``role``, ``label`` or ``title``, and `column`.
    column, spec : str
        What to say, and its format.

    Returns
    -------
    str
        "1.2 in A to 3.4 in B; controls, 5.6 in C"; without one of the two, the other alone.
    """
    said = []
    for is_control, before in ((False, ""), (True, "controls, ")):
        rows = frame[(frame["role"] == "control") == is_control].dropna(subset=column)
        if len(rows):
            said.append(before + ends(rows[column], named(rows), spec))
    return "; ".join(said) or UNKNOWN


def controls_above(frame: pd.DataFrame, column: str) -> str:
    """Return the sentence that counts the controls above every model; none without both."""
    known = frame.dropna(subset=column)
    is_control = known["role"] == "control"
    if is_control.all() or not is_control.any():
        return ""
    above = (known[column][is_control] > known[column][~is_control].max()).sum()
    return f" Controls above every model: {above} of {is_control.sum()}."


def most(values: pd.Series, names: pd.Series, spec: str) -> str:
    """Return the greatest value and whose it is: "3.4 in B"."""
    known = values.dropna()
    if known.empty:
        return UNKNOWN
    return f"{_said(known.max(), spec)} in {names.loc[known.idxmax()]}"


def _said(value: float, spec: str) -> str:
    """Return a formatted value; one with fixed decimals as `rounded` does, never as a false 1."""
    return rounded(value, int(spec[1:-1])) if spec.endswith("f") else format(value, spec)


def number_of(count: int, total: int) -> str:
    """Return "all 4", "3 of 4" or "none of 4"; of a single one "1 of 1"."""
    if count == total > 1:
        return f"all {total:,}"
    return f"{f'{count:,}' if count else 'none'} of {total:,}"
