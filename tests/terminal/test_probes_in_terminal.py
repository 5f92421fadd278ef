"""Probes in a terminal, with a run's own file: another process adds one, a key shows takes its marks away."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_terminal import FakeTerminal, drawn_sixels

from nastui.probe_records import NewProbe
from nastui.store.probes import remove_probes, write_probe
from nastui.store.reader import RunReader
from tests.picture_run import LAYER, thumbnail, write_picture_run

KB = 1024


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "pictures.nas.db"
    write_picture_run(path, n_units=40, n_images=100)
    return path


@pytest.fixture
def terminal(run_file: Path) -> Iterator[FakeTerminal]:
    environment = {"COLORTERM": "truecolor", "NASTUI_CONFIG": str(run_file.parent / "none")}
    command = [sys.executable, "-m", "nastui", "view", str(run_file), f"{LAYER}:3"]
    with FakeTerminal(command, "sixel", size=(120, 40), env=environment) as terminal:
        terminal.wait_for_text("of 40 reviewed")
        terminal.settle()
        yield terminal


def add(path: Path, image: int) -> int:
    """The run's image again, as another process adds it."""
    with RunReader(path) as run:
        values = run.image_values(run.layer(LAYER), image)
    probe = NewProbe(
        f"/pics/own{image}.png", f"{image:064x}", 12, 12, ((0, 1.0),), thumbnail(image), None, {LAYER: values}, {}
    )
    return write_probe(path, probe, "nastui probe …", {})


def test_what_another_process_adds_is_marked_within_seconds(terminal: FakeTerminal, run_file: Path) -> None:
    with RunReader(run_file) as run:
        highest = int(np.argmax(run.values(run.layer(LAYER), 3)))
    begun = len(terminal.written)
    assert "own" not in terminal.screen()
    add(run_file, highest)
    terminal.wait_for_text(f"own{highest}.png")
    terminal.settle()
    assert re.search(rf"(?m)^ 1 own{highest}\.png .* range \d +above ", terminal.screen())
    assert drawn_sixels(bytes(terminal.written[begun:])), "its picture stands beside the images of its range"
    assert terminal.pump(2.2) == b"", "what is at rest writes nothing"
    assert len(terminal.press("W")) <= 40 * KB
    assert f"own{highest}.png" not in terminal.screen()
    terminal.press("W")
    remove_probes(run_file, [1])
    terminal.settle(1.3)
    assert f"own{highest}.png" not in terminal.screen()
    terminal.press("Q")
    assert terminal.end() == 0


def test_the_key_completes_a_path(terminal: FakeTerminal, run_file: Path) -> None:
    (run_file.parent / "two words.png").write_bytes(thumbnail(3))
    terminal.press(f"I{run_file.parent}/two")  # at once, with the digits in it, as a slow line delivers it
    terminal.press("\t")
    terminal.press(" why 2")
    assert "⏎ shows two words.png to the model, noted: why 2" in terminal.screen()
    terminal.press("\x1b")
    terminal.press("Q")
    assert terminal.end() == 0
