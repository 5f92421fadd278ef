"""The screens as pictures: a change that nobody meant shows up here. `pytest --snapshot-update` takes new ones; look
at them before they are committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from nastui.app import NastuiApp
from nastui.palette import ColourDepth
from nastui.records import Address
from nastui.terminal import Terminal
from tests.fake_run import FakeRun
from tests.opened_app import settled

Compare = Callable[..., bool]


def app(start: str | None, depth: ColourDepth = "truecolor") -> NastuiApp:
    return NastuiApp(FakeRun(), Address.parse(start) if start else None, Terminal(colour_depth=depth))


@pytest.mark.parametrize(
    ("start", "keys"),
    [
        (None, []),
        ("features.0", []),
        ("features.0", ["f", "f"]),
        ("features.0:3", ["m"]),
        ("features.0:3", ["m", "enter"]),
        ("features.0:3", ["question_mark"]),
        ("features.0", ["c"]),
    ],
    ids=["layers", "layer", "focus", "unit", "image", "help", "classes"],
)
def test_a_screen_looks_as_it_did(start: str | None, keys: list[str], snap_compare: Compare) -> None:
    async def prepare(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    assert snap_compare(app(start), run_before=prepare, terminal_size=(110, 36))


def test_without_colours_letters_say_the_classes(snap_compare: Compare) -> None:
    assert snap_compare(app("features.0", "none"), run_before=settled, terminal_size=(110, 36))
