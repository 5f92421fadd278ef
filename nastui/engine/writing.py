"""A writer in a thread of its own, so that the disk and the model do not wait for each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from nastui.measure_records import KindThresholds
from nastui.records import Batch
from nastui.store.writer import RunWriter

_MOST_BATCHES = 64
_MOST_BYTES = 32 << 20


class BackgroundWriter:
    """Hands batches to a RunWriter in another thread, at most 32 MB ahead of the disk, or one batch that is larger.

    Most batches are only copied, but every 1,024 images a row of tiles is written: as many wait as come meanwhile from
    a model that is fast, and memory stays bounded for one whose layers are wide.
    An error of the writer's is raised by the next call here. Leaving the `with` block closes the writer; by an
    exception, batches that still wait are left out, and what is whole is kept.
    """

    def __init__(self, open_writer: Callable[[], RunWriter]) -> None:
        self._open_writer = open_writer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nastui-writer")
        self._waiting: deque[tuple[Future[None], int]] = deque()

    def __enter__(self) -> Self:
        try:
            self._writer = self._thread.submit(lambda: self._open_writer().__enter__()).result()
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._wait(0)
        except BaseException as exc:
            self._close(exc)
            raise
        self._close(error)

    @property
    def n_done(self) -> int:
        """Images that were in the file when it was opened or last written to."""
        return self._writer.n_done

    def append(self, batch: Batch) -> None:
        """Write a batch soon. Waits while too many others are not written yet."""
        n_bytes = _bytes_of(batch)
        self._wait(_MOST_BATCHES - 1, _MOST_BYTES - n_bytes)
        self._waiting.append((self._thread.submit(self._writer.append, batch), n_bytes))

    def checkpoint(self) -> None:
        """Write all that was appended and make it last."""
        self._wait(0)
        self._thread.submit(self._writer.checkpoint).result()

    def finish(self, on_progress: Callable[[int, int], None] | None, thresholds: KindThresholds | None = None) -> None:
        """Write all that was appended, measure the units and end the run. `on_progress` is called by the thread."""
        self._wait(0)
        self._thread.submit(self._writer.finish, on_progress, thresholds).result()

    def _close(self, error: BaseException | None) -> None:
        for waiting, _ in self._waiting:
            waiting.cancel()
        try:
            kind, trace = (None, None) if error is None else (type(error), error.__traceback__)
            self._thread.submit(self._writer.__exit__, kind, error, trace).result()
        finally:
            self._thread.shutdown()

    def _wait(self, n_left: int, bytes_left: int = 0) -> None:
        """Wait until no more batches and bytes are left, or no batch at all; and see what became of those written."""
        n_bytes = sum(size for _, size in self._waiting)
        while self._waiting and (len(self._waiting) > n_left or n_bytes > bytes_left or self._waiting[0][0].done()):
            written, size = self._waiting.popleft()
            n_bytes -= size
            written.result()


def _bytes_of(batch: Batch) -> int:
    pictures = sum(len(image.thumbnail) for image in batch.images if image.thumbnail is not None)
    return pictures + sum(matrix.nbytes for part in (batch.values, batch.positions) for matrix in part.values())
