"""What a scan that runs will come to: said once, when its first seconds have shown how fast it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from nastui.engine.plan import ScanPlan
from nastui.records import Batch
from nastui.store.file_size import Contents, forecast_bytes

_SECONDS = 5.0  # a scan that is shorter needs no outlook
_BATCHES = 3
_TEXT_BYTES = 200.0  # of an image's path, sum and best outputs, about
_COUNT_BYTES = 180  # of a unit's compressed counts, about


@dataclass(frozen=True, slots=True)
class Outlook:
    """`file_bytes`: of the finished run, about. `seconds`: until the last image, at the speed so far."""

    n_units: int
    n_layers: int
    file_bytes: int
    seconds: float


class Pace:
    """Watches a scan's first batches; `clock` tells seconds."""

    def __init__(self, plan: ScanPlan, clock: Callable[[], float] = time.perf_counter) -> None:
        self._plan = plan
        self._clock = clock
        self._began: tuple[float, int] | None = None
        self._n_batches = 0
        self._thumbnails: list[int] = []

    def take(self, batch: Batch) -> Outlook | None:
        """The outlook, from the batch on that makes it certain enough; None before."""
        done, now = batch.first_image + len(batch.images), self._clock()
        self._thumbnails += [len(image.thumbnail) for image in batch.images if image.thumbnail is not None]
        if self._began is None:  # the first batch takes longer than the others
            self._began = now, done
            return None
        self._n_batches += 1
        elapsed, seen = now - self._began[0], done - self._began[1]
        if self._n_batches < _BATCHES or elapsed < _SECONDS:
            return None
        layers = [layer.spec for layer in self._plan.layers.layers]
        n_images, n_units = len(self._plan.images.indices), sum(layer.n_units for layer in layers)
        counts = [_COUNT_BYTES * n_units]
        contents = Contents(layers, n_images, self._thumbnails, _TEXT_BYTES, counts, len(self._plan.outputs))
        return Outlook(n_units, len(layers), forecast_bytes(contents), (n_images - done) * elapsed / seen)
