"""Two scans on the CPU are equal bit for bit, however many threads decode and wherever the files lie."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import mobilenet_v3_small, squeezenet1_1

from nastui.engine.scan import scan
from nastui.store.content import read_content
from nastui.store.reader import RunReader

N_IMAGES = 12
LAYERS = {"mobilenet": ["features.4*", "classifier.0"], "squeezenet": ["features.0", "features.6*", "classifier.1"]}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEGs of noise, in four classes."""
    folder = tmp_path_factory.mktemp("photos")
    noise = np.random.default_rng(0)
    for index in range(N_IMAGES):
        path = folder / f"class{index % 4}" / f"{index}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(noise.integers(256, size=(70, 80, 3), dtype=np.uint8)).save(path)
    return folder


def network(name: str) -> nn.Module:
    torch.manual_seed(3)
    module: nn.Module = mobilenet_v3_small(weights=None) if name == "mobilenet" else squeezenet1_1(weights=None)
    return module


def go(name: str, images: Path, out: Path, **options: Any) -> Path:
    given: dict[str, Any] = {"size": 64, "batch_size": 8, "reduce": "sample", "layers": LAYERS[name], "device": "cpu"}
    scan(network(name), f"imagefolder:{images}", out=out, on_progress=lambda _: None, **(given | options))
    return out


@pytest.mark.parametrize("name", ["mobilenet", "squeezenet"])
def test_a_second_scan_holds_the_same(name: str, images: Path, tmp_path: Path) -> None:
    first = go(name, images, tmp_path / "first.nas.db", workers=1)
    elsewhere = Path(shutil.copytree(images, tmp_path / "elsewhere"))
    second = go(name, elsewhere, tmp_path / "second.nas.db", workers=4, command="another one")
    assert read_content(first) == read_content(second)


def test_another_batch_size_changes_no_more_than_the_last_bits(images: Path, tmp_path: Path) -> None:
    """What docs/reproducing.md says of it: a matrix of other size may be multiplied in another order."""
    first = go("squeezenet", images, tmp_path / "first.nas.db", reduce="max")
    second = go("squeezenet", images, tmp_path / "second.nas.db", reduce="max", batch_size=1)
    with RunReader(first) as one, RunReader(second) as other:
        for layer in one.layers():
            values, others = one.activations(layer), other.activations(layer)
            assert np.abs(values - others).max() <= 1e-5 * np.ptp(values)
        assert one.image_table().prediction.tolist() == other.image_table().prediction.tolist()


def test_another_seed_is_another_draw(images: Path, tmp_path: Path) -> None:
    first = go("squeezenet", images, tmp_path / "first.nas.db")
    second = go("squeezenet", images, tmp_path / "second.nas.db", seed=1)
    assert read_content(first).tables["activation"] != read_content(second).tables["activation"]
    assert read_content(first).tables["thumbnail"] == read_content(second).tables["thumbnail"]
