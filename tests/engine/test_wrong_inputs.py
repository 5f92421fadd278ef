"""What a person may give by mistake: each is answered with what it is, and with what to write instead."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from nastui.engine.loader import first_decodable
from nastui.engine.models import load_model
from nastui.engine.scan import scan
from nastui.engine.sources import load_source
from nastui.errors import ModelNotFound, NastuiError, ScanError

PIXELS = np.zeros((6, 8, 8), np.uint8)


def write_inputs(folder: Path) -> None:
    """Files of every kind, whole and damaged, into the current folder."""
    (folder / "set" / "ant").mkdir(parents=True)
    Image.new("L", (8, 8)).save(folder / "set" / "ant" / "0.png")
    np.save(folder / "one.npy", PIXELS)
    np.save(folder / "obj.npy", np.array([{}], dtype=object))
    np.save(folder / "labels.npy", np.arange(6))
    (folder / "cut.npy").write_bytes((folder / "one.npy").read_bytes()[:200])
    np.savez(folder / "int.npz", images=PIXELS, labels=np.arange(6) % 2)
    np.savez(folder / "obj.npz", images=PIXELS, labels=np.array([{}] * 6, dtype=object))
    np.savez(folder / "float.npz", images=PIXELS, labels=np.linspace(0, 1, 6))
    (folder / "cut.npz").write_bytes((folder / "int.npz").read_bytes()[:300])
    with tarfile.open(folder / "good.tar.gz", "w:gz") as tar:
        tar.add(folder / "set", "set")
    with zipfile.ZipFile(folder / "set.zip", "w") as packed:
        packed.write(folder / "set" / "ant" / "0.png")
    (folder / "nohead.csv").write_text("set/ant/0.png,ant\n")
    (folder / "gone.csv").write_text("path,label\nnowhere/1.png,ant\n")
    for name in ("empty.csv", "empty.npz", "empty.npy", "empty.pt2"):
        (folder / name).touch()
    for name in ("text.npz", "text.npy", "text.pt2", "text.pt"):
        (folder / name).write_text("hello\n")
    torch.save(nn.Linear(2, 2).state_dict(), folder / "state.pt")
    (folder / "hf").mkdir()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    return folder


@pytest.fixture(autouse=True)
def here(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(inputs)


def open_set(spec: str) -> None:
    source = load_source(spec)
    first_decodable(source, range(len(source.labels)))


def check(act: Callable[[], object], message: str, hint: str) -> None:
    with pytest.raises(NastuiError) as caught:
        act()
    assert isinstance(caught.value, ScanError)
    said = caught.value.message.replace(f"{Path.cwd()}/", "")
    assert re.search(message, said), said
    assert re.search(hint, caught.value.hint.replace(f"{Path.cwd()}/", "")), caught.value.hint


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("tar:x.tar.gz", r"no file or folder x\.tar\.gz", "Write tar:FOLDER"),
        ("tar:good.tar.gz", "is compressed with gzip, not a .tar file", "gunzip good.tar.gz"),
        ("tar:int.npz", "is an .npz file", "Did you mean npz:int.npz"),
        ("tar:set.zip", "is a zip archive", "unpack it"),
        ("npz:obj.npz", "labels in obj.npz holds Python objects", r"astype\(str\)"),
        ("npz:float.npz", "labels in float.npz has 0.2 among its values", "whole numbers or names"),
        ("npz:cut.npz", "cut.npz is a zip archive that is cut short", "again"),
        ("npz:empty.npz", "is empty", "again"),
        ("npz:text.npz", "is a text file", "again"),
        ("npz:one.npy", "is an .npy file", "Did you mean npy:one.npy"),
        ("npz:set", "set is a folder, not a file", "Did you mean imagefolder:set"),
        ("npy:obj.npy", "it holds Python objects", "np.save"),
        ("npy:cut.npy", "it is cut short", "np.save"),
        ("npy:empty.npy", "is empty", "again"),
        ("npy:text.npy", "is a text file", "again"),
        ("npy:int.npz", "is an .npz file", "Did you mean npz:int.npz"),
        ("npy:labels.npy", "is a row of 6 numbers, no images", "N×H×W"),
        ("csv:nohead.csv", r"first line of nohead.csv is an image's already: set/ant/0\.png", "path,label"),
        ("csv:empty.csv", "is empty", "first line"),
        ("csv:gone.csv", "nowhere/1.png: No such file or directory", "Paths start from"),
        ("csv:int.npz", "is not UTF-8 text", "Did you mean npz:int.npz"),
        ("imagefolder:nohead.csv", "is a text file, not a folder", "Did you mean csv:nohead.csv"),
        ("imagefolder:set.zip", "is a zip archive, not a folder", "unpack it"),
        ("imagefloder:set", "no image sets 'imagefloder:'", r"Did you mean imagefolder:set\?"),
        ("cvs:nohead.csv", "no image sets 'cvs:'", r"Did you mean csv:nohead.csv\?"),
        ("torchvision:CIFAR", "no set 'CIFAR'", "Nearest: CIFAR10, CIFAR100"),
        ("nopackage.x:set", "no module 'nopackage' here", "path/to/file.py:factory"),
        ("set.zip:x", "set.zip is no Python file", "path/to/file.py:factory"),
    ],
)
def test_a_wrong_image_set_is_told_what_it_is(spec: str, message: str, hint: str) -> None:
    check(lambda: open_set(spec), message, hint)


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("exported:text.pt2", "text.pt2 is a text file, not a file of torch.export", "again"),
        ("exported:empty.pt2", "empty.pt2 is empty", "again"),
        ("exported:state.pt", "is a PyTorch checkpoint", "--weights state.pt"),
        ("exported:set", "set is a folder, not a file", "exported:FILE"),
        ("torchscript:state.pt", "is a PyTorch checkpoint, not a TorchScript file", "--weights state.pt"),
        ("torchscript:text.pt", "text.pt is a text file", "again"),
        ("torchvison:resnet18", "no models 'torchvison:'", r"Did you mean torchvision:resnet18\?"),
        ("state.pt:net", "state.pt is no Python file", "path/to/file.py:factory"),
        ("nopackage.x:net", "no module 'nopackage' here", "path/to/file.py:factory"),
    ],
)
def test_a_wrong_model_is_told_what_it_is(
    spec: str, message: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    check(lambda: load_model(spec), message, hint)
    assert capfd.readouterr() == ("", "")  # no traceback of torch's


@pytest.mark.parametrize(
    ("place", "message"),
    [("hf", "has no config.json"), ("nowhere/", "no folder nowhere/"), ("", "no folder"), ("text.pt", "is a file")],
)
def test_a_wrong_folder_of_hugging_face_s_is_told_what_it_lacks(place: str, message: str) -> None:
    pytest.importorskip("transformers")
    check(lambda: load_model(f"hf:{place}"), message, "hf:FOLDER, one made by save_pretrained")


def test_a_misspelt_model_of_the_hub_is_told_its_neighbours_in_the_cache(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    cache = inputs / "cache"
    (cache / "models--microsoft--resnet-18").mkdir(parents=True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound) as caught:
        load_model("hf:microsoft/resnt-18")
    assert caught.value.hint.startswith("Nearest in the cache: microsoft/resnet-18. ")
    shutil.rmtree(cache)


def test_classes_that_are_numbers_are_told_how_to_get_names(inputs: Path, tmp_path: Path) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    said: list[str] = []
    scan(
        net,
        f"npz:{inputs / 'int.npz'}",
        out=tmp_path / "run.nas.db",
        outputs=("ant", "bee"),
        on_progress=lambda progress: said.extend(progress.warnings),
    )
    (warning,) = {words for words in said if "No class could be matched" in words}
    assert warning.endswith("--class-map can say it, or classes.txt beside the images: a class a line, from 0 on.")
