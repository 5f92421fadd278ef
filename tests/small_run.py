"""A run on disk whose facts can be told by hand, and enough units to fill a pipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nastui.records import Batch, ClassInfo, ImageResult, LayerSpec, ManifestImage, RunSpec
from nastui.store.writer import RunWriter

N_WIDE = 3_000

SPEC = RunSpec(
    command="nastui scan …",
    versions={"torch": "2.2"},
    model="net.py:build",
    weights="net.pt",
    data="imagefolder:pets",
    weights_sha256="a" * 64,
    preprocessing='{"size": 8}',
    preprocessing_sha256="b" * 64,
    manifest_sha256="c" * 64,
    reduction="max",
    seed=7,
    scan_sha256="d" * 64,
    ranges=4,
)
CLASSES = [ClassInfo(0, "cat", 1, 3), ClassInfo(1, "dog\x1b[31m", None, 3)]
SOURCES = ["cat/a.png", "cat/b.png", "cat/c.png", "dog/d.png", "dog/e.png", "dog/f.png"]
# Unit 0 of conv over the six images; the last one did not decode.
VALUES = [-1.0, 0.5, 3.0, 1.0, np.inf, np.nan]


def write_small_run(path: Path) -> None:
    """Six images of two classes, the last not decoded; layers `conv` (2 units, 3x3 maps) and `wide` (3,000 units)."""
    layers = [
        LayerSpec("conv", "Conv2d", (2, 3, 3), 2, has_positions=True),
        LayerSpec("wide", "Linear", (N_WIDE,), N_WIDE, has_positions=False),
    ]
    images = [ManifestImage(i // 3, source) for i, source in enumerate(SOURCES)]
    results = [ImageResult(None, 8, 8, None, ((1, 2.0), (0, 1.0))) for _ in SOURCES[:-1]]
    results.append(ImageResult(None, None, None, None, (), error="cannot identify image file"))
    conv = np.full((6, 2), np.nan, np.float32)
    conv[:, 0] = VALUES
    conv[:5, 1] = 0
    wide = np.zeros((6, N_WIDE), np.float32)
    wide[5] = np.nan
    positions = np.full((6, 2), 5, np.int32)
    with RunWriter.create(path, SPEC, CLASSES, ["ant", "cat"], images, layers) as writer:
        writer.append(Batch(0, tuple(results), {"conv": conv, "wide": wide}, {"conv": positions}))
        writer.finish()
