"""Files of moments by layer and residue letter: written whole, read whole or letter by letter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from plm_geometry.base.files import replacing
from plm_geometry.embedding.pooling import LayerMoments
from plm_geometry.isotropy.moments import Moments, merge_all


def write_moments(
    path: Path,
    moments: Mapping[int, Mapping[str, Moments]],
    note: Mapping[str, Any],
    *,
    packed: bool = False,
) -> None:
    """Write moments and what belongs to them into one ``.npz`` file, atomically.

    Parameters
    ----------
    path : Path
        Replaced when there.
    moments : mapping of int to mapping of str to Moments
        By layer and residue letter.
    note : mapping
        Values kept beside them, by name.
    packed : bool
        As in `Moments.to_arrays`: half as large, for what nothing is added to any more.
    """
    arrays = {
        f"{layer}/{letter}/{field}": array
        for layer, letters in moments.items()
        for letter, moment in letters.items()
        for field, array in moment.to_arrays(packed=packed).items()
    }
    with replacing(path) as partial, partial.open("wb") as handle:
        np.savez(handle, **note, **arrays)


def read_moments(path: Path) -> tuple[LayerMoments, dict[str, np.ndarray]]:
    """Return the moments and the note that `write_moments` wrote."""
    with np.load(path) as stored:
        note = {name: stored[name] for name in stored.files if "/" not in name}
        layers = {int(name.split("/")[0]) for name in stored.files if "/" in name}
    return {layer: dict(StoredMoments(path, layer)) for layer in sorted(layers)}, note


class StoredMoments(Mapping[str, Moments]):
    """One layer's moments by residue letter, each read from the file when it is asked for.

    Parameters
    ----------
    path : Path
        What `write_moments` wrote.
    layer : int
    """

    def __init__(self, path: Path, layer: int):
        self._path, self._layer = path, layer

    @cached_property
    def _stored(self) -> np.lib.npyio.NpzFile:
        # Opened once: it has so many members that finding them takes longer than reading one.
        return np.load(self._path)

    @cached_property
    def _letters(self) -> list[str]:
        keys = (name.split("/") for name in self._stored.files if "/" in name)
        return list(dict.fromkeys(key[1] for key in keys if key[0] == str(self._layer)))

    def __getitem__(self, letter: str) -> Moments:
        if letter not in self._letters:
            raise KeyError(letter)
        names = [field.name for field in fields(Moments)]
        return Moments.from_arrays(
            {name: self._stored[f"{self._layer}/{letter}/{name}"] for name in names}
        )

    def __contains__(self, letter: object) -> bool:
        return letter in self._letters  # a mapping's own would read the moments

    def __iter__(self) -> Iterator[str]:
        return iter(self._letters)

    def __len__(self) -> int:
        return len(self._letters)


class MergedMoments(Mapping[str, Moments]):
    """Moments by residue letter over all groups, each merged when it is first asked for.

    Parameters
    ----------
    groups : sequence of mapping of str to Moments
        Of each group, such as `StoredMoments`; a group need not have every letter.
    """

    def __init__(self, groups: Sequence[Mapping[str, Moments]]):
        self._groups = groups
        self._merged: dict[str, Moments] = {}

    @cached_property
    def _letters(self) -> list[str]:
        return sorted(set().union(*self._groups))

    def __getitem__(self, letter: str) -> Moments:
        if letter not in self._merged:
            parts = [group[letter] for group in self._groups if letter in group]
            if not parts:
                raise KeyError(letter)
            self._merged[letter] = merge_all(parts)
        return self._merged[letter]

    def __contains__(self, letter: object) -> bool:
        return letter in self._letters  # a mapping's own would read the moments

    def __iter__(self) -> Iterator[str]:
        return iter(self._letters)

    def __len__(self) -> int:
        return len(self._letters)
