"""Work that several threads share, with results in order: NumPy lets other threads go on while it computes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

_MOST_THREADS = 8  # what is read and written around the work keeps no more of them busy


def threads_to_use() -> int:
    """How many threads may compute: the cores that this process may use, or fewer where OMP_NUM_THREADS says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    limit = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(cores, _MOST_THREADS, int(limit) if limit.isdecimal() and int(limit) else cores)


def in_order(work: Callable[[Job], Result], jobs: Iterable[Job], n_threads: int) -> Generator[Result, None, None]:
    """The results of `work` in the order of the `jobs`. These are fetched by the thread that asks, one more than there
    are threads ahead; with one thread alone it does the work too.

    Close it (`contextlib.closing`): then jobs that were not begun are dropped, and those that were are waited for.
    """
    if n_threads <= 1:
        yield from map(work, jobs)
        return
    waiting: deque[Future[Result]] = deque()
    executor = ThreadPoolExecutor(n_threads)
    try:
        for job in jobs:
            waiting.append(executor.submit(work, job))
            if len(waiting) > n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
