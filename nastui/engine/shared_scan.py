"""A scan that several processes share: each looks at its parts of the images, then the first one merges them.

Parts that were left by a scan that stopped are gone on with by any number of processes, one among them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import torch

from nastui.engine.batches import ScannedBatch
from nastui.engine.plan import ScanPlan
from nastui.engine.ranks import Ranks, Reached
from nastui.engine.session import OnProgress, ScanProgress, ScanSession, Stage
from nastui.engine.writing import BackgroundWriter
from nastui.errors import ScanError, ScanInterrupted
from nastui.measure_records import KindThresholds
from nastui.records import RunInfo, RunSpec
from nastui.store.differences import KeptLayer, kept_layers, what_differs
from nastui.store.merging import read_batches
from nastui.store.parts import Parts, check_output, clear, find_parts, lock_parts, remove_parts, shared_evenly
from nastui.store.reader import RunReader

_LATE_SECONDS = 70.0  # as long as NFS may hold on to what it knows of a folder

Session = TypeVar("Session", bound=ScanSession)


@dataclass(frozen=True, slots=True)
class SharedScan:
    """What all processes of a scan are given; each makes one and calls `run`."""

    plan: ScanPlan
    out: Path
    ranks: Ranks
    device: torch.device
    batch_size: int
    workers: int | None
    kinds: KindThresholds | None
    on_progress: OnProgress | None
    should_stop: Callable[[], bool]

    def run(self, *, force: bool) -> RunInfo:
        """Look at this process's share; the first one merges them all, measures the units and removes the parts.

        Progress is told in the first process alone, over all of them. Raises OtherProcessFailed where another process
        fails, stops or is lost, and else what `nastui.scan` does; what each part has stays.
        """
        self._check_all_mean_the_same()
        if self.ranks.number != 0:
            parts = self._told_parts(lambda: None)
            self._scan_parts(parts, ProgressOverAll(self, parts))
            self.ranks.told_by_first("finished", lambda: None, self._check_stop)
        else:
            with lock_parts(self.out):
                bounds = self._arrange(force=force)
                over_all = ProgressOverAll(self, Parts(self.out, bounds))  # before others go on with the parts
                parts = self._told_parts(lambda: bounds)
                self._scan_parts(parts, over_all)
                self._merge(parts, over_all)
                remove_parts(self.out)
            self.ranks.told_by_first("finished", lambda: None)
        self.ranks.leave()
        with RunReader(self.out) as run:
            return run.info()

    def _check_all_mean_the_same(self) -> None:
        """Raise ScanError where this process would do another scan than the first one."""
        spec, layers = self.plan.spec, kept_layers(self.plan.layers.specs)
        mine = {"spec": asdict(spec), "layers": layers, "batch_size": self.batch_size}
        first = self.ranks.all_tell("scan", mine, self._check_stop)[0]
        theirs = [KeptLayer(path, kind, tuple(shape), *more) for path, kind, shape, *more in first["layers"]]
        different = what_differs(RunSpec(**first["spec"]), spec, theirs, layers)
        if first["batch_size"] != self.batch_size:
            different.append(f"batch_size {first['batch_size']}, now {self.batch_size}")
        if different:
            raise ScanError(
                f"It would do another scan than process 0. What differs: {'; '.join(different)}.",
                hint="All processes need the same command, model, weights and images.",
            )
        self.ranks.all_tell("agreed", True, self._check_stop)

    def _told_parts(self, arrange: Callable[[], Any]) -> Parts:
        return Parts(self.out, tuple(self.ranks.told_by_first("bounds", arrange, self._check_stop)))

    def _arrange(self, *, force: bool) -> tuple[int, ...]:
        spec, layers = self.plan.spec, self.plan.layers.specs
        if force:
            clear(self.out, spec)
        parts, n_done = find_parts(self.out, spec, layers), check_output(self.out, spec, layers)
        if parts is None:
            n_images = len(self.plan.images.indices)
            parts = shared_evenly(self.out, n_images, n_done, self.batch_size, self.ranks.count)
        return parts.bounds

    def _scan_parts(self, parts: Parts, over_all: ProgressOverAll) -> None:
        """Look at every part that is this process's, then wait until the others have done the same."""
        mine = [number for number in parts.numbers[self.ranks.number :: self.ranks.count] if parts.images(number)]
        try:
            for number in mine:
                self._scan_part(parts, number, over_all)
            self.ranks.all_tell("scanned", True, lambda: self._wait(over_all))
        except ScanInterrupted as exc:
            self.ranks.check()  # raises where another process is why
            self._say_stopped(parts, exc)

    def _wait(self, over_all: ProgressOverAll) -> None:
        if self.should_stop():
            raise ScanInterrupted("Stopped while others were scanning.")
        over_all.tell("scanning")

    def _scan_part(self, parts: Parts, number: int, over_all: ProgressOverAll) -> None:
        plan = self.plan.part(parts.images(number), parts.spec(number, self.plan.spec))
        session = self._session(ScanSession, plan, parts.path(number), over_all.take_part, is_trial=number != 0)
        session.write(BackgroundWriter.checkpoint)
        over_all.end_part()

    def _merge(self, parts: Parts, over_all: ProgressOverAll) -> None:
        self._check_all_are_here(parts)
        session = self._session(MergeSession, self.plan, self.out, over_all.take_whole, is_trial=True)
        session.parts = parts
        session.run(force=False)

    def _check_all_are_here(self, parts: Parts) -> None:
        """Wait a little where a file system on the network shows the others' files late. Raises ScanError."""
        end = time.monotonic() + _LATE_SECONDS
        while missing := [n for n in parts.numbers if parts.images(n) and not parts.path(n).exists()]:
            if time.monotonic() > end:
                raise ScanError(
                    f"{parts.path(missing[0])} is not there, though another process has written it.",
                    hint=f"All machines must reach {self.out.parent} by this path, on a file system that they share.",
                )
            time.sleep(0.5)

    def _session(
        self, kind: type[Session], plan: ScanPlan, out: Path, on_progress: OnProgress, *, is_trial: bool
    ) -> Session:
        return kind(
            plan,
            out,
            self.device,
            self.batch_size,
            self.workers,
            self.kinds,
            on_progress,
            self._must_stop,
            is_trial=is_trial,
        )

    def _must_stop(self) -> bool:
        return self.should_stop() or self.ranks.is_broken

    def _check_stop(self) -> None:
        if self.should_stop():
            raise ScanInterrupted("Stopped; what the parts have they keep.", hint="The same command goes on.")

    def _say_stopped(self, parts: Parts, exc: ScanInterrupted) -> NoReturn:
        done = parts.bounds[0] + sum(parts.n_done(number) for number in parts.numbers)
        raise ScanInterrupted(
            f"Stopped after {done:,} of {parts.bounds[-1]:,} images; the parts beside {self.out} keep them.",
            hint="The same command goes on from there, with any number of processes.",
        ) from exc


