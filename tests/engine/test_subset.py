from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nastui.engine.sources import ImageSource, load_source
from nastui.engine.subset import Selection, manifest, manifest_sha256, select_images
from nastui.errors import ClassNotFound, DataNotFound, UsageError
from tests.scanned_files import scan_files, write_files


def folder(root: Path, **counts: int) -> ImageSource:
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("L", (2, 2)).save(root / name / f"{number}.png")
    return load_source(f"imagefolder:{root}")


def chosen(source: ImageSource, selection: Selection) -> list[str]:
    return [image.source for image in manifest(source, selection)]


def test_all_images_stand_in_the_order_of_the_set(tmp_path: Path) -> None:
    source = folder(tmp_path, cat=2, dog=3)
    selection = select_images(source)
    assert selection == Selection(("cat", "dog"), (2, 3), (0, 1, 2, 3, 4), (0, 0, 1, 1, 1))
    assert [selection.n_images(class_id) for class_id in (0, 1)] == [2, 3]
    assert chosen(source, selection)[:3] == ["cat/0.png", "cat/1.png", "dog/0.png"]


def test_a_choice_per_class_is_repeatable_and_changes_with_the_seed(tmp_path: Path) -> None:
    source = folder(tmp_path, cat=40, dog=3)
    first = select_images(source, per_class=5)
    assert first.counts == (5, 3)
    assert list(first.indices) == sorted(first.indices)
    assert first == select_images(source, per_class=5)
    assert first != select_images(source, per_class=5, seed=1)
    # The rule is part of what a run means: these must never change.
    assert chosen(source, first)[:5] == ["cat/8.png", "cat/15.png", "cat/27.png", "cat/38.png", "cat/39.png"]


def test_a_class_that_has_fewer_images_than_asked_for_is_named_as_the_scan_begins(tmp_path: Path) -> None:
    write_files(tmp_path)
    warnings: set[str] = set()
    with_few = {"per_class": 19, "on_progress": lambda progress: warnings.update(progress.warnings)}
    scan_files(tmp_path, **with_few)
    assert any("fewer than the 19 images asked for" in warning for warning in warnings)
    warnings.clear()
    scan_files(tmp_path, **with_few | {"per_class": 5, "force": True})
    assert not any("fewer than" in warning for warning in warnings)


def test_a_choice_does_not_depend_on_other_classes_or_on_images_that_are_not_in_it(tmp_path: Path) -> None:
    few = folder(tmp_path / "few", dog=30)
    before = chosen(few, select_images(few, per_class=4))
    many = folder(tmp_path / "many", ant=7, dog=30, yak=2)
    assert [key for key in chosen(many, select_images(many, per_class=4)) if key.startswith("dog")] == before
    unused = next(path for path in (tmp_path / "few/dog").iterdir() if f"dog/{path.name}" not in before)
    unused.unlink()
    fewer = load_source(f"imagefolder:{tmp_path / 'few'}")
    assert chosen(fewer, select_images(fewer, per_class=4)) == before


def test_classes_are_chosen_by_name_and_numbered_anew(tmp_path: Path) -> None:
    source = folder(tmp_path, ant=1, ice_cream=2, n01443537_goldfish=3)
    selection = select_images(source, classes=["goldfish", "Ice Cream"])
    assert (selection.classes, selection.counts) == (("ice_cream", "n01443537_goldfish"), (2, 3))
    assert selection.class_ids == (0, 0, 1, 1, 1)
    with pytest.raises(ClassNotFound, match="no class 'ice creme'") as caught:
        select_images(source, classes=["ant", "ice creme"])
    assert caught.value.hint == "Nearest: ice_cream."
    with pytest.raises(ClassNotFound) as caught:
        select_images(source, classes=["zebra"])
    assert caught.value.hint == "The classes are ant, ice_cream, n01443537_goldfish."


def test_a_name_that_fits_two_classes_is_asked_for_in_full(tmp_path: Path) -> None:
    source = folder(tmp_path, n02012849_crane=1, n03126707_crane=1)
    with pytest.raises(ClassNotFound, match="fits several classes: n02012849_crane, n03126707_crane"):
        select_images(source, classes=["crane"])
    assert select_images(source, classes=["n03126707"]).classes == ("n03126707_crane",)


def test_classes_without_images_are_left_out() -> None:
    class OneOfThree(list[tuple[None, int]]):
        classes = ("a", "b", "c")

    source = load_source(OneOfThree([(None, 1)]))
    assert select_images(source).classes == ("b",)
    with pytest.raises(DataNotFound, match="No class that was asked for has an image"):
        select_images(source, classes=["a"])


def test_less_than_one_image_a_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--per-class is 0"):
        select_images(folder(tmp_path, cat=1), per_class=0)


def test_the_manifest_s_hash_changes_with_names_files_and_sizes(tmp_path: Path) -> None:
    source = folder(tmp_path / "a", cat=2, dog=2)
    first = manifest_sha256(source, select_images(source))
    same = folder(tmp_path / "elsewhere", cat=2, dog=2)
    assert manifest_sha256(same, select_images(same)) == first, "where the set lies does not matter"
    assert manifest_sha256(source, select_images(source, classes=["cat"])) != first
    Image.new("L", (3, 3)).save(tmp_path / "a/cat/0.png", compress_level=0)
    assert manifest_sha256(source, select_images(source)) != first
