"""Panels of text: nothing is cut at their edge, and the key that quits does so from them too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nastui.records import RunInfo
from nastui.views.plain import wrapped
from tests.fake_reviews import FakeReviews
from tests.fake_run import FakeRun
from tests.opened_app import opened, press, text_of

COMMAND = (
    "nastui scan --model /home/somebody/models/nets.py:resnet20 --weights " + "/a/long/path" * 14 + " --out run.nas.db"
)


class LongRun(FakeRun):
    """Its command has more characters than three lines of a narrow screen."""

    def info(self) -> RunInfo:
        found = super().info()
        return replace(found, spec=replace(found.spec, command=COMMAND, data=f"imagefolder:{'/data' * 16}"))


@pytest.mark.parametrize("size", [(60, 60), (80, 50), (140, 40)])
async def test_long_words_of_a_panel_go_on_in_the_next_line(size: tuple[int, int]) -> None:
    async with opened(LongRun(), None, size) as (app, pilot):
        await press(pilot, "R")
        _check_that_all_is_there(text_of(app))


async def test_a_panel_follows_the_size_of_the_screen() -> None:
    async with opened(LongRun(), None, (140, 60)) as (app, pilot):
        await press(pilot, "R")
        await pilot.resize_terminal(70, 60)
        await pilot.pause()
        _check_that_all_is_there(text_of(app))


def _check_that_all_is_there(lines: list[str]) -> None:
    """Each row of the panel goes on below its words, not below its name."""
    inside = [line[line.index("│") + 1 : line.rindex("│")] for line in lines if line.count("│") >= 2]
    start = next(line.index("nastui scan") for line in inside if "nastui scan" in line)
    text = "".join(line[start:] for line in inside).replace(" ", "")
    assert COMMAND.replace(" ", "") in text
    assert f"imagefolder:{'/data' * 16}" in text
    assert text.count("sha256") == 5
    assert not any(line[:start].strip() for line in inside if "/a/long/path/a" in line)


@pytest.mark.parametrize(
    ("words", "width", "lines"),
    [
        ("one two three", 20, ["one two three"]),
        ("one two three", 7, ["one two", "three"]),
        ("a abcdefgh b", 4, ["a", "abcd", "efgh", "b"]),
        ("猫猫猫 x", 4, ["猫猫", "猫 x"]),
        ("", 9, [""]),
    ],
)
def test_words_are_broken_where_a_line_ends(words: str, width: int, lines: list[str]) -> None:
    assert wrapped(words, width) == lines


@pytest.mark.parametrize("start", [None, "features.0", "features.0:3"])
@pytest.mark.parametrize("key", ["R", "question_mark", "M", "v", "O"])
async def test_the_key_that_quits_does_so_from_whatever_is_no_text(start: str | None, key: str) -> None:
    async with opened(start=start, reviews=FakeReviews()) as (app, pilot):
        await press(pilot, key)
        await pilot.press("Q")
        await pilot.pause()
        assert app._exit


@pytest.mark.parametrize("key", ["colon", "c", "e", "slash", "s"])
async def test_in_a_line_of_text_it_is_a_letter(key: str) -> None:
    async with opened(start="features.0", reviews=FakeReviews()) as (app, pilot):
        await press(pilot, key, "Q")
        assert not app._exit
        assert "Q" in "\n".join(text_of(app))
