"""`nastui view` in every kind of terminal, without one, and when it goes away."""

from __future__ import annotations

import signal
import sys

import pytest
from fake_terminal import FakeTerminal

from tests.small_run import write_small_run


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("view") / "pets.nas.db"
    write_small_run(path)
    return [sys.executable, "-m", "nastui", "view", str(path), "conv:0"]


@pytest.mark.parametrize(
    ("kind", "env"),
    [
        ("plain", {"TERM": "xterm-256color"}),
        ("kitty", {"TERM": "xterm-kitty"}),
        ("sixel", {"TERM": "tmux-256color"}),
        ("plain", {"TERM": "linux"}),
        ("plain", {"TERM": "xterm-256color", "NO_COLOR": "1"}),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else value,
)
def test_the_unit_screen_says_the_same_in_every_terminal(view: list[str], kind: str, env: dict[str, str]) -> None:
    with FakeTerminal(view, kind, env=env) as terminal:
        terminal.wait_for_text("conv:0")
        terminal.settle()
        screen = terminal.screen()
        for part in ("conv:0", "unit 0 of 2", "range"):
            assert part in screen
        terminal.press("?")
        assert "Traceback" not in terminal.screen()
        terminal.press("Q")
        assert terminal.end() == 0
        assert terminal.attributes() == terminal.attributes_before


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_without_a_terminal_it_says_so_and_ends(view: list[str], stream: str) -> None:
    with FakeTerminal(view, "kitty", pipes=[stream]) as terminal:
        assert terminal.end(10) == 5
        pipe = terminal.process.stderr
        said = pipe.read().decode() if pipe is not None else terminal.screen()
        assert f"{stream} is not a terminal" in said.replace("\n", " ")
        assert b"\x1b[?1049h" not in terminal.written


def test_a_lost_connection_ends_it(view: list[str]) -> None:
    with FakeTerminal(view, "kitty") as terminal:
        terminal.wait_for_text("conv:0")
        terminal.hang_up()
        assert terminal.process.wait(3) == 128 + signal.SIGHUP


def test_doctor_says_what_it_found_also_into_a_pipe() -> None:
    command = [sys.executable, "-m", "nastui", "doctor"]
    with FakeTerminal(command, "kitty", round_trip=0.1, env={"TERM": "xterm-kitty"}, pipes=["stdout"]) as terminal:
        terminal.wait_for(lambda: b"\x1b[c" in terminal.written)
        assert terminal.end(10) == 0
        assert terminal.process.stdout is not None
        said = terminal.process.stdout.read().decode()
    assert "images kitty: kitty(0.41.1)" in said
    assert "10" in said.split("round trip")[1].split("ms")[0]
