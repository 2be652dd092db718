"""Downloads over HTTP: resumed where they broke, verified, recorded."""

import json
from collections.abc import Mapping
from pathlib import Path

import requests
from tqdm import tqdm

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import write_json
from plm_geometry.base.provenance import sha256_of

_BLOCK = 1 << 20


def fetch(url: str, path: Path, *, sha256: str | None = None) -> Mapping[str, str]:
    """Download `url` to `path`, taking up a download that was cut before.

    Parameters
    ----------
    url : str
        HTTP or HTTPS address.
    path : Path
        Where the file goes; until it is whole and verified it is called ``<name>.part``.
    sha256 : str, optional
        What the file must hash to. Without it, what it does hash to is recorded only.

    Returns
    -------
    mapping
        The record, also written beside the file as ``<name>.json``.

    Raises
    ------
    InputError
        If there is no network, the server refuses, or the checksum differs.
    """
    record_path = path.with_name(f"{path.name}.json")
    if path.exists() and record_path.exists():
        record = json.loads(record_path.read_text())
        if record["url"] == url:
            if sha256 is not None:
                _verify(sha256_of(path), sha256, path)
            return record
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    try:
        date = _transfer(url, partial)
    except requests.RequestException as error:
        raise InputError(_network_sentence(url, partial, error)) from error
    digest, size = sha256_of(partial), partial.stat().st_size
    record = {"url": url, "sha256": digest, "bytes": size, "date": date}
    try:
        _verify(digest, sha256, partial)
    except InputError:
        _forget(partial)
        raise
    partial.replace(path)
    _forget(partial)
    write_json(record_path, record)
    return record


def _transfer(url: str, partial: Path) -> str:
    """Append what is missing to `partial`; return the server's date of the file."""
    have, headers = _resumption(url, partial)
    with requests.get(url, headers=headers, stream=True, timeout=60) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return ""  # all of it is here already; the checksum has the last word
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        version = response.headers.get("ETag") or response.headers.get("Last-Modified", "")
        write_json(_version_path(partial), {"url": url, "version": version})
        _save(response, partial, have if resumed else 0)
        return response.headers.get("Last-Modified", "")


def _resumption(url: str, partial: Path) -> tuple[int, dict[str, str]]:
    """Return how many bytes can be kept, and the headers that ask for the others.

    ``If-Range`` makes the server send the whole file if it has changed since: without it the
    end of a new release would be put behind the beginning of the old one.
    """
    about = _version_path(partial)
    known = json.loads(about.read_text()) if about.exists() and partial.exists() else {}
    if known.get("url") != url or not known["version"]:
        return 0, {}
    have = partial.stat().st_size
    return have, {"Range": f"bytes={have}-", "If-Range": known["version"]} if have else {}


def _save(response: requests.Response, partial: Path, have: int) -> None:
    """Write the body behind the first `have` bytes of `partial`."""
    total = have + int(response.headers.get("Content-Length", 0))
    shown = {"total": total or None, "initial": have, "desc": partial.stem, "disable": None}
    with (
        partial.open("ab" if have else "wb") as file,
        tqdm.wrapattr(file, "write", **shown) as counted,
    ):
        for block in response.iter_content(_BLOCK):
            counted.write(block)


def _version_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _forget(partial: Path) -> None:
    """Remove a partial download and what is known of it."""
    partial.unlink(missing_ok=True)
    _version_path(partial).unlink(missing_ok=True)


def _network_sentence(url: str, partial: Path, error: requests.RequestException) -> str:
    if error.response is not None:
        return f"{url} answers {error.response.status_code} {error.response.reason}; check the URL."
    kept = f" ({partial} is kept)" if partial.exists() else ""
    return f"{url} cannot be reached or broke off; run the command again to go on{kept}."


def _verify(found: str, expected: str | None, path: Path) -> None:
    """Refuse a file whose checksum is not the expected one."""
    if expected is not None and found != expected.lower():
        raise InputError(
            f"{path.name.removesuffix('.part')} has sha256 {found}, not {expected}: it is corrupt "
            "or another release; download it again or correct the checksum."
        )
