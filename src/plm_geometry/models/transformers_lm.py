"""BERT, XLNet, ESM and T5 encoders from Hugging Face directories, as `Embedder`s."""

import pickle
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import BoolTensor, Tensor, nn
from transformers.utils import logging as transformers_logging

from plm_geometry.base.errors import InputError
from plm_geometry.base.provenance import sha256_of
from plm_geometry.models.base import Embedder, Output, pick, to_device
from plm_geometry.models.tokens import Spelling, TokenTable, pad
from plm_geometry.models.weights import read_config, sha256_of_files, weight_files
from plm_geometry.models.xlnet_attention import xlnet_hidden_states


@dataclass(frozen=True)
class Architecture:
    """What the checkpoints of one architecture have in common.

    Attributes
    ----------
    model_class : str
        Name in `transformers`.
    spelling : Spelling
    options : dict
        Given to the class.
    """

    model_class: str
    spelling: Spelling
    options: dict[str, Any] = field(default_factory=dict)

    def build(self, config: Any) -> nn.Module:
        """Return the architecture with random weights."""
        return getattr(transformers, self.model_class)(config, **self.options)


_NO_POOLER = {"add_pooling_layer": False}
ARCHITECTURES = {
    "bert": Architecture("BertModel", Spelling("UZOBJ", "X", " "), options=_NO_POOLER),
    "xlnet": Architecture("XLNetModel", Spelling("UZOBXJ", "<unk>", " ")),
    "esm": Architecture("EsmModel", Spelling("J", "X", ""), options=_NO_POOLER),
    "t5": Architecture("T5EncoderModel", Spelling("UZOBJ", "X", " ")),
}
# What pretraining leaves in a checkpoint beside the encoder: output heads, poolers, decoders,
# buffers that are computed, and ESM's head for contacts, which reads attentions only.
_HARMLESS = re.compile(
    r"(^|\.)(cls|pooler|lm_head|lm_loss|decoder|contact_head)\.|\.(position_ids|inv_freq)$"
)
# No tokenizer of a protein model means a limit beyond this: it is the library's "none".
_NO_LIMIT = 10**6


class TransformersEmbedder(Embedder):
    """A checkpoint of a supported architecture, or the same architecture with random weights.

    Parameters
    ----------
    name : str
    directory : str or Path
        ``config.json``, tokenizer files and, unless a seed is given, weights.
    seed : int, optional
        Draw the weights at random from it instead of reading them, without touching PyTorch's
        global random state.

    Raises
    ------
    InputError
        If the directory is incomplete or damaged, its architecture unsupported, or a tensor
        missing, extra or of another shape than ``config.json`` says.
    """

    def __init__(self, name: str, directory: str | Path, *, seed: int | None = None) -> None:
        directory = Path(directory)
        self.name = self.title = name
        config, self._tokens, self.max_residues = _read_all_but_weights(directory, name)
        self._style = ARCHITECTURES[config.model_type]
        if seed is None:
            weights = sha256_of_files(weight_files(directory))
            self.module = _trained_model(directory, self._style).eval()
        else:
            weights = f"random, seed {seed}"
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self.module = self._style.build(config).eval()
        self.width = self.residue_width = config.hidden_size
        self.n_layers = config.num_hidden_layers
        self.n_special = self._tokens.n_special
        self.cls_position = self._tokens.cls_position
        norms = [n for n, part in self.module.named_modules() if isinstance(part, nn.LayerNorm)]
        self.last_norm = norms[-1] if norms else None
        self.identity = {
            "architecture": config.model_type,
            "config": sha256_of(directory / "config.json"),
            "weights": weights,
            "preprocessing": str(self._style.spelling),
            "tokens": self._tokens.digest,
        }

    @torch.inference_mode()
    def forward(self, sequences: Sequence[str], layers: Sequence[int] = (-1,)) -> Output:
        """Compute the hidden states of a batch of proteins; see `Embedder.forward`."""
        indices = self.layer_indices(layers)
        self.check_lengths(sequences)
        residues = [self._tokens.residue_tokens(s, i) for i, s in enumerate(sequences)]
        rows = [self._tokens.with_specials(tokens) for tokens in residues]
        token_ids, is_token = pad(rows, value=self._tokens.pad)
        around = len(self._tokens.before), len(self._tokens.after)
        is_residue = is_token.copy()
        is_residue[is_token] = np.concatenate([np.pad(r >= 0, around) for r in residues])
        is_padded = not is_token.all()
        arrays = token_ids, is_token, is_residue
        token_ids, is_token, is_residue = to_device(self.module.device, *arrays)
        # Without a mask attention need not hold one of (positions)^2.
        hidden = self._hidden(token_ids, is_token if is_padded else None, indices)
        return Output(hidden, is_residue, is_token, cls_position=self.cls_position)

    def _hidden(
        self, token_ids: Tensor, is_token: BoolTensor | None, indices: list[int]
    ) -> list[Tensor]:
        if self.module.config.model_type == "xlnet":
            return pick(xlnet_hidden_states(self.module, token_ids, is_token), indices)
        only_last = set(indices) == {self.n_layers}
        answer = self.module(
            input_ids=token_ids,
            attention_mask=None if is_token is None else is_token.long(),
            output_hidden_states=not only_last,
        )
        if only_last:
            return [answer.last_hidden_state] * len(indices)
        return [answer.hidden_states[index] for index in indices]


