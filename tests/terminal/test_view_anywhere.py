"""`nastui view` in every kind of terminal, without one, and when it goes away."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_terminal import KITTY, FakeTerminal, drawn_sixels, sent_pictures

from nastui.palette import LETTERS, slot_colour
from tests.picture_run import LAYER, NAMES, write_picture_run

UNIT = 3
N_UNITS = 9
QUIET = 0.15  # seconds
SIZE = 110, 36
TILE = re.compile(r"#\d+")
COLOURS = re.compile(rb"[34]8;(2;\d+;\d+;\d+|5;\d+)")
PLACES = pytest.mark.parametrize(
    ("kind", "env"),
    [
        ("plain", {"TERM": "xterm-256color"}),
        ("kitty", {"TERM": "xterm-kitty"}),
        ("sixel", {"TERM": "xterm-256color"}),
        ("plain", {"TERM": "tmux-256color"}),
        ("sixel", {"TERM": "tmux-256color"}),
        ("plain", {"TERM": "linux"}),
        ("plain", {"TERM": "xterm-256color", "NO_COLOR": "1"}),
        ("kitty", {"TERM": "xterm-kitty", "NO_COLOR": "1"}),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else value,
)


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("view") / "pets.nas.db"
    write_picture_run(path, n_units=N_UNITS, n_images=60)
    return path


def view(run_file: Path, address: str) -> list[str]:
    return [sys.executable, "-m", "nastui", "view", str(run_file), address]


@contextmanager
def opened(command: Sequence[str], kind: str, env: dict[str, str], ready: str) -> Iterator[FakeTerminal]:
    """The screen settled; afterwards it is left by Q, which has to leave the terminal as it was."""
    with FakeTerminal(command, kind, env=env, size=SIZE) as terminal:
        terminal.wait_for_text(ready)
        terminal.settle(QUIET)
        yield terminal
        assert "Traceback" not in terminal.screen()
        terminal.press("Q", 0.1)
        assert terminal.end() == 0
        assert terminal.attributes() == terminal.attributes_before


def has_letters(env: dict[str, str]) -> bool:
    return "NO_COLOR" in env or env["TERM"] == "linux"


def class_colours() -> set[bytes]:
    """The colours of the run's classes as a terminal is told them, in both depths."""
    codes = set()
    for slot in range(len(NAMES)):
        red, green, blue = bytes.fromhex(str(slot_colour(slot, "truecolor")).removeprefix("#"))
        codes |= {f"2;{red};{green};{blue}".encode(), f"5;{slot_colour(slot, '256')}".encode()}
    return codes


def class_colours_in(data: bytes) -> set[bytes]:
    return class_colours() & set(COLOURS.findall(data))


@PLACES
def test_the_screens_say_the_same_in_every_terminal(run_file: Path, kind: str, env: dict[str, str]) -> None:
    with opened(view(run_file, LAYER), kind, env, ready="Next layer") as terminal:
        check_layer_screen(terminal, env)
        entered = len(terminal.written)
        terminal.press(f"{UNIT}j\r", 0.1)
        terminal.wait_for_text("image 1 of")
        check_unit_screen(terminal, kind, env, entered)
        screen = terminal.screen()
        terminal.press("?", QUIET)
        assert "Range of the median image" in terminal.screen()
        terminal.press("?", QUIET)
        assert terminal.screen() == screen


def check_layer_screen(terminal: FakeTerminal, env: dict[str, str]) -> None:
    lines = terminal.screen().split("\n")
    assert f"{N_UNITS} units" in lines[0]
    assert len({line.index("┃") for line in lines if "┃" in line}) == 1
    for letter, name in zip(LETTERS, NAMES, strict=False):
        assert f"{letter} {name}" in lines[1]
    for unit in range(7):
        assert any(re.match(rf"[▌ +]+{unit} .*\d.*┃.*\d", line) for line in lines), unit
    check_classes(lines, bytes(terminal.written), env)


def check_unit_screen(terminal: FakeTerminal, kind: str, env: dict[str, str], since: int) -> None:
    terminal.wait_for(lambda: len(TILE.findall(terminal.screen())) > 3)
    terminal.settle(QUIET)
    lines = terminal.screen().split("\n")
    for part in (
        f"{LAYER}:{UNIT} ",
        f"unit {UNIT} of {N_UNITS}",
        "n 60",
        "range 5 of 5",
        " 10 of 60 images",
        " D dog 8 (80 %)",
    ):
        assert any(part in line for line in lines), part
    assert len({line.index("┃") for line in lines if "┃" in line}) == 1
    # kitty's placeholders carry the picture's number as their colour, which can be that of a class.
    check_classes(lines, bytes(terminal.written[since:]) if kind != "kitty" or not has_letters(env) else b"", env)


def check_classes(lines: Sequence[str], written: bytes, env: dict[str, str]) -> None:
    """Classes are either letters in the bars, or colours that were sent."""
    bars = {char for line in lines if "┃" in line for char in line} & set(LETTERS)
    assert bars == (set(LETTERS[: len(NAMES)]) if has_letters(env) else set())
    assert len(class_colours_in(written)) == (0 if has_letters(env) else len(NAMES))


def a_range_of_images(terminal: FakeTerminal) -> int:
    """Go to the range of the median; the number of tiles, once each of them is there."""
    terminal.press("m", 0.3)
    n_tiles = len(TILE.findall(terminal.screen()))
    assert n_tiles > 3
    return n_tiles


def test_kitty_gets_each_picture_once_also_with_help_over_them(run_file: Path) -> None:
    command = view(run_file, f"{LAYER}:{UNIT}")
    with opened(command, "kitty", {"TERM": "xterm-kitty"}, ready="image 1 of") as terminal:
        before = len(terminal.written)
        n_tiles = a_range_of_images(terminal)
        sent = [number for number, _ in sent_pictures(bytes(terminal.written[before:]))]
        assert len(sent) == len(set(sent)) == n_tiles
        in_place = terminal.screen().count("▒")
        opening = terminal.press("?", QUIET)
        assert "Range of the median image" in terminal.screen()
        closing = terminal.press("?", QUIET)
        assert not KITTY.search(opening + closing), "pictures are neither sent nor taken away"
        assert terminal.screen().count("▒") == in_place


def test_sixel_draws_a_picture_for_every_tile(run_file: Path) -> None:
    command = view(run_file, f"{LAYER}:{UNIT}")
    with opened(command, "sixel", {"TERM": "xterm-256color"}, ready="image 1 of") as terminal:
        before = len(terminal.written)
        n_tiles = a_range_of_images(terminal)
        drawn = drawn_sixels(bytes(terminal.written[before:]))
        assert len(drawn) == len({place[:2] for place in drawn}) == n_tiles
        opening = terminal.press("?", QUIET)
        assert not drawn_sixels(opening)
        assert len(drawn_sixels(terminal.press("?", 0.3))) == n_tiles


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_without_a_terminal_it_says_so_and_ends(run_file: Path, stream: str) -> None:
    with FakeTerminal(view(run_file, LAYER), "kitty", pipes=[stream]) as terminal:
        assert terminal.end(10) == 5
        pipe = terminal.process.stderr
        said = pipe.read().decode() if pipe is not None else terminal.screen()
        assert f"{stream} is not a terminal" in said.replace("\n", " ")
        assert b"\x1b[?1049h" not in terminal.written


def test_a_lost_connection_ends_it(run_file: Path) -> None:
    with FakeTerminal(view(run_file, LAYER), "kitty") as terminal:
        terminal.wait_for_text(f"{LAYER}:0")
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
