"""Parasail's score kernels over many pairs in one compiled loop, outside the interpreter lock.

Called from Python pair by pair, threads spend a good part of their time on handing the lock over.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock

import numpy as np
import parasail

from plm_geometry.pairs.sides import lengths

# Addresses are numbers here: compiled code can add to them.
_ADDRESS = ctypes.c_size_t
# Protein, its residues, another, its residues, gap opening, gap extension, matrix.
_KERNEL = (_ADDRESS, ctypes.c_int, _ADDRESS, ctypes.c_int, ctypes.c_int, ctypes.c_int, _ADDRESS)
_compiling = Lock()


def scores(
    name: str,
    first: Sequence[bytes],
    second: Sequence[bytes],
    gap_open: np.ndarray,
    gap_extend: np.ndarray,
    matrices: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best score of each pair, and where the kernel's integers were too small for it.

    Parameters
    ----------
    name : str
        Of a kernel, such as ``"nw_scan_32"``.
    first, second : sequence of bytes, n_pairs each
        The proteins of each pair.
    gap_open, gap_extend : numpy.ndarray of int64, shape ``(n_pairs,)``
        Penalties of each pair; the first residue of a gap costs `gap_open`.
    matrices : numpy.ndarray of int64, shape ``(n_pairs,)``
        Where each pair's matrix lies (`address`); its owner must outlive the call.

    Returns
    -------
    found : numpy.ndarray of int64, shape ``(n_pairs,)``
    saturated : numpy.ndarray of bool, shape ``(n_pairs,)``
    """
    joined = [np.frombuffer(b"".join(side), np.uint8) for side in (first, second)]
    residues = lengths(first, second)
    begins = [
        letters.ctypes.data + np.cumsum(n) - n for letters, n in zip(joined, residues, strict=True)
    ]
    found = np.empty(len(first), np.int64)
    saturated = np.empty(len(first), np.bool_)
    calls = np.stack([begins[0], residues[0], begins[1], residues[1], gap_open, gap_extend])
    with _compiling:  # else each of the threads that begin together would make its own
        loop = _compiled_loop()
    where = np.ascontiguousarray(matrices)
    loop(_function(name), *_readers(), calls, where, found, saturated)
    return found, saturated


def address(matrix: parasail.Matrix) -> int:
    """Return where a matrix lies, as long as `matrix` lives."""
    return ctypes.addressof(matrix.pointer.contents)


@cache
def _compiled_loop() -> Callable[..., None]:
    """Return `_loop` compiled, which takes a second: not before something is aligned."""
    from numba import njit

    return njit(nogil=True)(_loop)


def _loop(kernel, score, is_saturated, free, calls, matrices, found, saturated) -> None:
    for k in range(len(matrices)):
        a, n, b, m, gap_open, gap_extend = calls[:, k]
        result = kernel(a, n, b, m, gap_open, gap_extend, matrices[k])
        if result == 0:  # there was no memory for it
            found[k], saturated[k] = 0, True
            continue
        found[k] = score(result)
        saturated[k] = is_saturated(result) != 0
        free(result)


@cache
def _function(name: str) -> Callable[..., int]:
    """Return a kernel with the types that compiled code needs to know."""
    return _declared(name, _ADDRESS, _KERNEL)


@cache
def _readers() -> tuple[Callable[..., object], ...]:
    """Return what reads a result's score, what tells whether it is saturated, what frees it."""
    types = {"get_score": ctypes.c_int, "is_saturated": ctypes.c_int, "free": None}
    return tuple(_declared(f"result_{name}", type_, (_ADDRESS,)) for name, type_ in types.items())


def _declared(name: str, returned: type | None, given: tuple[type, ...]) -> Callable[..., object]:
    # By item: each is a new object, whose types nobody else changes.
    function = ctypes.CDLL(parasail.get_library())[f"parasail_{name}"]
    function.restype, function.argtypes = returned, given
    return function
