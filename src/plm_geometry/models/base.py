"""What every loaded model is: an `Embedder` that turns a batch of sequences into an `Output`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from torch import BoolTensor, Tensor, nn

from plm_geometry.base.errors import InputError
from plm_geometry.proteins.fasta import Proteins

# XLNet's classification token is a protein's last token, that of the others its first.
ClsPosition = Literal["first", "last"]


class ProteinError(InputError):
    """One protein of a batch cannot be read by a model.

    Attributes
    ----------
    index : int
        Which sequence of the batch, counted from 0.
    reason : str
        What is wrong with it, to follow the protein's name in a sentence.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"Protein {index + 1} of the batch {reason}")
        self.index = index
        self.reason = reason

    def named(self, accession: str) -> InputError:
        """Return the same error, naming the protein by its accession."""
        return InputError(f"Protein {accession} {self.reason}")


@dataclass
class Output:
    """What a model computes for a batch of B proteins in T padded positions.

    A recurrent model needs no padding: in place of ``(B, T)`` stands the number of all tokens.

    Attributes
    ----------
    hidden : list of Tensor
        One ``(B, T, residue_width)`` for each layer asked for.
    is_residue : BoolTensor
        ``(B, T)``; ``hidden[l][is_residue]`` holds the residues of all proteins in order.
    is_token : BoolTensor
        ``(B, T)``; residues and special tokens, not padding.
    protein : list of Tensor or None
        One ``(B, width)`` for each layer asked for, where the architecture makes a global
        embedding itself (ProteinBERT).
    cls_position : "first", "last" or None
        Which of a protein's tokens is the classification token; None if none is.
    protein_of : Tensor of int or None
        Where there is no padding, the protein of each token, counted from 0.
    """

    hidden: list[Tensor]
    is_residue: BoolTensor
    is_token: BoolTensor
    protein: list[Tensor] | None = None
    cls_position: ClsPosition | None = None
    protein_of: Tensor | None = None

    def by_protein(self, hidden: Tensor, mask: BoolTensor) -> tuple[Tensor, ...]:
        """Return the states under a mask, one ``(n, width)`` a protein."""
        counts = mask.sum(1) if self.protein_of is None else self.protein_of[mask].bincount()
        return hidden[mask].split(counts.tolist())


class Embedder(ABC):
    """A protein language model, or a control that stands in a model's place.

    Attributes
    ----------
    name, title : str
        What it is called on the command line, and in tables.
    identity : dict of str to str
        All that decides its vectors: source, revision, sha256 of the weights, preprocessing.
    module : Module
        With the weights; empty in a control.
    width, residue_width : int
        Dimensions of a global and of a residue embedding.
    n_layers : int
        Layers after the input embedding, which is layer 0.
    max_residues : int or None
        The longest protein it reads; None if nothing limits it.
    n_special : int
        Special tokens it adds to a protein.
    cls_position : "first", "last" or None
        Which of a protein's tokens is the classification token; None if none is.
    is_recurrent : bool
        Whether it reads from start to end, so that a batch needs no padding.
    residues_per_batch : int or None
        What suits it; None for what suits the device.
    last_norm : str or None
        The submodule that is the LayerNorm at the end of what it answers; None if none is.
    device : torch.device
        Where it computes.
    loaded_from : dict of str to str
        What another process loads the same model from.
    """

    name: str
    title: str
    identity: dict[str, str]
    module: nn.Module = nn.Module()
    width: int
    residue_width: int
    n_layers: int
    max_residues: int | None = None
    n_special: int = 0
    cls_position: ClsPosition | None = None
    is_recurrent: bool = False
    residues_per_batch: int | None = None
    last_norm: str | None = None
    device: torch.device = torch.device("cpu")
    loaded_from: dict[str, str]

    def as_read(self, sequence: str) -> str:
        """Return the residues in the order in which the model reads them."""
        return sequence

    @abstractmethod
    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Compute the hidden states of a batch of proteins, without gradients.

        Parameters
        ----------
        sequences : sequence of str
            Residues as IUPAC letters.
        layers : sequence of int
            0 is the input embedding, `n_layers` (or -1) the last layer.

        Raises
        ------
        ProteinError
            If a protein is longer than `max_residues`, or does not give one token a residue.
        """

    def read(self, proteins: Proteins, layers: Sequence[int] = (-1,)) -> Output:
        """Compute a batch of `proteins` as `forward` does; a file finds them by accession."""
        return self.forward(proteins.sequences, layers)

    def to(self, device: str | torch.device, dtype: torch.dtype) -> Self:
        """Move the weights, but not the buffers, to a device and a floating-point type.

        ESM's rotary frequencies are a buffer, and 8 bits of mantissa would turn far positions by
        arbitrary angles.
        """
        self.module.to(device)
        for parameter in self.module.parameters():
            parameter.data = parameter.data.to(dtype)
        return self

    def without_last_norm(self) -> Self:
        """Let what it answers end before its last LayerNorm.

        Raises
        ------
        InputError
            If the architecture does not end with one.
        """
        if self.last_norm is None:
            raise InputError(f"{self.name} does not end with a LayerNorm that could be left out.")
        self.module.set_submodule(self.last_norm, nn.Identity())
        self.identity["last_norm"] = "left out"
        return self

    def layer_indices(self, layers: Sequence[int]) -> list[int]:
        """Return `layers` counted from 0, refusing those the model does not have."""
        n_states = self.n_layers + 1
        for layer in layers:
            if not -n_states <= layer < n_states:
                raise InputError(
                    f"{self.name} has no layer {layer}: choose from 0 (the input embedding) to "
                    f"{self.n_layers}, or count back from -1 (the last)."
                )
        return [layer % n_states for layer in layers]

    def check_lengths(self, sequences: Sequence[str]) -> None:
        """Raise `ProteinError` for the first sequence longer than `max_residues`."""
        for index, sequence in enumerate(sequences):
            if self.max_residues is not None and len(sequence) > self.max_residues:
                raise ProteinError(
                    index,
                    f"has {len(sequence):,} residues, but {self.name} reads at most "
                    f"{self.max_residues:,}: leave it out or choose another model.",
                )


def pick(states: Iterable[Tensor], indices: Sequence[int]) -> list[Tensor]:
    """Return the states of some layers, forgetting the others as they come."""
    kept = {index: state for index, state in enumerate(states) if index in indices}
    return [kept[index] for index in indices]


def to_device(device: torch.device, *arrays: np.ndarray) -> list[Tensor]:
    """Copy a batch's arrays to a device; to a GPU from pinned memory, so that nothing waits."""
    tensors = [torch.from_numpy(array) for array in arrays]
    if device.type == "cuda":
        tensors = [tensor.pin_memory() for tensor in tensors]
    return [tensor.to(device, non_blocking=True) for tensor in tensors]
