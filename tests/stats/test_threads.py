"""Work in several threads: results in order, no more held than needed, a prompt end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nastui.stats.threads import in_order, threads_to_use


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 4))
def test_results_come_in_the_order_of_the_jobs(waits: list[int], n_threads: int) -> None:
    def work(job: tuple[int, int]) -> int:
        time.sleep(job[1] / 5_000)
        return job[0]

    assert [*in_order(work, enumerate(waits), n_threads)] == [*range(len(waits))]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_jobs_are_fetched_by_one_thread_and_few_ahead(n_threads: int) -> None:
    n_fetched, n_taken = 0, 0

    def jobs() -> Iterator[int]:
        nonlocal n_fetched
        for job in range(50):
            assert threading.current_thread() is threading.main_thread()
            n_fetched += 1
            assert n_fetched - n_taken <= (n_threads + 1 if n_threads > 1 else 1)
            yield job

    for _ in in_order(str, jobs(), n_threads):
        n_taken += 1
    assert n_taken == 50


def test_closed_it_begins_no_more_jobs() -> None:
    begun: list[int] = []
    with closing(in_order(begun.append, range(1_000), 2)) as results:
        next(results)
    n_begun = len(begun)
    assert n_begun < 10
    assert len(begun) == n_begun
    assert not any("ThreadPoolExecutor" in thread.name for thread in threading.enumerate())


def test_an_error_of_a_job_comes_in_its_turn() -> None:
    results = in_order(lambda job: 6 // job, [3, 2, 0, 1], 2)
    with closing(results):
        assert [next(results), next(results)] == [2, 3]
        with pytest.raises(ZeroDivisionError):
            next(results)


@pytest.mark.parametrize(("said", "expected"), [("1", 1), ("2,1", 2), ("99", 3), ("", 3), ("0", 3), ("many", 3)])
def test_cores_are_limited_as_users_limit_them(monkeypatch: pytest.MonkeyPatch, said: str, expected: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 4, 5}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads_to_use() == expected
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads_to_use() == 8
