"""Whether a checkpoint computes on this machine what it computed elsewhere."""

import hashlib
from typing import NamedTuple

import numpy as np
import pandas as pd

from plm_geometry.base import paths
from plm_geometry.base.errors import InputError
from plm_geometry.models.loading import load

PROTEINS = ("PROTEIN", "SEQWENCE")
TOLERANCE = 1e-3  # relative, a residue, in float32
N_PROJECTIONS = 16
# Which model each reference, named as the bio_embeddings project names it, was computed with.
REFERENCES = {
    "prot_bert_bfd": "prottrans_bert_bfd",
    "prot_xlnet": "prottrans_xlnet_uniref100",
    "prot_t5": "prottrans_t5_xl_u50",
    "esm1b": "esm1b",
}
_PROJECTIONS = [f"p{number}" for number in range(1, N_PROJECTIONS + 1)]


class CheckResult(NamedTuple):
    """What `check` found.

    Attributes
    ----------
    passed : bool or None
        None if there is no reference for the checkpoint.
    message : str
        One sentence.
    residues : DataFrame
        One row a residue: ``protein, position, residue, norm, reference_norm,
        relative_difference``; the last two are absent without a reference.
    """

    passed: bool | None
    message: str
    residues: pd.DataFrame


def check(name: str, *, against: str | None = None) -> CheckResult:
    """Load a checkpoint and compare its residue embeddings with reference figures.

    Parameters
    ----------
    name : str
        Whatever `load` takes.
    against : str, optional
        Key of the model that a checkpoint of one's own should equal.

    Returns
    -------
    CheckResult

    Notes
    -----
    The reference is a residue's norm and its products with `N_PROJECTIONS` fixed vectors of
    random signs, computed by the bio_embeddings project (MIT) from the real checkpoints. The
    root mean square of the products of a difference estimates its norm (Johnson and
    Lindenstrauss), within about a fifth.
    """
    key = against or name
    if against is not None and against not in REFERENCES:
        raise InputError(
            f"There is no reference for {against!r}; there are some for {', '.join(REFERENCES)}."
        )
    figures = _embed_residues(name)
    residues = figures.drop(columns=_PROJECTIONS)
    if key not in REFERENCES:
        message = f"{name} loads and embeds, but there is no reference for this checkpoint."
        return CheckResult(None, message, residues)
    reference = reference_figures(key)
    differences = (figures[_PROJECTIONS] - reference[_PROJECTIONS]).pow(2).mean(axis=1) ** 0.5
    residues["reference_norm"] = reference["norm"]
    residues["relative_difference"] = differences / reference["norm"]
    worst = residues.loc[residues["relative_difference"].idxmax()]
    passed = bool(worst["relative_difference"] <= TOLERANCE)
    message = (
        f"{name} {'computes' if passed else 'does not compute'} what {REFERENCES[key]} computed "
        f"elsewhere: the largest relative difference of a residue is "
        f"{worst['relative_difference']:.2g} ({worst['residue']}{worst['position']} of "
        f"{worst['protein']}; at most {TOLERANCE:g} passes)."
    )
    return CheckResult(passed, message, residues)


def summarise(vectors: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures that stand for embeddings.

    Parameters
    ----------
    vectors : ndarray, shape ``(n, d)``

    Returns
    -------
    dict of str to ndarray, shape ``(n,)``
        ``norm``, and ``p1`` to ``p16``, the products with vectors of random signs.
    """
    vectors = vectors.astype(np.float64)
    products = vectors @ _random_signs(vectors.shape[1]).T
    figures = dict(zip(_PROJECTIONS, products.T, strict=True))
    return {"norm": np.linalg.norm(vectors, axis=1), **figures}


def reference_figures(key: str) -> pd.DataFrame:
    """Return the stored figures of one model: ``protein, position, residue, norm, p1...p16``."""
    figures = pd.read_csv(paths.PUBLISHED / "reference_embeddings.csv")
    return figures[figures["checkpoint"] == REFERENCES[key]].reset_index(drop=True)


def _random_signs(width: int) -> np.ndarray:
    """Return ``(N_PROJECTIONS, width)`` signs that no library's generator decides."""
    seed = f"plm-geometry reference embeddings {width}".encode()
    bits = hashlib.shake_256(seed).digest(-(-N_PROJECTIONS * width // 8))
    signs = np.unpackbits(np.frombuffer(bits, dtype=np.uint8))[: N_PROJECTIONS * width]
    return 2.0 * signs.reshape(N_PROJECTIONS, width) - 1.0


def _embed_residues(name: str) -> pd.DataFrame:
    """Return the figures of every residue of `PROTEINS`."""
    output = load(name).forward(PROTEINS)
    vectors = output.hidden[0][output.is_residue].float().numpy()
    places = [(protein, *place) for protein in PROTEINS for place in enumerate(protein, start=1)]
    frame = pd.DataFrame(places, columns=["protein", "position", "residue"])
    return frame.assign(**summarise(vectors))
