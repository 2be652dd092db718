"""What a link to a page shows in a message: its title, what the book is, and the front figure.

Services take the picture from an address alone. It is known where ``site_url`` (in _config.yml,
under sphinx: config) or GitHub's Pages name one; without it the picture's place in the book stands
there.
"""

import os
from collections.abc import Mapping
from html import escape

_PICTURE = "_static/social.png"
_SIZE = (1200, 630)
_ABOUT = (
    "Do protein language models use their embedding space, and does distance in it mean what "
    "sequence alignment says? Real proteins, controls, intervals."
)
_ALT = "Effective dimensions against retrieval of relatives: more dimensions is not more meaning."


def site_address(configured: str, environment: Mapping[str, str]) -> str:
    """Return where the book is published, with a slash at the end; empty where that is unknown."""
    owner, _, name = environment.get("GITHUB_REPOSITORY", "").partition("/")
    pages = f"https://{owner.lower()}.github.io/{name}" if name else ""
    address = (configured or pages).rstrip("/")
    return f"{address}/" if address else ""


def tags(page: str, title: str, address: str) -> str:
    """Return a page's tags.

    Parameters
    ----------
    page : str
        Sphinx's name of it.
    title : str
        Its title.
    address : str
        `site_address`.
    """
    place = address or "../" * page.count("/")
    width, height = _SIZE
    said = {
        "og:type": "article",
        "og:title": title,
        "og:description": _ABOUT,
        "og:image": f"{place}{_PICTURE}",
        "og:image:width": width,
        "og:image:height": height,
        "og:image:alt": _ALT,
    } | ({"og:url": f"{address}{page}.html"} if address else {})
    found = [
        f'<meta property="{name}" content="{escape(str(text))}">' for name, text in said.items()
    ]
    found.append('<meta name="twitter:card" content="summary_large_image">')
    return "\n".join(found)


def _put_tags(app, pagename, templatename, context, doctree) -> None:
    if doctree is None:  # the index and the search
        return
    address = site_address(app.config.site_url, os.environ)
    title = app.env.titles[pagename].astext()
    context["metatags"] = context.get("metatags", "") + "\n" + tags(pagename, title, address)


def setup(app) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.add_config_value("site_url", "", "html", [str])
    app.connect("html-page-context", _put_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
