"""Parasail's score kernels over many pairs in one compiled loop, outside the interpreter lock.

Called from Python pair by pair, threads spend a good part of their time on handing the lock over.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock

import numpy as np
import parasail

# Addresses are numbers here: compiled code can add to them.
_ADDRESS = ctypes.c_size_t
# Protein, its residues, another, its residues, gap opening, gap extension, matrix.
_KERNEL = (_ADDRESS, ctypes.c_int, _ADDRESS, ctypes.c_int, ctypes.c_int, ctypes.c_int, _ADDRESS)
_compiling = Lock()


def scores(
    name: str, first: Sequence[bytes], second: Sequence[bytes], penalties_and_matrices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best score of each pair, and where the kernel's integers were too small for it.

    Parameters
    ----------
    name : str
        Of a kernel, such as ``"nw_scan_32"``.
    first, second : sequence of bytes, n_pairs each
        The proteins of each pair.
    penalties_and_matrices : numpy.ndarray of int64, shape ``(3, n_pairs)``
        Of each pair: what the first residue of a gap costs, what each further one, and where the
        matrix lies (`address`), whose owner must outlive the call.

    Returns
    -------
    found : numpy.ndarray of int64, shape ``(n_pairs,)``
    saturated : numpy.ndarray of bool, shape ``(n_pairs,)``
    """
    proteins, joined = [], []
    for side in (first, second):
        joined.append(np.frombuffer(b"".join(side), np.uint8))
        n_residues = lengths(side)
        proteins += [joined[-1].ctypes.data + np.cumsum(n_residues) - n_residues, n_residues]
    found, saturated = np.empty(len(first), np.int64), np.empty(len(first), np.bool_)
    with _compiling:  # else each of the threads that begin together would make its own
        loop = _compiled_loop()
    loop(
        _function(name, _ADDRESS, *_KERNEL),
        _function("result_get_score", ctypes.c_int, _ADDRESS),
        _function("result_is_saturated", ctypes.c_int, _ADDRESS),
        _function("result_free", None, _ADDRESS),
        np.stack([*proteins, *penalties_and_matrices]),
        found,
        saturated,
    )
    return found, saturated


def lengths(side: Sequence[bytes]) -> np.ndarray:
    """Return the residues of each protein, int64, shape ``(n_pairs,)``."""
    return np.fromiter(map(len, side), np.int64, len(side))


def address(matrix: parasail.Matrix) -> int:
    """Return where a matrix lies, as long as `matrix` lives."""
    return ctypes.addressof(matrix.pointer.contents)


@cache
def _compiled_loop() -> Callable[..., None]:
    """Return `_loop` compiled, which takes a second: not before something is aligned."""
    from numba import njit

    return njit(nogil=True)(_loop)


def _loop(kernel, score, is_saturated, free, calls, found, saturated) -> None:
    for k in range(calls.shape[1]):
        a, n, b, m, gap_open, gap_extend, matrix = calls[:, k]
        result = kernel(a, n, b, m, gap_open, gap_extend, matrix)
        if result == 0:  # there was no memory for it
            found[k], saturated[k] = 0, True
            continue
        found[k] = score(result)
        saturated[k] = is_saturated(result) != 0
        free(result)


@cache
def _function(name: str, returned: type | None, *given: type) -> Callable[..., object]:
    """Return a function of parasail's with the types that compiled code needs to know."""
    # By item: each is a new object, whose types nobody else changes.
    function = ctypes.CDLL(parasail.get_library())[f"parasail_{name}"]
    function.restype, function.argtypes = returned, given
    return function
