"""`nastui scan` and `nastui demo` as a person runs them, on a small network and images of their own."""

from __future__ import annotations

import inspect
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nastui.cli import execute, nastui

NET = """
import time
import torch
from PIL import Image

CLASSES = ["dark", "light"]


class Images:
    classes = ["light", "dark"]
    targets = [i % 2 for i in range(40)]

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        if i == 7:
            raise ValueError("cut off")
        time.sleep({delay})
        return Image.new("L", (8, 8), 200 - 150 * (i % 2)), i % 2


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(108, 2))
"""

DEMO_AGAIN = """
import sys
from pathlib import Path
import nastui.scanning
from nastui.cli import execute

nastui.scanning.user_cache_path = lambda name: Path(sys.argv[1]) / name
assert execute(["demo", "--no-open"]) == 0
print("with torch" if "torch" in sys.modules else "without torch")
"""


def scan_arguments(folder: Path, *, delay: float = 0) -> list[str]:
    (folder / "net.py").write_text(NET.replace("{delay}", str(delay)))
    spec = f"{folder / 'net.py'}:"
    return ["scan", "--model", spec + "model", "--data", spec + "Images", "--batch-size", "4", "--device", "cpu"]


def read(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert execute(["show", str(path), "--json"]) == 0
    shown: dict[str, object] = json.loads(capsys.readouterr().out)
    return shown


def test_scan_ends_with_the_file_on_stdout_and_the_facts_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tones.nas.db"
    assert execute([*scan_arguments(tmp_path), "--out", str(out)]) == 0
    data, talk = capsys.readouterr()
    assert data == f"{out}\n"
    assert "40 images (1 could not be read) of 2 classes, 5 units in 2 layers" in talk
    assert "cut off" in talk
    assert "of 39 images" in talk
    assert f"open it: nastui {out}" in talk


def test_scan_is_refused_where_the_file_is_another_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tones.nas.db"
    assert execute([*scan_arguments(tmp_path), "--out", str(out)]) == 0
    assert execute([*scan_arguments(tmp_path), "--out", str(out), "--seed", "1"]) == 4
    assert "--force" in capsys.readouterr().err
    assert execute([*scan_arguments(tmp_path), "--out", str(out), "--seed", "1", "--force"]) == 0
    assert read(out, capsys)["seed"] == 1


def test_a_folder_that_is_not_there_is_named_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["scan", "--model", "nowhere.py:net", "--data", "imagefolder:nowhere", "--out"]
    assert execute([*command, str(tmp_path / "new folder" / "x.nas.db")]) == 4
    folder = f"{tmp_path}/new folder"
    assert capsys.readouterr().err == (
        f"error: {folder}/x.nas.db cannot be written: the folder {folder} does not exist.\n"
        f"Make it: mkdir -p '{folder}'\n"
    )
    (tmp_path / "file").touch()
    assert execute([*command, str(tmp_path / "file" / "x.nas.db")]) == 4
    assert f"{tmp_path}/file is a file, not a folder." in capsys.readouterr().err


def test_options_reach_the_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tones.nas.db"
    options = ["--per-class", "2", "--classes", "dark", "--layers", "0", "--reduce", "mean", "--size", "8"]
    options += [
        "--mean",
        "0.5",
        "--std",
        "0.25",
        "--ranges",
        "5",
        "--seed",
        "3",
        "--workers",
        "1",
        "--dtype",
        "float16",
    ]
    assert execute([*scan_arguments(tmp_path), *options, "--out", str(out)]) == 0
    shown = read(out, capsys)
    assert (shown["n_images"], shown["reduction"], shown["ranges"], shown["seed"]) == (2, "mean", 5, 3)
    assert [c["name"] for c in shown["classes"]] == ["dark"]  # type: ignore[attr-defined]
    assert [layer["address"] for layer in shown["layers"]] == ["0"]  # type: ignore[attr-defined]
    assert json.loads(str(shown["preprocessing"]))["mean"] == [0.5]
    assert shown["dtype"] == "float16"


TOKENS = """
from torch import nn

class Tokens(nn.Module):
    classes = ("dark", "light")

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, 4, 4, stride=4)
        self.block = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, images):
        return self.head(self.block(self.patches(images).flatten(2).transpose(1, 2)).mean(1))
"""


def test_which_tokens_count_is_shown_and_named_where_it_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = scan_arguments(tmp_path)[4]
    (tmp_path / "tokens.py").write_text(TOKENS)
    command = ["scan", "--model", f"{tmp_path / 'tokens.py'}:Tokens", "--data", data, "--layers", "block.linear1,head"]
    command += ["--out", str(tmp_path / "run.nas.db"), "--tokens"]
    assert execute([*command, "patches"]) == 0
    shown = read(tmp_path / "run.nas.db", capsys)
    assert (shown["dtype"], shown["tokens"]) == ("float32", "patches")
    assert execute([*command, "all"]) == 4
    assert "What differs: tokens patches, now all." in capsys.readouterr().err


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "slow.nas.db"
    command = [*scan_arguments(tmp_path, delay=0.2), "--out", str(out), "--workers", "1"]
    with subprocess.Popen([sys.executable, "-m", "nastui", *command], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not out.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        talk = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert "error: Stopped after" in talk
    assert "The same command goes on from there." in talk
    assert "Traceback" not in talk
    assert read(out, capsys)["finished"] is None

    n_done = read(out, capsys)["n_done"]
    assert "goes on at" not in talk
    assert execute([*scan_arguments(tmp_path), "--out", str(out), "--workers", "1"]) == 0
    assert capsys.readouterr().err.count(f"goes on at {n_done} of 40 images, from {out}\n") == 1
    assert read(out, capsys)["n_done"] == 40


def test_every_option_is_one_of_the_api() -> None:
    from nastui import scan
    from nastui.engine.reduction import REDUCTIONS

    parameters = {parameter.name: parameter for parameter in nastui.commands["scan"].params}
    api = inspect.signature(scan).parameters
    assert set(parameters) <= set(api)
    assert tuple(parameters["reduce"].type.choices) == REDUCTIONS  # type: ignore[attr-defined]
    for name in ("layers", "reduce", "batch_size", "device", "seed", "ranges"):
        assert parameters[name].default == api[name].default


def test_demo_is_made_once_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nastui.scanning.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr("nastui.engine.digits_training.N_EPOCHS", 8)
    path = tmp_path / "nastui" / "demo" / "digits.nas.db"
    assert execute(["demo", "--no-open"]) == 0
    data, talk = capsys.readouterr()
    assert data == f"{path}\n"
    assert talk.startswith(f"made {path}, and ")
    assert "top-1: 0.9" in talk

    again = subprocess.run([sys.executable, "-c", DEMO_AGAIN, tmp_path], capture_output=True, text=True, check=True)
    assert again.stderr.startswith(f"found {path}, and ")
    assert again.stdout.splitlines() == [str(path), "without torch"]
