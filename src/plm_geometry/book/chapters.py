"""Run chapters and build the book: a profile's parameters in, executed notebooks and pages out.

What has not changed is not computed again: every result carries the fingerprint of all it
depends on, and a result takes its place only when it is whole.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from plm_geometry.base import paths

from plm_geometry.book import student
from plm_geometry.base.compute import available_cores
from plm_geometry.base.errors import ComputationError, InputError
from plm_geometry.base.files import alone, naming, write_json
from plm_geometry.book.notebooks import execute, write_html
from plm_geometry.book.parameters import (
    chapter_names,
    profile_names,
    read_notebook,
    read_parameters,
    resolve_parameters,
)
from plm_geometry.base.provenance import sha256_of
from plm_geometry.base.provenance import fingerprint
from plm_geometry.paper.summaries import summary_files

if TYPE_CHECKING:
    from plm_geometry.study import Study

_DATA = (paths.BACTERIUM, paths.MINIS, paths.PUBLISHED)
_SOURCES = (Path(__file__).parents[1], *_DATA, paths.ROOT / "constraints.txt")
_PAGES = (paths.BOOK, paths.CHAPTERS, paths.NOTEBOOKS, paths.MINIS / "losses.csv")
_BOOK_SOURCES = (*_PAGES, paths.ROOT / "_config.yml", paths.ROOT / "_toc.yml")
_tell = partial(typer.echo, err=True)


def run_chapter(
    chapter: str,
    profile: str = "offline",
    overrides: Mapping[str, object] | None = None,
    out: Path | None = None,
    *,
    embed_ahead: bool = True,
    tell: Callable[[str], None] = _tell,
) -> Path:
    """Execute one chapter, unless its result is there already.

    Parameters
    ----------
    chapter : str
        Its name.
    profile : str
        A profile's name, or the path of a YAML file with parameters of one's own.
    overrides : mapping, optional
        Parameters that go before the profile's.
    out : Path, optional
        Where the result goes. Without it and without overrides: ``results/<profile>/<chapter>``
        and the book; with overrides: ``runs/<chapter>-<hash of the parameters>``.
    embed_ahead : bool
        Whether to embed the proteins before the notebook runs, with a forecast and a bar on
        the terminal, which a notebook's kernel does not have.
    tell : callable
        What takes the lines that say what happens.

    Returns
    -------
    Path
        The directory with the executed notebook, ``tables``, ``figures`` and ``summary.json``
        (outside the book also the notebook as HTML).

    Raises
    ------
    InputError
        If what was given cannot be used, also where only the chapter finds out.
    ComputationError
        If a cell fails; what earlier runs left stays as it is.
    """
    parameters = resolve_parameters(chapter, profile, overrides)
    is_book = not overrides and out is None and profile in profile_names()
    if out is None:
        named = f"{chapter}-{fingerprint(parameters)[:8]}"
        out = paths.RESULTS / profile / chapter if is_book else paths.RUNS / named
    mark = chapter_fingerprint(chapter, parameters)
    with alone(out, tell):
        if _recorded(out / "summary.json") == mark:
            tell(f"{chapter}: unchanged, {_short(out)}")
        else:
            _refuse_foreign(out)
            if study := _study(parameters):
                study.check(chapter, overrides or ())
                if embed_ahead:
                    study.embed_all(tell)
            tell(f"{chapter}: running with profile {profile}")
            _run_into(out, chapter, parameters, mark, as_html=not is_book)
            tell(f"{chapter}: done, {_short(out)}")
        if is_book:
            _publish(out / f"{chapter}.ipynb")
    return out


def run_chapters(
    profile: str,
    chapters: Iterable[str] | None = None,
    *,
    tell: Callable[[str], None] = _tell,
) -> None:
    """Execute chapters for the book, two at a time, those about other chapters' results last.

    All that run side by side are tried before the first error ends it.

    Raises
    ------
    InputError, ComputationError
        As `run_chapter`; either says in its last line which chapter, why, and where its log is.
    """
    names = list(chapters or chapter_names())
    for parameters in _embedded_apart(_of_changed_chapters(names, profile)):
        if study := _study(parameters):
            study.embed_all(tell)
    # Threads suffice: each chapter executes in a process of its own.
    # Two share the cores; with more threads than cores, small products take ten times as long.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_cores() // 2)))
    with ThreadPoolExecutor(2) as pool:
        run = partial(_run_for_book, profile=profile, tell=tell)
        for wave in _waves(names):
            # The pool's end waits for all, also where one of them has failed.
            running = [pool.submit(run, name) for name in wave]
            try:
                for done in running:
                    done.result()
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                raise


def _run_for_book(chapter: str, profile: str, tell: Callable[[str], None]) -> None:
    """Execute a chapter; where what it was given is wrong, say which chapter that was."""
    try:
        run_chapter(chapter, profile, embed_ahead=False, tell=tell)
    except InputError as error:
        log = _log_of(paths.RESULTS / profile / chapter)
        raise type(error)(f"{chapter}: {error} Its log is {log}.") from error


def _waves(names: Iterable[str]) -> list[list[str]]:
    """Return the chapters in the order in which they can run: readers of ``summaries`` last.

    Within a wave the last go first: they take longest, and two at a time should end together.
    """
    reads = {name: "summaries" in read_parameters(name) for name in names}
    return [[name for name in reversed(reads) if reads[name] == late] for late in (False, True)]


def _of_changed_chapters(names: Iterable[str], profile: str) -> Iterator[dict[str, object]]:
    """Yield the parameters of the chapters that will be executed."""
    for name in names:
        parameters = resolve_parameters(name, profile)
        summary = paths.RESULTS / profile / name / "summary.json"
        if _recorded(summary) != chapter_fingerprint(name, parameters):
            yield parameters


def _embedded_apart(every: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """Leave out parameters that ask for the same embeddings as others before them."""
    from plm_geometry.base.settings import EMBEDDING_PARAMETERS

    apart = {
        fingerprint({name: parameters.get(name) for name in EMBEDDING_PARAMETERS}): parameters
        for parameters in every
    }
    return list(apart.values())


def _study(parameters: Mapping[str, object]) -> "Study | None":
    """Return the study that a chapter with these parameters will make; some make none."""
    if "models" not in parameters:
        return None
    from plm_geometry.base.settings import Settings
    from plm_geometry.study import Study

    return Study(**{k: value for k, value in parameters.items() if k in Settings.model_fields})


def build_book(
    profile: str = "offline", *, strict: bool = True, tell: Callable[[str], None] = _tell
) -> Path:
    """Execute all chapters and build the HTML book, as far as anything has changed.

    Parameters
    ----------
    profile : str
        Whose parameters the chapters take.
    strict : bool
        Whether a warning of the build is an error.
    tell : callable
        What takes the lines that say what happens.

    Returns
    -------
    Path
        The page to open.

    Raises
    ------
    InputError, ComputationError
        As `run_chapter`, and if the pages cannot be built.
    """
    if profile not in profile_names():
        raise InputError(
            f"The book shows one of the profiles {', '.join(profile_names())}; "
            "run single chapters with a file of your own."
        )
    run_chapters(profile, tell=tell)
    with alone(paths.SITE, tell):
        return _build_changed(strict, tell)


def _build_changed(strict: bool, tell: Callable[[str], None]) -> Path:
    """Build the pages from what they are made of, as far as it has changed."""
    page = paths.SITE / "index.html"
    record = paths.SITE.parent / "book.json"
    address = os.environ.get("GITHUB_REPOSITORY", "")  # what links to the repository are made of
    content = {
        "sources": _digest((*_BOOK_SOURCES, Path(student.__file__))),
        "strict": strict,
        "address": address,
    }
    mark = fingerprint(content)
    if _recorded(record) != mark or not page.exists():
        tell("book: building the pages")
        record.unlink(missing_ok=True)
        # What the lab page hands out: made anew like all else of the build.
        student.write_editions(paths.EDITIONS, keep_answers=False)
        _build_pages(strict)
        write_json(record, {"fingerprint": mark})
    return page


def chapter_fingerprint(chapter: str, parameters: Mapping[str, object]) -> str:
    """Return the hash of all that a chapter's result depends on.

    That is its text and parameters, the package, the data that come with it, the pinned
    packages, every file or directory that a parameter names, and what it reads of other runs:
    summaries where it has a parameter of that name, and records likewise.
    """
    texts = [item for value in parameters.values()
             for item in (value if isinstance(value, list) else [value])]  # fmt: skip
    given = [Path(text).expanduser() for text in texts if isinstance(text, str) and text]
    notebook = paths.NOTEBOOKS / f"{chapter}.md"
    if "swissprot" in texts:
        given.append(paths.SWISSPROT)
    if "summaries" in parameters:
        given += summary_files(parameters["profile"], parameters["summaries"])
    if "records" in parameters:
        given.append(paths.RECORDS)
    sources = [*_SOURCES, notebook, *(path for path in given if path.exists())]
    return fingerprint({"parameters": dict(parameters), "sources": _digest(sources)})


def _digest(sources: Iterable[Path]) -> str:
    """Return the hash of files, and of all files in directories, by name and content."""
    digest = sha256()
    for source in sources:
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        for path in files:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(source.parent)).encode())
                digest.update(bytes.fromhex(sha256_of(path)))
    return digest.hexdigest()


def _recorded(summary: Path) -> str | None:
    """Return the fingerprint a finished result carries, None where there is none."""
    return json.loads(summary.read_text()).get("fingerprint") if summary.exists() else None


def _refuse_foreign(out: Path) -> None:
    """Refuse to replace what no run has written."""
    is_free = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    if not is_free and _recorded(out / "summary.json") is None:
        raise InputError(f"{out} holds other things; name an empty or new directory for --out.")


def _run_into(
    out: Path, chapter: str, parameters: Mapping[str, object], mark: str, *, as_html: bool
) -> None:
    """Execute in a neighbour of `out`, which takes its place only when everything is there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    declared = read_parameters(chapter)
    # Only what differs from the notebook is injected, so that no page shows the same cell twice.
    changed = {k: v for k, v in parameters.items() if v != declared[k].default}
    neighbour = tempfile.TemporaryDirectory(dir=out.parent, prefix=".", suffix=".part")
    with naming(out), neighbour as partial:
        fresh = Path(partial) / "fresh"
        fresh.mkdir()
        notebook = fresh / f"{chapter}.ipynb"
        execute(read_notebook(chapter), changed, notebook, _log_of(out))
        if as_html:
            write_html(notebook)
        summary = json.loads((fresh / "summary.json").read_text())
        write_json(fresh / "summary.json", summary | {"fingerprint": mark})
        if out.exists():
            out.rename(Path(partial) / "stale")
        fresh.rename(out)


