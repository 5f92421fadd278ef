"""Paths and notes as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nastui.errors import UsageError
from nastui.views.typed_probe import TypedProbe, complete_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("stripes.png", "my stripes.png", "it's.png", ".hidden.png", "Sub/grey.png", "Sub/green.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "Sub"))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "name", "note"),
    [
        ("stripes.png", "stripes.png", ""),
        ('  ./stripes.png   don\'t know: is it "that"? ', "stripes.png", 'don\'t know: is it "that"?'),
        ("my\\ stripes.png wide ones", "my stripes.png", "wide ones"),
        ("'my stripes.png' wide", "my stripes.png", "wide"),
        ('"it\'s.png"', "it's.png", ""),
        ("~/grey.png no colour", "Sub/grey.png", "no colour"),
        ("Sub", "Sub", ""),
    ],
)
def test_a_path_and_what_follows_is_the_note(folder: Path, text: str, name: str, note: str) -> None:
    typed = TypedProbe.read(text)
    assert (typed.path, typed.note) == (folder / name, note)
    arguments = typed.arguments(Path("run.nas.db"))
    assert arguments == ["probe", "run.nas.db", *(["--note", note] if note else []), "--", str(folder / name)]


@pytest.mark.parametrize("text", ["", "   ", "nowhere.png", "'stripes.png", "my stripes.png"])
def test_what_is_not_there_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(UsageError):
        TypedProbe.read(text)


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("", ["Sub/", "it\\'s.png", "my\\ stripes.png", "stripes.png"]),
        ("st", ["stripes.png"]),
        ("ST", ["stripes.png"]),
        ("su", ["Sub/"]),
        ("Sub/", ["Sub/green.png", "Sub/grey.png"]),
        ("~/gre", ["~/green.png", "~/grey.png"]),
        (".h", [".hidden.png"]),
        ("my\\ s", ["my\\ stripes.png"]),
        ("nowhere/x", []),
        ("stripes.png a no", []),
    ],
)
def test_tab_completes_the_path(folder: Path, text: str, candidates: list[str]) -> None:
    completion = complete_path(text, len(text))
    assert list(completion.candidates) == candidates
    for place, candidate in enumerate(candidates):
        whole, cursor = completion.applied(text, place)
        assert (whole, cursor) == (candidate, len(candidate))
        assert TypedProbe.read(whole).path.exists()


def test_a_path_is_completed_before_a_note_too(folder: Path) -> None:
    completion = complete_path("str a note", 3)
    assert completion.applied("str a note", 0) == ("stripes.png a note", len("stripes.png"))


def test_many_names_are_cut(folder: Path) -> None:
    for number in range(300):
        (folder / "Sub" / f"n{number}").touch()
    assert len(complete_path("Sub/", 4).candidates) == 200
