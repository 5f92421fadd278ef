"""The app on a made-up run, driven as a person does: what the tests of the screens share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App
from textual.keys import Keys
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from nastui.app import NastuiApp
from nastui.records import Address
from nastui.screens.access import ReviewAccess
from nastui.settings import Settings
from nastui.terminal import Terminal
from tests.fake_run import FakeRun

KEY_NAMES = {key.value for key in Keys} | {"asterisk", "space"}


async def work_done(app: App[Any]) -> None:
    """Wait for all workers; one that another takes the place of meanwhile is cancelled, and that is no failure."""
    ended = await asyncio.gather(*(worker.wait() for worker in app.workers), return_exceptions=True)
    for failure in ended:
        if isinstance(failure, BaseException) and not isinstance(failure, WorkerCancelled):
            raise failure


@asynccontextmanager
async def opened(
    run: FakeRun | None = None,
    start: str | None = None,
    size: tuple[int, int] = (120, 40),
    *,
    reviews: ReviewAccess | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[tuple[NastuiApp, Pilot[None]]]:
    """The app on a run, settled."""
    address = None if start is None else Address.parse(start)
    app = NastuiApp(run or FakeRun(), address, Terminal(colour_depth="truecolor"), settings, reviews=reviews)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield app, pilot


async def settled(pilot: Pilot[None]) -> None:
    """Wait until what was asked of the file has come and is painted."""
    for _ in range(3):
        await pilot.pause()
        await work_done(pilot.app)
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


async def type_keys(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, and wait after each as little as a person does; what is no key's name is typed letter by letter."""
    for key in keys:
        is_text = len(key) > 1 and key not in KEY_NAMES
        for pressed in key if is_text else [key]:
            pilot.app.simulate_key(pressed)
        await pilot.pause()
        await work_done(pilot.app)
    await settled(pilot)


def text_of(app: NastuiApp) -> list[str]:
    """The screen's lines as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    assert len(lines) == height
    assert all(strip.cell_length == width for strip in lines)
    return [strip.text for strip in lines]
