"""Buttons that lead to what git tracks: download, launch, source and edit.

The theme builds such links from a page's own path. For a chapter that is an executed notebook in
``book/chapters``, which git ignores: on a chapter's page all buttons lead to its source,
``notebooks/NN_name.md``, and to the notebook beside it. The two downloads lie in the book itself
(``downloads/NN_name.ipynb`` as tracked, ``.py`` by jupytext), so they work from the file system.

All other buttons need the repository's address, which comes from one place: ``repository_url`` in
_config.yml (under sphinx: config) or, while that is empty, the environment that GitHub sets for a
workflow (GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REF_NAME). Without an address these buttons
are left out.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

_CHAPTER = re.compile(r"chapters/(?P<name>\d\d_\w+)")
_DOWNLOADS = "downloads"
_BINDER = "https://mybinder.org/v2"
_COLAB = "https://colab.research.google.com/github"
_PUBLIC = "https://github.com"
# After the theme has put its own buttons (priority 501).
_LAST = 900


@dataclass(frozen=True)
class Repository:
    """Where the book's sources can be had.

    Attributes
    ----------
    url : str
        Its page, without a slash at the end.
    branch : str
        The branch that the book was built from.
    """

    url: str
    branch: str

    @property
    def name(self) -> str:
        """Owner and name, as in ``owner/name``."""
        return urlsplit(self.url).path.strip("/")

    def page(self, view: str, path: str) -> str:
        """Return the address at which a tracked file is shown ("blob") or edited ("edit")."""
        return f"{self.url}/{view}/{quote(self.branch)}/{path}"

    def binder(self, path: str) -> str:
        """Return the address that opens a tracked notebook on Binder."""
        public = self.url.startswith(f"{_PUBLIC}/")
        where = f"gh/{self.name}" if public else f"git/{quote(self.url, safe='')}"
        return f"{_BINDER}/{where}/{quote(self.branch, safe='')}?urlpath=lab/tree/{path}"

    def colab(self, path: str) -> str | None:
        """Return the address that opens a tracked notebook in Colab, which reads GitHub only."""
        if not self.url.startswith(f"{_PUBLIC}/"):
            return None
        return f"{_COLAB}/{self.name}/blob/{quote(self.branch)}/{path}"


def find_repository(
    configured: str, branch: str, environment: Mapping[str, str]
) -> Repository | None:
    """Return the repository that _config.yml names, else the one whose workflow builds the book."""
    if configured:
        return Repository(configured.rstrip("/").removesuffix(".git"), branch)
    server, name = (environment.get(f"GITHUB_{key}", "") for key in ("SERVER_URL", "REPOSITORY"))
    if not (server and name):
        return None
    return Repository(f"{server}/{name}", environment.get("GITHUB_REF_NAME") or branch)


def chapter_name(page: str) -> str | None:
    """Return the notebook that a page was executed from, without suffix; None for other pages."""
    found = _CHAPTER.fullmatch(page)
    return found["name"] if found else None


def source_of(page: str) -> str:
    """Return the tracked file that one edits to change a page."""
    name = chapter_name(page)
    return f"notebooks/{name}.md" if name else f"book/{page}.md"


def downloads(page: str) -> dict[str, object]:
    """Return the button that hands out a chapter, as seen from its page."""
    name, top = chapter_name(page), "../" * page.count("/")
    offered = [
        _link(f"{top}{_DOWNLOADS}/{name}.ipynb", ".ipynb", "Download the notebook", "fas fa-book"),
        _link(f"{top}{_DOWNLOADS}/{name}.py", ".py", "Download as a script", "fas fa-file-code"),
        {"type": "javascript", "javascript": "window.print()", "text": "Print",
         "tooltip": "Print this page", "icon": "fas fa-print"},
    ]  # fmt: skip
    return _group("Download this chapter", "fas fa-download", "download-buttons", offered)


def launches(name: str, repository: Repository) -> dict[str, object]:
    """Return the button that opens a chapter's notebook elsewhere."""
    path = f"notebooks/{name}.ipynb"
    places = {"Binder": repository.binder(path), "Colab": repository.colab(path)}
    offered = [_link(url, place, f"Launch on {place}", "fas fa-play")
               for place, url in places.items() if url]  # fmt: skip
    return _group("Launch this chapter", "fas fa-rocket", "launch-buttons", offered)


def sources(page: str, repository: Repository) -> dict[str, object]:
    """Return the button that shows and edits a page's source."""
    path = source_of(page)
    offered = [
        _link(repository.url, "Repository", "Source repository", "fas fa-code-branch"),
        _link(f"{repository.page('blob', path)}?plain=1", "Show source", "Show source",
              "fas fa-code"),
        _link(repository.page("edit", path), "Suggest edit", "Suggest edit", "fas fa-pencil-alt"),
    ]  # fmt: skip
    return _group("Source of this page", "fas fa-code", "source-buttons", offered)


def buttons(
    page: str, repository: Repository | None, of_theme: Iterable[Mapping] = ()
) -> list[Mapping[str, object]]:
    """Return all buttons of a page that has a source.

    Parameters
    ----------
    page : str
        Sphinx's name of it.
    repository : Repository or None
        Where the sources are, if that is known.
    of_theme : iterable of mapping
        What the theme offers; a chapter's downloads take the place of the theme's own.
    """
    name = chapter_name(page)
    found = [button for button in of_theme if not (name and _is_download(button))]
    if name:
        found.insert(0, downloads(page))
    if name and repository:
        found.append(launches(name, repository))
    if repository:
        found.append(sources(page, repository))
    return found


def links(group: Mapping[str, object]) -> Iterator[str]:
    """Yield the addresses that a button's menu leads to."""
    yield from (entry["url"] for entry in group["buttons"] if entry["type"] == "link")


def _is_download(button: Mapping[str, object]) -> bool:
    return button.get("label") == "download-buttons"


def _link(url: str, text: str, tooltip: str, icon: str) -> dict[str, object]:
    return {"type": "link", "url": url, "text": text, "tooltip": tooltip, "icon": icon}


def _group(tooltip: str, icon: str, label: str, offered: list) -> dict[str, object]:
    return {"type": "group", "tooltip": tooltip, "icon": icon, "label": label, "buttons": offered}


def _put_buttons(app, pagename, templatename, context, doctree) -> None:
    if doctree is None:  # the index and the search have no source
        return
    config = app.config
    repository = find_repository(config.repository_url, config.repository_branch, os.environ)
    context["header_buttons"] = buttons(pagename, repository, context["header_buttons"])


def _write_downloads(app, exception) -> None:
    """Put each chapter's notebook, as tracked, and its script beside the pages."""
    if exception or app.builder.format != "html":
        return
    import jupytext

    notebooks = Path(app.srcdir).parent / "notebooks"
    target = Path(app.outdir) / _DOWNLOADS
    target.mkdir(exist_ok=True)
    for name in filter(None, map(chapter_name, app.env.found_docs)):
        shutil.copyfile(notebooks / f"{name}.ipynb", target / f"{name}.ipynb")
        notebook = jupytext.read(notebooks / f"{name}.md")
        jupytext.write(notebook, target / f"{name}.py", fmt="py:percent")


def setup(app) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.add_config_value("repository_url", "", "html", [str])
    app.add_config_value("repository_branch", "main", "html", [str])
    app.connect("html-page-context", _put_buttons, priority=_LAST)
    app.connect("build-finished", _write_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
