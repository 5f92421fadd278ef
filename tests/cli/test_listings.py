"""The headless commands: what they print is data, and the same facts that the interface shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nastui.cli import BROKEN_PIPE, execute
from tests.small_run import N_WIDE, write_small_run


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("listings") / "pets.nas.db"
    write_small_run(path)
    return path


@pytest.fixture
def read_json(run_file: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command on the file with --json and returns what it printed."""

    def read(command: str, *arguments: str) -> Any:
        assert execute([command, str(run_file), *arguments, "--json"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return json.loads(out)

    return read


def test_layers_have_their_facts(read_json: Any) -> None:
    conv, wide = read_json("layers")
    places = {"type": "Conv2d", "shape": [2, 3, 3], "unit_dim": 0, "tokens": None, "dtype": "float32"}
    facts = {**places, "n_units": 2, "n_dead": 1, "n_reviewed": 0}
    assert conv == {"address": "conv", **facts}
    assert (wide["address"], wide["n_units"], wide["n_dead"]) == ("wide", N_WIDE, N_WIDE)


def test_units_have_their_measures(read_json: Any) -> None:
    first, second = read_json("units", "conv")
    assert first["address"] == "conv:0"
    assert (first["n"], first["lo"], first["hi"], first["mean"]) == (4, -1.0, 3.0, 0.875)
    assert (first["density"], first["zeros"], first["non_finite"]) == (0.75, 0, 1)
    assert (second["zeros"], second["density"]) == (5, 0.0)


def test_units_of_all_layers_or_of_one_address(read_json: Any) -> None:
    assert len(read_json("units")) == 2 + N_WIDE
    assert [unit["address"] for unit in read_json("units", "wide:2999")] == ["wide:2999"]


def test_unit_shows_every_range_with_edges_and_counts_by_class(read_json: Any) -> None:
    """lo -1, hi 3, four ranges asked for: width 1, so the edges are -1, 0, 1, 2, 3 and 3 lies in the last range."""
    ranges = read_json("show", "conv:0")["ranges"]
    assert [(r["range"], r["lo"], r["hi"], r["n"]) for r in ranges] == [
        (1, -1.0, 0.0, 1),
        (2, 0.0, 1.0, 1),
        (3, 1.0, 2.0, 1),
        (4, 2.0, 3.0, 1),
    ]
    assert [r["classes"] for r in ranges] == [{"cat": 1}, {"cat": 1}, {"dog\x1b[31m": 1}, {"cat": 1}]


def test_unit_shows_its_extreme_images_and_where_in_the_map(read_json: Any) -> None:
    shown = read_json("show", "conv:0")
    assert [image["source"] for image in shown["highest"]] == ["cat/c.png", "dog/d.png", "cat/b.png", "cat/a.png"]
    assert [image["value"] for image in shown["lowest"]] == [-1.0, 0.5, 1.0, 3.0]
    best = shown["highest"][0]
    assert best["position"] == [1, 2]
    assert (best["class"], best["predicted"], best["is_wrong"]) == ("cat", "cat", False)
    assert shown["highest"][1]["is_wrong"] is None


def test_equal_values_come_in_the_images_order(read_json: Any) -> None:
    shown = read_json("show", "conv:1")
    assert [image["image"] for image in shown["highest"]] == [0, 1, 2, 3, 4]
    assert [image["image"] for image in shown["lowest"]] == [0, 1, 2, 3, 4]


def test_run_shows_what_was_looked_at_with_what(read_json: Any) -> None:
    shown = read_json("show")
    assert shown["name"] == "pets"
    assert (shown["model"], shown["seed"], shown["versions"]) == ("net.py:build", 7, {"torch": "2.2"})
    assert (shown["n_images"], shown["n_done"], shown["n_failed"], shown["n_matched"]) == (6, 6, 1, 3)
    assert shown["top1"] == 1.0
    assert (shown["dtype"], shown["tokens"]) == ("float32", None)
    assert [c["output"] for c in shown["classes"]] == [1, None]


def test_text_cannot_act_on_the_terminal(run_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["show", str(run_file), "conv:0"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "dog\\x1b[31m" in out


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("cnov", "no layer 'cnov'"),
        ("conv/pca:0", "no layer 'conv/pca'"),
        ("conv:2", "conv has no unit 2."),
        ("conv:x", "is not an address"),
    ],
)
def test_unknown_address_is_an_error_that_helps(
    run_file: Path, address: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["show", str(run_file), address]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert words in err


def test_reader_that_leaves_early_is_no_error(run_file: Path) -> None:
    command = [sys.executable, "-m", "nastui", "units", str(run_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == BROKEN_PIPE
