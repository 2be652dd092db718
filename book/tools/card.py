"""The pictures of the README and of links in messages, made of the front figure of a run.

``python book/tools/card.py FIGURE.png`` (`make card`) writes ``book/_static/front.png``, which is
the figure, and ``social.png``, 1,200 by 630 pixels, the figure beside the book's title.
"""

import shutil
import sys
from pathlib import Path

import matplotlib.image
from matplotlib.figure import Figure

from plm_geometry.base import paths
from plm_geometry.figures import STYLE, style

FIGURE = paths.RESULTS / "offline/05_what_isotropy_buys/figures/more_dimensions.png"
_STATIC = paths.BOOK / "_static"
_SIZE, _DPI = (12, 6.3), 100
_TITLE = "Isotropy and\nGeometry of\nPretrained\nProtein Language\nModels"
_SAID = "A report you can run:\nreal proteins, controls,\nintervals"


def card(figure: Path) -> Figure:
    """Return the picture for messages: the title at the left, a figure at the right."""
    drawn = matplotlib.image.imread(figure)
    whole = Figure(figsize=_SIZE, dpi=_DPI, facecolor=STYLE["figure.facecolor"])
    wide = min(_SIZE[1] / _SIZE[0] * drawn.shape[1] / drawn.shape[0], 0.62)
    axes = whole.add_axes((1 - wide, 0, wide, 1), anchor="E")
    axes.imshow(drawn)
    axes.axis("off")
    whole.text(0.04, 0.9, _TITLE, size=27, weight="bold", va="top", color=style.INK)
    whole.text(0.04, 0.1, _SAID, size=18, va="bottom", color=style.GREY)
    return whole


def main() -> None:
    """Write both pictures."""
    figure = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURE
    if not figure.is_file():
        sys.exit(f"card: there is no {figure}; build the book first.")
    shutil.copyfile(figure, _STATIC / "front.png")
    card(figure).savefig(_STATIC / "social.png", dpi=_DPI)


if __name__ == "__main__":
    main()
