"""R says on every screen what the run was made of."""

from __future__ import annotations

import pytest

from nastui.screens.help import key_rows
from nastui.screens.text_panel import TextPanel
from tests.fake_run import FakeRun
from tests.opened_app import opened, press, text_of


@pytest.mark.parametrize("start", [None, "features.0", "features.0:3"])
async def test_the_panel_has_the_sums_of_weights_images_and_scan(start: str | None) -> None:
    run = FakeRun()
    spec = run.info().spec
    async with opened(run, start) as (app, pilot):
        below = app.screen
        assert ("R", "What the run was made of, with its sums") in key_rows(below)
        await press(pilot, "R")
        assert isinstance(app.screen, TextPanel)
        text = "\n".join(text_of(app))
        for words in (spec.model, spec.weights_sha256[:12], spec.manifest_sha256[:12], spec.scan_sha256[:12]):
            assert words in text
        await press(pilot, "R")
        assert app.screen is below


@pytest.mark.parametrize(("last", "first"), [("G", "g"), ("end", "home")])
async def test_a_long_panel_goes_to_its_ends(last: str, first: str) -> None:
    async with opened(FakeRun(), None, size=(80, 12)) as (app, pilot):
        await press(pilot, "question_mark")
        top = text_of(app)
        await press(pilot, last)
        bottom = text_of(app)
        await press(pilot, "j")
        assert text_of(app) == bottom != top
        await press(pilot, first)
        assert text_of(app) == top
