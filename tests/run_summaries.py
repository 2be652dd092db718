"""Summaries of runs, as chapters write them, for the tests of what reads them."""

import json

from plm_geometry.paper import published
from plm_geometry.paper.summaries import Summary

PAPER = ["prot_bert", "prot_bert_bfd", "prot_xlnet", "protein_bert"]
WEIGHTS = "ab" * 32


def row(quantity, value, counterpart="prot_bert", role="model", **more):
    """Return one measured quantity; a mini is called after what it stands in for."""
    model = f"mini_{counterpart}" if role == "mini" else counterpart
    labels = {"model": model, "title": model.upper(), "role": role, "counterpart": counterpart}
    ends = {"low": None, "high": None, "n": None} | more
    return {"quantity": quantity, **labels, "value": value, **ends}


def content(measured, *, chapter="01_toy", proteins="swissprot", n=570_000, **settings):
    """Return what a ``summary.json`` holds."""
    measured = [dict(found) for found in measured]
    models = {found["model"]: found for found in measured}
    used = [
        {key: models[name][key] for key in ("model", "title", "role", "counterpart")}
        | {"width": 1024, "weights": WEIGHTS, "revision": "local", "max_residues": None}
        for name in models
    ]
    return {
        "chapter": chapter,
        "numbers": {"shown": "1 to 2"},
        "measured": measured,
        "settings": {"proteins": proteins, "models": list(models), **settings},
        "proteins": {"source": proteins.rsplit("/", 1)[-1], "proteins": n, "sha256": "cd" * 32},
        "models": used,
        "versions": {"plm-geometry": "0.1.0"},
        "machine": "Linux, 2 cores",
        "fingerprint": "ef" * 32,
    }


def summary(measured, **more):
    return Summary.model_validate(content(measured, **more))


def write(path, measured, **more):
    """Write a ``summary.json``; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content(measured, **more)))
    return path


def narrow(value, unit):
    return {"low": value - 1e-3, "high": value + 1e-3} if unit == "correlation" else {}


def as_printed(role="model"):
    """Return measured rows with just the value of every number that a run could have.

    Correlations, of a sample, have narrow intervals.
    """
    numbers = published.numbers()
    own = numbers[(numbers.counterpart != "") & numbers.counterpart.isin(PAPER)]
    rows = [
        row(n.quantity, n.published, n.counterpart, role, **narrow(n.published, n.unit))
        for n in own.itertuples()
    ]
    ends = narrow(0.847, "correlation")
    return [
        *rows,
        row("correlation:alignment_score:sequence_identity", 0.847, role=role, **ends),
        row("pairs", 6_400_000, role=role),
        row("proteins", 570_000, role=role),
    ]
