"""Executing one notebook in this very interpreter, and showing it as a single HTML file."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from traitlets import default

from plm_geometry.errors import DISK_TROUBLE, ComputationError, InputError, NothingLeftError

# Before the type of a number that is kept for the book's pages, and shows nothing itself.
_KEPT = "application/papermill.record/"
ENDED = "{}: its process was ended, for want of memory perhaps."
_INPUT_ERRORS = {kind.__name__: kind for kind in (InputError, NothingLeftError)}


class ThisPython(AsyncKernelManager):
    """Start ``python3`` with the interpreter that runs now, reachable from this machine only."""

    @default("kernel_spec_manager")
    def _only_ipykernel(self) -> KernelSpecManager:
        # With no directories to look in, jupyter_client falls back on ipykernel's own spec.
        return KernelSpecManager(parent=self, kernel_dirs=[])

    @default("transport")
    def _sockets_in_files(self) -> str:
        # Over TCP any user of the machine could listen, and jupyter_client warns of it.
        return "ipc"

    @default("ip")
    def _sockets_of_its_own(self) -> str:
        # The default is one name in the working directory, which kernels side by side would share.
        return str(Path(tempfile.gettempdir()) / f"plm-geometry-{uuid4().hex}")


def execute(notebook: NotebookNode, parameters: Mapping[str, object], path: Path) -> None:
    """Execute a notebook with this interpreter and leave it at `path`.

    What it writes with `report.Report` goes to the same directory, which it finds in this
    process's environment: notebooks that run at once need a process each.

    Parameters
    ----------
    notebook : NotebookNode
        A chapter without outputs.
    parameters : mapping
        Values that differ from its parameters cell.
    path : Path
        Where the executed notebook goes.

    Raises
    ------
    InputError
        If the chapter raises one: the same sentence, without a traceback.
    OSError
        If a cell has no room or no right to write.
    ComputationError
        If a cell fails otherwise.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    from plm_geometry.report import OUT_VARIABLE

    os.environ[OUT_VARIABLE] = str(path.parent)
    # tqdm, imported by transformers, warns that a notebook could have prettier progress bars.
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"
    try:
        papermill.execute_notebook(
            notebook,
            path,
            parameters,
            progress_bar=False,
            kernel_manager_class=ThisPython,
            # A kernel that is told to end says so as an error.
            extra_arguments=["--log-level=50"],
        )
    except papermill.PapermillExecutionError as error:
        if error.ename in _INPUT_ERRORS:
            raise _INPUT_ERRORS[error.ename](error.evalue) from None
        if refused := _system_error(error.evalue):
            raise refused from None
        raise ComputationError(f"{path.stem}, cell {error.exec_count}, failed.{error}") from None
    except DeadKernelError as error:
        raise ComputationError(ENDED.format(path.stem)) from error


def _system_error(text: str) -> OSError | None:
    """Return what a cell's ``[Errno 28] No space left on device: 'path'`` says of the disk."""
    said = re.match(r"\[Errno (\d+)\] ([^:]+)(?:: '(.*)')?", text)
    if said is None or int(said[1]) not in DISK_TROUBLE:
        return None
    return OSError(int(said[1]), said[2], said[3])


def write_html(notebook: Path) -> None:
    """Write an executed notebook as one HTML file beside it, which needs no network.

    Exercises and solutions are left out: their markup is the book's.
    """
    import nbformat
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    remove = {
        "enabled": True,
        "remove_cell_tags": {"exercise", "solution", "remove-cell"},
        "remove_input_tags": {"hide-input"},
    }
    # nbconvert's defaults fetch these from elsewhere.
    offline = {"mathjax_url": "", "require_js_url": "", "jquery_url": ""}
    config = Config(TagRemovePreprocessor=remove, HTMLExporter=offline)
    shown = nbformat.read(notebook, as_version=4)
    for cell in shown.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output
                for output in cell.outputs
                if not any(kind.startswith(_KEPT) for kind in output.get("data", {}))
            ]
    body, _ = HTMLExporter(config=config).from_notebook_node(shown)
    notebook.with_suffix(".html").write_text(body)
