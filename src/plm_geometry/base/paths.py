"""Where everything lies: the one module that knows absolute paths."""

import os
from pathlib import Path


def _find_root() -> Path:
    """Return the checkout: ``PLM_GEOMETRY_ROOT``, else above this file, else the working directory.

    An editable install lies inside the checkout; an ordinary one does not, and then
    the report's data are looked for where the command was called.
    """
    if named := os.environ.get("PLM_GEOMETRY_ROOT"):
        return Path(named).resolve()
    above = Path(__file__).resolve().parents[3]
    return above if (above / "notebooks").is_dir() else Path.cwd()


def _find_work(root: Path) -> Path:
    """Return where all goes that is made: ``PLM_GEOMETRY_WORK``, else the checkout, if writable."""
    if named := os.environ.get("PLM_GEOMETRY_WORK"):
        return Path(named).resolve()
    if os.access(root, os.W_OK):
        return root
    # Where nobody knows the user's home, Path.expanduser would raise.
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(caches) / "plm-geometry"


def _find_swissprot(root: Path, work: Path) -> Path:
    """Return where Swiss-Prot is or will be: in the checkout, if it was fetched there before."""
    places = [base / "data/cache/uniprot/uniprot_sprot.fasta.gz" for base in (root, work)]
    return places[0] if places[0].exists() else places[1]


ROOT = _find_root()
WORK = _find_work(ROOT)
NOTEBOOKS = ROOT / "notebooks"
PROFILES = NOTEBOOKS / "profiles"
BOOK = ROOT / "book"
CHAPTERS = WORK / "book" / "chapters"
DATA = ROOT / "data"
BACTERIUM = DATA / "bacterium"
MINIS = DATA / "minis" / "checkpoints"
ABLATION = DATA / "minis" / "ablation"
PUBLISHED = DATA / "published"
RECORDS = DATA / "runs"
CACHE = WORK / "data" / "cache"
SWISSPROT = _find_swissprot(ROOT, WORK)
RESULTS = WORK / "results"
RUNS = WORK / "runs"
SITE = WORK / "_build" / "html"
EDITIONS = WORK / "_build" / "student"
