"""What pictures cost on the line: each is sent once, and nothing is sent for one that stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_terminal import FakeTerminal, drawn_sixels, python, sent_pictures

N = 24


def opened(tmp_path: Path, kind: str, **env: str) -> FakeTerminal:
    command = python("picture_app.py", str(tmp_path / "keys"), str(N))
    return FakeTerminal(command, kind, size=(110, 42), env=env)


@pytest.mark.parametrize("env", [{}, {"SSH_CONNECTION": "1 2 3 4"}], ids=["here", "ssh"])
def test_kitty_pictures_are_sent_once_and_cost_little_more_than_themselves(tmp_path: Path, env: dict[str, str]) -> None:
    with opened(tmp_path, "kitty", **env) as terminal:
        terminal.wait_for_text("images=kitty")
        terminal.settle()
        data = terminal.press("g", 1.0)
        sent = sent_pictures(data)
        assert len(sent) == len({number for number, _ in sent}) == N
        assert len(data) <= 1.1 * sum(size for _, size in sent)


def test_sixel_pictures_are_drawn_once_and_cost_little_more_than_themselves(tmp_path: Path) -> None:
    with opened(tmp_path, "sixel") as terminal:
        terminal.wait_for_text("images=sixel")
        terminal.settle()
        data = terminal.press("g", 1.0)
        drawn = drawn_sixels(data)
        assert len(drawn) == len({place[:2] for place in drawn}) == N
        assert len(data) <= 1.1 * sum(size for *_, size in drawn)


def test_sixel_pictures_are_half_as_large_through_ssh(tmp_path: Path) -> None:
    sizes = []
    for env in ({}, {"SSH_CONNECTION": "1 2 3 4"}):
        with opened(tmp_path, "sixel", **env) as terminal:
            terminal.wait_for_text("images=sixel")
            sizes.append(sum(size for *_, size in drawn_sixels(terminal.press("g", 1.0))))
    assert sizes[1] < 0.8 * sizes[0]


@pytest.mark.parametrize("kind", ["kitty", "sixel", "plain"])
def test_a_step_of_the_cursor_costs_no_picture(tmp_path: Path, kind: str) -> None:
    with opened(tmp_path, kind) as terminal:
        terminal.wait_for_text("ready")
        terminal.press("g", 1.0)
        data = terminal.press("l")
        assert not sent_pictures(data)
        assert not drawn_sixels(data)
        assert 0 < len(data) < 1000
        assert terminal.pump(2) == b"", "idle"


def test_a_dialog_over_kitty_pictures_resends_none_and_leaves_them_visible(tmp_path: Path) -> None:
    with opened(tmp_path, "kitty") as terminal:
        terminal.wait_for_text("ready")
        terminal.press("g", 1.0)
        opened_dialog = terminal.press("m", 0.6)
        assert "a dialog" in terminal.screen()
        assert "▒" in terminal.screen()
        closed_dialog = terminal.press("m", 0.6)
        assert "a dialog" not in terminal.screen()
        assert not sent_pictures(opened_dialog + closed_dialog)
        assert b"a=d" not in opened_dialog + closed_dialog


def test_sixel_pictures_give_way_to_a_dialog_and_come_back_once(tmp_path: Path) -> None:
    with opened(tmp_path, "sixel") as terminal:
        terminal.wait_for_text("ready")
        terminal.press("g", 1.0)
        assert not drawn_sixels(terminal.press("m", 0.6))
        screen = terminal.screen()
        assert "a dialog" in screen
        assert any(block in screen for block in "▀▌▘▝▖▗▚"), "blocks stand in for the pictures"
        assert len(drawn_sixels(terminal.press("m", 0.6))) == N
        assert not any(block in terminal.screen() for block in "▀▌▘▝▖▗▚")
