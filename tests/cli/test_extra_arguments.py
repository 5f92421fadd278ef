"""A wildcard without quotes reaches a command as many arguments: the error says which option it belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from nastui.cli import execute

SCAN = ("scan", "--model", "net.py:net", "--data", "digits:", "--out", "x.nas.db")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ck").mkdir()
    for name in ("ck/epoch1.pt", "ck/epoch2.pt", "ck/epoch10.pt", "LICENSE", "net.py"):
        (tmp_path / name).touch()


@pytest.mark.parametrize(
    ("typed", "message", "advice"),
    [
        (
            (*SCAN, "--weights", "ck/epoch1.pt", "ck/epoch10.pt", "ck/epoch2.pt"),
            "--weights takes one value and got 3: ck/epoch1.pt ck/epoch10.pt ck/epoch2.pt.",
            "put it in quotes, --weights 'ck/epoch*.pt'.",
        ),
        (
            ("scan", "--weights", "ck/epoch1.pt", "ck/epoch10.pt", *SCAN[1:]),
            "--weights takes one value and got 2: ck/epoch1.pt ck/epoch10.pt.",
            "put it in quotes, --weights 'ck/epoch1*.pt'.",
        ),
        (
            (*SCAN, "--layers", "LICENSE", "ck", "net.py", "--reduce", "mean"),
            "--layers takes one value and got 3: LICENSE ck net.py.",
            "put it in quotes, --layers '*'.",
        ),
        (
            ("doctor", "--layers", "LICENSE", "ck", "net.py", "net.py:net", "digits:"),
            "--layers takes one value and got 3: LICENSE ck net.py.",
            "put it in quotes, --layers '*'.",
        ),
        (
            (*SCAN, "--mean", ".485", ".456", ".406"),
            "--mean takes one value and got 3: .485 .456 .406.",
            "Write commas between several, or put it in quotes: --mean '.485,.456,.406'.",
        ),
    ],
)
def test_words_that_no_option_takes_are_named_with_theirs(
    typed: tuple[str, ...], message: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(typed) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"error: {message}"
    assert second.endswith(advice)


@pytest.mark.parametrize("typed", [("scan", "more", *SCAN[1:]), ("show", "x.nas.db", "conv", "--json", "more")])
def test_other_words_too_many_are_called_unexpected(typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(typed) == 2
    said = capsys.readouterr().err
    assert "unexpected extra argument (more)" in said
    assert "quotes" not in said
