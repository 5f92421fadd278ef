"""`nastui probe` and what `nastui show` says of probes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import percentileofscore

from nastui.cli import execute
from nastui.errors import DataNotFound
from nastui.store.reader import RunReader
from tests.scanned_files import scan_files, write_files


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probe")
    write_files(folder)
    return scan_files(folder, reduce="max")


@pytest.fixture
def run_file(scanned: Path, tmp_path: Path) -> Path:
    copy = tmp_path / scanned.name
    shutil.copyfile(scanned, copy)
    return copy


@pytest.fixture
def images(scanned: Path) -> list[Path]:
    return sorted((scanned.parent / "images").rglob("*.png"))


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    capsys.readouterr()
    assert execute([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_prints_what_the_model_says(run_file: Path, images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    rows = printed(capsys, "probe", run_file, images[0], images[5], "--note", "two of them")
    assert [row["probe"] for row in rows] == [1, 2]
    assert [row["source"] for row in rows] == [str(images[0]), str(images[5])]
    assert {row["note"] for row in rows} == {"two of them"}
    assert all((row["width"], row["height"]) == (7, 7) for row in rows)
    with RunReader(run_file) as run:
        for row in rows:
            top5 = row["top5"]
            assert top5[0]["output"] == row["prediction"]
            assert [one["logit"] for one in top5] == sorted((one["logit"] for one in top5), reverse=True)
            logits = run.probe_values(run.layer("head"))[row["probe"] - 1]
            assert max(logits.tolist()) == pytest.approx(top5[0]["logit"])
    assert printed(capsys, "probe", run_file, "--list") == rows


def test_the_file_alone_has_them_when_the_command_has_ended(run_file: Path, images: list[Path]) -> None:
    command = [sys.executable, "-m", "nastui", "probe", str(run_file), str(images[0])]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert [file.name for file in run_file.parent.iterdir()] == [run_file.name]
    copy = run_file.with_name("copy.nas.db")
    shutil.copyfile(run_file, copy)
    with RunReader(copy) as run:
        assert [probe.source for probe in run.probes()] == [str(images[0])]


def test_a_unit_says_where_they_fall(run_file: Path, images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "probe", run_file, images[0], images[5])
    shown = printed(capsys, "show", run_file, "head:1")
    with RunReader(run_file) as run:
        layer = run.layer("head")
        values, own = run.values(layer, 1), run.probe_values(layer)[:, 1]
    for row, value in zip(shown["probes"], own.tolist(), strict=True):
        assert row["value"] == pytest.approx(value)
        (place,) = (one for one in shown["ranges"] if one["range"] == row["range"])
        slack = 1e-5 * (shown["hi"] - shown["lo"])
        assert place["lo"] - slack <= value <= place["hi"] + slack
        assert row["percentile"] == pytest.approx(percentileofscore(values, value, kind="mean"), abs=100 / 48)
    assert [row["name"] for row in shown["probes"]] == [images[0].name, images[5].name]
    capsys.readouterr()
    assert execute(["show", str(run_file), "head:1"]) == 0
    assert "percentile" in capsys.readouterr().out


def test_without_probes_a_unit_has_none_and_the_list_is_empty(
    run_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(capsys, "show", run_file, "head:1")["probes"] == []
    assert printed(capsys, "probe", run_file, "--list") == []


def test_they_are_removed_by_number(run_file: Path, images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "probe", run_file, *images[:4])
    assert [row["probe"] for row in printed(capsys, "probe", run_file, "--remove", "1,3")] == [2, 4]
    assert execute(["probe", str(run_file), "--remove", "7"]) != 0
    assert "There is no probe 7" in capsys.readouterr().err


def test_what_cannot_be_read_is_named_and_the_others_go_in(
    run_file: Path, images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken\x1b.png").write_bytes(b"no")
    assert execute(["probe", str(run_file), str(images[0]), str(tmp_path / "broken\x1b.png")]) == DataNotFound.exit_code
    said = capsys.readouterr()
    assert str(images[0]) in said.out
    assert "error: 1 of 2 images could not be shown to the model." in said.err
    assert "broken\\x1b.png: " in said.err
    assert "The others are probes now." in said.err
    assert "\x1b" not in said.err
    assert len(printed(capsys, "probe", run_file, "--list")) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "What is to be done?"),
        (["--list", "--remove", "1"], "What is to be done?"),
        (["nowhere.png"], "There is no image at nowhere.png."),
        (["--remove", "one"], "'one' is not made of probes' numbers"),
        (["--remove", ""], "not made of probes' numbers"),
    ],
)
def test_what_makes_no_sense_is_said(
    run_file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert execute(["probe", str(run_file), *arguments]) != 0
    assert words in capsys.readouterr().err


def test_a_table_and_a_folder(run_file: Path, images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["probe", str(run_file), str(images[0].parent)]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["probe", "source", "width", "height", "prediction", "top5", "note"]
    assert len(lines) == sum(one.parent == images[0].parent for one in images)
    assert execute(["probe", str(run_file), "--list", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("probe,source,width,height,prediction,top5,note\n1,")
