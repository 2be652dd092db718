"""The verb `remedy`: a file of embeddings to another, less anisotropic one."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option, echo

from plm_geometry.base.errors import InputError
from plm_geometry.base.files import alone
from plm_geometry.cli.options import is_made, open_vectors
from plm_geometry.cli.terminal import say

if TYPE_CHECKING:
    import numpy as np

    from plm_geometry.embedding.files import EmbeddingFile

# Numbers that are transformed at a time.
_BLOCK_ELEMENTS = 2**24
_FILE = "Embeddings, one vector per protein, in any format that `isotropy` reads."
_METHOD = (
    "centring, standardising, without-rogues, all-but-top, whitening or components: see above."
)
_NUMBER = (
    "Components taken away (all-but-top: 3) or kept (whitening: all; components: 50); coordinates "
    "dropped (without-rogues: 1)."
)
_FIT = (
    "Embeddings by the same model that the remedy is fitted on [default: FILE itself]; of other "
    "families, if it is to be judged."
)


def remedy(
    file: Annotated[Path, Argument(help=_FILE)],
    method: Annotated[str, Option(help=_METHOD)],
    out: Annotated[Path, Option(help="HDF5 file to write, in UniProt's layout, float32.")],
    components: Annotated[int | None, Option(min=1, help=_NUMBER)] = None,
    fit: Annotated[Path | None, Option(help=_FIT)] = None,
) -> None:
    """Apply a remedy for anisotropy to a file of embeddings.

    centring subtracts the mean vector; standardising also divides each coordinate by its standard
    deviation. without-rogues drops the coordinates that hold most of the squared mean vector.
    all-but-top subtracts the mean vector and the leading principal components. whitening keeps the
    leading components, each scaled to variance 1; components keeps them with their own variances.
    None is a gain by itself: chapter 05 measures what each does to the retrieval of homologues.

    Example: plm-geometry remedy my.h5 --method all-but-top --components 3 --fit other.h5 --out
    new.h5
    """
    from plm_geometry.base.provenance import fingerprint, source_digest
    from plm_geometry.embedding.formats import HDF5_SUFFIXES
    from plm_geometry.embedding.store import write_uniprot_h5
    from plm_geometry.isotropy import remedies

    wanted = remedies.named(method, components)
    given = open_vectors(file)
    fitted_on = given if fit is None else open_vectors(fit)
    if out.suffix not in HDF5_SUFFIXES:
        raise InputError(f"{out} is written as HDF5; give it the ending {HDF5_SUFFIXES[0]}.")
    what = {"method": method, **wanted.get_params()}
    digests = [one.identity["weights"] for one in (given, fitted_on)]
    mark = fingerprint({"files": digests, "code": source_digest(remedies), **what})
    with alone(out, say):
        if is_made(out, mark):
            say(f"{out} is there already, of the same files and method")
        else:
            wanted.fit(fitted_on.vectors(fitted_on.accessions))
            number = "".join(f" {value}" for value in wanted.get_params().values() if value)
            about = {"model_name": f"{given.title}, {method}{number}", "fingerprint": mark}
            write_uniprot_h5(out, given.accessions, _transformed(wanted, given), **about)
    echo(out)


def _transformed(fitted: object, file: "EmbeddingFile") -> Iterator["np.ndarray"]:
    """Yield what a remedy makes of each vector, in blocks so that no second copy is held."""
    vectors = file.vectors(file.accessions)
    rows = max(1, _BLOCK_ELEMENTS // file.width)
    for start in range(0, len(vectors), rows):
        yield from fitted.transform(vectors[start : start + rows]).astype("float32")
