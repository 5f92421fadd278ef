"""hf:, on small datasets as `datasets` saves and caches them; and such a dataset in hand."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, IterableDataset, Value
from datasets import Image as Images
from PIL import Image

from nastui.engine.sources import load_source
from nastui.engine.subset import manifest_sha256, select_images
from nastui.errors import DataNotFound


def png(value: int) -> bytes:
    data = io.BytesIO()
    Image.new("L", (3, 2), value).save(data, "PNG")
    return data.getvalue()


def dataset(values: list[int], labels: list[Any], **kinds: Any) -> Dataset:
    """Columns picture and kind, or as `kinds` has them; each label column has `labels`."""
    kinds = kinds or {"picture": Images(), "kind": ClassLabel(names=["cat", "dog"])}
    pictures = [{"bytes": png(value), "path": None} for value in values]
    rows = {name: pictures if isinstance(kind, Images) else labels for name, kind in kinds.items()}
    return Dataset.from_dict(rows, features=Features(kinds))


def saved(folder: Path, made: Dataset | DatasetDict) -> str:
    made.save_to_disk(str(folder / "saved"))
    return f"hf:{folder / 'saved'}"


def test_a_saved_dataset_is_read_by_the_types_of_its_columns(tmp_path: Path) -> None:
    source = load_source(saved(tmp_path, dataset([7, 8, 9], [1, 0, 1])))
    assert (source.classes, list(source.labels), source.root) == (("cat", "dog"), [1, 0, 1], tmp_path / "saved")
    image = source.load(2)
    assert (np.asarray(image.picture).max(), image.picture.mode) == (9, "L")
    assert image.sha256 == hashlib.sha256(png(9)).hexdigest()
    assert source.key(2) == "[2]"


def test_splits_are_named(tmp_path: Path) -> None:
    both = DatasetDict({"train": dataset([1, 2], [0, 1]), "test": dataset([3], [1])})
    spec = saved(tmp_path, both)
    assert list(load_source(f"{spec}:test").labels) == [1]
    with pytest.raises(DataNotFound, match="has the splits train, test") as caught:
        load_source(spec)
    assert caught.value.hint == f"Name one: {spec}:test"
    with pytest.raises(DataNotFound, match="has no split 'val'"):
        load_source(f"{spec}:val")
    single = saved(tmp_path / "single", dataset([3], [1]))
    with pytest.raises(DataNotFound, match="has no splits"):
        load_source(f"{single}:test")


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [(["b", "a"], Value("string"), ("a", "b")), ([10, 9], Value("int64"), ("9", "10"))],
)
def test_labels_may_be_texts_or_numbers(labels: list[Any], kind: Value, classes: tuple[str, ...]) -> None:
    source = load_source(dataset([1, 2], labels, image=Images(), label=kind))
    assert (source.classes, list(source.labels)) == (classes, [1, 0])


def test_one_of_several_label_columns_is_named(tmp_path: Path) -> None:
    kinds = {"img": Images(), "fine": ClassLabel(names=["a", "b"]), "coarse": ClassLabel(names=["c", "d"])}
    spec = saved(tmp_path, dataset([1, 2], [0, 1], **kinds))
    with pytest.raises(DataNotFound, match="has the labels fine, coarse") as caught:
        load_source(spec)
    assert f"{spec}::COLUMN" in caught.value.hint
    assert load_source(f"{spec}::coarse").classes == ("c", "d")
    with pytest.raises(DataNotFound, match="has no column of labels nonsense"):
        load_source(f"{spec}::nonsense")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: dataset([1], [0], text=Value("string"), label=ClassLabel(names=["a"])), "has no column of images"),
        (lambda: dataset([1], [0.5], image=Images(), score=Value("float32")), "has no column of labels"),
        (lambda: dataset([1, 2], [0, -1]), "kind of .* is -1 in row 1: no label"),
        (lambda: dataset([1, 2], [0, None]), "kind of .* is None in row 1: no label"),
        (lambda: dataset([], []), "is empty"),
    ],
    ids=["no images", "no labels", "minus one", "none", "empty"],
)
def test_a_dataset_without_images_or_labels_says_so(made: Any, words: str) -> None:
    with pytest.raises(DataNotFound, match=words):
        load_source(made())


def test_what_is_neither_here_nor_in_the_cache_is_not_fetched_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    with pytest.raises(DataNotFound, match=f"somebody/pictures is no folder, and not in .*{tmp_path}/cache") as caught:
        load_source("hf:somebody/pictures:test")
    assert "--download" in caught.value.hint
    with pytest.raises(DataNotFound, match=r"The folder \./nowhere does not exist"):
        load_source("hf:./nowhere")

    def fetch(name: str) -> Dataset:
        assert name == "somebody/pictures"
        return dataset([1], [1])

    monkeypatch.setattr(datasets, "load_dataset", fetch)
    assert list(load_source("hf:somebody/pictures", download=True).labels) == [1]
    monkeypatch.setattr(datasets, "load_dataset", lambda _: 1 / 0)
    with pytest.raises(DataNotFound, match="hf:somebody/pictures cannot be opened: division by zero"):
        load_source("hf:somebody/pictures", download=True)


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataNotFound, match="needs the package datasets") as caught:
        load_source("hf:somebody/pictures")
    assert "pip install 'nastui[hf]'" in caught.value.hint


def test_another_version_of_a_dataset_is_another_set(tmp_path: Path) -> None:
    def manifest(values: list[int]) -> str:
        source = load_source(saved(tmp_path, dataset(values, [0, 1])))
        return manifest_sha256(source, select_images(source))

    first = manifest([1, 2])
    source = load_source(f"hf:{tmp_path / 'saved'}")
    assert manifest_sha256(source, select_images(source)) == first
    assert manifest([1, 3]) != first


def test_a_broken_image_fails_alone() -> None:
    rows = {"image": [{"bytes": png(4)[:40], "path": None}, {"bytes": png(4), "path": None}], "label": ["a", "b"]}
    source = load_source(Dataset.from_dict(rows, features=Features({"image": Images(), "label": Value("string")})))
    with pytest.raises(OSError, match="it begins as PNG does, and is damaged or ends too early"):
        source.load(0)
    assert np.asarray(source.load(1).picture).max() == 4


@pytest.mark.parametrize(
    "made",
    [
        dataset([5, 6, 7], ["y", "z", "y"], image=Images(), label=Value("string")),
        dataset([5, 6, 7], [0, 1, 0], picture=Images(), kind=ClassLabel(names=["y", "z"])),
    ],
    ids=["texts", "numbers under other names"],
)
def test_a_dataset_in_hand_and_a_stream_of_it_give_the_same(made: Dataset) -> None:
    stream = made.to_iterable_dataset()
    assert isinstance(stream, IterableDataset)
    ours, theirs = load_source(made), load_source(stream)
    assert (ours.classes, list(ours.labels)) == (theirs.classes, list(theirs.labels)) == (("y", "z"), [0, 1, 0])
    for index in range(3):
        assert np.array_equal(np.asarray(ours.load(index).picture), np.asarray(theirs.load(index).picture))
