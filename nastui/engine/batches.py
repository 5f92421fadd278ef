"""Batch by batch: images loaded, run through the model with the hooks on, and made into what the store keeps."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from nastui.engine.capture import ActivationCapture, Captured, Started
from nastui.engine.loader import LoadedBatch, load_batches
from nastui.engine.plan import ScanPlan
from nastui.engine.reduction import parse_reduction
from nastui.records import Batch, Float32, ImageResult

_TOP = 5

Item = TypeVar("Item")
Number = TypeVar("Number", np.float32, np.int32)


@dataclass(frozen=True, slots=True)
class ScannedBatch:
    """A batch for the store, how many of its images did not decode, and how many images are done with it."""

    batch: Batch
    n_failed: int
    n_done: int


def scan_batches(
    plan: ScanPlan, *, n_done: int, batch_size: int, workers: int | None, device: torch.device
) -> Generator[ScannedBatch, None, None]:
    """Scan the images from `n_done` on. Closing the iterator removes the hooks and stops the loader.

    A batch always begins at a multiple of `batch_size`: after a stop in between, the model sees the whole batch again
    and only the new part is kept. Its sums are then the same to the last bit, whatever the company an image keeps.
    """
    start = n_done - n_done % batch_size
    is_cuda = device.type == "cuda"
    reduction, layers = parse_reduction(plan.spec.reduction), plan.layers.layers
    capture = ActivationCapture(plan.model.module, layers, reduction, plan.spec.seed, plan.computing)
    loading = load_batches(
        plan.source,
        plan.images.indices,
        plan.preprocessing,
        batch_size=batch_size,
        first_image=start,
        workers=workers,
        pinned=is_cuda,
        channels_last=plan.computing.memory_format == "channels_last",
    )
    with closing(loading), capture:
        # A GPU is given the next batch before anybody waits for this one's results.
        for asked in behind((_ask(plan, capture, loaded, device) for loaded in loading), 1 if is_cuda else 0):
            batch = _without_first(asked.batch(plan), n_done - asked.loaded.first_image)
            n_failed = sum(image.error is not None for image in batch.images)
            yield ScannedBatch(batch, n_failed, batch.first_image + len(batch.images))


def behind(items: Iterable[Item], count: int) -> Iterator[Item]:
    """All items in order, each only when `count` more have been taken from `items`, or there are no more."""
    waiting: deque[Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting


@dataclass(frozen=True, slots=True)
class _Asked:
    """A batch that the model was asked for; `started` is None where none of its images decoded."""

    loaded: LoadedBatch
    started: Started | None

    def batch(self, plan: ScanPlan) -> Batch:
        """What the store takes of it."""
        loaded, n_images = self.loaded, len(self.loaded.images)
        if self.started is None:
            specs = [layer.spec for layer in plan.layers.layers]
            nothing = {spec.path: np.full((n_images, spec.n_units), np.nan, np.float32) for spec in specs}
            nowhere = {spec.path: np.zeros((n_images, spec.n_units), np.int32) for spec in specs if spec.has_positions}
            return Batch(loaded.first_image, loaded.images, nothing, nowhere)
        captured, rows = self.started.finish(), np.array(loaded.rows, dtype=np.int64)
        return Batch(
            loaded.first_image,
            _with_predictions(loaded.images, rows, captured),
            {path: _spread(values, rows, n_images, np.nan) for path, values in captured.values.items()},
            {path: _spread(kept, rows, n_images, 0) for path, kept in captured.positions.items()},
        )


def _ask(plan: ScanPlan, capture: ActivationCapture, loaded: LoadedBatch, device: torch.device) -> _Asked:
    if loaded.inputs is None:
        return _Asked(loaded, None)
    rows = np.array(loaded.rows, dtype=np.int64)
    inputs = loaded.inputs.to(device, non_blocking=True)
    return _Asked(loaded, capture.start(inputs, plan.first_image + loaded.first_image + rows))


def _with_predictions(
    images: tuple[ImageResult, ...], rows: NDArray[np.int64], captured: Captured
) -> tuple[ImageResult, ...]:
    found = list(images)
    if captured.output.ndim == 2:
        for row, top5 in zip(rows.tolist(), highest(captured.output), strict=True):
            found[row] = replace(found[row], top5=top5)
    return tuple(found)


def highest(logits: Float32) -> list[tuple[tuple[int, float], ...]]:
    """The five highest (output, logit) of each row of (B, K), highest first, equal ones by output; none with a NaN."""
    count = min(_TOP, logits.shape[1])
    if not count:
        return [()] * len(logits)
    negated = -logits
    fifth = np.partition(negated, count - 1, axis=1)[:, count - 1]
    found: list[tuple[tuple[int, float], ...]] = []
    for row, bound in zip(negated, fifth, strict=True):
        outputs = np.flatnonzero(row <= bound)  # more than five where several equal the fifth
        order = outputs[np.argsort(row[outputs], kind="stable")[:count]]
        found.append(() if np.isnan(row).any() else tuple(zip(order.tolist(), (-row[order]).tolist(), strict=True)))
    return found


def _spread(decoded: NDArray[Number], rows: NDArray[np.int64], n_images: int, missing: float) -> NDArray[Number]:
    """Give images that did not decode a row of `missing`."""
    if len(rows) == n_images:
        return decoded
    whole = np.full((n_images, decoded.shape[1]), missing, decoded.dtype)
    whole[rows] = decoded
    return whole


def _without_first(batch: Batch, n_known: int) -> Batch:
    """The batch without its first images, which are in the file already; `n_known` at most 0 leaves it whole."""
    if n_known <= 0:
        return batch
    return Batch(
        batch.first_image + n_known,
        batch.images[n_known:],
        {path: values[n_known:] for path, values in batch.values.items()},
        {path: kept[n_known:] for path, kept in batch.positions.items()},
    )
