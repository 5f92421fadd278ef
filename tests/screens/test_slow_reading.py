"""Keys pressed while the file is being read: they never crash, and what is shown in the end belongs together."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot

from nastui.app import NastuiApp
from nastui.records import (
    Address,
    Float32,
    Footprints,
    ImageInfo,
    Int32,
    LayerInfo,
    UnitTable,
)
from nastui.screens.asking import AskingScreen
from nastui.screens.image import ImageScreen
from nastui.screens.layer import LayerScreen
from nastui.screens.layers import LayersScreen
from nastui.screens.unit import UnitScreen
from nastui.terminal import Terminal
from nastui.views.numbers import short_number
from nastui.widgets.footprint_list import FootprintList
from nastui.widgets.layer_list import LayerList
from tests.fake_reviews import FakeReviews
from tests.fake_run import FakeRun

LAYERS = (("features.0", 40), ("classifier.1", 8), ("head", 70))
ROW = re.compile(r"[▌ +✓☆★•]+(\d+)\s+(\S+) .* (\S+)\s*$")


class SlowRun(FakeRun):
    """A run whose every answer about units and images waits until it is let through."""

    def __init__(self) -> None:
        super().__init__(n_images=48, layers=LAYERS)
        self.gate = threading.Event()

    def _wait(self) -> None:
        assert self.gate.wait(20), "nothing may be read where keys are waiting"

    def unit_table(self, layer: LayerInfo) -> UnitTable:
        self._wait()
        return super().unit_table(layer)

    def footprints(self, layer: LayerInfo, first: int, count: int, m: int | None = None) -> Footprints:
        self._wait()
        return super().footprints(layer, first, count, m)

    def values(self, layer: LayerInfo, unit: int) -> Float32:
        self._wait()
        return super().values(layer, unit)

    def image_values(self, layer: LayerInfo, image: int) -> Float32:
        self._wait()
        return super().image_values(layer, image)

    def positions(self, layer: LayerInfo, unit: int) -> Int32 | None:
        self._wait()
        return super().positions(layer, unit)

    def images(self, ids: Sequence[int]) -> list[ImageInfo]:
        self._wait()
        return super().images(ids)

    def thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        self._wait()
        return super().thumbnails(ids)

    def original(self, image: int) -> bytes:
        self._wait()
        return super().original(image)


class Person:
    """Presses keys on a slow run, and looks at what is there."""

    def __init__(self, run: SlowRun, app: NastuiApp, pilot: Pilot[None]) -> None:
        self.run, self.app, self.pilot = run, app, pilot

    async def press(self, *keys: str) -> None:
        """Press keys one by one; whatever is being read, the session names a unit that there is."""
        for key in keys:
            if key in ("q", "escape") and isinstance(self.app.screen, LayersScreen):
                continue  # it would end nastui
            if len(keys) > 1 or key in ("q", "escape"):
                await self.pilot.press(key)
            else:
                await self.type_quickly(key)
            self.check_place()

    async def type_quickly(self, key: str) -> None:
        """Send a key and go on at once, where the pilot's own press waits until nothing moves any more."""
        event = events.Key(key, key if len(key) == 1 else None)
        event.set_sender(self.app)
        assert self.app._driver is not None
        self.app._driver.send_message(event)
        await asyncio.sleep(0.003)

    def check_place(self) -> None:
        session = self.app.session
        assert session.layer in session.layers
        assert 0 <= session.unit < session.layer.n_units

    async def see_all(self) -> None:
        """Let everything be read and painted."""
        self.run.gate.set()
        quiet = 0
        while quiet < 3:
            await self.pilot.pause(0.01)
            quiet = 0 if len(self.app.workers) else quiet + 1
        self.check_place()

    def text(self) -> list[str]:
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def check_screen(self) -> None:
        """All that is on the screen is of the session's layer and unit."""
        session, screen, text = self.app.session, self.app.screen, self.text()
        address = f"{session.layer.address}:{session.unit}"
        if isinstance(screen, UnitScreen):
            assert text[0].split()[0] == address
            units = FakeRun.unit_table(self.run, session.layer)
            assert f" lo {short_number(float(units.lo[session.unit]))} " in text[1]
        elif isinstance(screen, ImageScreen):
            assert any(f" {address} gives it " in line for line in text)
            assert any(f"units of {session.layer.address} for" in line for line in text)
        elif isinstance(screen, LayerScreen):
            assert text[0].split()[0] == str(session.layer.address)
            assert screen.query_one(FootprintList).cursor == session.unit
            assert any(line.startswith(f" {address} ") for line in text)
            self.check_rows(text)
        elif isinstance(screen, LayersScreen):
            assert screen.query_one(LayerList).cursor == session.layer_index

    def check_rows(self, text: list[str]) -> None:
        units = FakeRun.unit_table(self.run, self.app.session.layer)
        rows = [match for line in text[2:-2] if (match := ROW.match(line[:-1]))]  # without the scrollbar
        assert len(rows) >= 3
        for row in rows:
            unit = int(row[1])
            assert (row[2], row[3]) == (short_number(float(units.lo[unit])), short_number(float(units.hi[unit])))


