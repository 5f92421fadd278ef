"""Marks of probes as pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from nastui.app import NastuiApp
from nastui.palette import ColourDepth
from nastui.records import Address
from nastui.terminal import Terminal
from tests.opened_app import settled
from tests.probed_run import ProbedRun

Compare = Callable[..., bool]


@pytest.mark.parametrize(
    ("start", "depth", "keys"),
    [
        ("features.0", "truecolor", []),
        ("features.0", "truecolor", ["minus", "minus"]),
        ("features.0", "none", []),
        ("features.0:3", "truecolor", []),
    ],
    ids=["layer", "low-rows", "letters", "unit"],
)
def test_marks_look_as_they_did(start: str, depth: ColourDepth, keys: list[str], snap_compare: Compare) -> None:
    async def prepare(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    run = ProbedRun((0, 5, 9), (0.0, 0.0, 9.0))
    app = NastuiApp(run, Address.parse(start), Terminal(colour_depth=depth))
    assert snap_compare(app, run_before=prepare, terminal_size=(110, 36))
