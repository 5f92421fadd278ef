"""What pictures cost on the line: each is sent once, and nothing is sent for one that stays."""

from __future__ import annotations

import re
from pathlib import Path

from fake_terminal import FakeTerminal, drawn_sixels, python, sent_pictures

N = 24  # as many as fill the page
BLOCKS = set("▀▌▘▝▖▗▚")


def opened(tmp_path: Path, kind: str, **env: str) -> FakeTerminal:
    terminal = FakeTerminal(python("picture_app.py", str(tmp_path / "keys"), str(N)), kind, size=(110, 42), env=env)
    terminal.wait_for_text("ready")
    terminal.settle()
    return terminal


def costs_of_a_step_and_of_idling(terminal: FakeTerminal) -> None:
    step = terminal.press("l")
    assert not sent_pictures(step)
    assert not drawn_sixels(step)
    assert 0 < len(step) < 1000
    assert terminal.pump(1) == b"", "idle"


def test_kitty_pictures_are_sent_once_and_stay_under_a_dialog(tmp_path: Path) -> None:
    with opened(tmp_path, "kitty") as terminal:
        data = terminal.press("g", 0.7)
        sent = sent_pictures(data)
        assert len(sent) == len({number for number, _ in sent}) == N
        assert len(data) <= 1.1 * sum(size for _, size in sent)

        costs_of_a_step_and_of_idling(terminal)

        dialog_opened = terminal.press("m", 0.5)
        assert "a dialog" in terminal.screen()
        assert "▒" in terminal.screen(), "pictures beside the dialog"
        dialog_closed = terminal.press("m", 0.5)
        assert "a dialog" not in terminal.screen()
        assert not sent_pictures(dialog_opened + dialog_closed)
        assert b"a=d" not in dialog_opened + dialog_closed


def test_kitty_pictures_cost_little_more_than_themselves_through_ssh_too(tmp_path: Path) -> None:
    with opened(tmp_path, "kitty", SSH_CONNECTION="1 2 3 4") as terminal:
        data = terminal.press("g", 0.7)
        sent = sent_pictures(data)
        assert len(sent) == N
        assert len(data) <= 1.1 * sum(size for _, size in sent)


def test_sixel_pictures_are_drawn_once_and_give_way_to_a_dialog(tmp_path: Path) -> None:
    with opened(tmp_path, "sixel") as terminal:
        data = terminal.press("g", 0.7)
        drawn = drawn_sixels(data)
        assert len(drawn) == len({place[:2] for place in drawn}) == N
        assert len(data) <= 1.1 * sum(size for *_, size in drawn)

        costs_of_a_step_and_of_idling(terminal)

        assert not drawn_sixels(terminal.press("m", 0.5))
        assert "a dialog" in terminal.screen()
        assert BLOCKS & set(terminal.screen()), "blocks stand in for the pictures"
        assert len(drawn_sixels(terminal.press("m", 0.5))) == N
        assert not BLOCKS & set(terminal.screen())


def test_sixel_pictures_have_64_colours_through_ssh(tmp_path: Path) -> None:
    with opened(tmp_path, "sixel", SSH_CONNECTION="1 2 3 4") as terminal:
        data = terminal.press("g", 0.7)
        assert len(drawn_sixels(data)) == N
        assert max(int(number) for number in re.findall(rb"#(\d+);2;", data)) < 64


def test_block_pictures_are_painted_once(tmp_path: Path) -> None:
    with opened(tmp_path, "plain") as terminal:
        terminal.press("g", 0.7)
        assert BLOCKS & set(terminal.screen())
        costs_of_a_step_and_of_idling(terminal)
