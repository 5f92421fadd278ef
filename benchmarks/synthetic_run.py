"""A run file with one layer of random values, as a scan would have written it: no model, no images on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nastui.records import Batch, ClassInfo, ImageResult, LayerSpec, ManifestImage, RunSpec
from nastui.store.writer import RunWriter

LAYER = "fc"
N_CLASSES = 10
BATCH = 100


def write_run(path: Path, *, n_images: int = 1_000, n_units: int = 4_096, seed: int = 0) -> None:
    """Write a finished run of a linear layer whose units lie on both sides of zero and lean to one class each."""
    draw = np.random.default_rng(seed)
    classes = [ClassInfo(k, f"class {k}", k, n_images // N_CLASSES) for k in range(N_CLASSES)]
    images = [ManifestImage(i % N_CLASSES, f"image-{i:05}.png") for i in range(n_images)]
    layer = LayerSpec(LAYER, "Linear", (n_units,), n_units, has_positions=False)
    lean = draw.integers(0, N_CLASSES, n_units)
    with RunWriter.create(path, spec_of(seed), classes, [c.name for c in classes], images, [layer]) as writer:
        for first in range(0, n_images, BATCH):
            ids = np.array([image.class_id for image in images[first : first + BATCH]])
            values = draw.normal(-0.5, 1, (len(ids), n_units)) + 2 * (ids[:, None] == lean)
            results = tuple(ImageResult(None, 28, 28, None, ((int(k), 1.0),)) for k in ids)
            writer.append(Batch(first, results, {LAYER: values.astype(np.float32)}, {}))
        writer.finish(None)


def spec_of(seed: int) -> RunSpec:
    """Of a run that no model made."""
    return RunSpec(
        command="benchmarks/synthetic_run.py",
        versions={},
        model="synthetic",
        weights="",
        data="synthetic",
        weights_sha256="",
        preprocessing="{}",
        preprocessing_sha256="",
        manifest_sha256="",
        reduction="max",
        seed=seed,
        scan_sha256=f"synthetic-{seed}",
    )
