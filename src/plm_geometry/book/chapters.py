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
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from plm_geometry.base import paths
from plm_geometry.base.compute import available_cores
from plm_geometry.base.errors import ComputationError, InputError
from plm_geometry.base.files import alone, naming, write_json
from plm_geometry.base.provenance import fingerprint, sha256_of
from plm_geometry.base.settings import EMBEDDING_PARAMETERS
from plm_geometry.book import student
from plm_geometry.book.notebooks import execute, write_html
from plm_geometry.book.parameters import (
    chapter_names,
    profile_names,
    read_notebook,
    read_parameters,
    resolve_parameters,
)
from plm_geometry.paper.summaries import summary_files

if TYPE_CHECKING:
    from plm_geometry.study import Study

_DATA = (paths.BACTERIUM, paths.MINIS, paths.ABLATION, paths.PUBLISHED)
_SOURCES = (Path(__file__).parents[1], *_DATA, paths.ROOT / "constraints.txt")
_PAGES = (paths.BOOK, paths.CHAPTERS, paths.NOTEBOOKS, paths.MINIS / "losses.csv")
_BOOK_SOURCES = (*_PAGES, paths.ROOT / "_config.yml", paths.ROOT / "_toc.yml")


class _Run:
    """A chapter with its parameters, where its result goes, and what that depends on."""

    def __init__(
        self,
        chapter: str,
        profile: str,
        overrides: Mapping[str, object] | None = None,
        out: Path | None = None,
    ):
        self.chapter = chapter
        self.parameters = resolve_parameters(chapter, profile, overrides)
        self.is_book = not overrides and out is None and profile in profile_names()
        if self.is_book:
            out = paths.RESULTS / profile / chapter
        self.out = out or paths.RUNS / f"{chapter}-{fingerprint(self.parameters)[:8]}"
        # For what libraries print; a failed run leaves it, too.
        self.log = self.out.with_name(f"{self.out.name}.run.log")
        self.mark = chapter_fingerprint(chapter, self.parameters)

    @property
    def is_done(self) -> bool:
        return _recorded(self.out / "summary.json") == self.mark

    def study(self) -> "Study | None":
        """Return the study that the chapter will make; some make none."""
        if "models" not in self.parameters:
            return None
        from plm_geometry.study import Study

        return Study.of(self.parameters)

    def execute(self) -> None:
        """Execute in a neighbour of `out`, which takes its place only when all is there."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        declared = read_parameters(self.chapter)
        # Only what differs from the notebook is injected, so that no page shows a cell twice.
        changed = {k: v for k, v in self.parameters.items() if v != declared[k].default}
        neighbour = tempfile.TemporaryDirectory(dir=self.out.parent, prefix=".", suffix=".part")
        with naming(self.out), neighbour as partial:
            fresh = Path(partial) / "fresh"
            fresh.mkdir()
            notebook = fresh / f"{self.chapter}.ipynb"
            execute(read_notebook(self.chapter), changed, notebook, Path(_short(self.log)))
            if not self.is_book:
                write_html(notebook)
            summary = json.loads((fresh / "summary.json").read_text())
            write_json(fresh / "summary.json", summary | {"fingerprint": self.mark})
            if self.out.exists():
                self.out.rename(Path(partial) / "stale")
            fresh.rename(self.out)

    def publish(self) -> None:
        """Put the executed chapter where the book reads it, if it is not there already."""
        notebook = self.out / f"{self.chapter}.ipynb"
        target = paths.CHAPTERS / notebook.name
        if not target.exists() or target.read_bytes() != notebook.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(notebook, target)


def run_chapter(
    chapter: str,
    profile: str = "offline",
    overrides: Mapping[str, object] | None = None,
    out: Path | None = None,
    *,
    embed_ahead: bool = True,
    tell: Callable[[str], None] = print,
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
        Embed the proteins before the notebook runs, with a forecast and a bar on the terminal,
        which a notebook's kernel does not have.
    tell : callable
        Takes the lines that say what happens.

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
    run = _Run(chapter, profile, overrides, out)
    with alone(run.out, tell):
        if run.is_done:
            tell(f"{chapter}: unchanged, {_short(run.out)}")
        else:
            _refuse_foreign(run.out)
            if study := run.study():
                study.refuse_lowered(overrides or ())
                if embed_ahead:
                    study.embed_all(tell)
            tell(f"{chapter}: running with profile {profile}")
            run.execute()
            tell(f"{chapter}: done, {_short(run.out)}")
        if run.is_book:
            run.publish()
    return run.out


def run_chapters(profile: str, *, tell: Callable[[str], None] = print) -> None:
    """Execute all chapters for the book, two at a time, readers of others' results last.

    All that run side by side are tried before the first error ends it.

    Raises
    ------
    InputError, ComputationError
        As `run_chapter`; either says in its last line which chapter, why, and where its log is.
    """
    # The last ones take longest: two at a time, they should end together.
    reads = {name: "summaries" in read_parameters(name) for name in reversed(chapter_names())}
    for run in _embedding_apart(_Run(name, profile) for name in reads):
        if study := run.study():
            study.embed_all(tell)
    # Threads suffice: each chapter executes in a process of its own.
    # Two share the cores; with more threads than cores, small products take ten times as long.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_cores() // 2)))
    with ThreadPoolExecutor(2) as pool:
        run = partial(_run_for_book, profile=profile, tell=tell)
        for late in (False, True):
            # The pool's end waits for all, also where one of them has failed.
            running = [pool.submit(run, name) for name in reads if reads[name] == late]
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
        log = _short(paths.RESULTS / profile / f"{chapter}.run.log")
        raise type(error)(f"{chapter}: {error} Its log is {log}.") from error


def _embedding_apart(runs: Iterable[_Run]) -> list[_Run]:
    """Return the runs that are to be executed, one of those that ask for the same embeddings."""
    asked = {
        fingerprint({name: run.parameters.get(name) for name in EMBEDDING_PARAMETERS}): run
        for run in runs
        if not run.is_done
    }
    return list(asked.values())


def build_book(profile: str = "offline", *, tell: Callable[[str], None] = print) -> Path:
    """Execute all chapters and build the HTML book, as far as anything has changed.

    Parameters
    ----------
    profile : str
        Whose parameters the chapters take.
    tell : callable
        Takes the lines that say what happens.

    Returns
    -------
    Path
        The page to open.

    Raises
    ------
    InputError, ComputationError
        As `run_chapter`, and if the pages cannot be built, for which a warning suffices.
    """
    if profile not in profile_names():
        raise InputError(
            f"The book shows one of the profiles {', '.join(profile_names())}; "
            "run single chapters with a file of your own."
        )
    run_chapters(profile, tell=tell)
    with alone(paths.SITE, tell):
        return _build_changed(tell)


def _build_changed(tell: Callable[[str], None]) -> Path:
    """Build the pages from what they are made of, as far as it has changed."""
    page = paths.SITE / "index.html"
    record = paths.SITE.parent / "book.json"
    address = os.environ.get("GITHUB_REPOSITORY", "")  # what links to the repository are made of
    sources = _digests((*_BOOK_SOURCES, Path(student.__file__)))
    mark = fingerprint({"sources": sources, "address": address})
    if _recorded(record) != mark or not page.exists():
        tell("book: building the pages")
        record.unlink(missing_ok=True)
        # What the lab page hands out: made anew like all else of the build.
        student.write_editions(paths.EDITIONS, keep_answers=False)
        _build_pages()
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
    if "swissprot" in texts:
        given.append(paths.SWISSPROT)
    if "summaries" in parameters:
        given += summary_files(parameters["profile"], parameters["summaries"])
    if "records" in parameters:
        given.append(paths.RECORDS)
    sources = [*_SOURCES, paths.NOTEBOOKS / f"{chapter}.md", *given]
    return fingerprint({"parameters": dict(parameters), "sources": _digests(sources)})


def _digests(sources: Iterable[Path]) -> list[list[str]]:
    """Return name and hash of files, and of all files in directories, as far as they exist."""
    return [
        [str(file.relative_to(source.parent)), sha256_of(file)]
        for source in sources
        for file in (sorted(source.rglob("*")) if source.is_dir() else [source])
        if file.is_file() and "__pycache__" not in file.parts
    ]


def _recorded(summary: Path) -> str | None:
    """Return the fingerprint a finished result carries, None where there is none."""
    return json.loads(summary.read_text()).get("fingerprint") if summary.exists() else None


def _refuse_foreign(out: Path) -> None:
    """Refuse to replace what no run has written."""
    is_free = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    if not is_free and _recorded(out / "summary.json") is None:
        raise InputError(f"{out} holds other things; name an empty or new directory for --out.")


def _build_pages() -> None:
    """Build all pages anew: numbers quoted across pages are not tracked by Sphinx."""
    start = "from jupyter_book.cli.main import main; main()"
    config, toc = paths.ROOT / "_config.yml", paths.ROOT / "_toc.yml"
    command = [sys.executable, "-c", start, "build", str(_gather_book()), "--all", "--quiet",
               "--config", str(config), "--toc", str(toc), "--path-output", str(paths.WORK),
               "-W", "-n", "--keep-going"]  # fmt: skip
    log = paths.SITE.parent / "book.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as said:
        done = subprocess.run(command, cwd=paths.ROOT, stdout=said, stderr=said, check=False)
    if done.returncode:
        text = log.read_text()
        faults = re.findall(r".*(?:WARNING|ERROR|Error): .*", text)
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
