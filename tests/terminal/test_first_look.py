"""The page that stands before Textual does: the same as Textual's own, and never gone in between."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pyte
import pytest
from fake_terminal import FakeTerminal, for_pyte

from tests.picture_run import LAYER, write_picture_run

SIZE = 120, 30
PAGE = range(SIZE[1] - 1)  # the lines above the keys
PAGE_ENDS = f"{LAYER}:0 ".encode()

Line = list[tuple[str, str, str]]

# Runs nastui with an app that cannot be imported, after the page is on the terminal.
BROKEN = """
import sys
from nastui import cli
def broken():
    raise RuntimeError("no app today")
cli._import_app = broken
sys.exit(cli.execute(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("first") / "layer.nas.db"
    write_picture_run(path, n_units=300, n_images=200)
    return path


def view(run: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "nastui", "view", str(run), LAYER, *arguments]


def cells(screen: pyte.Screen) -> list[Line]:
    """Character and visible colours of each cell; a blank has no colour of its own."""
    lines: list[Line] = []
    for y in PAGE:
        row = [screen.buffer[y][x] for x in range(SIZE[0] - 1)]  # the last column is the scroll bar's
        lines.append([(cell.data, cell.fg if cell.data.strip() else "", cell.bg) for cell in row])
    return lines


@pytest.mark.parametrize(
    ("env", "arguments"),
    [
        ({"COLORTERM": "truecolor"}, ()),
        ({}, ()),
        ({"NO_COLOR": "1"}, ()),
        ({"NASTUI_COLOR": "16"}, ()),
        ({"COLORTERM": "truecolor"}, ("--row-height", "1")),
        ({}, ("--widths", "auto")),
    ],
    ids=str,
)
def test_what_stands_first_stays_as_it_is(run: Path, env: dict[str, str], arguments: tuple[str, ...]) -> None:
    with FakeTerminal(view(run, *arguments), env=env, size=SIZE) as terminal:
        terminal.wait_for_text("Next layer")
        terminal.settle()
        written = bytes(terminal.written)
    entered = written.index(b"\x1b[?1049h")
    assert written.count(b"\x1b[?1049h") == 1
    screen = pyte.Screen(*SIZE)
    stream = pyte.Stream(screen)
    first = written.index(PAGE_ENDS, entered)
    end = written.index(b"\x1b[0m", first)
    stream.feed(for_pyte(written[:end]))
    standing = cells(screen)
    assert sum("┃" in "".join(character for character, _, _ in line) for line in standing) > 10
    rest = for_pyte(written[end:])
    for at in range(0, len(rest), 50):
        stream.feed(rest[at : at + 50])
        assert cells(screen) == standing
    assert b"Next layer" in written[end:]


def test_keys_typed_before_textual_is_there_are_obeyed(run: Path) -> None:
    with FakeTerminal(view(run), size=SIZE) as terminal:
        terminal.wait_for_text(f"{LAYER}:0 ")
        terminal.press("jj")
        terminal.wait_for_text(f"{LAYER}:2 ")
        terminal.press("q")
        assert "reviewed" in terminal.screen()  # the list of layers
        terminal.press("Q")
        assert terminal.end() == 0


def test_a_failing_start_leaves_the_terminal_sane(run: Path) -> None:
    command = [sys.executable, "-c", BROKEN, "view", str(run), LAYER]
    with FakeTerminal(command, size=SIZE) as terminal:
        assert terminal.end(15) == 1
        written = bytes(terminal.written)
        assert PAGE_ENDS in written
        left = written.index(b"\x1b[?1049l")
        assert b"no app today" in written[left:]
        assert b"\x1b[?25h" in written
        assert terminal.attributes() == terminal.attributes_before


def test_an_end_from_outside_while_the_page_stands_leaves_the_terminal_sane(run: Path) -> None:
    with FakeTerminal(view(run), size=SIZE) as terminal:
        terminal.wait_for_text(f"{LAYER}:0 ")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end(15) == 128 + signal.SIGTERM
        assert b"\x1b[?1049l" in terminal.written
        assert terminal.attributes() == terminal.attributes_before


@pytest.mark.parametrize(
    ("size", "arguments"), [((100, 9), ()), ((30, 30), ()), (SIZE, ("--ranges", "12"))], ids=["short", "narrow", "m"]
)
def test_what_would_be_slow_or_cramped_waits_for_textual(
    run: Path, size: tuple[int, int], arguments: tuple[str, ...]
) -> None:
    with FakeTerminal(view(run, *arguments), size=size) as terminal:
        terminal.wait_for_text(f"{LAYER}:0")
        terminal.settle()
        assert terminal.written.index(b"\x1b[?1004h") < terminal.written.index(f" {LAYER}".encode())
        terminal.press("Q")
        assert terminal.end() == 0
