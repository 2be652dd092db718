"""Blocks of work: each once, as they finish, several at a time."""

import signal
import threading
import time

import pytest

from plm_geometry.base.compute import available_cores, run_blocks
from plm_geometry.base.errors import InputError


@pytest.mark.parametrize("workers", [1, 3, None])
def test_every_block_is_done_once_and_keeps_its_index(workers):
    results = dict(run_blocks(lambda block: block**2, range(100), workers=workers))
    assert results == {i: i**2 for i in range(100)}


def test_results_come_as_they_finish():
    finished = [i for i, _ in run_blocks(time.sleep, [0.5, 0.0, 0.0], workers=2)]
    assert finished[-1] == 0


def test_blocks_run_at_the_same_time():
    barrier = threading.Barrier(3, timeout=5)
    assert len(list(run_blocks(lambda _: barrier.wait(), range(3), workers=3))) == 3


def test_blocks_are_taken_as_they_are_needed():
    taken = []
    blocks = (taken.append(i) or i for i in range(1_000))
    next(iter(run_blocks(lambda block: block, blocks, workers=2)))
    assert len(taken) < 100


def test_an_error_reaches_the_caller_and_ends_the_rest():
    done = []

    def fail_at_three(block):
        done.append(block)
        if block == 3:
            raise InputError("block three is broken")

    with pytest.raises(InputError, match="block three"):
        list(run_blocks(fail_at_three, range(1_000), workers=2))
    assert len(done) < 100


def test_leaving_early_ends_the_threads():
    before = threading.active_count()
    results = run_blocks(lambda block: block, range(1_000), workers=2)
    next(iter(results))
    del results
    assert threading.active_count() == before


def test_no_workers_is_refused():
    with pytest.raises(InputError, match="at least one"):
        run_blocks(len, [], workers=0)


def test_no_blocks_give_no_results():
    assert list(run_blocks(len, [])) == []


def test_there_is_at_least_one_core():
    assert available_cores() >= 1


def slow_square(block: int) -> int:
    time.sleep(0.05)
    return block**2


def test_a_cluster_gives_the_same_and_a_killed_worker_costs_its_blocks_only(scheduler):
    address, workers = scheduler
    results = {}
    for index, result in run_blocks(slow_square, range(60), cluster=address):
        assert index not in results
        results[index] = result
        if len(results) == 10:
            workers[0].send_signal(signal.SIGKILL)
    assert results == {i: i**2 for i in range(60)}


@pytest.mark.parametrize("scheduler", ["nowhere"], indirect=True)
def test_machines_without_the_same_code_are_named(scheduler):
    with pytest.raises(InputError, match="install the same versions"):
        list(run_blocks(slow_square, range(3), cluster=scheduler[0]))


def test_a_local_cluster_is_started_and_stopped():
    results = dict(run_blocks(slow_square, range(8), cluster="local", workers=2))
    assert results == {i: i**2 for i in range(8)}


def test_an_error_on_a_cluster_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(run_blocks((1).__truediv__, [1, 0], cluster="local", workers=1))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "tcp://"])
def test_where_no_scheduler_answers_the_address_is_named(address, monkeypatch):
    monkeypatch.setattr("plm_geometry.base.compute._PATIENCE", 1)
    with pytest.raises(InputError, match=address):
        list(run_blocks(slow_square, range(3), cluster=address))
