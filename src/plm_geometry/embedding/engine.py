"""A plan's blocks through the models into the store: in order, recorded, taken up again."""

import time
from collections.abc import Callable, Iterable, Iterator

from tqdm import tqdm

from plm_geometry.base.compute import run_blocks
from plm_geometry.embedding.forward import Block, ForwardPass
from plm_geometry.embedding.plan import Plan
from plm_geometry.embedding.pooling import LayerMoments, merge_into
from plm_geometry.embedding.remote import RemotePass, tasks
from plm_geometry.embedding.store import EmbeddingStore
from plm_geometry.embedding.tuning import forecast

# Blocks handed out together: results that come early wait for the first of them.
_BLOCKS_PER_WORKER = 4
# Recording takes at most this share of the time: moments of a wide model are large.
_RECORDING_SHARE = 0.05


def run_plan(
    store: EmbeddingStore,
    plan: Plan,
    work: ForwardPass,
    *,
    cluster: str | None,
    progress: bool,
    tell: Callable[[str], None],
) -> None:
    """Compute the blocks that are missing, recording each, in order, as it is done.

    Of a complete store, the proteins that an earlier run had no memory for are tried once more.

    Parameters
    ----------
    store : EmbeddingStore
        Locked by the caller, with the plan in it.
    plan : Plan
    work : ForwardPass
    cluster : str or None
        As in `compute.run_blocks`; None computes here.
    progress : bool
        Whether to show a bar on a terminal.
    tell : callable
        Takes one line that says what the run will take, before it begins.
    """
    blocks_done, moments, left_out = store.read_progress()
    blocks, groups_after = plan.blocks(), plan.groups_after()
    last = len(work.layers) - 1
    if blocks_done == len(blocks):
        return _try_again(store, plan, work, moments, left_out)
    tell(f"{work.models[0].title}: {forecast(work.proteins, work.models[0], plan, last + 1)}")
    record = _Recorder(store)
    with _progress_bar(work, plan, blocks[:blocks_done], progress) as bar:
        for numbers, result in _finished(work, plan, blocks_done, cluster, bar):
            _store_block(store, plan, work, _joined(blocks, numbers), result)
            # In the order of the blocks: sums of floats depend on it.
            merge_into(moments, result.moments)
            left_out |= result.left_out
            complete = groups_after.get(numbers.stop, [])
            for group in complete:
                store.write_group(group, last, moments.pop(last + group, {}))
            record(numbers.stop, moments, left_out, at_once=bool(complete))


def _try_again(
    store: EmbeddingStore,
    plan: Plan,
    work: ForwardPass,
    moments: LayerMoments,
    left_out: dict[str, str],
) -> None:
    """Compute, one by one, the proteins that an earlier run had no memory for."""
    position = {work.proteins.accessions[i]: at for at, i in enumerate(plan.order)}
    n_blocks = len(plan.blocks())
    for accession in list(left_out):
        alone = slice(position[accession], position[accession] + 1)
        result = work.block(plan, alone, tqdm(disable=True))
        if not result.left_out:
            _store_block(store, plan, work, alone, result)
            merge_into(moments, result.moments)
            del left_out[accession]
            store.write_progress(n_blocks, moments, left_out)


def _store_block(
    store: EmbeddingStore, plan: Plan, work: ForwardPass, block: slice, result: Block
) -> None:
    store.write_block(block, result.vectors, work.sampled_rows(plan, block), result.sampled)
    if work.keep_residues:
        store.write_residues(block, result.residues)


def _progress_bar(work: ForwardPass, plan: Plan, done: list[slice], progress: bool) -> tqdm:
    lengths = work.proteins.lengths[plan.order]
    return tqdm(
        total=int(lengths.sum()),
        initial=int(sum(lengths[block].sum() for block in done)),
        unit=" residues",
        unit_scale=True,
        desc=work.models[0].title,
        disable=None if progress else True,
    )


class _Recorder:
    """Writes progress to the store, as often as costs little."""

    def __init__(self, store: EmbeddingStore):
        self._store = store
        self._due = 0.0

    def __call__(
        self, done: int, moments: LayerMoments, left_out: dict[str, str], *, at_once: bool
    ) -> None:
        start = time.monotonic()
        if start >= self._due or at_once:
            self._store.write_progress(done, moments, left_out)
            now = time.monotonic()
            self._due = now + (now - start) / _RECORDING_SHARE


def _joined(blocks: list[slice], numbers: range) -> slice:
    return slice(blocks[numbers.start].start, blocks[numbers.stop - 1].stop)


def _finished(
    work: ForwardPass, plan: Plan, first: int, cluster: str | None, bar: tqdm
) -> Iterator[tuple[range, Block]]:
    """Yield the numbers and the result of the blocks from `first` on, in order."""
    if cluster is not None:
        yield from _finished_on_cluster(work, plan, first, cluster, bar)
        return
    blocks = plan.blocks()
    if len(work.models) == 1:  # no threads: each new one would bring memory of its own
        for number in range(first, len(blocks)):
            yield range(number, number + 1), work.block(plan, blocks[number], bar)
        return
    step = _BLOCKS_PER_WORKER * len(work.models)
    for start in range(first, len(blocks), step):
        part = blocks[start : start + step]
        found = run_blocks(lambda b: work.block(plan, b, bar), part, workers=len(work.models))
        for number, result in enumerate(_in_order(found), start=start):
            yield range(number, number + 1), result


def _finished_on_cluster(
    work: ForwardPass, plan: Plan, first: int, cluster: str, bar: tqdm
) -> Iterator[tuple[range, Block]]:
    """As `_finished`, by a cluster's workers, several blocks a task."""
    blocks, lengths = plan.blocks(), work.proteins.lengths[plan.order]
    numbered = tasks(plan, work, first)
    parts = [[blocks[number] for number in numbers] for numbers in numbered]
    found = run_blocks(RemotePass.of(work, plan), parts, cluster=cluster)
    for numbers, result in zip(numbered, _in_order(found), strict=True):
        bar.update(int(lengths[_joined(blocks, numbers)].sum()))
        yield numbers, result


def _in_order(numbered: Iterable[tuple[int, Block]]) -> Iterator[Block]:
    """Yield results by their number, holding back those that come early."""
    early: dict[int, Block] = {}
    due = 0
    for number, result in numbered:
        early[number] = result
        while due in early:
            yield early.pop(due)
            due += 1
