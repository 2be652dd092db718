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
    above = Path(__file__).resolve().parents[2]
    return above if (above / "notebooks").is_dir() else Path.cwd()


ROOT = _find_root()
NOTEBOOKS = ROOT / "notebooks"
PROFILES = NOTEBOOKS / "profiles"
BOOK = ROOT / "book"
CHAPTERS = BOOK / "chapters"
DATA = ROOT / "data"
DEMO = DATA / "demo"
MINIS = DATA / "minis" / "checkpoints"
PUBLISHED = DATA / "published"
RECORDS = DATA / "runs"
CACHE = DATA / "cache"
SWISSPROT = CACHE / "uniprot" / "uniprot_sprot.fasta.gz"
RESULTS = ROOT / "results"
RUNS = ROOT / "runs"
SITE = ROOT / "_build" / "html"
EDITIONS = ROOT / "_build" / "student"
