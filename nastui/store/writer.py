"""Writing a run: made once, appended to batch by batch, resumed after a stop, finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from nastui.errors import StoreError
from nastui.measure_records import KindThresholds
from nastui.records import Batch, ClassInfo, ImageResult, LayerSpec, ManifestImage, RunSpec
from nastui.store.checkpointing import Checkpointer
from nastui.store.connection import open_to_write
from nastui.store.creation import check_same_scan, create_file, same_scan
from nastui.store.faults import translated
from nastui.store.image_rows import read_score, write_results
from nastui.store.layer_rows import read_extent, read_run, read_tiled_layers
from nastui.store.lock import WriterLock
from nastui.store.measuring import UnitMeasuring
from nastui.store.row_buffer import RowBuffer
from nastui.store.text import now, storable
from nastui.store.transactions import transaction

COMMIT_SECONDS = 5.0  # at most so much work is lost when the process is killed


class RunWriter:
    """The one writer of a run's activations. Use it as a context manager; any thread may, one at a time.

    Rows of tiles are written when they are full, what has gathered since then every 5 seconds and on `checkpoint`.
    Reviewers and readers are held up only by the short transactions in between.
    """

    @classmethod
    def create(
        cls,
        path: Path,
        spec: RunSpec,
        classes: Sequence[ClassInfo],
        outputs: Sequence[str],
        images: Sequence[ManifestImage],
        layers: Sequence[LayerSpec],
        *,
        force: bool = False,
    ) -> RunWriter:
        """Begin a new run. `outputs`: the model's names, by index; class ids go from 0 on without a gap.

        `force` replaces a run that lies there (nothing else is ever replaced); it stays until the new file has been
        made, before the first image. Raises OutputExists, StoreLocked and StoreFull.
        """
        path = path.resolve()
        lock = WriterLock(path)
        try:
            create_file(path, spec, classes, outputs, images, layers, force=force)
            return cls(path, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def resume(cls, path: Path, spec: RunSpec, layers: Sequence[LayerSpec] = ()) -> RunWriter:
        """Go on with a run that was stopped; where its images are by now is taken from `spec`.

        Raises NotARun, StoreLocked, and OutputExists where the run is finished or another scan; it says in what, of
        layers only where `layers` are given.
        """
        path = path.resolve()
        lock = WriterLock(path)
        try:
            writer = cls(path, lock)
        except BaseException:
            lock.release()
            raise
        try:
            writer._check_may_resume(spec, layers)
            if spec.data_root is not None:
                with translated(path):
                    writer._connection.execute("UPDATE run SET data_root = ?", (storable(spec.data_root),))
        except BaseException:
            writer.close()
            raise
        return writer

    def __init__(self, path: Path, lock: WriterLock) -> None:
        self._path = path
        self._lock = lock
        self._connection = open_to_write(path)
        # What the rows of a scan refer to is written with them or before: to look for it takes a tenth of the time.
        self._connection.execute("PRAGMA foreign_keys = OFF")
        # Tiles that higher ones take the place of need not be set to zero, which some builds of SQLite do.
        self._connection.execute("PRAGMA secure_delete = OFF")
        self._checkpointer = Checkpointer(path, self._connection)
        with translated(path):
            extent = read_extent(self._connection)
            self._n_images, self._n_written, self._ranges = extent.n_images, extent.n_done, extent.ranges
            height = min(extent.tile_images, max(extent.n_images, 1))
            self._row = RowBuffer(read_tiled_layers(self._connection), height)
            self._row.read(self._connection, path, self._n_written)
        self._waiting: list[ImageResult] = []
        self._last_commit = time.monotonic()

    @property
    def n_done(self) -> int:
        """Images handed over so far."""
        return self._n_written + len(self._waiting)

    def append(self, batch: Batch) -> None:
        """Add the next images. Raises StoreFull where the disk is; what was committed before stays."""
        if batch.first_image != self.n_done or self.n_done + len(batch.images) > self._n_images:
            raise ValueError(f"a batch from image {batch.first_image} on does not follow {self.n_done} images")
        taken = 0
        while taken < len(batch.images):
            self._write_full_row()
            count = self._row.take(batch, taken)
            self._waiting.extend(batch.images[taken : taken + count])
            taken += count
        self._write_full_row()
        if time.monotonic() - self._last_commit >= COMMIT_SECONDS:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Commit all images so far."""
        self._write_full_row()
        if self._waiting:
            self._commit(self._row.n - len(self._waiting))

    def finish(
        self, on_progress: Callable[[int, int], None] | None = None, thresholds: KindThresholds | None = None
    ) -> None:
        """Measure all units and mark the run as finished; then the one file holds everything. Stopped, it is resumed
        by `resume` and `finish`. `on_progress` is told how many units are measured, and of how many; `thresholds` are
        those of the rules that say of what kind a unit is.
        """
        if self.n_done != self._n_images:
            raise ValueError(f"{self._n_images - self.n_done} images have not been looked at")
        if self._row.n:
            self._commit(0)
            self._row.advance()
        self._checkpointer.close()
        with translated(self._path):
            measuring = UnitMeasuring(self._connection, self._path, thresholds=thresholds)
            measuring.begin(anew=False)
            measuring.measure(on_progress)
            score = read_score(self._connection)
            with transaction(self._connection):
                self._connection.execute(
                    "UPDATE run SET n_failed = ?, n_matched = ?, top1 = ?, finished = ?",
                    (score.n_failed, score.n_matched, score.top1, now()),
                )
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file; what was not committed is lost. A second call does nothing."""
        self._checkpointer.close()
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.checkpoint()
        except StoreError:
            if error is None:
                raise  # otherwise the first error is the one to hear of
        finally:
            self.close()

    def _check_may_resume(self, spec: RunSpec, layers: Sequence[LayerSpec]) -> None:
        with translated(self._path):
            found = read_run(self._connection, self._path)
        check_same_scan(found, spec, layers)
        if found.finished is not None:
            raise same_scan(self._path, found.finished, self._n_written, self._n_images)

    def _write_full_row(self) -> None:
        if self._row.n == self._row.height:
            self._commit(0)
            self._row.advance()

    def _commit(self, start: int) -> None:
        """Write the row from place `start` on with its images: all of it is in the file afterwards, or nothing."""
        with translated(self._path), transaction(self._connection):
            self._row.write(self._connection, start)
            write_results(self._connection, self._n_written, self._waiting)
            self._connection.execute("UPDATE run SET n_done = ?", (self.n_done,))
        self._n_written = self.n_done
        self._waiting = []
        self._last_commit = time.monotonic()
        self._checkpointer.committed(self._row.count_bytes(start))
