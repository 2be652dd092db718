"""XLNet's encoder with attention over chunks of queries, so that long proteins fit in memory."""

from collections.abc import Iterator

import torch
from torch import BoolTensor, Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

# Scores that a layer holds at a time, in about three copies: what fits the caches of a CPU (16 MiB
# in float32), and enough to keep a GPU busy (1 GiB).
SCORES_PER_CHUNK = {"cpu": 2**22, "cuda": 2**28}


def xlnet_hidden_states(
    model: nn.Module, token_ids: Tensor, is_token: BoolTensor | None = None
) -> Iterator[Tensor]:
    """Yield the hidden states of a bidirectional XLNet, layer by layer.

    Equal to the library's, which holds the (positions)^2 scores of every head several times over;
    here a layer never holds more than `SCORES_PER_CHUNK`, or one query's if those are more.
    Neither memories, segments nor a permutation are passed, as is the way to embed.

    Parameters
    ----------
    model : transformers.XLNetModel
        With ``attn_type`` "bi" and no ``bi_data``.
    token_ids : Tensor of int64, shape ``(B, T)``
    is_token : BoolTensor, shape ``(B, T)``, optional
        False for padding, on whichever side; none by default.

    Yields
    ------
    Tensor, shape ``(B, T, d_model)``
        First the input embedding, then each layer's output.
    """
    hidden = model.word_embedding(token_ids)
    n = hidden.shape[1]
    # (2 T, d_model), from distance T down to -T + 1.
    distances = model.relative_positional_encoding(n, n, device=hidden.device)[:, 0]
    yield hidden
    for layer in model.layer:
        attended = _attend(layer.rel_attn, hidden, distances.to(hidden.dtype), is_token)
        hidden = layer.ff(attended)
        yield hidden


def _attend(
    attention: nn.Module, hidden: Tensor, distances: Tensor, is_token: BoolTensor | None
) -> Tensor:
    """Return the attention sublayer's output, residual and norm included, ``(B, T, d_model)``."""
    query, key, value = (
        torch.einsum("bth,hnd->bntd", hidden, weight)
        for weight in (attention.q, attention.k, attention.v)
    )
    distance_key = torch.einsum("ph,hnd->npd", distances, attention.r)
    batch, heads, n, _ = query.shape
    scores = SCORES_PER_CHUNK.get(hidden.device.type, SCORES_PER_CHUNK["cpu"])
    rows = max(1, scores // (batch * heads * n))
    answer = torch.empty_like(query)
    for start in range(0, n, rows):
        chunk = query[:, :, start : start + rows]
        bias = _distance_scores(chunk + attention.r_r_bias[:, None], distance_key, start, n)
        bias = bias * attention.scale
        if is_token is not None:
            bias = bias.masked_fill(~is_token[:, None, None], -torch.inf)
        answer[:, :, start : start + rows] = scaled_dot_product_attention(
            chunk + attention.r_w_bias[:, None], key, value, attn_mask=bias, scale=attention.scale
        )
    return attention.post_attention(hidden, answer.transpose(1, 2))


def _distance_scores(query: Tensor, distance_key: Tensor, start: int, n: int) -> Tensor:
    """Score every key by its distance from each query of a chunk.

    Parameters
    ----------
    query : Tensor, shape ``(B, heads, rows, d)``
        Queries `start`, `start` + 1, ...
    distance_key : Tensor, shape ``(heads, 2 n, d)``
        Row p stands for the distance n - p between query and key.

    Returns
    -------
    Tensor, shape ``(B, heads, rows, n)``
    """
    rows = query.shape[2]
    # Query i and key j are i - j apart: row n - i + j. The chunk needs these, from its last query
    # and the first key to its first query and the last key.
    first = n - (start + rows - 1)
    scores = query @ distance_key[:, first : first + rows + n - 1].transpose(1, 2)
    # Each query's window begins one place before that of the query above it: a step of one row
    # and one column back is a constant stride, so that the windows are a view.
    scores = scores.contiguous()
    batch, heads, _, width = scores.shape
    strides = (heads * rows * width, rows * width, width - 1, 1)
    return scores.as_strided((batch, heads, rows, n), strides, storage_offset=rows - 1)
