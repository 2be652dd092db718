"""Hugging Face directories: what is in them read through `transformers`, or refused by name."""

import pickle
import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging as transformers_logging

from plm_geometry.base.errors import InputError
from plm_geometry.models.configs import read_config
from plm_geometry.models.tokens import Spelling, TokenTable
from plm_geometry.models.weights import list_names, weight_files


@dataclass(frozen=True)
class Architecture:
    """What the checkpoints of one architecture have in common.

    Attributes
    ----------
    model_class : str
        Name in `transformers`.
    spelling : Spelling
    pads_left : bool
    options : tuple of (str, value)
        Given to the class.
    """

    model_class: str
    spelling: Spelling
    pads_left: bool = False
    options: tuple[tuple[str, Any], ...] = ()


_NO_POOLER = (("add_pooling_layer", False),)
ARCHITECTURES = {
    "bert": Architecture("BertModel", Spelling("UZOBJ", "X", " "), options=_NO_POOLER),
    "xlnet": Architecture("XLNetModel", Spelling("UZOBXJ", "<unk>", " "), pads_left=True),
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


def architecture_of(directory: Path) -> tuple[str, Architecture]:
    """Return the architecture of a checkpoint, by name and by what is known of it.

    Raises
    ------
    InputError
        If it is not supported.
    """
    model_type = read_config(directory).get("model_type", "unknown")
    if model_type not in ARCHITECTURES:
        raise InputError(
            f"{directory}: architecture {model_type} is not supported; "
            f"supported are {', '.join(ARCHITECTURES)} and proteinbert."
        )
    return model_type, ARCHITECTURES[model_type]


@contextmanager
def _quiet_library():
    """Silence the library's loading bar and report; what they report is checked here."""
    verbosity = transformers_logging.get_verbosity()
    had_bar = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if had_bar:
            transformers_logging.enable_progress_bar()


def _from_directory(load: Callable, directory: Path, part: str, **options: Any) -> Any:
    """Call one of the library's ``from_pretrained``, turning its failures into a sentence."""
    try:
        with _quiet_library():
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


def trained_model(directory: Path) -> torch.nn.Module:
    """Load a checkpoint in float32.

    Raises
    ------
    InputError
        If a file is missing or damaged, or a tensor is missing, unknown or misshapen.
    """
    weight_files(directory)
    _, style = architecture_of(directory)
    model, report = _from_directory(
        getattr(transformers, style.model_class).from_pretrained,
        directory,
        "weights",
        dtype=torch.float32,
        weights_only=True,
        output_loading_info=True,
        # Misshapen tensors are then in the report instead of in a traceback.
        ignore_mismatched_sizes=True,
        **dict(style.options),
    )
    _refuse_misfits(report, directory)
    _check_supported(model.config, directory)
    return model


def _refuse_misfits(report: dict[str, Any], directory: Path) -> None:
    """Refuse a checkpoint whose tensors are not the architecture's, by name."""
    misshapen = [name for name, *_ in report["mismatched_keys"]]
    for names, complaint in (
        (report["missing_keys"], "lacks"),
        (report["unexpected_keys"], "has the unknown"),
        (misshapen, "has the misshapen"),
    ):
        if names := [name for name in names if not _HARMLESS.search(name)]:
            raise InputError(
                f"{directory} {complaint} {list_names(names)}: the weights do not belong to "
                "its config.json, and nothing is filled in at random."
            )


def untrained_model(directory: Path, seed: int) -> torch.nn.Module:
    """Return the architecture of a checkpoint with random weights: the same ones of a seed."""
    _, style = architecture_of(directory)
    config = _load_config(directory)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return getattr(transformers, style.model_class)(config, **dict(style.options))


def read_sizes(directory: Path) -> tuple[str, int, int | None]:
    """Return architecture, width and longest protein of a checkpoint, its weights unread."""
    architecture, style = architecture_of(directory)
    config, tokenizer = _load_config(directory), load_tokenizer(directory)
    n_special = TokenTable(tokenizer, style.spelling, str(directory)).n_special
    return architecture, config.hidden_size, max_residues(config, tokenizer, n_special)


def _load_config(directory: Path) -> Any:
    config = _from_directory(transformers.AutoConfig.from_pretrained, directory, "configuration")
    _check_supported(config, directory)
    return config


def _check_supported(config: Any, directory: Path) -> None:
    is_one_way = getattr(config, "attn_type", "bi") != "bi" or getattr(config, "bi_data", False)
    if config.model_type == "xlnet" and is_one_way:
        raise InputError(
            f"{directory}: only XLNets that attend in both directions are supported "
            '(attn_type "bi" without bi_data in config.json).'
        )


def load_tokenizer(directory: Path) -> Any:
    """Return a checkpoint's tokenizer, refusing one that has lost its vocabulary."""
    tokenizer = _from_directory(transformers.AutoTokenizer.from_pretrained, directory, "tokenizer")
    # Without its vocabulary file the library makes do with the special tokens.
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        raise InputError(
            f"{directory} has no vocabulary: its tokenizer files (vocab.txt, spiece.model or "
            "tokenizer.json) are missing."
        )
    return tokenizer


def max_residues(config: Any, tokenizer: Any, n_special: int) -> int | None:
    """Return the longest protein by the table of positions and by what the tokenizer states."""
    limits = []
    if config.model_type == "bert":
        limits.append(config.max_position_embeddings)
    if config.model_type == "esm" and config.position_embedding_type == "absolute":
        # ESM numbers positions from the padding token's id + 1.
        limits.append(config.max_position_embeddings - config.pad_token_id - 1)
    if tokenizer.model_max_length < _NO_LIMIT:
        limits.append(tokenizer.model_max_length)
    return min(limits) - n_special if limits else None
