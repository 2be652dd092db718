"""Blocks of work on all cores: this process's threads, or a Dask cluster's workers."""

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from plm_geometry.base.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

Block = TypeVar("Block")
Result = TypeVar("Result")
# Blocks handed out ahead for each worker: none waits for work, few results wait for us.
_AHEAD = 4
# How long a scheduler may take to answer, and its first worker to appear, in seconds.
_PATIENCE = 30


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_blocks(
    function: Callable[[Block], Result],
    blocks: Iterable[Block],
    *,
    workers: int | None = None,
    cluster: str | None = None,
) -> Iterator[tuple[int, Result]]:
    """Apply `function` to every block, several at a time.

    Parameters
    ----------
    function : callable
        Takes one block. Threads gain where it releases the interpreter lock; for a cluster it
        is sent to each worker once, and must be picklable, as blocks and results must be.
    blocks : iterable
        What to work on, in the order in which to start it: the longest block first.
    workers : int, optional
        Threads, or processes of a local cluster; as many as there are cores if not given.
    cluster : str, optional
        ``"tcp://HOST:PORT"`` of a Dask scheduler, or ``"local"`` to start one here for the
        time of the work. If not given, threads of this process do the work.

    Yields
    ------
    index : int
        The block's place in `blocks`.
    result
        What `function` returned for it. Results come in the order in which they are finished.

    Raises
    ------
    InputError
        If `workers` is not positive, or the cluster cannot be reached.
    Exception
        Whatever `function` raises, once; blocks that were not yet started are dropped.
    """
    workers = available_cores() if workers is None else workers
    if workers < 1:
        raise InputError(f"{workers} workers were asked for; at least one is needed.")
    if cluster is None:
        return _run_in_threads(function, blocks, workers)
    return _run_on_cluster(function, blocks, cluster, workers)


def in_order(numbered: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    """Yield what `run_blocks` does in the order of the blocks, holding back what comes early."""
    early: dict[int, Result] = {}
    due = 0
    for number, result in numbered:
        early[number] = result
        while due in early:
            yield early.pop(due)
            due += 1


def _run_in_threads(function, blocks, workers: int) -> Iterator[tuple[int, Result]]:
    """Yield (index, result) as threads finish, with a bounded number of blocks under way."""
    pool = ThreadPoolExecutor(workers)
    numbered = enumerate(blocks)
    waiting = {}
    try:
        while True:
            for index, block in islice(numbered, workers * _AHEAD - len(waiting)):
                waiting[pool.submit(function, block)] = index
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _run_on_cluster(function, blocks, cluster: str, workers: int) -> Iterator[tuple[int, Result]]:
    """Yield (index, result) as a cluster's workers finish, bounded in the same way.

    A worker that is lost costs the blocks that it had: the scheduler gives them to others.
    """
    from distributed import as_completed
    from distributed import wait as wait_for

    numbered = enumerate(blocks)
    indices = {}
    with _connected(cluster, workers) as client:
        # As a task's result, not as data: should every worker that holds it be lost, the
        # scheduler knows how to make it again.
        shared = client.submit(_itself, function, pure=False)
        wait_for(shared)
        if shared.status != "finished":
            raise InputError(
                f"the cluster {cluster!r} cannot read the work that is sent to it; install the "
                "same versions of plm-geometry, Python and Dask on all its machines."
            ) from shared.exception()
        finished = as_completed(with_results=False)
        while True:
            room = sum(client.nthreads().values()) * _AHEAD - len(indices)
            for index, block in islice(numbered, max(room, 0 if indices else 1)):
                future = client.submit(_apply, shared, block, pure=False)
                indices[future.key] = index
                finished.add(future)
            if not indices:
                return
            future = next(finished)
            index = indices.pop(future.key)
            yield index, _result(future, index)


def _result(future, index: int):
    """Return a future's result; say in one sentence if it took its workers along."""
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise InputError(
            f"block {index} of the work ended every worker that tried it, most likely for lack "
            "of memory; give the workers more, or start fewer of them."
        ) from error


@contextmanager
def _connected(cluster: str, workers: int) -> Iterator["Client"]:
    """Give a client of the cluster, which is started here and stopped again if it is local."""
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "a cluster needs Dask; install it with: pip install 'plm-geometry[cluster]'."
        ) from error
    options = {"address": cluster}
    if cluster == "local":
        options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None,
                   "silence_logs": logging.ERROR}  # fmt: skip
    with ExitStack() as stack, warnings.catch_warnings():
        # All proteins travel with the function, once; that this is much is no mistake.
        warnings.filterwarnings("ignore", message="Sending large graph")
        try:
            client = stack.enter_context(Client(**options, timeout=_PATIENCE))
            client.wait_for_workers(1, timeout=_PATIENCE)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(
                f"no Dask cluster with workers answers at {cluster!r}; start one with 'dask "
                "scheduler' and 'dask worker tcp://HOST:PORT', or use cluster='local'."
            ) from error
        yield client


def _itself(function):
    return function


def _apply(function, block):
    return function(block)
