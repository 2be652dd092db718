"""Executing one notebook with this Python, and showing it as a single HTML file."""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from traitlets import default

from plm_geometry.base.errors import DISK_TROUBLE, ComputationError, InputError, NothingLeftError

# Before the type of what myst_nb's glue keeps.
_KEPT = "application/papermill.record/"
_WIDGET = "application/vnd.jupyter.widget-view+json"
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


def execute(
    notebook: NotebookNode, parameters: Mapping[str, object], path: Path, log: Path
) -> None:
    """Execute a notebook in a process of its own with this interpreter, and leave it at `path`.

    What it writes with `report.Report` goes to the same directory.

    Parameters
    ----------
    notebook : NotebookNode
        A chapter without outputs.
    parameters : mapping
        Values that differ from its parameters cell.
    path : Path
        Where the executed notebook goes.
    log : Path
        What takes all that is printed meanwhile, and the traceback of a cell that fails. A chapter
        displays what it shows; what is printed is a library's words, and comes on no page.

    Raises
    ------
    InputError
        If the chapter raises one: the same sentence, without a traceback.
    OSError
        If a cell has no room or no right to write.
    ComputationError
        If a cell fails otherwise, or the process dies; the last line says why, and names the log.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            pool.submit(_execute_here, notebook, parameters, path, log).result()
        except ComputationError as error:
            said, _, why = str(error).rpartition("\n")
        except RuntimeError as error:  # either the kernel has died, or this process that runs it
            said, why = "", f"its process was ended, perhaps for lack of memory ({error})"
        else:
            return
    raise ComputationError(f"{said}\n{path.stem}: {why}; its log is {log}.".lstrip())


def _execute_here(
    notebook: NotebookNode, parameters: Mapping[str, object], path: Path, log: Path
) -> None:
    """Execute a notebook whose kernel is told by this process's environment where to write."""
    import papermill

    from plm_geometry.book.report import OUT_VARIABLE

    # Checkpoints were fetched before: a chapter asks no hub.
    os.environ |= {OUT_VARIABLE: str(path.parent), "HF_HUB_OFFLINE": "1"}
    with log.open("w") as printed:
        try:
            executed = papermill.execute_notebook(
                notebook,
                path,
                parameters,
                progress_bar=False,
                stdout_file=printed,
                stderr_file=printed,
                kernel_manager_class=ThisPython,
                # A kernel that is told to end says so as an error.
                extra_arguments=["--log-level=50"],
            )
        except papermill.PapermillExecutionError as error:
            printed.write(str(error))
            if error.ename in _INPUT_ERRORS:
                raise _INPUT_ERRORS[error.ename](error.evalue) from None
            if refused := _system_error(error.evalue):
                raise refused from None
            why = f"{error.ename}: {error.evalue}".strip().split("\n")[0]
            raise ComputationError(f"{error}cell {error.exec_count} failed ({why})") from None
    _drop_outputs(executed, _is_printed)
    executed.metadata.pop("papermill", None)  # which names absolute paths
    nbformat.write(executed, path)


def _system_error(text: str) -> OSError | None:
    """Return what a cell's ``[Errno 28] No space left on device: 'path'`` says of the disk."""
    said = re.match(r"\[Errno (\d+)\] ([^:]+)(?:: '(.*)')?", text)
    if said is None or int(said[1]) not in DISK_TROUBLE:
        return None
    return OSError(int(said[1]), said[2], said[3])


def _drop_outputs(notebook: NotebookNode, is_dropped: Callable[[NotebookNode], bool]) -> None:
    """Remove those outputs of a notebook's cells."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_dropped(output)]


def _is_printed(output: NotebookNode) -> bool:
    """Tell what was printed, and progress bars drawn as widgets, from what was displayed."""
    return output.output_type == "stream" or _WIDGET in output.get("data", {})


def _is_only_kept(output: NotebookNode) -> bool:
    """Tell a number kept for the book's pages, which shows nothing itself."""
    return any(kind.startswith(_KEPT) for kind in output.get("data", {}))


def write_html(notebook: Path) -> None:
    """Write an executed notebook as one HTML file beside it, which needs no network.

    Exercises and solutions are left out: their markup is the book's.
    """
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
    _drop_outputs(shown, _is_only_kept)
    body, _ = HTMLExporter(config=config).from_notebook_node(shown)
    notebook.with_suffix(".html").write_text(body)