def _log_of(out: Path) -> Path:
    """Return the file beside a result for what libraries print, which a failed run leaves, too."""
    return Path(_short(out.with_name(f"{out.name}.run.log")))


def _publish(notebook: Path) -> None:
    """Put an executed chapter where the book reads it, if it is not there already."""
    target = paths.CHAPTERS / notebook.name
    if not target.exists() or target.read_bytes() != notebook.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook, target)


def _build_pages(strict: bool) -> None:
    """Build all pages anew: numbers quoted across pages are not tracked by Sphinx."""
    start = "from jupyter_book.cli.main import main; main()"
    config, toc = paths.ROOT / "_config.yml", paths.ROOT / "_toc.yml"
    command = [sys.executable, "-c", start, "build", str(_gather_book()), "--all", "--quiet",
               "--config", str(config), "--toc", str(toc),
               "--path-output", str(paths.WORK)]  # fmt: skip
    command += ["-W", "-n", "--keep-going"] if strict else []
    log = paths.SITE.parent / "book.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as said:
        done = subprocess.run(command, cwd=paths.ROOT, stdout=said, stderr=said, check=False)
    if done.returncode:
        text = log.read_text()
        faults = [line for line in text.splitlines() if re.search(r"(WARNING|ERROR|Error): ", line)]
        first = f"{len(faults)} faults, the first {faults[0]}" if faults else "no fault is named"
        raise ComputationError(
            f"{text}\nThe pages could not be built ({first}); the log is {_short(log)}."
        )


def _gather_book() -> Path:
    """Return the directory with all pages: a link to each, where the checkout is not written to."""
    for source in (*paths.BOOK.iterdir(), paths.NOTEBOOKS, paths.ROOT / "CITATION.cff"):
        link = paths.WORK / source.relative_to(paths.ROOT)
        if link != paths.CHAPTERS and link.resolve() != source.resolve():
            link.unlink(missing_ok=True)
            link.symlink_to(source)
    return paths.CHAPTERS.parent


def _short(path: Path) -> str:
    """Return a path as seen from the working directory, if it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
