"""`nastui scan --weights 'epoch*.pt'`: a run a checkpoint, the same images in all, and what is done is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from nastui.cli import execute
from nastui.commands.checkpoints import checkpoint_files, run_names, run_path
from nastui.errors import WeightsError
from nastui.store.reader import RunReader

NET = """
import torch
from PIL import Image

CLASSES = ["dark", "light"]


class Images:
    classes = ["dark", "light"]
    targets = [i % 2 for i in range(8)]

    def __len__(self):
        return 8

    def __getitem__(self, i):
        return Image.new("L", (4, 4), 20 + 25 * i), i % 2


def model():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.Flatten(), torch.nn.Linear(12, 2))
"""


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "net.py").write_text(NET)
    for epoch in (1, 2, 10):
        torch.manual_seed(epoch)
        net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(12, 2))
        torch.save(net.state_dict(), tmp_path / f"epoch{epoch}.pt")
    spec = f"{tmp_path / 'net.py'}:"
    return [
        "scan", "--model", f"{spec}model", "--data", f"{spec}Images", "--per-class", "3", "--device", "cpu",
        "--weights", str(tmp_path / "epoch*.pt"), "--out", str(tmp_path / "net.nas.db"),
    ]  # fmt: skip


def test_each_checkpoint_has_a_run_of_the_same_images_in_natural_order(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == 0
    said = capsys.readouterr()
    expected = [tmp_path / f"net.epoch{epoch}.nas.db" for epoch in (1, 2, 10)]
    assert said.out.split() == [str(path) for path in expected]
    summary = said.err.splitlines()[-3:]
    assert [line.split("  ")[0] for line in summary] == ["epoch1", "epoch2", "epoch10"]
    assert all("top-1 0." in line or "top-1 1." in line for line in summary)
    sums = set()
    for path, epoch in zip(expected, (1, 2, 10), strict=True):
        with RunReader(path) as run:
            spec = run.info().spec
            sums.add((spec.manifest_sha256, spec.preprocessing_sha256, spec.layers_sha256))
            assert spec.weights == str(tmp_path / f"epoch{epoch}.pt")
    assert len(sums) == 1, "the same images, prepared alike, and the same layers"


def test_the_same_command_passes_over_what_it_finished_and_not_what_changed(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["nastui", *arguments])
    assert execute(arguments) == 0
    (tmp_path / "net.epoch2.nas.db").unlink()
    before = (tmp_path / "net.epoch1.nas.db").stat().st_mtime_ns
    capsys.readouterr()
    assert execute(arguments) == 0
    said = capsys.readouterr()
    assert len(said.out.split()) == 3
    assert said.err.count("is finished already") == 2
    assert (tmp_path / "net.epoch1.nas.db").stat().st_mtime_ns == before
    torch.save(torch.load(tmp_path / "epoch2.pt"), tmp_path / "epoch1.pt")
    assert execute(arguments) == 4, "the run of other weights is not replaced unasked"
    assert "net.epoch1.nas.db" in capsys.readouterr().err


def test_a_broken_checkpoint_is_named_at_the_end_and_the_others_have_runs(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["nastui", *arguments])
    whole = (tmp_path / "epoch2.pt").read_bytes()
    torch.save({"0.weight": torch.zeros(2)}, tmp_path / "epoch2.pt")
    assert execute(arguments) == 3
    said = capsys.readouterr()
    assert said.out.split() == [str(tmp_path / f"net.epoch{epoch}.nas.db") for epoch in (1, 10)]
    *_, first, second, last, error, advice = said.err.splitlines()
    assert [line.split("  ")[0] for line in (first, second, last)] == ["epoch1", "epoch2", "epoch10"]
    assert second == f"epoch2  failed: {tmp_path}/epoch2.pt does not fit the model."
    assert "\n  1 of another shape: 0.weight: 2 in the file, 3×1×3×3 in the model\n" in said.err
    assert "top-1" in first
    assert "top-1" in last
    assert error == "error: No run of this scan for 1 of 3 checkpoints: epoch2."
    assert "The same command" in advice
    (tmp_path / "epoch2.pt").write_bytes(whole)
    assert execute(arguments) == 0
    assert capsys.readouterr().err.count("is finished already") == 2


def test_what_is_wrong_with_the_model_ends_the_series_at_once(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments[2] += "x"
    assert execute(arguments) == 3
    assert capsys.readouterr().err.count("has no 'modelx'") == 1


def test_names_of_runs_come_from_out(tmp_path: Path) -> None:
    assert run_path(Path("a/run.nas.db"), "epoch1") == Path("a/run.epoch1.nas.db")
    assert run_path(Path("runs/{name}.nas.db"), "epoch1") == Path("runs/epoch1.nas.db")
    assert run_path(Path("runs/{name}/run.nas.db"), "epoch1") == Path("runs/epoch1/run.nas.db")
    assert run_path(Path("run.db"), "epoch1") == Path("run.epoch1.db")
    assert run_names([Path("a/one.pt"), Path("a/two.pt")]) == ["one", "two"]
    assert run_names([tmp_path / "a/best.pt", tmp_path / "b/best.pt"]) == ["a-best", "b-best"]


def test_a_pattern_that_matches_nothing_says_what_is_there(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"No file matches .*step\*\.pt") as caught:
        checkpoint_files(tmp_path / "step*.pt")
    assert caught.value.hint == f"{tmp_path} has: epoch1.pt, epoch10.pt, epoch2.pt, net.py."


def test_a_file_with_brackets_in_its_name_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "net[1].pt").touch()
    (tmp_path / "net1.pt").touch()
    assert checkpoint_files(tmp_path / "net[1].pt") == []
    assert checkpoint_files(tmp_path / "net[12].pt") == [tmp_path / "net1.pt"]
    assert checkpoint_files(tmp_path / "net1.pt") == []
    assert checkpoint_files(None) == []
