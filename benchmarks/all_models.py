"""Scan every classification model of torchvision by name, with random weights and few images, and print a line each.

    python benchmarks/all_models.py [NAME …]

Ends with the models that failed; its exit status is their number. Half an hour on two cores, most of it for building.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nastui.engine.scan import scan
from nastui.engine.torchvision_models import model_names
from nastui.errors import NastuiError
from nastui.store.reader import RunReader

_N_IMAGES = 2
# Pixels a side where a model does not take 64: it has learned positions, or too many strides.
_SIZES = ((r"vit_h_14", 224), (r"vit_.*", 224), (r"maxvit_t", 224), (r"inception_v3", 75))


def main(names: list[str]) -> int:
    """Scan the models of these names, all without any; returns how many failed."""
    _initialise_quickly()
    warnings.simplefilter("ignore")
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        _write_images(images)
        for name in names or model_names():
            began = time.perf_counter()
            try:
                words = _scanned(name, images, Path(folder) / "run.nas.db")
            except (NastuiError, RuntimeError) as exc:
                failed.append(name)
                words = f"FAILED: {type(exc).__name__}: {exc}"
            print(f"{name:24} {time.perf_counter() - began:6.1f} s  {words}", flush=True)
    print(f"{len(names or model_names()) - len(failed)} scanned, {len(failed)} failed: {', '.join(failed) or 'none'}")
    return len(failed)


def _scanned(name: str, images: Path, path: Path) -> str:
    size = next((pixels for pattern, pixels in _SIZES if re.fullmatch(pattern, name)), 64)
    scan(f"torchvision:{name}", f"imagefolder:{images}", out=path, size=size, force=True, memory_format="contiguous")
    with RunReader(path) as run:
        layers = run.layers()
        finite = all(bool(np.isfinite(run.activations(layer)).all()) for layer in layers)
    kinds = [sum((layer.unit_dim, len(layer.shape)) == kind for layer in layers) for kind in ((0, 3), (2, 3), (1, 2))]
    return (
        f"{size:3} pixels  {len(layers):3} layers: {kinds[0]} of maps, {kinds[1]} of maps with channels last, "
        f"{kinds[2]} of tokens  {sum(layer.n_units for layer in layers):,} units" + ("" if finite else "  NOT FINITE")
    )


def _write_images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for index in range(_N_IMAGES):
        path = folder / f"class{index}" / "0.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(path)


def _initialise_quickly() -> None:
    """Random weights by one cheap rule: torchvision's own take longer than all the rest."""

    def fill(tensor: Tensor, *_: object, **__: object) -> Tensor:
        with torch.no_grad():
            fan_in = max(tensor[0].numel(), 1) if tensor.ndim > 1 else 400
            return tensor.uniform_(-1, 1).mul_(fan_in**-0.5)

    for name in ("trunc_normal_", "normal_", "kaiming_normal_", "kaiming_uniform_", "xavier_uniform_"):
        setattr(torch.nn.init, name, fill)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