def read_sizes(directory: Path) -> tuple[str, int, int | None]:
    """Return architecture, width and longest protein of a checkpoint, its weights unread."""
    config, _, longest = _read_all_but_weights(directory, str(directory))
    return config.model_type, config.hidden_size, longest


def _read_all_but_weights(directory: Path, name: str) -> tuple[Any, TokenTable, int | None]:
    """Return a checkpoint's configuration, its tokens and the longest protein it reads."""
    config = _read_supported_config(directory)
    tokenizer = _from_directory(transformers.AutoTokenizer.from_pretrained, directory, "tokenizer")
    # Without its vocabulary file the library makes do with the special tokens.
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        raise InputError(
            f"{directory} has no vocabulary: its tokenizer files (vocab.txt, spiece.model or "
            "tokenizer.json) are missing."
        )
    tokens = TokenTable(tokenizer, ARCHITECTURES[config.model_type].spelling, name)
    limits = [_positions(config), tokenizer.model_max_length]
    return config, tokens, min(limits) - tokens.n_special if min(limits) < _NO_LIMIT else None


def _positions(config: Any) -> int:
    """Return how many tokens a checkpoint has positions for."""
    if config.model_type == "bert":
        return config.max_position_embeddings
    if config.model_type == "esm" and config.position_embedding_type == "absolute":
        # ESM numbers positions from the padding token's id + 1.
        return config.max_position_embeddings - config.pad_token_id - 1
    return _NO_LIMIT


def _read_supported_config(directory: Path) -> Any:
    model_type = read_config(directory).get("model_type", "unknown")
    if model_type not in ARCHITECTURES:
        raise InputError(
            f"{directory}: architecture {model_type} is not supported; "
            f"supported are {', '.join(ARCHITECTURES)} and proteinbert."
        )
    config = _from_directory(transformers.AutoConfig.from_pretrained, directory, "configuration")
    if model_type == "xlnet" and (config.attn_type != "bi" or config.bi_data):
        raise InputError(
            f"{directory}: only XLNets that attend in both directions are supported "
            '(attn_type "bi" without bi_data in config.json).'
        )
    return config


def _trained_model(directory: Path, style: Architecture) -> nn.Module:
    """Load a checkpoint in float32, refusing tensors that are not the architecture's, by name."""
    model, report = _from_directory(
        getattr(transformers, style.model_class).from_pretrained,
        directory,
        "weights",
        dtype=torch.float32,
        weights_only=True,
        output_loading_info=True,
        # Misshapen tensors are then in the report instead of in a traceback.
        ignore_mismatched_sizes=True,
        **style.options,
    )
    misshapen = [name for name, *_ in report["mismatched_keys"]]
    for names, complaint in (
        (report["missing_keys"], "lacks"),
        (report["unexpected_keys"], "has the unknown"),
        (misshapen, "has the misshapen"),
    ):
        if names := sorted(name for name in names if not _HARMLESS.search(name)):
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise InputError(
                f"{directory} {complaint} tensor{'s' * (len(names) > 1)} {', '.join(names[:3])}"
                f"{more}: the weights do not belong to its config.json, and nothing is filled in "
                "at random."
            )
    return model


def _from_directory(load: Callable, directory: Path, part: str, **options: Any) -> Any:
    """Call one of the library's ``from_pretrained``, turning its failures into a sentence."""
    # What its bar and its report would say is checked here.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        return load(str(directory), local_files_only=True, trust_remote_code=False, **options)
    # The library raises whatever the damaged part led it to.
    except Exception as error:
        raise InputError(
            f"{directory}: the {part} cannot be read ({_reason(error)}): "
            "fetch the checkpoint again."
        ) from error


def _reason(error: Exception) -> str:
    """Return what went wrong in a line.

    The library's advice on a pickle that could run code is to let it.
    """
    if isinstance(error, pickle.UnpicklingError):
        refers = re.search(r"GLOBAL (\S+)", str(error))
        return f"a pickle that refers to {refers[1]}" if refers else "no pickle of tensors"
    if isinstance(error, KeyError):
        return repr(error)  # its text alone is the key
    return str(error).strip().split("\n")[0].rstrip(":. ") or type(error).__name__
