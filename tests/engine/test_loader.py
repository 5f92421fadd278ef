from __future__ import annotations

import io
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nastui.engine.loader import LoadedBatch, first_decodable, load_batches
from nastui.engine.models import adopt_model
from nastui.engine.preprocessing import Preprocessing, choose_preprocessing
from nastui.engine.sources import ImageSource, load_source
from nastui.engine.thumbnails import make_thumbnail
from nastui.errors import DataNotFound, UsageError


class Grey:
    """Image i is i everywhere, 4×4; keeps count of its readers."""

    classes = ("all",)

    def __init__(self, n_images: int) -> None:
        self.targets = [0] * n_images
        self.n_read = self.inside = self.most_inside = 0

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        self.n_read += 1
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        time.sleep(0.001)
        self.inside -= 1
        return self.image(index), 0

    def image(self, index: int) -> Any:
        return np.full((4, 4), index, np.uint8)


def preprocessing(source: ImageSource) -> Preprocessing:
    return choose_preprocessing(adopt_model(nn.Conv2d(1, 1, 1)), first_decodable(source, [0]))


def load(source: ImageSource, **options: Any) -> list[LoadedBatch]:
    indices = range(len(source.labels))
    return list(load_batches(source, indices, preprocessing(source), **{"batch_size": 4, **options}))


def values(batches: list[LoadedBatch]) -> list[int]:
    inputs = torch.cat([batch.inputs for batch in batches if batch.inputs is not None])
    return [round(value) for value in (inputs[:, 0, 0, 0] * 255).tolist()]


@pytest.mark.parametrize("workers", [1, 4])
def test_images_come_in_order_in_batches(workers: int) -> None:
    batches = load(load_source(Grey(10)), workers=workers)
    assert [(batch.first_image, len(batch.images), batch.rows) for batch in batches] == [
        (0, 4, (0, 1, 2, 3)),
        (4, 4, (0, 1, 2, 3)),
        (8, 2, (0, 1)),
    ]
    assert values(batches) == list(range(10))
    assert all(image.error is None and image.thumbnail and image.width == 4 for b in batches for image in b.images)


def test_batches_come_in_the_memory_format_that_is_wanted() -> None:
    plain, other = load(load_source(Grey(6))), load(load_source(Grey(6)), channels_last=True)
    for batch, same in zip(plain, other, strict=True):
        assert batch.inputs is not None
        assert same.inputs is not None
        assert torch.equal(batch.inputs, same.inputs)
        assert batch.inputs.is_contiguous()
        assert same.inputs.is_contiguous(memory_format=torch.channels_last)


def test_loading_goes_on_from_where_a_scan_stopped() -> None:
    batches = load(load_source(Grey(10)), first_image=7)
    assert [(batch.first_image, len(batch.images)) for batch in batches] == [(7, 3)]
    assert values(batches) == [7, 8, 9]


def test_a_person_s_dataset_is_read_by_one_thread_at_a_time_and_each_image_once() -> None:
    dataset = Grey(40)
    source = load_source(dataset)
    load(source, workers=4)
    assert (dataset.most_inside, dataset.n_read) == (1, 41)  # one to see what the set gives


def test_images_that_do_not_decode_are_recorded_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("1.png", "3.jpg", "5.png"):
        Image.new("RGB", (70, 80), "white").save(tmp_path / "a" / name)
    (tmp_path / "a/2.png").write_text("no image")
    whole = (tmp_path / "a/3.jpg").read_bytes()
    (tmp_path / "a/3.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a/4.png").write_bytes(b"")
    batches = load(load_source(f"imagefolder:{tmp_path}"), batch_size=3)
    assert [batch.rows for batch in batches] == [(0,), (1,)]
    assert [batch.inputs.shape for batch in batches if batch.inputs is not None] == [(1, 1, 80, 70)] * 2
    errors = [image.error for batch in batches for image in batch.images]
    assert (errors[0], errors[4]) == (None, None)
    assert str(errors[1]).startswith("UnidentifiedImageError: cannot identify image file")
    assert str(errors[2]).startswith("OSError: ")
    assert str(errors[3]).startswith("UnidentifiedImageError")
    assert batches[0].images[1].thumbnail is None


def test_a_batch_without_a_single_image_has_no_inputs() -> None:
    class Broken(Grey):
        def image(self, index: int) -> Any:
            if index:
                raise RuntimeError("disk\non fire")
            return super().image(index)

    batches = load(load_source(Broken(3)), batch_size=1)
    assert [batch.inputs is None for batch in batches] == [False, True, True]
    assert (batches[1].rows, batches[1].images[0].error) == ((), "RuntimeError: disk on fire")


def test_images_of_different_shapes_say_what_to_do() -> None:
    class Growing(Grey):
        def image(self, index: int) -> Any:
            return np.zeros((4 + index // 5, 4), np.uint8)

    with pytest.raises(UsageError, match=r"\[5\] is 1×5×4, those before it 1×4×4") as caught:
        load(load_source(Growing(8)))
    assert "--size" in caught.value.hint


def test_only_so_many_images_are_prepared_ahead_and_threads_stop_when_closed() -> None:
    dataset = Grey(1000)
    source = load_source(dataset)
    batches = load_batches(source, range(1000), preprocessing(source), batch_size=4, workers=2)
    next(batches)
    most = 1 + 3 * 4  # one to see what the set gives, then the batch handed out and two more
    while dataset.n_read < most:
        time.sleep(0.001)
    time.sleep(0.05)  # in which a loader that does not stop would go on
    batches.close()
    assert dataset.n_read == most
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("nastui-loader")]


def test_a_wrong_transform_stops_the_scan_instead_of_failing_every_image() -> None:
    source = load_source(Grey(3))
    with pytest.raises(UsageError, match="not a float tensor"):
        list(load_batches(source, range(3), Preprocessing(np.asarray, {}), batch_size=2))


def test_a_transform_that_fails_on_one_image_keeps_what_is_known_of_it() -> None:
    def transform(picture: Image.Image) -> Tensor:
        if np.asarray(picture).max() == 1:
            raise ValueError("too dark")
        return torch.zeros(1, 4, 4)

    batch = next(load_batches(load_source(Grey(2)), range(2), Preprocessing(transform, {}), batch_size=2))
    assert batch.rows == (0,)
    assert (batch.images[1].error, batch.images[1].width) == ("ValueError: too dark", 4)


def test_a_set_of_which_nothing_decodes_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.png").write_text("no image")
    source = load_source(f"imagefolder:{tmp_path}")
    with pytest.raises(DataNotFound, match=r"No image of .* can be read: a/1.png: UnidentifiedImageError"):
        first_decodable(source, [0])


@pytest.mark.parametrize(
    ("size", "kind", "kept"),
    [((8, 8), "PNG", (8, 8)), ((64, 20), "PNG", (64, 20)), ((80, 60), "JPEG", (80, 60)), ((400, 300), "JPEG", (96, 72)),
     ((3, 5000), "JPEG", (1, 96))],
)  # fmt: skip
def test_thumbnails_are_exact_when_small_and_ninety_six_pixels_when_not(
    size: tuple[int, int], kind: str, kept: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    encoded = make_thumbnail(Image.fromarray(pixels))
    thumbnail = Image.open(io.BytesIO(encoded))
    assert (thumbnail.format, thumbnail.size) == (kind, kept)
    if kind == "PNG":
        assert np.array_equal(np.asarray(thumbnail), pixels)
    assert len(encoded) < 16_000
