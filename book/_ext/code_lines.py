"""Make each line of code an element: one that breaks goes on indented (_static/report.css)."""

from collections.abc import Iterable, Iterator

from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge


class LineByLine(HtmlFormatter):
    """Pygments' formatter, with each line in a ``<span class="line">``."""

    def wrap(self, source: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """Put the lines into elements, and all of them where Pygments puts lines."""
        return super().wrap((is_code, _as_element(text) if is_code else text)
                            for is_code, text in source)  # fmt: skip


def _as_element(line: str) -> str:
    """Return a line, which ends with a break, as an element; the break stays outside."""
    return f'<span class="line">{line[:-1]}</span>\n'


def setup(app) -> dict[str, bool]:
    """Name the formatter to Sphinx."""
    PygmentsBridge.html_formatter = LineByLine
    return {"parallel_read_safe": True, "parallel_write_safe": True}
