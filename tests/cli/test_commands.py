"""How commands are found, and what they say when they cannot do what was asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nastui import __version__, errors, listings
from nastui.cli import execute
from tests.small_run import write_small_run


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out == f"nastui {__version__}\n"


def test_without_arguments_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([]) == 0
    assert capsys.readouterr().out.startswith("Usage: nastui")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lyers"], "No such command 'lyers'."),
        (["scan", "--data", "digits:", "--out", "x"], "Missing option '--model'"),
        (["scan", "--ranges", "40000"], "40000 is not in the range 1<=x<=200"),
        (["scan", "--mean", "0.5,grey"], "'0.5,grey' is not made of numbers"),
        (["view", "run.nas.db", "--images", "vga"], "'vga' is not one of"),
    ],
)
def test_wrong_usage_is_one_line_and_where_to_read_on(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("error: ")
    assert words in first
    assert re.fullmatch(r"See nastui( \w+)? --help\.", second)


@pytest.mark.parametrize("arguments", [["missing.nas.db"], ["./missing"], ["view", "missing.nas.db"]])
def test_a_file_instead_of_a_command_is_opened(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(arguments) == errors.NotARun.exit_code
    assert "does not exist" in capsys.readouterr().err


def test_interface_without_a_terminal_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_small_run(tmp_path / "pets.nas.db")
    assert execute([str(tmp_path / "pets.nas.db")]) == errors.TerminalError.exit_code
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [errors.StoreFull, errors.ScanInterrupted, errors.WeightsError, errors.UsageError])
def test_errors_are_a_line_and_a_hint_with_their_own_status(
    kind: type[errors.NastuiError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise kind("It went \x1b[31mwrong.", hint="Do this.\nOr that.")

    monkeypatch.setattr(listings, "layer_rows", fail)
    monkeypatch.setattr("nastui.store.reader.RunReader.__init__", lambda *_: None)
    monkeypatch.setattr("nastui.store.reader.RunReader.close", lambda *_: None)
    assert execute(["layers", "any.nas.db"]) == kind.exit_code
    assert capsys.readouterr().err == "error: It went \\x1b[31mwrong.\nDo this.\nOr that.\n"


def test_a_message_of_several_lines_stays_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pt")
    arguments = ["--model", "nastui.engine.digits_net:digits_net", "--weights", str(tmp_path / "other.pt")]
    status = execute(["scan", *arguments, "--data", "digits:", "--out", str(tmp_path / "x.nas.db")])
    assert status == errors.WeightsError.exit_code
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("does not fit the model.")
    assert lines[1].startswith("  ")
    assert "missing from the file" in lines[1]
