"""A run is looked at while its scan goes on: every screen says how far that is, and keeps up with it."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
from textual.pilot import Pilot

from nastui.app import NastuiApp
from nastui.measure_records import MeasuredUnits
from nastui.records import Float32, Footprints, ImageTable, LayerInfo, RunInfo, UnitTable
from nastui.stats.measures import basic_measures
from nastui.stats.ranges import count_ranges
from nastui.widgets.footprint_list import FootprintList
from tests.fake_run import FakeRun
from tests.opened_app import opened, press, settled, text_of


class GrowingRun(FakeRun):
    """A run of 200 images of which `n_done` have been looked at; it has measures when it is finished."""

    def __init__(self, n_done: int) -> None:
        super().__init__(finished=False)
        self.n_done = n_done
        self.n_table_reads = 0

    def finish(self) -> None:
        self._finished = True

    def info(self) -> RunInfo:
        found = super().info()
        return replace(found, n_done=self.n_done, n_matched=self.n_done, top1=0.75 if self.n_done else None)

    def image_table(self) -> ImageTable:
        return replace(super().image_table(), is_ok=np.arange(len(self.class_id)) < self.n_done)

    def unit_table(self, layer: LayerInfo) -> UnitTable:
        self.n_table_reads += 1
        m = basic_measures(self.matrices[layer.basis_id][: self.n_done].T)
        reviewed = np.zeros(layer.n_units, dtype=np.bool_)
        return UnitTable(m.n, m.lo, m.hi, m.mean, m.std, m.density, m.zeros, m.non_finite, reviewed)

    def footprints(self, layer: LayerInfo, first: int, count: int, m: int | None = None) -> Footprints:
        values = self.matrices[layer.basis_id][: self.n_done].T[first : first + count]
        return count_ranges(values, self.class_id[: self.n_done], 4, m or 30, first)

    def unit_measures(self, layer: LayerInfo) -> MeasuredUnits | None:
        return super().unit_measures(layer) if self._finished else None

    def values(self, layer: LayerInfo, unit: int) -> Float32:
        values = super().values(layer, unit).copy()
        values[self.n_done :] = np.nan
        return values


async def _look_again(app: NastuiApp, pilot: Pilot[None]) -> str:
    app.look_for_growth()
    await settled(pilot)
    return "\n".join(text_of(app))


async def test_the_neuron_screen_keeps_up_with_the_scan_and_says_how_far_it_is() -> None:
    run = GrowingRun(80)
    async with opened(run, "features.0:3", (80, 24)) as (app, pilot):
        text = "\n".join(text_of(app))
        assert "80 of 200 images so far" in text_of(app)[0]
        assert "n 80" in text
        assert "measures come when the scan ends" in text
        run.n_done = 120
        text = await _look_again(app, pilot)
        assert "120 of 200 images so far" in text_of(app)[0]
        assert "n 120" in text
        run.n_done = 200
        assert "200 images, to be measured" in await _look_again(app, pilot)
        run.finish()
        text = await _look_again(app, pilot)
        assert "so far" not in text
        assert "to be measured" not in text
        assert "measures come" not in text
        assert "n 200" in text


async def test_other_units_of_the_layer_are_up_to_date_too_and_the_layer_is_not_read_for_each() -> None:
    run = GrowingRun(80)
    async with opened(run, "features.0:3") as (app, pilot):
        run.n_done = 120
        await _look_again(app, pilot)
        n_reads = run.n_table_reads
        await press(pilot, "J")
        assert "n 120" in "\n".join(text_of(app))
        assert run.n_table_reads == n_reads


async def test_a_layer_that_nobody_sees_is_read_again_when_one_comes_back_to_it() -> None:
    run = GrowingRun(80)
    async with opened(run, "features.0") as (app, pilot):
        await press(pilot, "j", "j", "enter")
        run.n_done = 120
        n_reads = run.n_table_reads
        assert "n 120" in await _look_again(app, pilot)
        assert run.n_table_reads == n_reads + 1, "for the neuron screen"
        await press(pilot, "J", "q")
        assert "120 of 200 images so far" in text_of(app)[0]
        assert text_of(app)[-2].startswith(" features.0:3")
        assert "n 120" in text_of(app)[-2]


async def test_before_the_first_image_there_is_nothing_wrong() -> None:
    async with opened(GrowingRun(0)) as (app, pilot):
        assert "no images yet of 200" in text_of(app)[0]
        assert "no accuracy" not in text_of(app)[0]
        await press(pilot, "enter")
        text = "\n".join(text_of(app))
        assert "no images yet of 200" in text
        assert "features.0:0  no images yet" in text
        assert "finite" not in text
        await press(pilot, "enter")
        text = "\n".join(text_of(app))
        assert "no images yet of 200" in text
        assert "finite" not in text


async def test_rows_stay_on_the_screen_until_what_is_new_has_come() -> None:
    run = GrowingRun(80)
    async with opened(run, "features.0") as (app, pilot):
        footprints, is_asked, may_answer = run.footprints, Event(), Event()

        def slowly(layer: LayerInfo, first: int, count: int, m: int | None = None) -> Footprints:
            is_asked.set()
            may_answer.wait(10)
            return footprints(layer, first, count, m)

        run.footprints = slowly  # type: ignore[method-assign]
        run.n_done = 120
        assert all(_has_bars(app))
        app.look_for_growth()
        while not is_asked.is_set():
            await pilot.pause(0.01)
        assert "120 of 200" in text_of(app)[0]
        assert all(_has_bars(app))
        may_answer.set()
        await settled(pilot)
        assert all(_has_bars(app))


def _has_bars(app: NastuiApp) -> list[bool]:
    """Whether there are bars in the rows on the screen, row by row."""
    rows = app.screen.query_one(FootprintList)
    lines = [rows.row_strip(row, 0, rows.size.width) for row in rows.visible_rows]
    return [len({segment.style.bgcolor for segment in line if segment.style}) > 2 for line in lines]
