"""`nastui FILE` in a terminal, from the shell's prompt and back to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fake_terminal import FakeTerminal

from tests.small_run import write_small_run


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("view") / "pets.nas.db"
    write_small_run(path)
    return path


def nastui(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "nastui", *map(str, arguments)]


@pytest.mark.parametrize(("arguments", "shown"), [([], "2×3×3"), (["conv"], "2 units"), (["conv:1"], "unit 1 of 2")])
def test_a_run_opens_where_it_was_asked_to_and_closes_with_status_0(
    run_file: Path, arguments: list[str], shown: str
) -> None:
    with FakeTerminal(nastui(run_file, *arguments)) as terminal:
        terminal.wait_for_text(shown)
        terminal.press("Q")
        assert terminal.end() == 0


@pytest.mark.parametrize(("arguments", "words"), [(["conv:7"], "conv has no unit 7."), (["cnov"], "no layer 'cnov'")])
def test_a_wrong_address_is_said_at_the_prompt(run_file: Path, arguments: list[str], words: str) -> None:
    with FakeTerminal(nastui("view", run_file, *arguments)) as terminal:
        terminal.wait_for_text(words)
        assert terminal.end() == 4
        assert b"\x1b[?1049h" not in terminal.written
