"""Emit no script of Thebe, which the book does not use.

jupyter-book 1.0 loads sphinx_thebe in any case, and its configuration ends up on each page
twice: declaring the same constant again is an error in the browser's console.
"""


def _without_thebe(app, pagename, templatename, context, doctree) -> None:
    scripts = context.get("script_files", [])
    context["script_files"] = [s for s in scripts if "thebe" not in _text(s)]


def _text(script) -> str:
    """Return a script's address or, where it is inline, its code."""
    return f"{script} {getattr(script, 'attributes', {}).get('body', '')}".lower()


def setup(app) -> dict[str, bool]:
    """Connect after every extension that adds scripts to a page."""
    app.connect("html-page-context", _without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
