"""`nastui show RUN --digest`: whether two runs hold the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from nastui.cli import execute
from nastui.store.content import read_content
from tests.small_run import write_small_run


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "pets.nas.db"
    write_small_run(path)
    return path


def digest(path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    assert execute(["show", str(path), "--digest", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_copies_have_the_same_digest_until_a_word_is_said(run_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = Path(shutil.copy(run_file, run_file.with_name("copy.nas.db")))
    before = digest(run_file, capsys)
    assert digest(copy, capsys) == before
    assert before["content"] == read_content(run_file).sha256
    assert execute(["tag", str(copy), "odd", "conv:0"]) == 0
    capsys.readouterr()
    after = digest(copy, capsys)
    assert after["content"] != before["content"]
    assert [one["table"] for one in after["tables"] if one not in before["tables"]] == ["tag"]


def test_text_has_a_line_a_table(run_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["show", str(run_file), "--digest"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.split() == ["content", read_content(run_file).sha256]
    assert ["unit", read_content(run_file).tables["unit"]] in [line.split() for line in rest]


def test_a_layer_has_no_digest(run_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["show", str(run_file), "conv", "--digest"]) == 2
    assert "whole run, not of conv" in capsys.readouterr().err
