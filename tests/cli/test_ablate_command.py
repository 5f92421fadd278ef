"""`nastui ablate` as a person meets it: what it prints, keeps and refuses."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nastui.cli import execute
from tests.scanned_files import scan_with_axes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scan_with_axes(tmp_path_factory.mktemp("ablate"))


@pytest.fixture
def run_file(made: Path, tmp_path: Path) -> str:
    return str(shutil.copy(made, tmp_path / "run.nas.db"))


def test_orders_stand_side_by_side(run_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["ablate", run_file, "conv", "--steps", "1,6"]) == 0
    out, err = capsys.readouterr()
    heading, nothing, _, everything = out.splitlines()
    orders = [f"{basis} {order}" for basis in ("neuron", "pca") for order in ("falling", "rising", "random")]
    assert heading.split("  ") == ["removed", *orders] or all(name in heading for name in orders)
    assert nothing.count("83.3% (64.1–93.3)") == 4
    assert everything.count("50.0% (31.4–68.6)") == 4  # nothing is left to tell the classes by: all are ants
    assert "set to the mean; 24 images" in err


def test_all_that_is_known_comes_for_other_programs(run_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "ablate",
        run_file,
        "conv/pca",
        "--remove",
        "zero",
        "--orders",
        "random",
        "--repeats",
        "2",
        "--seed",
        "5",
    ]
    assert execute([*command, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {(row["basis"], row["order"], row["seed"], row["removal"]) for row in rows} == {
        (basis, "random", seed, "zero") for basis in ("neuron", "pca") for seed in ("5", "6")
    }
    assert execute([*command, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["removed"], first["images"], first["top1"], first["top1_change"]) == (0, 24, 20 / 24, 0)
    assert first["balanced_lo"] < first["balanced"] < first["balanced_hi"]


def test_one_unit_class_by_class(run_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["ablate", run_file, "conv:0"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split() == ["class", "images", "before", "after", "change", "change_lo", "change_hi"]
    assert [line.split("  ")[0] for line in lines[1:3]] == ["(all images)", "(mean of classes)"]
    assert {line.split()[0] for line in lines[3:]} == {"ant", "bee", "cat"}
    assert "conv:0 removed: set to the mean; 48 images" in err


def test_the_command_is_kept_with_its_results(run_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["ablate", run_file, "conv:1", "--images", "6"]
    monkeypatch.setattr("sys.argv", ["nastui", *arguments])
    assert execute(arguments) == 0
    with closing(sqlite3.connect(run_file)) as connection:
        command, versions = connection.execute("SELECT command, versions FROM ablation").fetchone()
    assert command == f"nastui ablate {run_file} conv:1 --images 6"
    assert "torch" in json.loads(versions)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["conv", "--orders", "upwards"], 2, "'upwards' is no order: name some of falling, rising, random"),
        (["conv", "--orders", ""], 2, "is no order"),
        (["conv", "--steps", "1,two"], 2, "whole numbers"),
        (["conv", "--steps", "-1"], 2, "-1 units cannot be removed"),
        (["conv", "--seed", "-1"], 2, "-1 is not between 0 and 4294967295"),
        (["head"], 2, "nastui basis RUN head --kind pca"),
        (["conv:6"], 4, "conv has no unit 6"),
        (["cnv"], 4, "Did you mean conv"),
        (["conv", "--weights", "nowhere.pt"], 3, "nowhere.pt"),
        (["conv", "--data", "imagefolder:nowhere"], 3, "does not exist"),
        (["conv", "--mean", "0.5"], 2, "mean was [0.0], is [0.5]"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said(
    run_file: str, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    assert execute(["ablate", run_file, *arguments]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
