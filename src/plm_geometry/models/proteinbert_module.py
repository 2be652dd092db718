"""The architecture of ProteinBERT (Brandes et al. 2022, Bioinformatics 38:2102) in PyTorch."""

import math
from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike
from torch import BoolTensor, Tensor, nn
from torch.nn.functional import gelu

# Keras' default, not PyTorch's 1e-5.
_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class ProteinBERTConfig:
    """Sizes of a ProteinBERT; the defaults are the published model's."""

    n_annotations: int = 8943
    local_width: int = 128
    global_width: int = 512
    n_heads: int = 4
    key_width: int = 64
    n_blocks: int = 6
    kernel_size: int = 9
    dilation: int = 5
    vocabulary_size: int = 26
    max_residues: int | None = None


class GlobalAttention(nn.Module):
    """The global vector asks every position: tanh on query and key, gelu on value, no biases."""

    def __init__(self, config: ProteinBERTConfig) -> None:
        super().__init__()
        heads, local, global_ = config.n_heads, config.local_width, config.global_width
        self.query = nn.Parameter(torch.empty(heads, global_, config.key_width))
        self.key = nn.Parameter(torch.empty(heads, local, config.key_width))
        # The heads' values together make the global width.
        self.value = nn.Parameter(torch.empty(heads, local, global_ // heads))
        for weight in self.parameters():
            nn.init.xavier_uniform_(weight)

    def forward(self, global_: Tensor, local: Tensor, is_input: BoolTensor | None) -> Tensor:
        """Return the heads' answers side by side, ``(B, global_width)``."""
        query = torch.tanh(torch.einsum("bg,hgk->bhk", global_, self.query))
        key = torch.tanh(torch.einsum("btl,hlk->bhtk", local, self.key))
        value = gelu(torch.einsum("btl,hlv->bhtv", local, self.value))
        scores = torch.einsum("bhk,bhtk->bht", query, key) / math.sqrt(query.shape[-1])
        if is_input is not None:
            scores = scores.masked_fill(~is_input[:, None], -torch.inf)
        return torch.einsum("bht,bhtv->bhv", scores.softmax(-1), value).flatten(1)


class Block(nn.Module):
    """One block: the local track hears the global vector, then the global one the local track."""

    def __init__(self, config: ProteinBERTConfig) -> None:
        super().__init__()
        local, global_, kernel = config.local_width, config.global_width, config.kernel_size
        self.broadcast = nn.Linear(global_, local)
        self.narrow_conv = nn.Conv1d(local, local, kernel, padding="same")
        self.wide_conv = nn.Conv1d(local, local, kernel, padding="same", dilation=config.dilation)
        self.local_norm1 = nn.LayerNorm(local, eps=_NORM_EPSILON)
        self.local_dense = nn.Linear(local, local)
        self.local_norm2 = nn.LayerNorm(local, eps=_NORM_EPSILON)
        self.global_dense1 = nn.Linear(global_, global_)
        self.attention = GlobalAttention(config)
        self.global_norm1 = nn.LayerNorm(global_, eps=_NORM_EPSILON)
        self.global_dense2 = nn.Linear(global_, global_)
        self.global_norm2 = nn.LayerNorm(global_, eps=_NORM_EPSILON)

    def forward(
        self, local: Tensor, global_: Tensor, is_input: BoolTensor | None
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return both normalised states of the local and of the global track."""
        local1 = self.local_norm1(
            local + gelu(self.broadcast(global_))[:, None] + self._convolve(local, is_input)
        )
        local2 = self.local_norm2(local1 + gelu(self.local_dense(local1)))
        global1 = self.global_norm1(
            global_ + gelu(self.global_dense1(global_)) + self.attention(global_, local2, is_input)
        )
        global2 = self.global_norm2(global1 + gelu(self.global_dense2(global1)))
        return (local1, local2), (global1, global2)

    def _convolve(self, local: Tensor, is_input: BoolTensor | None) -> Tensor:
        # Zeros beyond a protein's end are what "same" padding shows it when it is alone.
        if is_input is not None:
            local = local * is_input[..., None]
        channels_first = local.transpose(1, 2)
        convolved = gelu(self.narrow_conv(channels_first)) + gelu(self.wide_conv(channels_first))
        return convolved.transpose(1, 2)


class ProteinBERT(nn.Module):
    """The published architecture, with its two pretraining heads.

    Parameters
    ----------
    config : ProteinBERTConfig
    """

    def __init__(self, config: ProteinBERTConfig) -> None:
        super().__init__()
        self.config = config
        self.global_input = nn.Linear(config.n_annotations, config.global_width)
        self.embedding = nn.Embedding(config.vocabulary_size, config.local_width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_blocks))
        self.sequence_head = nn.Linear(config.local_width, config.vocabulary_size)
        self.annotation_head = nn.Linear(config.global_width, config.n_annotations)
        self.apply(_initialise_like_keras)

    def forward(self, *inputs: ArrayLike | Tensor | None) -> tuple[Tensor, Tensor]:
        """Compute the last block's local and global states of what `hidden_states` takes.

        Returns
        -------
        local : Tensor, shape ``(B, T, local_width)``
        global_ : Tensor, shape ``(B, global_width)``
        """
        local, global_ = self.hidden_states(*inputs)
        return local[-1], global_[-1]

    def hidden_states(
        self,
        token_ids: ArrayLike | Tensor,
        annotations: ArrayLike | Tensor | None = None,
        is_input: BoolTensor | None = None,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Compute the states after the input layers and after both norms of every block.

        Parameters
        ----------
        token_ids : integers, shape ``(B, T)``
            See `proteinbert.tokenize`.
        annotations : floats, shape ``(B, n_annotations)``, optional
            Gene ontology annotations; none, the way to embed, by default.
        is_input : bool, shape ``(B, T)``, optional
            False hides a position from all others. The official model hides none, not even PAD,
            which makes its answer depend on the padded length; that is the default here too.

        Returns
        -------
        local : list of ``2 n_blocks + 1`` tensors, shape ``(B, T, local_width)``
        global_ : list of ``2 n_blocks + 1`` tensors, shape ``(B, global_width)``
        """
        weight, bias = self.global_input.weight, self.global_input.bias
        token_ids = torch.as_tensor(token_ids, device=weight.device).long()
        if annotations is None:
            first = gelu(bias).expand(len(token_ids), -1)
        else:
            first = gelu(self.global_input(torch.as_tensor(annotations).to(weight)))
        local, global_ = [self.embedding(token_ids)], [first]
        for block in self.blocks:
            local_states, global_states = block(local[-1], global_[-1], is_input)
            local.extend(local_states)
            global_.extend(global_states)
        return local, global_

    def heads(self, local: Tensor, global_: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of tokens, ``(B, T, vocabulary_size)``, and of annotations.

        The official outputs are the softmax of the one and the sigmoid of the other.
        """
        return self.sequence_head(local), self.annotation_head(global_)


def _initialise_like_keras(layer: nn.Module) -> None:
    """Draw weights as the published model's framework does before training."""
    if isinstance(layer, nn.Linear | nn.Conv1d):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.Embedding):
        nn.init.uniform_(layer.weight, -0.05, 0.05)
