"""Matrix products side by side on several cores, each on one of them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


def blas_threads() -> int:
    """Return the number of threads that NumPy's matrix products run on, as the user has set it."""
    return max((library.num_threads for library in _libraries().lib_controllers), default=1)


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], *, n_threads: int, ahead: int
) -> Iterator[Result]:
    """Yield ``function(item)`` of each item, in order, computed in threads of one core each.

    What lies between two products then keeps all cores busy too, and none waits for another.

    Parameters
    ----------
    function : callable
        Threads gain where it is mostly NumPy.
    items : iterable
        Taken as they are needed.
    n_threads : int
        With 1, products have all the cores that they would have.
    ahead : int
        Items that are begun before the first unused result has been used.
    """
    if n_threads == 1:
        yield from map(function, items)
        return
    begun: deque[Future[Result]] = deque()
    with _one_core_each, ThreadPoolExecutor(n_threads) as pool:
        for item in items:
            if len(begun) == ahead:
                yield begun.popleft().result()
            begun.append(pool.submit(function, item))
        while begun:
            yield begun.popleft().result()


class _OneCoreEach:
    """Holds every matrix product to one thread while any caller is inside."""

    def __init__(self):
        self._lock = Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limits = _libraries().limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limits.restore_original_limits()


_one_core_each = _OneCoreEach()


@cache
def _libraries() -> ThreadpoolController:
    # Looked for once, which takes milliseconds: NumPy has loaded its own by now.
    return ThreadpoolController().select(user_api="blas")
