"""npy: and npz:, images that are rows of arrays."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from nastui.engine.sources import ImageSource, load_source
from nastui.engine.sources.array_images import check_rows, image_of_row
from nastui.engine.subset import manifest_sha256, select_images
from nastui.errors import DataNotFound

RNG = np.random.default_rng(0)


def pixels(source: ImageSource, index: int) -> NDArray[Any]:
    return np.asarray(source.load(index).picture)


def manifest(spec: str) -> str:
    source = load_source(spec)
    return manifest_sha256(source, select_images(source))


def test_a_file_is_a_class_and_a_row_an_image(tmp_path: Path) -> None:
    cats = RNG.integers(0, 256, (3, 784), dtype=np.uint8)
    np.save(tmp_path / "full_numpy_bitmap_cat 10.npy", cats)
    np.save(tmp_path / "cat 9.npy", RNG.integers(0, 256, (2, 28, 28), dtype=np.uint8))
    source = load_source(f"npy:{tmp_path}")
    assert (source.classes, list(source.labels)) == (("cat 9", "cat 10"), [0, 0, 1, 1, 1])
    assert [source.key(index) for index in (1, 2, 4)] == [
        "cat 9.npy[1]", "full_numpy_bitmap_cat 10.npy[0]", "full_numpy_bitmap_cat 10.npy[2]"
    ]  # fmt: skip
    assert np.array_equal(pixels(source, 4), cats[2].reshape(28, 28))
    assert source.load(4).sha256 == hashlib.sha256(cats[2].tobytes()).hexdigest()


@given(
    npst.arrays(
        np.uint8,
        st.sampled_from([(2, 9), (2, 3, 5), (2, 4, 5, 1), (2, 4, 5, 3), (2, 3, 4, 5), (2, 1, 4, 5)]),
    ),
    st.sampled_from(["u1", "<u2", ">u2", "<i8", "<f4", ">f8"]),
)
def test_rows_of_every_shape_and_type_are_the_same_picture(array: NDArray[np.uint8], kind: str) -> None:
    from nastui.engine.pictures import picture_of_array

    wanted = array.reshape(2, 3, 3) if array.ndim == 2 else array
    if wanted.ndim == 4 and wanted.shape[3] not in (1, 3):
        wanted = wanted.transpose(0, 2, 3, 1)
    scale = {"f": 1 / 255, "u": 257 if kind.endswith("u2") else 1, "i": 1}[kind.strip("<>")[0]]
    stored = (array * np.array(scale)).astype(kind)
    check_rows(stored.shape, stored.dtype, "x.npy")
    for row in range(2):
        picture = np.asarray(picture_of_array(image_of_row(stored[row])))
        assert np.array_equal(picture, wanted[row].squeeze(axis=2) if wanted[row].shape[2:] == (1,) else wanted[row])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 785), np.uint8), "is 5×785, and rows of 785 values are no square"),
        (np.zeros(5, np.uint8), "is a row of 5 numbers, no images"),
        (np.zeros((5, 6, 6, 2), np.uint8), "is 5×6×6×2"),
        (np.zeros((2, 2, 2, 2, 2), np.uint8), "is 2×2×2×2×2"),
        (np.zeros((5, 784), complex), "holds complex128, which are no pixels"),
        (np.array(["a", "b"]), "holds <U1, which are no pixels"),
    ],
)
def test_arrays_that_hold_no_images_say_why(tmp_path: Path, array: NDArray[Any], words: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataNotFound, match=words):
        load_source(f"npy:{tmp_path}/a.npy")


def test_python_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object), y=np.zeros(1), allow_pickle=True)
    for spec in (f"npy:{tmp_path}", f"npz:{tmp_path / 'a.npz'}:x,y"):
        with pytest.raises(DataNotFound, match="holds Python objects, which run code when they are loaded"):
            load_source(spec)


def test_patterns_and_what_they_miss(tmp_path: Path) -> None:
    for place in ("train/cat.npy", "test/cat.npy", "test/dog.npy"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        np.save(tmp_path / place, np.zeros((2, 4), np.uint8))
    source = load_source(f"npy:{tmp_path}/*/*.npy")
    assert (source.classes, list(source.labels)) == (("cat", "dog"), [0, 0, 0, 0, 1, 1])
    assert source.key(0) == "test/cat.npy[0]"
    assert load_source(f"npy:{tmp_path}/test/{{cat,dog}}.npy").key(3) == "dog.npy[1]"
    with pytest.raises(DataNotFound, match=r"/test holds no cow\.npy"):
        load_source(f"npy:{tmp_path}/test/{{cat,cow}}.npy")
    with pytest.raises(DataNotFound, match=r"holds no \*\.npy"):
        load_source(f"npy:{tmp_path}")
    with pytest.raises(DataNotFound, match=r"no folder .*/nowhere"):
        load_source(f"npy:{tmp_path}/nowhere")


def test_opening_millions_of_drawings_takes_no_memory(tmp_path: Path) -> None:
    """As many as QuickDraw has of 20 classes; the files are sparse, so they take no disk either."""
    for number in range(20):
        array = np.lib.format.open_memmap(tmp_path / f"{number}.npy", "w+", np.uint8, (130_000, 784))
        array[-1] = number
        del array
    tracemalloc.start()
    source = load_source(f"npy:{tmp_path}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(source.labels), source.labels[130_000], source.labels[2_599_999]) == (2_600_000, 1, 19)
    assert pixels(source, 2 * 130_000 - 1).max() == 1
    assert peak < 2_000_000
    selection = select_images(source, per_class=2, classes=["7"])
    assert {source.labels[index] for index in selection.indices} == {7}


def test_another_file_of_the_same_shape_is_another_set(tmp_path: Path) -> None:
    drawings = RNG.integers(0, 256, (50, 784), dtype=np.uint8)
    np.save(tmp_path / "cat.npy", drawings)
    np.savez(tmp_path / "a.npz", x=drawings, y=np.zeros(50, int))
    specs = (f"npy:{tmp_path}", f"npz:{tmp_path / 'a.npz'}")
    before = [manifest(spec) for spec in specs]
    assert [manifest(spec) for spec in specs] == before
    np.save(tmp_path / "cat.npy", drawings[::-1])
    np.savez(tmp_path / "a.npz", x=drawings[::-1], y=np.zeros(50, int))
    assert not set(map(manifest, specs)) & set(before)


def test_a_class_that_is_not_scanned_does_not_matter(tmp_path: Path) -> None:
    np.save(tmp_path / "cat.npy", np.zeros((5, 4), np.uint8))
    before = manifest(f"npy:{tmp_path}")
    np.save(tmp_path / "dog.npy", np.zeros((5, 4), np.uint8))
    source = load_source(f"npy:{tmp_path}")
    assert manifest_sha256(source, select_images(source, classes=["cat"])) == before


@pytest.mark.parametrize(
    ("images", "labels"),
    [("x", "y"), ("X", "Y"), ("images", "labels"), ("data", "target"), ("x_test", "y_test"), ("arr_0", "arr_1"),
     ("val_images", "val_labels"), ("image_test", "label_test")],
)  # fmt: skip
@pytest.mark.parametrize("is_packed", [False, True])
def test_arrays_are_found_by_their_usual_names(tmp_path: Path, images: str, labels: str, is_packed: bool) -> None:
    x, y = RNG.integers(0, 256, (4, 5, 6), dtype=np.uint8), np.array([2, 0, 2, 10])
    arrays: dict[str, Any] = {labels: y, images: x, "other": y[:2]}
    (np.savez_compressed if is_packed else np.savez)(tmp_path / "a.npz", **arrays)
    source = load_source(f"npz:{tmp_path / 'a.npz'}")
    assert (source.classes, list(source.labels)) == (("0", "2", "10"), [1, 0, 1, 2])
    assert [source.key(index) for index in (0, 3)] == [f"{images}[0]", f"{images}[3]"]
    assert all(np.array_equal(pixels(source, index), x[index]) for index in range(4))


def test_several_pairs_of_arrays_have_to_be_chosen_from(tmp_path: Path) -> None:
    x = np.zeros((3, 2, 2), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=np.zeros(3, int), x_test=x[:1], y_test=np.ones(1, int))
    with pytest.raises(DataNotFound, match="more than one pair of images and labels") as caught:
        load_source(f"npz:{tmp_path / 'a.npz'}")
    assert f"npz:{tmp_path / 'a.npz'}:x_test,y_test" in caught.value.hint
    assert list(load_source(f"npz:{tmp_path / 'a.npz'}:x_test,y_test").labels) == [0]
    with pytest.raises(DataNotFound, match="has 1 images and 3 labels"):
        load_source(f"npz:{tmp_path / 'a.npz'}:x_test,y_train")
    with pytest.raises(DataNotFound, match=r"has the arrays x_train, .*not two that are called x,y"):
        load_source(f"npz:{tmp_path / 'a.npz'}:x,y")


@pytest.mark.parametrize(
    "labels",
    [np.array([1, 0, 1]), np.array([[1], [0], [1]]), np.array([1.0, 0.0, 1.0]), np.array([True, False, True]),
     np.array([[0, 1], [1, 0], [0, 1]], np.float32), np.array([b"1", b"0", b"1"]), np.array(["1", "0", "1"])],
    ids=["N", "N×1", "floats", "bools", "one-hot", "bytes", "texts"],
)  # fmt: skip
def test_labels_come_in_many_forms(tmp_path: Path, labels: NDArray[Any]) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 2, 2), np.uint8), y=labels, classes=np.array(["cat", "dog"]))
    source = load_source(f"npz:{tmp_path / 'a.npz'}")
    assert (source.classes, list(source.labels)) == (("cat", "dog"), [1, 0, 1])


@pytest.mark.parametrize("labels", [np.zeros((3, 2)), np.array([0.5, 1, 2]), np.zeros((3, 1, 1)), np.zeros(3, "M8[D]")])
def test_labels_that_are_none_are_refused(tmp_path: Path, labels: NDArray[Any]) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 2, 2), np.uint8), y=labels)
    with pytest.raises(DataNotFound, match=r"no label for each image|0\.5 among its values"):
        load_source(f"npz:{tmp_path / 'a.npz'}")


def test_what_is_packed_is_held_in_memory_and_what_is_not_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nastui.engine.sources.npz._MUCH", 19_000_000)
    x = np.zeros((200, 100, 1000), np.uint8)
    x[150] = 3
    np.savez(tmp_path / "plain.npz", x=x, y=np.zeros(200, int))
    np.savez_compressed(tmp_path / "packed.npz", x=x, y=np.zeros(200, int))
    del x
    tracemalloc.start()
    source = load_source(f"npz:{tmp_path / 'plain.npz'}")
    assert pixels(source, 150).max() == 3
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert source.notes == ()
    packed = load_source(f"npz:{tmp_path / 'packed.npz'}")
    assert pixels(packed, 150).max() == 3
    assert packed.notes[0].startswith(f"{tmp_path}/packed.npz is compressed: its 20 MB of images are held in memory")


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((3, 2, 2), np.uint8), y=np.zeros(3, int))
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / "cat.npy", np.zeros((3, 4), np.uint8))
    (tmp_path / "cat.npy").write_bytes((tmp_path / "cat.npy").read_bytes()[:-1])
    for spec in (f"npz:{tmp_path / 'a.npz'}", f"npy:{tmp_path}"):
        with pytest.raises(DataNotFound, match="cut short"):
            load_source(spec)