@asynccontextmanager
async def slow(start: str | None, *, first_read: bool) -> AsyncIterator[Person]:
    """The app on a slow run, with the first screen read or still being read."""
    run = SlowRun()
    address = None if start is None else Address.parse(start)
    app = NastuiApp(run, address, Terminal(colour_depth="truecolor"), reviews=FakeReviews())
    async with app.run_test(size=(110, 26)) as pilot:
        person = Person(run, app, pilot)
        try:
            if first_read:
                await person.see_all()
                run.gate.clear()
            yield person
        finally:
            run.gate.set()


async def leave_dialogs(person: Person) -> None:
    while not isinstance(person.app.screen, (LayersScreen, LayerScreen, UnitScreen, ImageScreen)):
        await person.press("escape")
        await person.pilot.pause()
    for _ in range(2):  # a note that is not saved asks once
        if isinstance(person.app.screen, AskingScreen) and person.app.screen.is_asking:
            await person.press("escape")
            await person.pilot.pause()


LOOK_KEYS = ["f", "F", "right_square_bracket", "left_square_bracket", "full_stop", "comma", "greater_than_sign"]
LAYER_KEYS = ["j", "k", "G", "end", "home", "ctrl+d", "ctrl+u", "pagedown", "h", "right", "equals_sign", "minus", "p"]
UNIT_KEYS = ["h", "l", "j", "k", "space", "b", "circumflex_accent", "dollar_sign", "z", "m", "s", "r", "p", "t", "J"]
REVIEW_KEYS = ["v", "i", "V", "d", "asterisk", "T", "enter", "e", "escape", "escape", "u", "U", "n", "N", "y", "Y"]
IMAGE_KEYS = ["j", "k", "G", "J", "K", "o", "p", "enter"]
PLACES = ["L", "H", "J", "K", "G", "3", "2", "enter", "q", "escape", "question_mark", "c"]


@pytest.mark.parametrize("first_read", [True, False])
@pytest.mark.parametrize("start", ["features.0", "features.0:39"])
async def test_every_key_may_be_pressed_while_something_is_read(start: str, first_read: bool) -> None:
    async with slow(start, first_read=first_read) as person:
        own = UNIT_KEYS if ":" in start else LAYER_KEYS
        for key in [*LOOK_KEYS, *own, "less_than_sign", "a", "K", "L", "G", "H", *REVIEW_KEYS]:
            await person.press(key)
        for dialog in ("c", "question_mark"):
            await person.press(dialog, "escape")
        await person.see_all()
        person.check_screen()


async def test_every_key_of_the_image_screen_may_be_pressed_while_something_is_read() -> None:
    async with slow("features.0:5", first_read=True) as person:
        await person.press("enter")
        assert isinstance(person.app.screen, ImageScreen)
        await person.press(*IMAGE_KEYS)
        await person.see_all()
        person.check_screen()


async def test_a_smaller_layer_is_entered_while_a_larger_one_is_left() -> None:
    async with slow("features.0", first_read=True) as person:
        await person.press("G", "L", "enter", "j", "G", "enter", "J", "q", "H")
        await person.see_all()
        await leave_dialogs(person)
        person.check_screen()


@pytest.mark.parametrize("seed", [0, 2, 5, 7])  # each starts at another place
async def test_any_keys_in_any_order_leave_a_screen_that_belongs_together(seed: int) -> None:
    chance = random.Random(seed)
    start = chance.choice([None, "features.0", "features.0:39", "classifier.1:7", "head"])
    async with slow(start, first_read=seed % 2 == 0) as person:
        for _ in range(4):
            await press_any(person, chance, 30)
            await leave_dialogs(person)
            await person.see_all()
            person.check_screen()


async def press_any(person: Person, chance: random.Random, n_keys: int) -> None:
    """Press keys by chance; what was asked for comes now and then, or piles up."""
    gate = person.run.gate
    for _ in range(n_keys):
        keys = chance.choice([PLACES, PLACES, LAYER_KEYS, UNIT_KEYS, LOOK_KEYS, REVIEW_KEYS])
        await person.press(chance.choice(keys))
        if chance.random() < 0.2:
            gate.set()
            await person.pilot.pause()
        elif chance.random() < 0.4:
            gate.clear()


@pytest.mark.parametrize("key", ["z", "e", "l", "5", "v"])
async def test_a_key_that_comes_before_a_screen_is_there_waits_for_it(key: str) -> None:
    app = NastuiApp(FakeRun(), Address("features.0"), Terminal(colour_depth="truecolor"), reviews=FakeReviews())
    async with app.run_test() as pilot:
        await pilot.pause()
        app.push_screen(UnitScreen(app.session, app.paint))
        event = events.Key(key, key)
        event._set_forwarded()  # the list of the screen below had it, and knew nothing to do with it
        app.post_message(event)
        await pilot.pause()
        assert isinstance(app.screen, UnitScreen)
        assert app.screen.is_mounted
