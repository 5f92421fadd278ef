"""The terminal goes away, or the app does: nothing is left running, nothing is left in disorder."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from fake_terminal import FakeTerminal, python

MODES_LEFT = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1003l", b"\x1b[?2004l")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_lost_connection_ends_the_app_at_once_and_in_order(log: Path) -> None:
    with FakeTerminal(python("picture_app.py", str(log)), "kitty") as terminal:
        terminal.wait_for_text("ready")
        terminal.hang_up()
        assert terminal.process.wait(3) == 128 + signal.SIGHUP
    assert "ended in order" in log.read_text()


def test_a_lost_connection_ends_the_app_also_under_nohup(log: Path) -> None:
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *python("picture_app.py", str(log))]
    with FakeTerminal(command, "kitty") as terminal:
        terminal.wait_for_text("ready")
        used = os.times()
        terminal.hang_up()
        assert terminal.process.wait(3) == 128 + signal.SIGHUP
        spent = os.times().children_user - used.children_user
        assert spent < 3, "it spun"
    assert "ended in order" in log.read_text()


def test_a_lost_connection_in_the_middle_of_writing_ends_the_app(log: Path) -> None:
    with FakeTerminal(python("picture_app.py", str(log), "100"), "sixel", size=(150, 60)) as terminal:
        terminal.wait_for_text("ready")
        os.write(terminal.master, b"g")
        time.sleep(1.5)  # nobody reads: the app's writes fill the line
        terminal.hang_up()
        assert terminal.process.wait(5) == 128 + signal.SIGHUP


def test_being_told_to_end_leaves_the_terminal_sane(log: Path) -> None:
    with FakeTerminal(python("picture_app.py", str(log)), "kitty") as terminal:
        terminal.wait_for_text("ready")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
        assert all(code in terminal.written for code in MODES_LEFT)
        assert terminal.attributes() == terminal.attributes_before
    assert "ended in order" in log.read_text()


def test_a_crash_is_told_by_the_status_and_leaves_the_terminal_sane(log: Path) -> None:
    with FakeTerminal(python("picture_app.py", str(log)), "kitty") as terminal:
        terminal.wait_for_text("ready")
        terminal.press("x")
        assert terminal.end() == 1
        assert all(code in terminal.written for code in MODES_LEFT)
        assert terminal.attributes() == terminal.attributes_before
        assert b"a fault of the app" in terminal.written


def test_quitting_takes_the_pictures_out_of_the_terminal(log: Path) -> None:
    with FakeTerminal(python("picture_app.py", str(log), "3"), "kitty") as terminal:
        terminal.wait_for_text("ready")
        terminal.press("g")
        goodbye = terminal.press("q")
        assert terminal.end() == 0
        assert goodbye.count(b"a=d,d=I,i=") == 3
        assert goodbye.index(b"a=d,d=I") < goodbye.index(b"\x1b[?1049l")
