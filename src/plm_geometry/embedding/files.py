"""A file of existing embeddings in a model's place: one vector, or one matrix, per protein."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import said_by
from plm_geometry.embedding.formats import open_vectors
from plm_geometry.embedding.vectors import Vectors
from plm_geometry.models import ModelCard, describe_model, said_by_file
from plm_geometry.models.base import Embedder, Output, ProteinError
from plm_geometry.models.loading import load_copies
from plm_geometry.models.names import ModelName
from plm_geometry.models.weights import sha256_of_files
from plm_geometry.proteins.fasta import Proteins, accession_of


def load_models(name: str, **how: str) -> list[Embedder]:
    """Load copies of a model as `models.loading.load_copies` does, or open a file of embeddings."""
    if ModelName(name).is_embedding_file:
        return [EmbeddingFile(name)]
    return load_copies(name, **how)


def describe_source(name: str | Path, *, padded_length: int | str | None = None) -> ModelCard:
    """Return what a study must know of a model or a file of embeddings before it is read.

    Parameters
    ----------
    name, padded_length
        As in `models.describe_model`, or the path of a file of embeddings.
    """
    if not ModelName(str(name)).is_embedding_file:
        return describe_model(name, padded_length=padded_length)
    file = EmbeddingFile(name)
    said = said_by_file(file.title)
    return ModelCard(str(name), file.title, *said, "file of embeddings", file.width, None)


class EmbeddingFile(Embedder):
    """Embeddings that someone has computed: one vector, or one matrix (L, d), per protein.

    With residues it is a model that looks its proteins up, so that they are pooled, counted by
    amino acid and stored as a model's are: streamed, in memory that does not grow with the file.

    Parameters
    ----------
    path : str or Path
        Of any format that `formats.open_vectors` reads. Rows without names take those of
        a text file beside it, ``NAME.txt``, one accession a line.

    Attributes
    ----------
    name, title : str
        The file's name, and the model's where the file says.
    width, residue_width : int
        Dimensions of an embedding.
    has_residues : bool
        Whether it has one matrix per protein.
    identity : dict of str to str
        Digest of the file.

    Raises
    ------
    InputError
        As `formats.open_vectors`, or if the names are missing or too many.
    """

    n_layers = 0
    residues_per_batch = 8192

    def __init__(self, path: str | Path) -> None:
        self.path, self.name = Path(path), str(path)
        self.loaded_from = {"name": self.name}
        self._vectors = open_vectors(self.path)
        self.title = said_by(self.path) or self.path.stem
        self.width = self.residue_width = self._vectors.d
        self.has_residues = self._vectors.has_residues
        self._files, self._names = [self.path], self._vectors.accessions
        if self._names is None:
            self._files.append(self.path.with_suffix(".txt"))
            self._names = _names_beside(self.path, self._files[1], self._vectors)

    @cached_property
    def identity(self) -> dict[str, str]:
        """Read the whole file, and only then say what it is."""
        return {"architecture": "file of embeddings", "weights": sha256_of_files(self._files)}

    @property
    def accessions(self) -> list[str]:
        """The proteins, in the file's order; refuses one that is there twice."""
        return list(self._place_of)

    def places(self, accessions: Sequence[str]) -> np.ndarray:
        """Return where proteins stand in the file, shape (n,), refusing those that it lacks."""
        if missing := [a for a in accessions if a not in self._place_of]:
            raise InputError(
                f"{self.path} lacks {len(missing):,} of {len(accessions):,} proteins, first "
                f"{missing[0]}: leave them out or compute them."
            )
        return np.array([self._place_of[a] for a in accessions])

    @cached_property
    def _place_of(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for place, name in enumerate(map(accession_of, self._names)):
            if found.setdefault(name, place) != place:
                raise InputError(f"{self._files[-1]} holds two embeddings of {name}: leave one.")
        return found

    def vectors(self, accessions: Sequence[str]) -> np.ndarray:
        """Return the embeddings of proteins, where the file has one vector each.

        Parameters
        ----------
        accessions : sequence of str

        Returns
        -------
        ndarray of float32 or float64, shape ``(n_accessions, width)``

        Raises
        ------
        InputError
            If a protein is missing or there twice, or its embedding is of another width or not
            finite.
        """
        vectors = self._vectors.take(self.places(accessions))
        if (wrong := np.flatnonzero(~np.isfinite(vectors).all(axis=1))).size:
            name = accessions[wrong[0]]
            raise InputError(
                f"{self.path}: the embedding of {name} is not finite: compute it again."
            )
        return vectors.astype(np.result_type(vectors.dtype, np.float32), copy=False)

    def proteins(self) -> Proteins:
        """Return the proteins of a file of residues, of which only lengths are known, as X."""
        lengths = self._vectors.arrays.lengths()
        return Proteins(self.accessions, tuple("X" * n for n in lengths), self.path.name)

    def read(self, proteins: Proteins, layers: Sequence[int] = (-1,)) -> Output:
        """Return the residue embeddings of proteins, found by their accessions.

        Raises
        ------
        ProteinError
            If a protein has another number of residues in the file.
        """
        self.layer_indices(layers)
        found = self._vectors.arrays.read(self.places(proteins.accessions))
        for index, (matrix, length) in enumerate(zip(found, proteins.lengths, strict=True)):
            if len(matrix) != length:
                raise ProteinError(
                    index,
                    f"has {length:,} residues in {proteins.source} and {len(matrix):,} in "
                    f"{self.path}: give the sequences that were embedded, uncut.",
                )
        hidden = pad_sequence([torch.from_numpy(m).float() for m in found], batch_first=True)
        is_residue = torch.arange(hidden.shape[1]) < torch.tensor(proteins.lengths)[:, None]
        return Output([hidden] * len(layers), is_residue, is_residue)

    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Refuse: a file knows accessions, and no sequences."""
        raise InputError(f"{self.name} holds embeddings already; name the model they are of.")


def _names_beside(path: Path, names_path: Path, vectors: Vectors) -> list[str]:
    """Return the names of a matrix's rows from the text file beside it."""
    if not names_path.exists():
        raise InputError(f"{names_path} is missing: the accessions of {path.name}, one a line.")
    names = [line for line in names_path.read_text("utf-8-sig").splitlines() if line.strip()]
    if len(names) != vectors.n:
        hint = ", so it may be transposed" if len(names) == vectors.d else ""
        named = f"{names_path.name} names {len(names):,} proteins"
        raise InputError(f"{path} has {vectors.n:,} rows, but {named}{hint}.")
    return names
