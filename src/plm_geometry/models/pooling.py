"""From the states of a protein's residues to one vector: mean, first, max and the like."""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from plm_geometry.base.errors import InputError
from plm_geometry.models.base import Embedder, Output

# From the states of one protein, (n, width), to its vector; `cls` is where its classification
# token stands: first, or in XLNet last.
_POOL = {
    "mean": lambda states, cls: states.mean(0),
    "mean_with_special": lambda states, cls: states.mean(0),
    "first": lambda states, cls: states[0 if cls == "first" else -1],
    "max": lambda states, cls: states.amax(0),
    "final": lambda states, cls: states[-1],
}
POOLINGS = tuple(_POOL)
# UniRep's only special token is its start.
ALIASES = {"mean_with_start": "mean_with_special"}
# The mean of so many residues of a protein, drawn at random: `mean_of_16`.
_SAMPLED = re.compile(r"mean_of_([1-9]\d*)")


def n_sampled(pooling: str) -> int | None:
    """Return of how many residues a pooling is the mean, 16 for `mean_of_16`; None for others."""
    found = _SAMPLED.fullmatch(pooling)
    return int(found[1]) if found else None


@lru_cache(maxsize=4096)
def order_of_residues(sequence: str) -> np.ndarray:
    """Return a protein's residues, counted from 0, in an order that its sequence alone decides.

    `mean_of_16` takes the first 16: a sample is part of each larger one, and the vector a property
    of the protein, not of its batch.
    """
    seed = hashlib.sha256(sequence.encode()).digest()
    return np.random.default_rng(list(seed)).permutation(len(sequence))


def pool(output: Output, poolings: Sequence[str], sequences: Sequence[str] = ()) -> np.ndarray:
    """Return the global embeddings of a batch, as float32.

    Shape ``(n_layers, batch, len(poolings) * width)``: those of several poolings side by side.
    What a model makes itself is taken as it is. The `sequences` of the batch decide which residues
    `mean_of_16` and the like draw; of a protein that has fewer, all.
    """
    layers = output.protein
    if layers is None:
        layers = [
            torch.cat([_pooled(hidden, output, name, sequences) for name in poolings], dim=1)
            for hidden in output.hidden
        ]
    return np.stack([layer.float().cpu().numpy() for layer in layers])


def _pooled(
    hidden: torch.Tensor, output: Output, pooling: str, sequences: Sequence[str]
) -> torch.Tensor:
    """Return one vector per protein, ``(batch, width)``, as float32."""
    pooling = ALIASES.get(pooling, pooling)
    if pooling == "first" and output.cls_position is None:
        raise InputError("this model has no classification token to pool by `first`; choose mean.")
    takes_special = pooling in ("mean_with_special", "first")
    states = output.by_protein(hidden, output.is_token if takes_special else output.is_residue)
    if (n := n_sampled(pooling)) is not None:
        drawn = [order_of_residues(sequence)[:n] for sequence in sequences]
        return torch.stack(
            [part[some].float().mean(0) for part, some in zip(states, drawn, strict=True)]
        )
    return torch.stack([_POOL[pooling](part.float(), output.cls_position) for part in states])


def possible_poolings(model: Embedder) -> tuple[str, ...]:
    """Return the poolings that a model can do and that differ; none if it pools itself."""
    if model.forward(["MKV"]).protein is not None:
        return ()
    impossible = {
        "mean_with_special": not model.n_special,
        "first": model.cls_position is None,
        "final": not model.is_recurrent,
    }
    return tuple(name for name in POOLINGS if not impossible.get(name))
