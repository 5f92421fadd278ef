"""torchvision:, on small files in the sets' own formats."""

from __future__ import annotations

import bz2
import hashlib
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from nastui.engine.rebuild import Anew, rebuild
from nastui.engine.sources import load_source
from nastui.engine.sources.torchvision_sets import SETS
from nastui.errors import DataNotFound, UsageError
from nastui.store.reader import RunReader
from tests.scanned_files import scan_files, write_files

RNG = np.random.default_rng(0)
Uint8 = NDArray[np.uint8]


def write_idx(path: Path, array: NDArray[np.generic], kind: int = 8) -> None:
    """LeCun's format: two zeros, the type, the number of sides, the sides, the values, all big-endian."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = bytes((0, 0, kind, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(head + array.astype(array.dtype.newbyteorder(">")).tobytes())


def write_mnist(root: Path, name: str, images: Uint8, labels: NDArray[np.generic], stem: str = "t10k") -> None:
    raw = root / name / "raw"
    for other in ("train", "t10k"):  # torchvision wants all four files to be there
        write_idx(raw / f"{other}-images-idx3-ubyte", images[:1])
        write_idx(raw / f"{other}-labels-idx1-ubyte", labels[:1])
    write_idx(raw / f"{stem}-images-idx3-ubyte", images)
    write_idx(raw / f"{stem}-labels-idx1-ubyte", labels)


def write_jpegs(folder: Path, *names: str, suffix: str = "") -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (number * 40, 0, 0)).save(folder / f"{name}{suffix}", "JPEG")


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST", "EMNIST-letters", "QMNIST"])
def test_digits_in_idx_files_come_out_pixel_for_pixel(tmp_path: Path, name: str) -> None:
    images, labels = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8), np.array([3, 1, 4, 1, 9], np.uint8)
    if name == "QMNIST":
        write_idx(tmp_path / "QMNIST/raw/qmnist-test-images-idx3-ubyte", images)
        wide = np.tile(labels[:, None].astype(np.int32), (1, 8))
        write_idx(tmp_path / "QMNIST/raw/qmnist-test-labels-idx2-int", wide, kind=12)
    else:
        stem = "emnist-letters-test" if name.startswith("EMNIST") else "t10k"
        write_mnist(tmp_path, name.partition("-")[0], images, labels, stem)
    source = load_source(f"torchvision:{name.lower()}:test:{tmp_path}")
    assert list(source.labels) == labels.tolist()
    assert all(np.array_equal(np.asarray(source.load(index).picture), images[index]) for index in range(5))
    assert (source.key(4), source.root) == ("[4]", tmp_path)
    names = {"FashionMNIST": "Ankle boot", "KMNIST": "wo", "EMNIST-letters": "i"}
    assert source.classes[9] == names.get(name, "9")


def test_cifar_s_pickles_are_read_by_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    images = RNG.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()  # noqa: SIM905
    files = {
        "test_batch": {"data": images.reshape(4, -1), "labels": [3, 8, 8, 0]},
        "batches.meta": {"label_names": names},
    }
    for name, content in files.items():
        (folder / name).write_bytes(pickle.dumps(content))
    cifar = torchvision.datasets.CIFAR10
    monkeypatch.setattr(cifar, "train_list", [])
    monkeypatch.setattr(cifar, "test_list", [["test_batch", md5(folder / "test_batch")]])
    monkeypatch.setattr(cifar, "meta", {**cifar.meta, "md5": md5(folder / "batches.meta")})
    source = load_source(f"torchvision:CIFAR10::{tmp_path}")
    assert (source.classes, list(source.labels)) == (tuple(names), [3, 8, 8, 0])
    assert np.array_equal(np.asarray(source.load(2).picture), images[2].transpose(1, 2, 0))


def test_svhn_and_usps_get_the_names_that_torchvision_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = RNG.integers(0, 256, (32, 32, 3, 3), dtype=np.uint8)
    savemat(tmp_path / "test_32x32.mat", {"X": images, "y": np.array([[10], [1], [9]], np.uint8)})
    svhn = torchvision.datasets.SVHN
    entry = ["", "test_32x32.mat", md5(tmp_path / "test_32x32.mat")]
    monkeypatch.setattr(svhn, "split_list", {**svhn.split_list, "test": entry})
    source = load_source(f"torchvision:SVHN:test:{tmp_path}")
    assert (source.classes, list(source.labels)) == (tuple("0123456789"), [0, 1, 9])
    assert np.array_equal(np.asarray(source.load(1).picture), images[..., 1])
    values = " ".join(f"{i + 1}:1.0" for i in range(256))
    (tmp_path / "usps.t.bz2").write_bytes(bz2.compress(f"8 {values}\n1 {values}\n".encode()))
    usps = load_source(f"torchvision:USPS:test:{tmp_path}")
    assert (usps.classes, list(usps.labels)) == (tuple("0123456789"), [7, 0])
    assert np.asarray(usps.load(0).picture).min() == 255


def eurosat(root: Path) -> None:
    write_jpegs(root / "eurosat/2750", "River/River_10.jpg", "Forest/Forest_2.jpg", "River/River_9.jpg")


def gtsrb(root: Path) -> None:
    folder = root / "gtsrb/GTSRB/Final_Test/Images"
    folder.mkdir(parents=True)
    for name in ("00000.ppm", "00001.ppm"):
        Image.new("RGB", (8, 6)).save(folder / name)
    (root / "gtsrb/GT-final_test.csv").write_text("Filename;ClassId\n00000.ppm;16\n00001.ppm;1\n")


def imagenette(root: Path) -> None:
    write_jpegs(root / "imagenette2/val", "n01440764/a.jpeg", "n02102040/b.jpeg")


def imagenet(root: Path) -> None:
    write_jpegs(root / "val", "n01440764/a.jpeg", "n01443537/b.jpeg")
    names = {"n01440764": ("tench", "Tinca tinca"), "n01443537": ("goldfish",)}
    torch.save((names, ["n01440764"]), root / "meta.bin")


def food(root: Path) -> None:
    write_jpegs(root / "food-101/images", "waffles/1", "apple_pie/2", suffix=".jpg")
    (root / "food-101/meta").mkdir()
    (root / "food-101/meta/test.json").write_text(json.dumps({"waffles": ["waffles/1"], "apple_pie": ["apple_pie/2"]}))


def dtd(root: Path) -> None:
    write_jpegs(root / "dtd/dtd/images", "zigzagged/z_1.jpg", "banded/b_1.jpg")
    (root / "dtd/dtd/labels").mkdir()
    (root / "dtd/dtd/labels/test1.txt").write_text("zigzagged/z_1.jpg\nbanded/b_1.jpg\n")


def pets(root: Path) -> None:
    write_jpegs(root / "oxford-iiit-pet/images", "Abyssinian_201", "great_pyrenees_100", suffix=".jpg")
    (root / "oxford-iiit-pet/annotations").mkdir()
    (root / "oxford-iiit-pet/annotations/test.txt").write_text("great_pyrenees_100 2 2 1\nAbyssinian_201 1 1 1\n")


def aircraft(root: Path) -> None:
    write_jpegs(root / "fgvc-aircraft-2013b/data/images", "0001", "0002", suffix=".jpg")
    data = root / "fgvc-aircraft-2013b/data"
    (data / "variants.txt").write_text("707-320\nA 300\n")
    (data / "images_variant_test.txt").write_text("0001 A 300\n0002 707-320\n")


@pytest.mark.parametrize(
    ("name", "write", "classes", "keys"),
    [
        ("EuroSAT", eurosat, {0: "Forest", 1: "River"},
         ["eurosat/2750/Forest/Forest_2.jpg", "eurosat/2750/River/River_9.jpg", "eurosat/2750/River/River_10.jpg"]),
        ("GTSRB", gtsrb, {1: "1", 42: "42"},
         [f"gtsrb/GTSRB/Final_Test/Images/0000{number}.ppm" for number in (1, 0)]),
        ("Imagenette", imagenette, {0: "tench, Tinca tinca"},
         ["imagenette2/val/n01440764/a.jpeg", "imagenette2/val/n02102040/b.jpeg"]),
        ("ImageNet", imagenet, {0: "tench, Tinca tinca", 1: "goldfish"},
         ["val/n01440764/a.jpeg", "val/n01443537/b.jpeg"]),
        ("Food101", food, {0: "apple_pie", 1: "waffles"},
         ["food-101/images/apple_pie/2.jpg", "food-101/images/waffles/1.jpg"]),
        ("DTD", dtd, {0: "banded", 1: "zigzagged"},
         ["dtd/dtd/images/banded/b_1.jpg", "dtd/dtd/images/zigzagged/z_1.jpg"]),
        ("OxfordIIITPet", pets, {0: "Abyssinian", 1: "Great Pyrenees"},
         [f"oxford-iiit-pet/images/{name}.jpg" for name in ("Abyssinian_201", "great_pyrenees_100")]),
        ("FGVCAircraft", aircraft, {0: "707-320", 1: "A 300"},
         [f"fgvc-aircraft-2013b/data/images/{name}.jpg" for name in ("0002", "0001")]),
    ],
)  # fmt: skip
def test_sets_of_files_are_read_as_files(
    tmp_path: Path, name: str, write: Callable[[Path], None], classes: dict[int, str], keys: list[str]
) -> None:
    write(tmp_path)
    source = load_source(f"torchvision:{name}::{tmp_path}")
    assert [source.key(index) for index in range(len(source.labels))] == keys
    assert {number: source.classes[number] for number in classes} == classes
    assert list(source.labels) == sorted(source.labels)
    image = source.load(0)
    data = (tmp_path / keys[0]).read_bytes()
    assert (image.sha256, source.stamp(0)) == (hashlib.sha256(data).hexdigest(), str(len(data)))


@pytest.mark.parametrize(
    ("name", "split"), [(name, split) for name, splits in SETS.items() for split in splits or ("",)]
)
def test_every_set_and_split_is_one_of_torchvision_s(tmp_path: Path, name: str, split: str) -> None:
    with pytest.raises(DataNotFound, match=f"{name} is not in {tmp_path}: ") as caught:
        load_source(f"torchvision:{name}:{split}:{tmp_path}")
    assert not any(word in caught.value.message for word in ("argument", "Unknown", "attribute")), caught.value.message
    assert f"torchvision:{name}" in caught.value.hint


def test_where_a_set_is_looked_for_and_how_it_gets_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASTUI_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataNotFound, match=f"MNIST is not in {tmp_path}/mine") as caught:
        load_source("torchvision:MNIST")
    assert "--download" in caught.value.hint
    assert "torchvision:MNIST:test:FOLDER" in caught.value.hint
    write_mnist(tmp_path / "mine", "MNIST", np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8))
    assert len(load_source("torchvision:MNIST").labels) == 2
    assert len(load_source("torchvision:MNIST", download=True).labels) == 2  # is there: nothing is fetched
    monkeypatch.delenv("NASTUI_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(DataNotFound, match=f"MNIST is not in {tmp_path}/cache/nastui/datasets"):
        load_source("torchvision:MNIST")


def test_a_download_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.datasets.MNIST, "download", refuse)
    with pytest.raises(DataNotFound, match=f"MNIST could not be downloaded to {tmp_path}: no route to host"):
        load_source(f"torchvision:MNIST:test:{tmp_path}", download=True)
    with pytest.raises(DataNotFound, match="ImageNet cannot be downloaded by torchvision"):
        load_source(f"torchvision:ImageNet:val:{tmp_path}", download=True)
    with pytest.raises(UsageError, match="nothing to download for imagefolder:x"):
        load_source("imagefolder:x", download=True)
    with pytest.raises(UsageError, match="nothing to download for a dataset in hand"):
        load_source([], download=True)


def test_imagenet_s_archives_are_not_unpacked_unasked(tmp_path: Path) -> None:
    (tmp_path / "ILSVRC2012_img_val.tar").write_bytes(b"")
    with pytest.raises(DataNotFound, match="there is no folder val") as caught:
        load_source(f"torchvision:ImageNet:val:{tmp_path}")
    assert "torchvision.datasets.ImageNet(" in caught.value.hint


def test_names_that_do_not_exist_say_which_do() -> None:
    with pytest.raises(DataNotFound, match="There is no set 'CIFAR11'") as caught:
        load_source("torchvision:CIFAR11")
    assert "CIFAR10, CIFAR100" in caught.value.hint
    with pytest.raises(DataNotFound, match="MNIST has no split 'val'") as caught:
        load_source("torchvision:MNIST:val")
    assert caught.value.hint == "MNIST has train, test."
    with pytest.raises(DataNotFound, match="EuroSAT has no split 'test'") as caught:
        load_source("torchvision:EuroSAT:test")
    assert caught.value.hint == "Write torchvision:EuroSAT."


def test_a_run_finds_its_set_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path)
    write_mnist(
        tmp_path / "data", "MNIST", RNG.integers(0, 256, (9, 28, 28), dtype=np.uint8), np.arange(9, dtype=np.uint8)
    )
    monkeypatch.setenv("NASTUI_DATA", str(tmp_path / "data"))
    path = scan_files(tmp_path, data="torchvision:MNIST:test", classes=["1", "4"])
    monkeypatch.delenv("NASTUI_DATA")
    monkeypatch.chdir("/")
    with RunReader(path) as run:
        assert rebuild(run, Anew()).indices == (1, 4)
