"""Checkpoints from the network: Hugging Face snapshots and ProteinBERT's official dump."""

import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from urllib.parse import urlparse

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub import errors as hf

from plm_geometry.base import paths
from plm_geometry.base.download import fetch
from plm_geometry.base.errors import DISK_TROUBLE, InputError
from plm_geometry.models.weights import weight_files

_SMALL_FILES = ["config.json", "*token*", "vocab.txt", "spiece.model"]
_SAFETENSORS = ["model*.safetensors", "model.safetensors.index.json"]
_OLDER = ["pytorch_model*.bin", "pytorch_model.bin.index.json"]
_TIMEOUT = 30  # seconds
_NOT_THERE = (hf.RepositoryNotFoundError, hf.RevisionNotFoundError, hf.HFValidationError)


@cache
def fetch_snapshot(repo_id: str, revision: str, *, weights: bool) -> Path:
    """Return the local directory of a Hugging Face checkpoint, downloading what is missing.

    The hub is asked once a process: a branch that moves meanwhile must not give two checkpoints.

    Parameters
    ----------
    repo_id, revision : str
    weights : bool
        Without them, only configuration and tokenizer are fetched.

    Returns
    -------
    Path
        Its name is the commit that the revision stands for.

    Raises
    ------
    InputError
        If it does not exist, or neither the network nor the local cache has it. With
        ``HF_HUB_OFFLINE=1`` only the cache is asked.
    """
    try:
        info = HfApi().model_info(repo_id, revision=revision, timeout=_TIMEOUT)
        # One weight format: safetensors where there is one.
        is_safe = any(fnmatch(file.rfilename, _SAFETENSORS[0]) for file in info.siblings)
        patterns = _SMALL_FILES + (_SAFETENSORS if is_safe else _OLDER) * weights
        return Path(snapshot_download(repo_id, revision=revision, allow_patterns=patterns))
    # A gated page is there; whoever had its files before still has them.
    except hf.GatedRepoError as error:
        return _cached_snapshot(repo_id, revision, weights, error)
    except _NOT_THERE as error:
        raise InputError(
            f"Hugging Face has no public model {repo_id} at revision {revision}: "
            "check the name, or give a local directory."
        ) from error
    # No network, a hub in trouble, a download that broke: what both HTTP libraries raise.
    except (hf.HTTPError, OSError) as error:
        return _cached_snapshot(repo_id, revision, weights, error)


def _cached_snapshot(repo_id: str, revision: str, weights: bool, cause: Exception) -> Path:
    """Return what the cache has: of all that a page holds, only the files that are read."""
    try:
        directory = snapshot_download(
            repo_id, revision=revision, allow_patterns=_SMALL_FILES, local_files_only=True
        )
        if weights:
            weight_files(Path(directory))  # another tool may have left a configuration alone
        return Path(directory)
    except (hf.LocalEntryNotFoundError, InputError):
        if getattr(cause, "errno", None) in DISK_TROUBLE:
            raise InputError(
                f"{repo_id} is not on this machine and cannot be kept ({cause}); set HF_HOME to a "
                "directory with room that can be written to."
            ) from cause
        raise InputError(
            f"{repo_id} is not on this machine and cannot be fetched ({_reason(cause)}): connect "
            "and try again, unset HF_HUB_OFFLINE, or give a local directory in its place."
        ) from cause


def _reason(cause: Exception) -> str:
    """Return in a few words why the hub gave nothing."""
    if isinstance(cause, hf.GatedRepoError):
        return "it is gated: accept its terms on its page and log in with `hf auth login`"
    if isinstance(cause, hf.HfHubHTTPError):
        return f"HTTP status {cause.response.status_code}"
    return re.split(r"\n|\. ", str(cause.__cause__ or cause))[0].rstrip(".")


def fetch_dump(url: str, sha256: str) -> Path:
    """Return the local file of ProteinBERT's official weights, downloading it if it is missing."""
    path = paths.CACHE / "proteinbert" / Path(urlparse(url).path).name
    fetch(url, path, sha256=sha256)
    return path
