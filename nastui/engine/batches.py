"""Batch by batch: images loaded, run through the model with the hooks on, and made into what the store keeps."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from nastui.engine.capture import ActivationCapture, Captured
from nastui.engine.loader import LoadedBatch, load_batches
from nastui.engine.plan import ScanPlan
from nastui.engine.reduction import parse_reduction
from nastui.records import Batch, Float32, ImageResult

_TOP = 5

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
    capture = ActivationCapture(
        plan.model.module, plan.layers.layers, parse_reduction(plan.spec.reduction), plan.spec.seed
    )
    loading = load_batches(
        plan.source, plan.images.indices, plan.preprocessing, batch_size=batch_size, first_image=start, workers=workers
    )
    with closing(loading), capture:
        for loaded in loading:
            batch = _without_first(_scan_batch(plan, capture, loaded, device), n_done - loaded.first_image)
            n_failed = sum(image.error is not None for image in batch.images)
            yield ScannedBatch(batch, n_failed, batch.first_image + len(batch.images))


def _scan_batch(plan: ScanPlan, capture: ActivationCapture, loaded: LoadedBatch, device: torch.device) -> Batch:
    n_images, rows = len(loaded.images), np.array(loaded.rows, dtype=np.int64)
    if loaded.inputs is None:
        specs = [layer.spec for layer in plan.layers.layers]
        values = {spec.path: np.full((n_images, spec.n_units), np.nan, np.float32) for spec in specs}
        positions = {spec.path: np.zeros((n_images, spec.n_units), np.int32) for spec in specs if spec.has_positions}
        return Batch(loaded.first_image, loaded.images, values, positions)
    captured = capture.run(loaded.inputs.to(device), plan.first_image + loaded.first_image + rows)
    return Batch(
        loaded.first_image,
        _with_predictions(loaded.images, rows, captured),
        {path: _spread(values, rows, n_images, np.nan) for path, values in captured.values.items()},
        {path: _spread(kept, rows, n_images, 0) for path, kept in captured.positions.items()},
    )


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
    order = np.argsort(-logits, axis=1, kind="stable")[:, :_TOP]
    chosen = np.take_along_axis(logits, order, axis=1)
    usable: NDArray[np.bool_] = np.asarray(~np.isnan(logits).any(axis=1))
    return [
        tuple(zip(outputs, values, strict=True)) if is_usable else ()
        for outputs, values, is_usable in zip(order.tolist(), chosen.tolist(), usable, strict=True)
    ]


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
