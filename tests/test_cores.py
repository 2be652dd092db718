"""Work side by side: in order, a bounded way ahead, with matrix products on one core each."""

import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from plm_geometry.isotropy.cores import blas_threads, side_by_side


def products_run_on():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_order_whichever_is_ready_first(n_threads):
    def slow_at_first(item):
        time.sleep(0.02 if item == 0 else 0)
        return item * item

    found = side_by_side(slow_at_first, range(20), n_threads=n_threads, ahead=4)
    assert list(found) == [item * item for item in range(20)]


@pytest.mark.parametrize(("n_threads", "ahead"), [(1, 1), (2, 3), (4, 4)])
def test_no_more_items_are_begun_than_their_results_have_room(n_threads, ahead):
    begun, used = [], 0
    for _ in side_by_side(begun.append, range(30), n_threads=n_threads, ahead=ahead):
        assert len(begun) <= used + ahead
        used += 1
    assert used == 30


def test_several_items_are_worked_on_at_once():
    together = threading.Barrier(2, timeout=10)
    places = side_by_side(lambda item: together.wait(), range(4), n_threads=2, ahead=2)
    # Of every two that meet, one is the first.
    assert sorted(places) == [0, 0, 1, 1]


def test_an_error_of_the_first_item_that_fails_is_raised():
    def fail(item):
        if item > 2:
            raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 3"):
        list(side_by_side(fail, range(10), n_threads=3, ahead=4))


def test_products_run_on_one_core_each_and_on_all_again_afterwards():
    inside = set()
    with threadpool_limits(2, user_api="blas"):
        for _ in side_by_side(lambda item: inside.update(products_run_on()), range(4),
                              n_threads=2, ahead=2):  # fmt: skip
            # Another caller may come and go meanwhile.
            list(side_by_side(np.square, range(3), n_threads=2, ahead=2))
            assert products_run_on() == {1}
        assert inside == {1}
        assert products_run_on() == {2}


def test_the_number_of_threads_is_that_of_numpys_products():
    for number in (1, 2):
        with threadpool_limits(number, user_api="blas"):
            assert blas_threads() == number