class MergeSession(ScanSession):
    """Takes what the parts hold in place of what the model answers."""

    stage: Stage = "merging"
    parts: Parts

    def batches(self, n_done: int) -> Generator[ScannedBatch, None, None]:
        for number in self.parts.numbers:
            images = self.parts.images(number)
            if images and images.stop > n_done:
                for batch in read_batches(self.parts.path(number), max(n_done - images.start, 0)):
                    whole = replace(batch, first_image=images.start + batch.first_image)
                    n_failed = sum(image.error is not None for image in whole.images)
                    yield ScannedBatch(whole, n_failed, whole.first_image + len(whole.images))


class ProgressOverAll:
    """How far all processes are together, told by the first one, and each warning once."""

    def __init__(self, scan: SharedScan, parts: Parts) -> None:
        self._ranks, self._parts = scan.ranks, parts
        self._is_first = scan.ranks.number == 0
        self._on_progress = scan.on_progress if self._is_first else None
        self._warnings: list[str] = []
        self._ended = self._part = Reached()
        # What others had done before this session shows at once, though nothing was heard of them yet.
        self._before = [parts.n_done(number) for number in parts.numbers] if self._on_progress else []
        self._resumed = parts.bounds[0] + sum(self._before)

    def take_part(self, progress: ScanProgress) -> None:
        """Take what the session of a part says of itself."""
        self._part = Reached(progress.done, progress.failed, progress.bytes_written)
        self._ranks.reached = self._ended + self._part
        self.tell("scanning", progress.warnings)

    def end_part(self) -> None:
        self._ended, self._part = self._ended + self._part, Reached()

    def tell(self, stage: Stage, found: Sequence[str] = ()) -> None:
        """Say how far all are, and what was found to warn of."""
        self._remember(found)
        if self._on_progress is None:
            return
        n_ranks = self._ranks.count
        done = self._parts.bounds[0]
        reached = self._ranks.all_reached()
        for number, one in enumerate(reached):
            done += max(one.done, sum(self._before[number::n_ranks]))
        failed, n_bytes = sum(one.failed for one in reached), sum(one.n_bytes for one in reached)
        total = self._parts.bounds[-1]
        self._on_progress(
            ScanProgress(stage, done, total, failed, n_bytes, tuple(self._warnings), resumed=self._resumed)
        )

    def take_whole(self, progress: ScanProgress) -> None:
        """Take what the session of the merge says."""
        self._remember(progress.warnings)
        if self._on_progress is not None:
            self._on_progress(replace(progress, warnings=tuple(self._warnings), resumed=self._resumed))

    def _remember(self, found: Sequence[str]) -> None:
        new = [warning for warning in found if warning not in self._warnings]
        self._warnings += new
        if self._on_progress is None and self._is_first:
            for warning in new:
                warnings.warn(warning, stacklevel=2)
