from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy as np
import pytest

from nastui.engine import writing
from nastui.engine.writing import BackgroundWriter
from nastui.errors import StoreFull
from nastui.records import Batch, ImageResult


class FakeWriter:
    """Stands in for RunWriter: notes what it gets, in which thread, and can be full, or write only when let."""

    def __init__(self, *, full_from: int = 1_000_000, gate: threading.Semaphore | None = None) -> None:
        self.full_from, self.gate = full_from, gate
        self.got: list[int] = []
        self.threads: set[int] = set()
        self.closed_with: list[type[BaseException] | None] = []

    @property
    def n_done(self) -> int:
        return len(self.got)

    def append(self, batch: Batch) -> None:
        self.threads.add(threading.get_ident())
        if self.gate is not None:
            assert self.gate.acquire(timeout=30), "nobody lets the writer write"
        if batch.first_image >= self.full_from:
            raise StoreFull("the disk is full")
        self.got.append(batch.first_image)

    def checkpoint(self) -> None:
        self.threads.add(threading.get_ident())

    def finish(self, on_progress: Any, thresholds: Any) -> None:
        self.threads.add(threading.get_ident())

    def __enter__(self) -> FakeWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed_with.append(kind)


def background(writer: FakeWriter) -> BackgroundWriter:
    return BackgroundWriter(lambda: writer)  # type: ignore[arg-type, return-value]


def batch(first_image: int) -> Batch:
    """One of 100 bytes."""
    picture = ImageResult(bytes(20), 1, 1, None, ())
    return Batch(first_image, (picture,), {"a": np.zeros((1, 15), np.float32)}, {"a": np.zeros((1, 5), np.int32)})


def test_batches_arrive_in_order_in_one_other_thread() -> None:
    fake = FakeWriter()
    with background(fake) as writer:
        for first in range(20):
            writer.append(batch(first))
        writer.finish(None)
    assert fake.got == list(range(20))
    assert len(fake.threads) == 1
    assert threading.get_ident() not in fake.threads
    assert fake.closed_with == [None]


@pytest.mark.parametrize(
    ("most", "limits"), [(3, {"_MOST_BATCHES": 3}), (5, {"_MOST_BYTES": 500}), (1, {"_MOST_BYTES": 7})]
)
def test_the_model_does_not_wait_for_a_write_but_never_runs_far_ahead(
    monkeypatch: pytest.MonkeyPatch, most: int, limits: dict[str, int]
) -> None:
    """At most so many batches, or so many bytes, or one batch that is larger than that."""
    for name, limit in limits.items():
        monkeypatch.setattr(writing, name, limit)
    gate = threading.Semaphore(0)
    fake = FakeWriter(gate=gate)
    with background(fake) as writer, ThreadPoolExecutor(1) as model:
        for first in range(most):
            writer.append(batch(first))
        assert fake.got == []
        for first in range(most, 10):
            is_waiting = model.submit(writer.append, batch(first))
            with pytest.raises(TimeoutError):
                is_waiting.result(timeout=0.01)
            gate.release()
            is_waiting.result()
            assert fake.got == list(range(first + 1 - most))
        gate.release(most)
        writer.checkpoint()
        assert fake.n_done == 10


def test_an_error_is_raised_by_the_next_call_even_when_there_is_room() -> None:
    fake = FakeWriter(full_from=0)
    with background(fake) as writer:
        writer.append(batch(0))
        while not writer._waiting[0][0].done():
            time.sleep(0.001)
        with pytest.raises(StoreFull):
            writer.append(batch(1))
    assert fake.got == []


def write_until_full(writer: BackgroundWriter) -> None:
    with writer:
        for first in range(20):
            writer.append(batch(first))


def test_a_full_disk_ends_the_scan_and_nothing_is_written_after_it() -> None:
    fake = FakeWriter(full_from=5)
    with pytest.raises(StoreFull):
        write_until_full(background(fake))
    assert fake.got == [0, 1, 2, 3, 4]
    assert fake.closed_with == [StoreFull]


def test_an_error_on_opening_leaves_no_thread_behind() -> None:
    def refuse() -> Any:
        raise StoreFull("no such folder")

    before = threading.active_count()
    with pytest.raises(StoreFull), BackgroundWriter(refuse):
        pass
    assert threading.active_count() == before
