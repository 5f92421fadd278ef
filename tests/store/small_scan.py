"""A scan small enough to be made hundreds of times, with everything odd in it: what a run's file must keep."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nastui.records import (
    Batch,
    ClassInfo,
    Float32,
    ImageResult,
    Int32,
    LayerSpec,
    ManifestImage,
    ReceptiveField,
    RunSpec,
)
from nastui.store.content import read_content
from nastui.store.writer import RunWriter

SPEC = RunSpec(
    command="nastui scan --model torchvision:alexnet",
    versions={"nastui": "0.1.0", "torch": "2.15"},
    model="torchvision:alexnet",
    weights="alexnet.pt",
    data="imagefolder:photos",
    weights_sha256="a1",
    preprocessing='{"size": 224}',
    preprocessing_sha256="b2",
    manifest_sha256="c3",
    reduction="max",
    seed=7,
    scan_sha256="d4",
    ranges=6,
    input_height=32,
    input_width=40,
)
OUTPUTS = ("tench", "goldfish", "ice cream")
CLASSES = (ClassInfo(0, "tench", 0, 0), ClassInfo(1, "ice_cream", 2, 0), ClassInfo(2, "my cat", None, 0))
LAYERS = (
    LayerSpec("features.0", "Conv2d", (3, 4, 5), 3, has_positions=True, field=ReceptiveField(11, 12, 8, 7.5, -2, -1)),
    LayerSpec("features.3", "Conv2d", (70, 30, 30), 70, has_positions=True),
    LayerSpec("classifier.1#2", "Linear", (130,), 130, has_positions=False),
)
HALF_LAYERS = tuple(replace(layer, value_type="float16") for layer in LAYERS)


@lru_cache
def values(path: str, n_images: int) -> Float32:
    """What the layer gives, (N, U): unit 0 is dead, 1 constant, 2 has no finite value, 3 some odd ones."""
    layer = next(layer for layer in LAYERS if layer.path == path)
    matrix = np.random.default_rng([n_images, layer.n_units]).standard_normal((n_images, layer.n_units))
    matrix[:, 0] = -np.abs(matrix[:, 0])
    matrix[:, 1] = 0.25
    matrix[:, 2] = np.nan
    if layer.n_units > 3:
        matrix[::3, 3] = np.inf
        matrix[1::3, 3] = 0
    return matrix.astype(np.float32)


@lru_cache
def positions(path: str, n_images: int) -> Int32:
    """Where in its map each value was found, (N, U)."""
    layer = next(layer for layer in LAYERS if layer.path == path)
    high = int(np.prod(layer.shape[1:]))
    return np.random.default_rng([n_images, 1]).integers(high, size=(n_images, layer.n_units), dtype=np.int32)


def is_failed(image: int) -> bool:
    return image % 11 == 5


def result(image: int) -> ImageResult:
    """What was found out about an image: every eleventh does not decode, the tenth has no logits."""
    if is_failed(image):
        return ImageResult(None, None, None, None, (), error="cannot identify image file")
    top5 = () if image == 10 else ((image % 4, 3.5), ((image + 1) % 4, 1.25))
    return ImageResult(b"\xff\xd8" + bytes([image % 256]), 500 + image, 375, f"{image:064x}", top5)


def batch(first: int, count: int, n_images: int) -> Batch:
    """The images `first` to `first + count - 1` as the engine hands them over."""
    rows = slice(first, first + count)
    return Batch(
        first_image=first,
        images=tuple(result(image) for image in range(first, first + count)),
        values={layer.path: values(layer.path, n_images)[rows] for layer in LAYERS},
        positions={layer.path: positions(layer.path, n_images)[rows] for layer in LAYERS if layer.has_positions},
    )


def create(
    path: Path, n_images: int, *, force: bool = False, layers: Sequence[LayerSpec] = LAYERS, **changes: Any
) -> RunWriter:
    """Begin the scan; `changes` to its SPEC make it another one."""
    manifest = [ManifestImage(image % 3, f"photos/{image:05}.jpg") for image in range(n_images)]
    return RunWriter.create(path, replace(SPEC, **changes), CLASSES, OUTPUTS, manifest, layers, force=force)


def append(writer: RunWriter, count: int, n_images: int) -> None:
    """Hand over the next `count` images, or as many as there are."""
    count = min(count, n_images - writer.n_done)
    writer.append(batch(writer.n_done, count, n_images))


def make_run(path: Path, n_images: int, n_done: int | None = None, **changes: Any) -> Path:
    """The scan's file: finished, or stopped after `n_done` images."""
    with create(path, n_images, **changes) as writer:
        until = n_images if n_done is None else n_done
        while writer.n_done < until:
            append(writer, min(32, until - writer.n_done), n_images)
        if n_done is None:
            writer.finish()
    return path


def contents(path: Path) -> dict[str, str]:
    """A sum over each table, without what does not count: where two runs differ, pytest names the table."""
    return read_content(path).tables


def child_environment() -> dict[str, str]:
    """For a process that is to import what we import."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)}


def change(path: Path, statement: str) -> None:
    """Change the file past nastui."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
