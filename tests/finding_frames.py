"""Two models and a control for the tests of findings, and which rows a smaller run would have."""

import pandas as pd

TITLES, ROLES = ["A", "B", "C"], ["model", "model", "control"]
# A run of one model, and one of controls alone.
ONE = [True, False, False]
CONTROLS = [False, False, True]


def models(**columns) -> pd.DataFrame:
    """Return a row for each of A and B, which are models, and of the control C."""
    return pd.DataFrame({"title": TITLES, "role": ROLES}).assign(**columns)
