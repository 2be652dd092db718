"""Put Plotly's script beside the pages once; `_static/interactive.js` loads it where needed."""

import shutil
from importlib.util import find_spec
from pathlib import Path


def _copy(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    package = Path(find_spec("plotly").origin).parent
    target = Path(app.outdir) / "_static" / "plotly.min.js"
    shutil.copyfile(package / "package_data" / target.name, target)


def setup(app) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
