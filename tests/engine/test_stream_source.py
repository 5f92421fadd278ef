"""Datasets that can only be gone through from the front."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from nastui.engine.loader import first_decodable, load_batches
from nastui.engine.models import adopt_model
from nastui.engine.preprocessing import choose_preprocessing
from nastui.engine.sources import load_source
from nastui.engine.sources.stream import StreamSource
from nastui.engine.subset import manifest_sha256, select_images
from nastui.errors import DataNotFound, ScanInterrupted
from nastui.store.reader import RunReader
from tests.scanned_files import scan_files, write_files


class Unnamed(IterableDataset[tuple[Any, Any]]):
    """Image i is i everywhere; keeps count of what was given."""

    def __init__(self, n_images: int) -> None:
        self.n_images, self.n_given, self.n_passes = n_images, 0, 0

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        self.n_passes += 1
        for index in range(self.n_images):
            self.n_given += 1
            yield self.image(index), index % 2

    def image(self, index: int) -> Any:
        return np.full((4, 4), index, np.uint8)


class Stream(Unnamed):
    classes = ("even", "odd")


def load(stream: Any, indices: list[int], **options: Any) -> list[int | None]:
    """The value of each image as the loader gives it; None where it failed."""
    source = load_source(stream)
    prepared = choose_preprocessing(adopt_model(torch.nn.Conv2d(1, 1, 1)), first_decodable(source, indices))
    found: list[int | None] = []
    for batch in load_batches(source, indices, prepared, **{"batch_size": 4, "workers": 4, **options}):
        values = iter([] if batch.inputs is None else (batch.inputs[:, 0, 0, 0] * 255).round().int().tolist())
        found += [next(values) if row in batch.rows else None for row in range(len(batch.images))]
    return found


def test_one_pass_counts_and_one_gives_the_images_in_order() -> None:
    stream = Stream(50)
    assert load(stream, list(range(50))) == list(range(50))
    assert (stream.n_passes, stream.n_given) == (3, 101)  # and one image to see what the set gives


def test_images_that_are_not_wanted_are_passed_over_once() -> None:
    stream = Stream(200)
    chosen = sorted(random.Random(0).sample(range(200), 40))
    assert load(stream, chosen) == chosen
    assert stream.n_passes == 3


def test_a_resumed_scan_reads_up_to_where_it_was() -> None:
    stream = Stream(50)
    assert load(stream, list(range(50)), first_image=40) == list(range(40, 50))
    assert stream.n_given == 50 + 50


def test_few_images_are_held_at_a_time() -> None:
    stream = Stream(200)
    source = load_source(stream)
    prepared = choose_preprocessing(adopt_model(torch.nn.Conv2d(1, 1, 1)), first_decodable(source, [0]))
    before = stream.n_given
    batches = load_batches(source, range(200), prepared, batch_size=4, workers=3)
    next(batches)
    batches.close()
    assert stream.n_given - before <= 4 * 4


def test_a_look_at_other_images_in_between_keeps_none_of_the_rest() -> None:
    """As the first seconds of a scan try a few images in other preparations."""
    stream = Stream(200)
    source = load_source(stream)
    assert isinstance(source, StreamSource)
    forget = source.expect(range(200))
    before = [source.load(index).picture.getpixel((0, 0)) for index in range(50)]
    passes = stream.n_passes
    look = source.expect([190, 60, 120])
    assert [source.load(index).picture.getpixel((0, 0)) for index in (190, 60, 120)] == [190, 60, 120]
    assert stream.n_passes == passes, "it goes on from where it is, and keeps the two for their turn"
    assert not source._kept
    look()
    after = [source.load(index).picture.getpixel((0, 0)) for index in range(50, 200)]
    assert before + after == list(range(200))
    assert stream.n_passes == passes + 1
    assert not source._kept
    forget()


def test_classes_are_chosen_and_counted() -> None:
    source = load_source(Stream(21))
    selection = select_images(source, per_class=3, classes=["odd"])
    assert selection.counts == (3,)
    assert all(index % 2 for index in selection.indices)


def test_another_order_in_the_second_pass_is_refused() -> None:
    class Shuffled(Stream):
        def image(self, index: int) -> Any:
            return super().image(index + 100 * (self.n_passes > 1 and index == 7))

    with pytest.raises(DataNotFound, match="gives another image 7 than in the first pass") as caught:
        load(Shuffled(20), list(range(20)))
    assert "shuffling" in caught.value.hint


def test_a_shorter_second_pass_is_refused() -> None:
    stream = Stream(20)
    source = load_source(stream)
    stream.n_images = 15
    assert source.load(14).width == 4
    with pytest.raises(DataNotFound, match=r"ends after 15 images; in the first pass it had 20"):
        source.load(15)


def test_images_that_do_not_decode_fail_alone() -> None:
    class Broken(Stream):
        def image(self, index: int) -> Any:
            return "no image" if index == 3 else super().image(index)

    assert load(Broken(6), list(range(6))) == [0, 1, 2, None, 4, 5]


def test_a_stream_that_fails_says_where() -> None:
    class Failing(Stream):
        def image(self, index: int) -> Any:
            return 1 / (index - 5)

    with pytest.raises(DataNotFound, match=r"fails at image 5: .*ZeroDivisionError"):
        load_source(Failing(9))
    with pytest.raises(DataNotFound, match="is empty"):
        load_source(Stream(0))


def test_texts_are_their_own_names_and_numbers_need_some() -> None:
    class Texts(Unnamed):
        def __iter__(self) -> Iterator[tuple[Any, Any]]:
            return ((image, f"class {label + 9}") for image, label in super().__iter__())

    source = load_source(Texts(3))
    assert (source.classes, list(source.labels)) == (("class 9", "class 10"), [0, 1, 0])
    with pytest.raises(DataNotFound, match="has no class names"):
        load_source(Unnamed(5))

    class Wrong(Texts):
        classes = ("class 9",)

    with pytest.raises(DataNotFound, match="the label class 10, which is none of its classes"):
        load_source(Wrong(5))


def test_items_may_be_dictionaries() -> None:
    class Rows(Stream):
        def __iter__(self) -> Iterator[Any]:
            return ({"image": image, "label": torch.tensor(label)} for image, label in super().__iter__())

    assert load(Rows(5), [1, 4]) == [1, 4]


def test_the_pictures_tell_streams_apart() -> None:
    def manifest(stream: Stream) -> str:
        source = load_source(stream)
        return manifest_sha256(source, select_images(source))

    class Other(Stream):
        def image(self, index: int) -> Any:
            return super().image(index + (index == 3))

    assert manifest(Stream(5)) == manifest(Stream(5))
    assert manifest(Stream(5)) != manifest(Other(5))


def test_a_generator_in_hand_is_refused_and_a_factory_of_one_is_taken(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match="generator can be gone through once only") as caught:
        load_source(iter(Stream(3)))
    assert "file.py:function" in caught.value.hint
    (tmp_path / "data.py").write_text(
        "import numpy as np\nCLASSES = ('a', 'b')\ndef images():\n"
        "    yield from ((np.full((4, 4), i, np.uint8), i % 2) for i in range(9))\n"
    )
    assert load(f"{tmp_path}/data.py:images", [2, 8]) == [2, 8]


class Files(IterableDataset[tuple[Any, Any]]):
    classes = ("ant", "bee", "cat")

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.glob("*/*"))

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return ((Image.open(path), self.classes.index(path.parent.name)) for path in self.paths)


def test_a_stopped_scan_of_a_stream_goes_on_and_equals_one_of_files(tmp_path: Path) -> None:
    write_files(tmp_path)

    def values(**options: Any) -> list[Any]:
        with RunReader(scan_files(tmp_path, batch_size=8, **options)) as run:
            return [run.activations(layer) for layer in run.layers()]

    expected = values()
    stops = iter((False, True))
    with pytest.raises(ScanInterrupted, match="after 16 of 48"):
        values(data=Files(tmp_path / "images"), force=True, should_stop=lambda: next(stops))
    found = values(data=Files(tmp_path / "images"))
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_a_loader_s_dataset_is_taken_and_that_is_said() -> None:
    images = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 1, 4, 4) / 6
    dataset = TensorDataset(images, torch.tensor([0, 1] * 3))
    dataset.classes = ("a", "b")  # type: ignore[attr-defined]
    source = load_source(DataLoader(dataset, batch_size=4, shuffle=True))
    assert list(source.labels) == [0, 1] * 3
    assert source.load(5).tensor is not None
    assert source.notes[0].startswith("torch.utils.data.dataloader.DataLoader is a DataLoader: its dataset is taken")
    assert len(load_source(DataLoader(Stream(5), batch_size=2)).labels) == 5
