"""Every thumbnail, label, prediction and activation belongs to its image, whatever order things happen in.

The pictures carry a number in their pixels that is neither their id nor their name, and the model reads it.
"""

from __future__ import annotations

import io
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.distributed import HashStore  # type: ignore[attr-defined]

from nastui.engine import scan as scan_module
from nastui.engine.scan import ScanProgress, scan
from nastui.engine.sources.files import FileImages
from nastui.engine.sources.source import SourceImage
from nastui.engine.torchrun import TorchrunRanks
from nastui.errors import NastuiError, ScanInterrupted
from nastui.store import tiles
from nastui.store.reader import RunReader

N_IMAGES = 90
N_CLASSES = 5


class ReadsNumbers(nn.Module):
    """Reads the number in a picture: `read` gives its two digits to the base 16, the logits say its class."""

    classes = tuple(f"class {number}" for number in range(N_CLASSES))

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Conv2d(1, 2, (8, 8), bias=False)
        with torch.no_grad():
            self.read.weight.zero_()
            self.read.weight[0, 0, :, :4] = 255 / (16 * 32)
            self.read.weight[1, 0, :, 4:] = 255 / (16 * 32)

    def forward(self, images: Tensor) -> Tensor:
        digits = self.read(images).flatten(1).round()
        numbers = (digits[:, 0] * 16 + digits[:, 1]).long()
        return torch.eye(N_CLASSES)[numbers % N_CLASSES]


def picture_of(number: int) -> Image.Image:
    pixels = np.empty((8, 8), np.uint8)
    pixels[:, :4], pixels[:, 4:] = number // 16 * 16, number % 16 * 16
    return Image.fromarray(pixels)


def number_in(thumbnail: bytes) -> int:
    pixels = np.asarray(Image.open(io.BytesIO(thumbnail)), np.int64)
    return int(pixels[0, 0]) + int(pixels[0, 7]) // 16


@pytest.fixture
def numbers(tmp_path: Path) -> dict[str, int | None]:
    """The number in each picture by its key in the set, None where it is broken; names and numbers are shuffled."""
    shuffled = random.Random(4)
    found: dict[str, int | None] = {}
    for name, number in zip(shuffled.sample(range(1000), N_IMAGES), shuffled.sample(range(200), N_IMAGES), strict=True):
        key = f"class {number % N_CLASSES}/{name}.png"
        path = tmp_path / "images" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        found[key] = None if name % 7 == 3 else number
        path.write_bytes(b"broken") if found[key] is None else picture_of(number).save(path)
    return found


@pytest.fixture(autouse=True)
def threads_that_finish_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    load = FileImages.load

    def dawdle(self: FileImages, index: int) -> SourceImage:
        time.sleep(random.random() * 0.004)
        return load(self, index)

    monkeypatch.setattr(FileImages, "load", dawdle)
    monkeypatch.setattr(tiles, "TILE_IMAGES", 16)


def go(folder: Path, **options: object) -> Path:
    given = {"reduce": "max", "workers": 4, "batch_size": 7, "on_progress": lambda _: None, "mean": (0.0,)}
    out = folder / "run.nas.db"
    scan(ReadsNumbers(), f"imagefolder:{folder / 'images'}", out=out, **(given | options))  # type: ignore[arg-type]
    return out


def check_every_image(path: Path, numbers: dict[str, int | None]) -> int:
    """Compare all that a run has of each image with the number in its picture. Returns how many images it has."""
    with RunReader(path) as run:
        count = run.info().n_images
        images, table, thumbnails = run.images(range(count)), run.image_table(), run.thumbnails(range(count))
        values = run.activations(run.layer("read"))
        outputs = run.outputs()
    for image in images:
        number = numbers[image.source]
        if number is None:
            assert image.error is not None
            assert image.id not in thumbnails
            assert np.isnan(values[image.id]).all()
            continue
        assert image.error is None
        assert image.class_name == f"class {number % N_CLASSES}"
        assert number_in(thumbnails[image.id]) == number
        assert (values[image.id].round() == [number // 16, number % 16]).all()
        assert outputs[table.prediction[image.id]] == image.predicted == image.class_name
        assert image.is_wrong is False
    return count


def test_in_one_go(tmp_path: Path, numbers: dict[str, int | None]) -> None:
    assert check_every_image(go(tmp_path), numbers) == N_IMAGES


def test_of_some_images_of_some_classes(tmp_path: Path, numbers: dict[str, int | None]) -> None:
    path = go(tmp_path, per_class=9, classes=["class 4", "class 1", "class 2"], seed=8, reduce="sample")
    assert check_every_image(path, numbers) == 27


def test_stopped_again_and_again_with_other_batches(tmp_path: Path, numbers: dict[str, int | None]) -> None:
    for batch_size in (5, 7, 11, 3):
        left = iter((False, True))
        with pytest.raises(ScanInterrupted):
            go(tmp_path, batch_size=batch_size, should_stop=lambda left=left: next(left))
    assert check_every_image(go(tmp_path, dtype="float32"), numbers) == N_IMAGES


def test_shared_stopped_and_merged(tmp_path: Path, numbers: dict[str, int | None]) -> None:
    store, joined, stop = HashStore(), threading.local(), threading.Event()

    def watch(progress: ScanProgress) -> None:
        if progress.done >= 14:
            stop.set()

    def one(number: int) -> None:
        joined.ranks = TorchrunRanks(store, number, 3)
        with pytest.raises(NastuiError):
            go(tmp_path, distributed=True, on_progress=watch, should_stop=stop.is_set)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as threads:
        patch.setattr(scan_module, "join_ranks", lambda: joined.ranks)
        list(threads.map(one, range(3)))
    assert not (tmp_path / "run.nas.db").exists()
    assert check_every_image(go(tmp_path), numbers) == N_IMAGES
