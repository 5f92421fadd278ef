"""What a scan will cost, from a trial: some of its images really scanned into a file that is thrown away."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from nastui.engine.heap import GROWTH
from nastui.engine.inspection.sample import spread
from nastui.engine.measuring_trial import try_measuring
from nastui.engine.memory import PeakMemory, resident_bytes
from nastui.engine.plan import ScanPlan
from nastui.engine.session import ScanProgress, ScanSession
from nastui.engine.subset import Selection
from nastui.errors import ScanInterrupted
from nastui.records import ImageInfo
from nastui.store.file_size import Contents, forecast_bytes, log_bytes
from nastui.store.reader import RunReader
from nastui.store.tiles import image_bytes, images_in_a_tile

_SECONDS = 10.0  # of steady work
_BATCHES = 5
_WARM = 2  # batches before it is steady
_SOME = 256  # images whose previews and texts are weighed
_LEAVING = 128 << 20  # bytes of the libraries that a process with torch looks at when it ends

OnTried = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the whole scan will take on this device, with nothing else running there.

    `file_bytes`: of the finished run. `disk_bytes`: of the run and its log, the most while it is written.
    `peak_bytes`: of memory, the most at any time. `device_bytes`: likewise of a
    GPU's; None without one. `seconds`: from the plan to the end, of which `measuring_seconds` after the last image.
    `images_per_second`: once it runs steadily. `n_tried`: images of the trial.
    """

    n_images: int
    n_tried: int
    file_bytes: int
    disk_bytes: int
    peak_bytes: int
    device_bytes: int | None
    seconds: float
    measuring_seconds: float
    images_per_second: float


def forecast_scan(
    plan: ScanPlan,
    device: torch.device,
    *,
    batch_size: int,
    workers: int | None = None,
    planning_seconds: float = 0.0,
    on_progress: OnTried | None = None,
) -> Forecast:
    """Scan images of all classes for some ten seconds, or all if they are few, and work out the rest.

    To be called before other work has made the process larger. Measures depend on the number of images, so they are
    taken of some units with as many values as the scan will have.
    """
    chosen = _some_images(plan)
    n_images = len(plan.images.indices)
    with tempfile.TemporaryDirectory(prefix="nastui-trial-") as folder:
        trial = _Trial(chosen, device, Path(folder) / "trial.nas.db", batch_size, workers, on_progress)
        with PeakMemory() as scanning:
            trial.run()
        layers = [layer.spec for layer in plan.layers.layers]
        before = resident_bytes()
        with RunReader(trial.path) as run, PeakMemory() as measuring:
            some = range(min(trial.n_done, _SOME))
            thumbnails, texts = run.thumbnails(some).values(), [_text_bytes(image, plan) for image in run.images(some)]
            cost = try_measuring(run, trial.n_done, plan.images.class_ids, plan.spec.ranges)
    contents = Contents(
        layers,
        n_images,
        [len(one) for one in thumbnails],
        float(np.mean(texts)),
        cost.footprints,
        len(plan.outputs),
    )
    file_bytes = forecast_bytes(contents)
    most_measuring = before + round((measuring.peak - before) * cost.thinned)
    seconds = planning_seconds + trial.seconds_for(n_images) + (0.0 if trial.is_whole else cost.seconds)
    return Forecast(
        n_images,
        trial.n_done,
        file_bytes,
        file_bytes + log_bytes(contents),
        max(trial.most_memory(scanning.peak, n_images), most_measuring, resident_bytes() + _LEAVING),
        torch.cuda.max_memory_reserved(device) if device.type == "cuda" else None,
        seconds,
        cost.seconds,
        trial.rate,
    )


def _text_bytes(image: ImageInfo, plan: ScanPlan) -> int:
    """An image's path, its file's sum and its best outputs, as they are stored."""
    best = json.dumps([(len(plan.outputs), logit) for _, logit in image.top5])
    return len(image.source.encode()) + (0 if plan.source.root is None else 64) + len(best)


def _some_images(plan: ScanPlan) -> ScanPlan:
    """The same plan for as many images as the trial may reach, in an order in which classes take turns."""
    positions = spread(plan.images.class_ids, len(plan.images.indices))
    class_ids = tuple(plan.images.class_ids[position] for position in positions)
    indices = tuple(plan.images.indices[position] for position in positions)
    images = Selection(plan.images.classes, plan.images.counts, indices, class_ids)
    return replace(plan, images=images, findings=())


class _Trial:
    """A scan that is stopped as soon as it has shown how fast it is."""

    def __init__(
        self,
        plan: ScanPlan,
        device: torch.device,
        path: Path,
        batch_size: int,
        workers: int | None,
        on_progress: OnTried | None,
    ) -> None:
        self.path = path
        self.n_done = 0
        self._layers = [layer.spec for layer in plan.layers.layers]
        self._times: list[tuple[float, int]] = []
        self._resident: list[int] = []  # bytes of memory before the first batch and after each
        self._is_finished = self._has_enough = False
        self._on_progress = on_progress or (lambda done, total: None)
        self._session = ScanSession(
            plan, path, device, batch_size, workers, None, self._note, self._is_enough, is_trial=True
        )

    def run(self) -> None:
        began = time.perf_counter()
        try:
            self._session.run(force=False)
        except ScanInterrupted:
            if not self._has_enough:
                raise ScanInterrupted("Stopped.", hint="Nothing is left behind.") from None
        self._seconds = time.perf_counter() - began
        self.n_done = self._times[-1][1]

    @property
    def is_whole(self) -> bool:
        """Whether it was the whole scan, with its measures."""
        return self._is_finished

    @property
    def rate(self) -> float:
        """Images a second, once it ran steadily."""
        (began, first), (ended, last) = self._times[min(_WARM, len(self._times) - 2)], self._times[-1]
        return (last - first) / max(ended - began, 1e-9)

    def seconds_for(self, n_images: int) -> float:
        """The trial's own seconds, and what the other images take."""
        return self._seconds + (n_images - self.n_done) / self.rate

    def most_memory(self, peak: int, n_images: int) -> int:
        """What a scan may take that took so much here. Its heap may grow on as far as it is let, and by chance begins
        larger another time, as free memory is divided; the part of a row of tiles that was not filled comes to it."""
        before, first = self._resident[0], self._resident[min(1, len(self._resident) - 1)]
        growth = min(GROWTH, max(0, first - before) // 2)
        unfilled = max(0, min(images_in_a_tile(self._layers), n_images) - self.n_done) * image_bytes(self._layers)
        return max(peak, first + growth) + growth + unfilled

    def _note(self, progress: ScanProgress) -> None:
        if progress.stage == "scanning":
            self._times.append((time.perf_counter(), progress.done))
            self._resident.append(resident_bytes())
            self._on_progress(progress.done, progress.total)
        self._is_finished = progress.stage == "finished"

    def _is_enough(self) -> bool:
        if len(self._times) > _WARM + _BATCHES:
            self._has_enough = time.perf_counter() - self._times[_WARM][0] >= _SECONDS
        return self._has_enough
