"""One go at a scan: images through the model, into the run's file, and what it says meanwhile."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import torch

from nastui.engine.batches import ScannedBatch, scan_batches
from nastui.engine.findings import find_faults
from nastui.engine.heap import kept_heap
from nastui.engine.inspection.early import before_the_first_batch, look_at_answers
from nastui.engine.inspection.finding import Finding
from nastui.engine.inspection.running import Running
from nastui.engine.outlook import Outlook, Pace
from nastui.engine.plan import ScanPlan
from nastui.engine.same_images import check_images
from nastui.engine.writing import BackgroundWriter
from nastui.errors import NotARun, ScanInterrupted
from nastui.measure_records import KindThresholds
from nastui.records import RunInfo
from nastui.store.reader import RunReader
from nastui.store.writer import RunWriter

Stage = Literal["scanning", "merging", "measuring", "finished"]


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is.

    `stage`: "scanning" counts images, as does "merging" where several processes have shared them; "measuring" counts
    units, "finished" comes once, at the end. `failed`: images of this session that did not decode. `bytes_written`: the
    file's size now. `warnings`: all so far that a person should know. `outlook`: None until the first seconds are over.
    `resumed`: images that an earlier go had done.
    """

    stage: Stage
    done: int
    total: int
    failed: int
    bytes_written: int
    warnings: tuple[str, ...]
    outlook: Outlook | None = None
    resumed: int = 0


OnProgress = Callable[[ScanProgress], None]


class ScanSession:
    """One go at a scan, from the first image or from where an earlier one stopped. `is_trial`: nobody reads the run, so
    it does not look for faults."""

    stage: Stage = "scanning"

    def __init__(
        self,
        plan: ScanPlan,
        out: Path,
        device: torch.device,
        batch_size: int,
        workers: int | None,
        kinds: KindThresholds | None,
        on_progress: OnProgress | None,
        should_stop: Callable[[], bool] | None,
        *,
        is_trial: bool = False,
    ) -> None:
        self._plan = plan
        self._out = out
        self._device = device
        self._batch_size = batch_size
        self._workers = workers
        self._kinds = kinds
        self._on_progress = on_progress
        self._should_stop = should_stop or (lambda: False)
        self._warnings: tuple[str, ...] = ()
        self._failed = 0
        self._is_trial = is_trial
        self._pace = Pace(plan)
        self._outlook: Outlook | None = None
        self._resumed = 0

    def run(self, *, force: bool) -> RunInfo:
        self.write(lambda writer: writer.finish(self._measuring, self._kinds), force=force)
        with RunReader(self._out) as reader:
            info = reader.info()
            self._warn(*find_faults(reader, info, is_random=self._plan.model.is_random))
        self._report("finished", info.n_images, info.n_images)
        return info

    def write(self, finish: Callable[[BackgroundWriter], None], *, force: bool = False) -> None:
        """Look at all images that are missing; then `finish` may end the run."""
        self._warn(*self._plan.warnings)
        if not self._is_trial:
            self._say(before_the_first_batch(self._plan))
        with BackgroundWriter(lambda: self._open_writer(force=force)) as writer:
            try:
                self._scan(writer)
                finish(writer)
            except KeyboardInterrupt:
                self._stop(writer)

    def _open_writer(self, *, force: bool) -> RunWriter:
        plan = self._plan
        if self._out.exists() and not force:
            try:
                return self._resume()
            except NotARun:
                pass  # `create` says that something else lies there
        layers = plan.measured_layers()
        return RunWriter.create(self._out, plan.spec, plan.classes, plan.outputs, plan.manifest(), layers, force=force)

    def _resume(self) -> RunWriter:
        """Raises DataNotFound where images that are in the file are others by now."""
        plan, writer = self._plan, RunWriter.resume(self._out, self._plan.spec, self._plan.layers.specs)
        try:
            hint = "Put the images of that time back, or scan anew: --force."
            check_images(self._out, plan.source, plan.images.indices, hint=hint)
        except BaseException:
            writer.close()
            raise
        return writer

    def _scan(self, writer: BackgroundWriter) -> None:
        total = len(self._plan.images.indices)
        self._resumed = writer.n_done
        self._report(self.stage, writer.n_done, total)
        if writer.n_done == total:
            return
        if not self._is_trial and (found := self._look_at_answers()):
            self._say(found)
            self._report(self.stage, writer.n_done, total)
        with kept_heap(is_wanted=self._device.type == "cpu") as heap, closing(self.batches(writer.n_done)) as batches:
            for scanned in batches:
                writer.append(scanned.batch)
                heap.settle()
                self._failed += scanned.n_failed
                self._outlook = self._outlook or self._pace.take(scanned.batch)
                self._report(self.stage, scanned.n_done, total)
                if self._should_stop() and scanned.n_done < total:
                    self._stop(writer)

    def _look_at_answers(self) -> list[Finding]:
        return look_at_answers(self._plan, Running(self._device, self._batch_size, self._check_stop))

    def batches(self, n_done: int) -> Generator[ScannedBatch, None, None]:
        """The images from `n_done` on."""
        return scan_batches(
            self._plan, n_done=n_done, batch_size=self._batch_size, workers=self._workers, device=self._device
        )

    def _stop(self, writer: BackgroundWriter) -> NoReturn:
        writer.checkpoint()
        total = len(self._plan.images.indices)
        raise ScanInterrupted(
            f"Stopped after {writer.n_done:,} of {total:,} images; {self._out} keeps them.",
            hint="The same command goes on from there.",
        )

    def _measuring(self, done: int, total: int) -> None:
        self._report("measuring", done, total)
        self._check_stop()

    def _check_stop(self) -> None:
        if self._should_stop():
            raise KeyboardInterrupt

    def _say(self, findings: Sequence[Finding]) -> None:
        self._warn(*(finding.sentence() for finding in findings))

    def _warn(self, *found: str) -> None:
        self._warnings += found
        if self._on_progress is None:
            for warning in found:
                warnings.warn(warning, stacklevel=4)

    def _report(self, stage: Stage, done: int, total: int) -> None:
        if self._on_progress is not None:
            size = size_with_log(self._out)
            self._on_progress(
                ScanProgress(stage, done, total, self._failed, size, self._warnings, self._outlook, self._resumed)
            )


def size_with_log(path: Path) -> int:
    """Bytes of a run's file and of SQLite's write-ahead log beside it."""
    beside = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in beside if file.exists())
