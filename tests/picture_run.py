"""A run on disk with pictures in it and a layer as large as asked for, written without a model."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from nastui.records import Batch, ClassInfo, ImageResult, LayerSpec, ManifestImage
from nastui.store.writer import RunWriter
from tests.small_run import SPEC

LAYER = "fc"
NAMES = ("ant", "bee", "cat", "dog", "eel")


def write_picture_run(path: Path, *, n_units: int, n_images: int) -> None:
    """A finished run of one linear layer; class i in image i % 5, and each unit answers most to one class.

    Unit 0 is the same for every image of a class, 0.5 for the first one and 1 more for each after it.
    """
    draw = np.random.default_rng(0)
    class_id = np.arange(n_images) % len(NAMES)
    values = draw.normal(-0.5, 1, (n_images, n_units)) + 2 * (class_id[:, None] == np.arange(n_units) % len(NAMES))
    values[:, 0] = class_id + 0.5
    classes = [ClassInfo(k, name, k, int((class_id == k).sum())) for k, name in enumerate(NAMES)]
    images = [ManifestImage(int(k), f"{NAMES[k]}/{i:04}.png") for i, k in enumerate(class_id)]
    results = tuple(ImageResult(thumbnail(i), 12, 12, None, ((int(k), 1.0),)) for i, k in enumerate(class_id))
    layer = LayerSpec(LAYER, "Linear", (n_units,), n_units, has_positions=False)
    with RunWriter.create(path, SPEC, classes, list(NAMES), images, [layer]) as writer:
        writer.append(Batch(0, results, {LAYER: values.astype(np.float32)}, {}))
        writer.finish()


def thumbnail(image: int) -> bytes:
    """A picture of 12 × 12 pixels like no other."""
    pixels = np.random.default_rng(image).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "png")
    return data.getvalue()
