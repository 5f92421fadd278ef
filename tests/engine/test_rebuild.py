"""A run's model and images again: found where they were, refused where they are others."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nastui.engine.factories import call_factory
from nastui.engine.models import LoadedModel
from nastui.engine.plan import PixelOptions
from nastui.engine.rebuild import Anew, Rebuilt, check_answers, rebuild
from nastui.errors import DataNotFound, ModelNotFound, NastuiError, ScanError, UsageError, WeightsError
from nastui.store.reader import RunReader
from tests.scanned_files import N_IMAGES, scan_files

CPU = torch.device("cpu")


def again(path: Path, anew: Anew | None = None) -> Rebuilt:
    with RunReader(path) as run:
        rebuilt = rebuild(run, anew)
        check_answers(run, rebuilt, CPU)
        for layer in run.layers():
            assert rebuilt.capture_layer(layer, CPU).spec.path == layer.path
        return rebuilt


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": 9},
        {"size": (7, 9), "mean": (0.1,), "std": (0.5,)},
        {"mean": (0.25,)},
        {"per_class": 5, "seed": 3},
        {"classes": ["cat", "ant"]},
        {"reduce": "none"},
        {"reduce": "max"},
    ],
    ids=str,
)
def test_a_run_knows_what_it_was_made_of(files: Path, options: dict[str, object]) -> None:
    path = scan_files(files, **options)
    rebuilt = again(path)
    with RunReader(path) as run:
        images = run.images(range(run.info().n_images))
    assert [rebuilt.source.key(index) for index in rebuilt.indices] == [image.source for image in images]
    assert rebuilt.preprocessing.sha256 == rebuilt.spec.preprocessing_sha256


def test_relative_paths_start_where_the_scan_did(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    path = scan_files(files, model="net.py:net", weights="net.pt", data="imagefolder:images").rename(
        files.parent / "elsewhere.nas.db"
    )
    monkeypatch.chdir("/")
    assert len(again(path).indices) == N_IMAGES


def test_files_that_moved_are_named_anew(files: Path) -> None:
    path = scan_files(files).rename(files.parent / "run.nas.db")
    moved = files.rename(files.parent / "moved")
    with pytest.raises(ModelNotFound, match=r"There is no file .*net\.py(.|\n)*--model and --weights"):
        again(path)
    model = Anew(f"{moved / 'net.py'}:net", moved / "net.pt")
    with pytest.raises(DataNotFound, match=r"images does not exist(.|\n)*--data"):
        again(path, model)
    again(path, Anew(model.model, model.weights, f"imagefolder:{moved / 'images'}"))


def test_other_weights_are_refused(files: Path) -> None:
    path = scan_files(files)
    state = torch.load(files / "net.pt")
    state["mix.bias"][0] += 1
    torch.save(state, files / "net.pt")
    with pytest.raises(WeightsError, match=r"The weights of .* are not those that run was made with(.|\n)*--weights"):
        again(path)


def test_other_images_are_refused(files: Path) -> None:
    path = scan_files(files)
    images = sorted((files / "images" / "bee").iterdir())
    shutil.copy(images[0], files / "images" / "bee" / "new.png")  # one more does not matter
    again(path)
    images[1].write_bytes(images[1].read_bytes() + b"\0")
    with pytest.raises(DataNotFound, match="another size by now"):
        again(path)
    images[0].unlink()
    with pytest.raises(DataNotFound, match=rf"1 of the run's 48 images .*bee/{images[0].name}"):
        again(path)


def test_another_preprocessing_is_refused_by_what_differs(files: Path) -> None:
    path = scan_files(files, mean=(0.1,))
    with pytest.raises(UsageError, match=r"mean was \[0\.1\], is \[0\.3\]"):
        again(path, Anew(pixels=PixelOptions(mean=(0.3,))))


def test_code_that_changed_is_found_out_by_its_answers(files: Path) -> None:
    path = scan_files(files)
    code = (files / "net.py").read_text()
    (files / "net.py").write_text(code.replace("torch.tanh", "torch.sin"))
    with pytest.raises(ScanError, match="answers otherwise than in the scan") as found:
        again(path)
    assert type(found.value) is ScanError


def test_what_a_script_had_in_hand_is_said_anew(files: Path) -> None:
    _, net = call_factory(f"{files / 'net.py'}:net", ModelNotFound)
    assert isinstance(net, torch.nn.Module)
    net.load_state_dict(torch.load(files / "net.pt"))
    path = scan_files(files, model=net, weights=None)
    with pytest.raises(ModelNotFound, match=r"scanned in Python, with a .*Net in hand(.|\n)*--model path"):
        again(path)
    assert again(path, Anew(net)).is_borrowed
    # The sum of its tensors stands in the run; a file with the same ones will do.
    again(path, Anew(f"{files / 'net.py'}:net", files / "net.pt"))
    with pytest.raises(WeightsError):
        again(path, Anew(f"{files / 'net.py'}:net"))


def test_a_transform_in_hand_is_said_anew(files: Path) -> None:
    path = scan_files(files, transform=Halves())
    with pytest.raises(UsageError, match="kind was the model's own transform, is plain"):
        again(path)
    again(path, Anew(transform=Halves()))


class Halves:
    def __call__(self, picture: Image.Image) -> torch.Tensor:
        return torch.from_numpy(np.asarray(picture, np.float32)[None] / 512)

    def __repr__(self) -> str:
        return "Halves()"


def test_a_dataset_in_hand_is_said_anew(files: Path) -> None:
    dataset = Drawings()
    path = scan_files(files, data=dataset)
    with pytest.raises(DataNotFound, match=r"with a .*Drawings in hand(.|\n)*--data path"):
        again(path)
    again(path, Anew(data=dataset))


class Drawings:
    classes = ("ant", "bee")

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.full((1, 7, 7), index / 6), index % 2


@pytest.mark.parametrize(
    ("weights", "asked"), [("IMAGENET1K_V1", None), ("alexnet.pt", Path("alexnet.pt"))], ids=["by name", "a file"]
)
def test_torchvision_s_own_weights_are_no_file(
    files: Path, monkeypatch: pytest.MonkeyPatch, weights: str, asked: Path | None
) -> None:
    path = scan_files(files)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE run SET model = 'torchvision:alexnet@DEFAULT', weights = ?", (weights,))

    def load(spec: str, weights: Path | None) -> LoadedModel:
        assert (spec, weights) == ("torchvision:alexnet@DEFAULT", asked)
        raise WeightsError("cannot be downloaded")

    monkeypatch.setattr("nastui.engine.rebuild.load_model", load)
    with pytest.raises(WeightsError, match="downloaded"):
        again(path)


def test_every_refusal_has_a_way_out(files: Path) -> None:
    path = scan_files(files)
    shutil.rmtree(files / "images")
    with pytest.raises(NastuiError) as found:
        again(path)
    assert found.value.hint
