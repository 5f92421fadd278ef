"""The interface in pseudo-terminals that answer as real ones do, near and far."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_terminal import FakeTerminal, python


def keys_of(log: Path) -> list[str]:
    return log.read_text().split("\n")[:-1] if log.exists() else []


@pytest.mark.parametrize("round_trip", [0, 0.05, 0.15, 0.3], ids=lambda seconds: f"{seconds * 1000:.0f}ms")
@pytest.mark.parametrize(("kind", "images"), [("kitty", "kitty"), ("sixel", "sixel"), ("plain", "half")])
def test_the_right_driver_is_chosen_and_no_stray_key_arrives(
    tmp_path: Path, kind: str, images: str, round_trip: float
) -> None:
    log = tmp_path / "keys"
    with FakeTerminal(python("picture_app.py", str(log)), kind, round_trip=round_trip) as terminal:
        terminal.wait_for_text(f"images={images}")
        terminal.settle(2 * round_trip + 0.2)
        terminal.press("a", 0.15)
        terminal.press("q", 0.1)
        assert terminal.end() == 0
    assert keys_of(log) == ["a", "q", "ended in order"]


def test_answers_that_come_after_the_wait_are_no_keys_either(tmp_path: Path) -> None:
    log = tmp_path / "keys"
    with FakeTerminal(python("picture_app.py", str(log)), "sixel", round_trip=3) as terminal:
        terminal.wait_for_text("images=half")
        terminal.pump(1.5)
        terminal.press("q")
        assert terminal.end() == 0
    assert keys_of(log) == ["q", "ended in order"]


def test_keys_typed_while_the_terminal_is_asked_reach_the_app(tmp_path: Path) -> None:
    log = tmp_path / "keys"
    with FakeTerminal(python("picture_app.py", str(log)), "kitty", round_trip=0.3) as terminal:
        terminal.wait_for(lambda: b"\x1b[c" in terminal.written)
        terminal.press("ab", 0.1)
        terminal.wait_for_text("images=kitty")
        terminal.press("q")
        assert terminal.end() == 0
    assert keys_of(log) == ["a", "b", "q", "ended in order"]


def test_a_terminal_that_says_nothing_gets_half_blocks(tmp_path: Path) -> None:
    with FakeTerminal(python("picture_app.py", str(tmp_path / "keys")), "mute") as terminal:
        terminal.wait_for_text("images=half colours=256")


@pytest.mark.parametrize(
    ("kind", "env", "shown"),
    [
        ("plain", {"TERM": "xterm-256color"}, "images=half colours=256"),
        ("plain", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "images=half colours=truecolor"),
        ("kitty", {"TERM": "xterm-kitty"}, "images=kitty colours=truecolor"),
        ("old kitty", {"TERM": "xterm-kitty"}, "images=half colours=truecolor"),
        ("plain", {"TERM": "tmux-256color"}, "images=half colours=256"),
        ("sixel", {"TERM": "tmux-256color"}, "images=half colours=256"),
        ("plain", {"TERM": "linux"}, "images=half colours=16"),
        ("plain", {"NO_COLOR": "1"}, "images=half colours=none"),
        ("kitty", {"NO_COLOR": "1"}, "images=kitty colours=none"),
        ("sixel", {"NASTUI_IMAGES": "half", "NASTUI_COLOR": "16"}, "images=half colours=16"),
        ("sixel", {"NASTUI_IMAGES": "none"}, "images=none"),
    ],
)
def test_every_kind_of_terminal_shows_pictures_and_captions(
    tmp_path: Path, kind: str, env: dict[str, str], shown: str
) -> None:
    with FakeTerminal(python("picture_app.py", str(tmp_path / "keys"), "3"), kind, env=env) as terminal:
        terminal.wait_for_text(shown)
        terminal.press("g", 0.6)
        screen = terminal.screen()
        assert screen.count("0.123 #4") == 3
        assert screen.count("A a label") == 3
        if "images=half" in shown:
            assert any(block in screen for block in "▀▌▘▝▖▗▚░▒▓")
        terminal.press("q")
        assert terminal.end() == 0


def test_after_a_resize_all_is_written_again(tmp_path: Path) -> None:
    with FakeTerminal(python("picture_app.py", str(tmp_path / "keys"), "12"), "kitty", size=(80, 24)) as terminal:
        terminal.wait_for_text("ready")
        terminal.press("g", 0.5)
        for size in ((60, 20), (80, 24)):
            before = len(terminal.written)
            terminal.resize(*size)
            terminal.settle(0.5)
            assert terminal.screen(before).count("a label") == (3 if size == (60, 20) else 8)
        before = len(terminal.written)
        terminal.resize(50, 20)
        terminal.resize(80, 24)
        terminal.settle(0.5)
        assert len(terminal.written) == before or terminal.screen(before).count("a label") == 8


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_without_a_terminal_there_is_one_clear_line_and_an_end(tmp_path: Path, stream: str) -> None:
    with FakeTerminal(python("picture_app.py", str(tmp_path / "keys")), "kitty", pipes=[stream]) as terminal:
        assert terminal.end() == 5
        pipe = terminal.process.stderr
        said = pipe.read().decode() if pipe is not None else terminal.screen()
        assert f"{stream} is not a terminal" in said.replace("\n", " ")
        assert "Traceback" not in said
        assert b"\x1b[" not in terminal.written


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_place_text_is_refused_in_words(tmp_path: Path, term: str) -> None:
    with FakeTerminal(python("picture_app.py", str(tmp_path / "keys")), env={"TERM": term}) as terminal:
        assert terminal.end() == 5
        assert "TERM is" in terminal.screen()
        assert b"\x1b" not in terminal.written
