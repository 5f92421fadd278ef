from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, Subset

from nastui.engine.sources import KINDS, load_source
from nastui.errors import DataNotFound


def write_images(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), "red").save(root / path)
    return root


def keys(data: Any) -> list[str]:
    source = load_source(data)
    return [source.key(index) for index in range(len(source.labels))]


def test_folders_are_classes_and_files_stand_in_natural_order(tmp_path: Path) -> None:
    write_images(tmp_path, "dog/10.png", "dog/9.PNG", "cat/deep/er/1.jpg", "cat/2.webp", "10/a.bmp", "9/a.tiff")
    write_images(tmp_path, ".hidden/1.png", "cat/.thumbnails/1.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "dog/notes.txt").write_text("no image")
    source = load_source(f"imagefolder:{tmp_path}")
    assert source.classes == ("9", "10", "cat", "dog")
    assert list(source.labels) == [0, 1, 2, 2, 3, 3]
    assert keys(f"imagefolder:{tmp_path}") == [
        "9/a.tiff", "10/a.bmp", "cat/2.webp", "cat/deep/er/1.jpg", "dog/9.PNG", "dog/10.png"
    ]  # fmt: skip


def test_an_image_of_a_folder_comes_with_its_size_and_hash(tmp_path: Path) -> None:
    write_images(tmp_path, "a/1.png")
    source = load_source(f"imagefolder:{tmp_path}")
    image = source.load(0)
    data = (tmp_path / "a/1.png").read_bytes()
    assert (image.width, image.height, image.picture.mode, image.tensor) == (4, 3, "RGB", None)
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert source.stamp(0) == str(len(data))


def test_linked_class_folders_are_followed_and_loops_end(tmp_path: Path) -> None:
    write_images(tmp_path, "real/1.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/linked").symlink_to(tmp_path / "real")
    (tmp_path / "real/loop").symlink_to(tmp_path / "real")
    assert keys(f"imagefolder:{tmp_path / 'set'}") == ["linked/1.png"]


def test_a_folder_that_cannot_be_used_says_why_and_what_to_do(tmp_path: Path) -> None:
    def refusal(path: Path) -> DataNotFound:
        with pytest.raises(DataNotFound) as caught:
            load_source(f"imagefolder:{path}")
        return caught.value

    assert refusal(tmp_path / "nowhere").message == f"The folder {tmp_path}/nowhere does not exist."
    assert "holds no images" in refusal(tmp_path).message
    write_images(tmp_path, "1.png", "2.png")
    assert refusal(tmp_path).message == f"{tmp_path} holds 2 images but no class folders."
    assert "one folder a class" in refusal(tmp_path).hint
    assert refusal(tmp_path / "1.png").message.endswith("1.png is a picture, not a folder.")
    write_images(tmp_path / "splits", "train/cat/1.png", "val/cat/1.png")
    assert "holds the splits train, val, not classes" in refusal(tmp_path / "splits").message
    assert refusal(tmp_path / "splits").hint == f"Name one: imagefolder:{tmp_path}/splits/val"


def test_a_folder_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("nastui.engine.sources.imagefolder.os.scandir", refuse)
    with pytest.raises(DataNotFound, match=f"{tmp_path} cannot be read: Permission denied"):
        load_source(f"imagefolder:{tmp_path}")


class Shapes(Dataset[tuple[Any, int]]):
    classes = ("square", "circle")

    def __init__(self, images: list[Any]) -> None:
        self.images, self.n_read = images, 0

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        self.n_read += 1
        return self.images[index], index % 2


def test_a_dataset_s_images_may_be_pictures_arrays_or_tensors() -> None:
    pixels = np.full((2, 3), 51, dtype=np.uint8)
    tensor = torch.from_numpy(pixels)[None]
    source = load_source(Shapes([Image.fromarray(pixels), pixels, pixels / 255, tensor, tensor / 255]))
    assert (source.classes, list(source.labels), source.key(1)) == (("square", "circle"), [0, 1, 0, 1, 0], "[1]")
    loaded = [source.load(index) for index in range(5)]
    assert all(np.array_equal(np.asarray(image.picture), pixels) for image in loaded)
    assert [image.tensor is not None for image in loaded] == [False] * 4 + [True]


def test_labels_are_taken_from_targets_without_reading_images() -> None:
    dataset = Shapes([None] * 3)
    dataset.targets = torch.tensor([1, 1, 0])  # type: ignore[attr-defined]
    assert list(load_source(dataset).labels) == [1, 1, 0]
    subset = load_source(Subset(dataset, [2, 0]))
    assert (list(subset.labels), subset.classes) == ([0, 1], Shapes.classes)
    assert dataset.n_read == 0
    dataset.target_transform = lambda label: label  # type: ignore[attr-defined]
    assert list(load_source(dataset).labels) == [0, 1, 0]


def test_class_names_may_be_lists_of_synonyms() -> None:
    dataset = Shapes([None])
    dataset.classes = [("tench", "Tinca tinca"), ("goldfish",)]  # type: ignore[assignment]
    assert load_source(dataset).classes == ("tench, Tinca tinca", "goldfish")


DATA = """
CLASSES = ("a", "b")
def pairs():
    return [("x", 0), ("y", 1)]
def wrong_label():
    return [("x", 2)]
def empty():
    return []
def broken():
    return [1 / 0]
def no_labels():
    return ["x"]
def nothing():
    return None
"""


def test_a_factory_gives_a_dataset_and_its_file_the_names(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text(DATA)
    source = load_source(f"{tmp_path}/data.py:pairs")
    assert (source.spec, source.classes, list(source.labels)) == (f"{tmp_path}/data.py:pairs", ("a", "b"), [0, 1])
    with pytest.raises(TypeError, match="the dataset gives a str"):
        source.load(0)


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("wrong_label", "has the label 2, but 2 class names"),
        ("empty", "is empty"),
        ("broken", "data.py line 10: ZeroDivisionError"),
        ("no_labels", "labels of .* cannot be read: .*IndexError"),
        ("nothing", "labels of .* cannot be read: .*TypeError"),
    ],
)
def test_a_dataset_that_cannot_be_used_says_why(tmp_path: Path, factory: str, words: str) -> None:
    (tmp_path / "data.py").write_text(DATA)
    with pytest.raises(DataNotFound, match=words):
        load_source(f"{tmp_path}/data.py:{factory}")


def test_a_dataset_without_class_names_is_refused() -> None:
    with pytest.raises(DataNotFound, match="has no class names") as caught:
        load_source([(1, 2)])
    assert ".classes" in caught.value.hint


def test_a_spec_without_a_kind_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound) as caught:
        load_source("photos")
    assert all(f"{kind}:…" in caught.value.hint for kind in KINDS)
    with pytest.raises(DataNotFound) as caught:
        load_source(str(tmp_path))
    assert caught.value.hint == f"Did you mean imagefolder:{tmp_path}?"


def test_the_digits_split_for_good_without_overlap() -> None:
    whole, train, test = (load_source(f"digits:{split}") for split in ("", "train", "test"))
    assert (len(whole.labels), len(train.labels), len(test.labels)) == (1797, 1258, 539)
    assert set(keys("digits:train")).isdisjoint(keys("digits:test"))
    assert min(list(test.labels).count(digit) for digit in range(10)) >= 52
    assert keys("digits:test")[:5] == ["[10]", "[13]", "[18]", "[24]", "[32]"]
    assert np.asarray(whole.load(0).picture).max() == 239  # 15 of 16
    with pytest.raises(DataNotFound, match="no split 'tset'"):
        load_source("digits:tset")
