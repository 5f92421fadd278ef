"""The files that images were read from: found again from anywhere, and nothing else is opened for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nastui.errors import AddressNotFound
from nastui.store import originals
from nastui.store.originals import read_original
from nastui.store.reader import RunReader
from tests.store.small_scan import create


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """An image set with one image, and a file beside it that is none of its business."""
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "a.png").write_bytes(b"picture")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return tmp_path / "pets"


def test_an_original_is_read_where_it_still_is(pets: Path) -> None:
    assert read_original("imagefolder:~/pets", str(pets), "cat/a.png") == b"picture"


def test_an_original_is_found_from_any_folder(pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    create(tmp_path / "run.nas.db", 1, data="imagefolder:pets", data_root=str(pets)).close()
    (pets / "photos").mkdir()
    (pets / "photos" / "00000.jpg").write_bytes(b"photo")
    with RunReader(tmp_path / "run.nas.db") as run:
        assert run.original(0) == b"photo"


def test_links_inside_the_set_are_followed_as_the_scan_followed_them(pets: Path) -> None:
    (pets / "lynx").symlink_to(pets / "cat")
    assert read_original("imagefolder:pets", str(pets), "lynx/a.png") == b"picture"


def test_an_original_that_is_not_there_gives_the_reason() -> None:
    with pytest.raises(AddressNotFound, match=r"/nowhere/cat/a\.png cannot be read: No such file"):
        read_original("imagefolder:nowhere", "/nowhere", "cat/a.png")


def test_images_that_are_no_files_say_so() -> None:
    with pytest.raises(AddressNotFound, match="images of digits: are not files"):
        read_original("digits:", None, "[7]")


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ("npy:drawings", "cat.npy[17]"),
        ("npz:mnist.npz", "x_test[17]"),
        ("tar:shards", "shard-0.tar/17.jpg"),
        ("wds:shards", "shard-0.tar/17.jpg"),
        ("hf:saved", "[17]"),
        ("torchvision:MNIST:test", "[17]"),
    ],
)
def test_images_that_share_a_file_say_so(pets: Path, data: str, source: str) -> None:
    with pytest.raises(AddressNotFound, match="are not files of their own"):
        read_original(data, str(pets), source)


def test_files_of_a_torchvision_set_are_read(pets: Path) -> None:
    assert read_original("torchvision:Food101:test", str(pets), "cat/a.png") == b"picture"


@pytest.mark.parametrize("source", ["cat/a.png", "cat/a.png#2", "{folder}/elsewhere/b.png", "../elsewhere/b.png"])
def test_a_list_s_images_are_read_wherever_they_lie(pets: Path, source: str) -> None:
    (pets.parent / "elsewhere").mkdir()
    (pets.parent / "elsewhere" / "b.png").write_bytes(b"picture")
    assert read_original("csv:pets/list.csv", str(pets), source.format(folder=pets.parent)) == b"picture"


@pytest.mark.parametrize("source", ["{folder}/secret.txt", "../secret.txt", "cat/../../secret.txt"])
def test_a_run_from_elsewhere_opens_no_file_outside_its_images(pets: Path, source: str) -> None:
    with pytest.raises(AddressNotFound, match="lies outside the image set"):
        read_original("imagefolder:pets", str(pets), source.format(folder=pets.parent))


def test_a_pipe_in_the_place_of_an_image_does_not_hang_the_viewer(pets: Path) -> None:
    os.mkfifo(pets / "cat" / "b.png")
    with pytest.raises(AddressNotFound, match=r"b\.png is not a regular file"):
        read_original("imagefolder:pets", str(pets), "cat/b.png")


def test_a_file_too_large_for_a_picture_is_left_alone(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "MAX_BYTES", 6)
    with pytest.raises(AddressNotFound, match=r"a\.png has 7 bytes, more than 6"):
        read_original("imagefolder:pets", str(pets), "cat/a.png")


def test_a_source_that_can_be_no_path_is_said(pets: Path) -> None:
    with pytest.raises(AddressNotFound, match=r"cannot be read: .*embedded null"):
        read_original("imagefolder:pets", str(pets), "cat/a\0.png")
