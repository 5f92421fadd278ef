"""Units sorted, filtered and marked: what a person sees on the layer screen."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rich.cells import cell_len
from textual.widgets import Input

from nastui.measure_records import Listing
from nastui.review_records import Standing
from nastui.screens.layer import LayerScreen
from nastui.screens.unit import UnitScreen
from nastui.views.numbers import short_number
from nastui.widgets.footprint_list import FootprintList
from tests.fake_reviews import FakeReviews
from tests.fake_run import FakeRun
from tests.listed_rows import ROW, SIZE, expected, filter_by, sort_by, units_shown
from tests.opened_app import opened, press, settled, text_of
from tests.screens.test_slow_reading import slow

# ---- sorting ------------------------------------------------------------------------------


async def test_sorting_puts_the_highest_on_top_and_says_by_what() -> None:
    run = FakeRun()
    async with opened(run, "features.0", SIZE) as (app, pilot):
        await press(pilot, "5", "j")
        await sort_by(pilot, "precision")
        units = units_shown(app)
        assert units == expected(run, Listing(sort="precision"))[: len(units)]
        assert app.screen.query_one(FootprintList).cursor == 0
        assert text_of(app)[0].startswith(" features.0   sort precision ↓ · 40 units · ")
        assert f" features.0:{units[0]}  precision 1 (" in text_of(app)[-2]
        await sort_by(pilot, "selectivity")
        assert re.search(r"selectivity \S+ \(\w+, hit \S+, false alarm \S+\)", text_of(app)[-2])


async def test_equal_units_stay_in_the_order_of_their_numbers_whichever_way() -> None:
    run = FakeRun()
    run.matrices[1][:, 5] = run.matrices[1][:, 20] = run.matrices[1][:, 9]
    async with opened(run, "features.0", size=(100, 50)) as (app, pilot):
        await press(pilot, "minus", "minus")
        for key in ("s", "S"):
            if key == "s":
                await sort_by(pilot, "std")
            else:
                await press(pilot, key)
            assert [unit for unit in units_shown(app) if unit in (5, 9, 20)] == [5, 9, 20]


async def test_choosing_the_same_column_again_or_shift_s_turns_the_order_round() -> None:
    run = FakeRun()
    async with opened(run, "features.0", SIZE) as (app, pilot):
        await sort_by(pilot, "mean")
        falling = units_shown(app)
        await sort_by(pilot, "mean")
        assert "sort mean ↑" in text_of(app)[0]
        rising = units_shown(app)
        assert rising == expected(run, Listing(sort="mean", descending=False))[: len(rising)] != falling
        await press(pilot, "S")
        assert units_shown(app) == falling
        await press(pilot, "3", "j")
        unit = app.session.unit
        await press(pilot, "s", *["pageup"] * 5, "enter")
        assert "sort" not in text_of(app)[0], "by number is the first choice"
        assert app.screen.query_one(FootprintList).cursor == app.session.unit == unit


async def test_the_menu_shows_what_columns_mean_and_finds_them_by_that() -> None:
    async with opened(start="features.0", size=SIZE) as (app, pilot):
        await press(pilot, "s")
        text = "\n".join(text_of(app))
        assert text.index("by number") < text.index("selectivity") < text.index("hit_rate") < text.index("false_alarm")
        assert "the hit_rate" in text
        assert isinstance(app.focused, Input)
        app.focused.value = "the zer"
        await pilot.pause()
        assert "the zeros" in "\n".join(text_of(app))
        assert "the hit_rate" not in "\n".join(text_of(app))
        await press(pilot, "escape")
        assert "sort" not in text_of(app)[0]


async def test_every_row_shows_its_value_and_the_bars_stay_where_they_were() -> None:
    run = FakeRun()
    async with opened(run, "features.0", SIZE) as (app, pilot):
        before = [line.index("┃") for line in text_of(app) if "┃" in line]
        await sort_by(pilot, "std")
        std = run.unit_table(run.layers()[0]).std
        lines = text_of(app)
        rows = {int(match[1]): lines[y + 1] for y, line in enumerate(lines) if (match := ROW.match(line))}
        assert len(rows) >= 4
        for unit, below in rows.items():
            assert below.strip("▌ ").split()[0] == short_number(float(std[unit]), 7)
        assert [line.index("┃") for line in lines if "┃" in line] == before


@pytest.mark.parametrize(("width", "has_values"), [(170, True), (93, False)])
async def test_rows_of_one_line_show_their_value_where_that_takes_no_range_away(width: int, has_values: bool) -> None:
    run = FakeRun()
    async with opened(run, "features.0", size=(width, 20)) as (app, pilot):
        await press(pilot, "minus", "minus")
        await sort_by(pilot, "top_class")
        assert ("· 30 ranges" in text_of(app)[0]) == has_values
        top = run.unit_measures(run.layers()[0])
        assert top is not None
        for line in text_of(app)[3:-2]:
            number, name = line.strip("▌ +").split()[:2]
            top_class = ("ant", "bee", "cat", "dog")[top.measures.top_class[int(number)]]
            assert (name == top_class) == has_values


async def test_rows_keep_the_columns_of_the_layer_when_they_are_filtered() -> None:
    async with opened(start="features.0", size=(100, 30)) as (app, pilot):
        column = {line.index("┃") for line in text_of(app) if "┃" in line}
        await filter_by(pilot, "number % 7 = 3")
        assert units_shown(app) == [3, 10, 17, 24, 31, 38]
        assert {line.index("┃") for line in text_of(app) if "┃" in line} == column


async def test_wherever_one_scrolls_bars_and_numbers_are_of_the_same_unit() -> None:
    run = FakeRun(layers=(("features.0", 150),))
    async with opened(run, "features.0", size=(110, 26)) as (app, pilot):
        plain: dict[int, str] = {}
        await press(pilot, "minus", "minus")
        for _ in range(9):
            plain |= {int(match[1]): match[2] for line in text_of(app) if (match := ROW.match(line[:-1]))}
            await press(pilot, "pagedown")
        assert len(plain) == 150
        await sort_by(pilot, "lo")
        for key in ("G", "pageup"):
            await press(pilot, key)
            rows = {int(match[1]): match[2] for line in text_of(app) if (match := ROW.match(line[:-1]))}
            assert len(rows) >= 4
            assert {unit: row.split() for unit, row in rows.items()} == {unit: plain[unit].split() for unit in rows}


async def test_a_measure_that_was_not_taken_is_said_and_nothing_changes() -> None:
    async with opened(FakeRun(has_measures=False), "features.0", SIZE) as (app, pilot):
        await press(pilot, "j")
        before = text_of(app)
        await sort_by(pilot, "auroc")
        assert [str(toast.message) for toast in app._notifications] == [
            "auroc has not been measured in this run.\nMeasure its units."
        ]
        app.clear_notifications()
        await pilot.pause()
        assert text_of(app)[0] == before[0]
        await sort_by(pilot, "verdict")
        assert [str(toast.message) for toast in app._notifications] == ["No unit that is listed has a verdict."]
        await press(pilot, "S")
        assert "sort number ↓" in text_of(app)[0]


# ---- going through the listing ------------------------------------------------------------


async def test_the_neuron_screen_goes_through_the_units_as_they_are_listed() -> None:
    run = FakeRun()
    async with opened(run, "features.0", SIZE) as (app, pilot):
        await filter_by(pilot, "number > 10")
        await sort_by(pilot, "hi")
        order = expected(run, Listing("number > 10", "hi"))
        await press(pilot, "j", "enter")
        assert isinstance(app.screen, UnitScreen)
        assert app.session.unit == order[1]
        await press(pilot, "J", "3", "J", "K")
        assert app.session.unit == order[4]
        assert text_of(app)[0].startswith(f" features.0:{order[4]} ")
        await press(pilot, "q")
        assert app.screen.query_one(FootprintList).cursor == 4
        assert text_of(app)[-2].startswith(f" features.0:{order[4]} ")


async def test_a_number_before_g_is_the_unit_wherever_it_is_listed() -> None:
    run = FakeRun()
    async with opened(run, "features.0", SIZE) as (app, pilot):
        await sort_by(pilot, "mean")
        await press(pilot, "1", "7", "G")
        assert app.session.unit == 17
        assert app.screen.query_one(FootprintList).cursor == expected(run, Listing(sort="mean")).index(17)
        await filter_by(pilot, "number < 30")
        await press(pilot, "3", "1", "G")
        assert "features.0:31 is not listed" in text_of(app)[0]
        assert app.session.unit == 17


async def test_each_layer_keeps_its_own_listing_and_place() -> None:
    async with opened(start="features.0", size=SIZE) as (app, pilot):
        await sort_by(pilot, "mean")
        await press(pilot, "4", "j")
        unit = app.session.unit
        await press(pilot, "L")
        assert "sort" not in text_of(app)[0]
        await press(pilot, "H")
        assert "sort mean ↓" in text_of(app)[0]
        assert app.session.unit == unit
        assert app.screen.query_one(FootprintList).cursor == 4


async def test_a_unit_that_never_changes_is_named_in_place_of_its_bars() -> None:
    run = FakeRun()
    run.matrices[1][:, 1], run.matrices[1][:, 2], run.matrices[1][:, 3] = 0, 2.5, np.nan
    async with opened(run, "features.0", SIZE) as (app, _):
        rows = {int(match[1]): match[2] for line in text_of(app) if (match := ROW.match(line))}
        assert "┃ dead: always 0 " in rows[1]
        assert "┃ always 2.5 " in rows[2]
        assert "┃ no finite value " in rows[3]


# ---- the title ----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 150])
async def test_the_title_is_whole_at_any_width(width: int) -> None:
    run = FakeRun()
    reviews = run.reviews = FakeReviews()
    async with opened(run, "features.0", size=(width, 30), reviews=reviews) as (app, pilot):
        await press(pilot, "v", "i", "2", "space")
        await filter_by(pilot, "selectivity > -9 and top_class is not null and number < 30 and density > 0.01")
        await sort_by(pilot, "selectivity_shifted")
        title = text_of(app)[0].rstrip()
        for words in ("selectivity_shifted ↓", "30 of 40"):
            assert words in title
        assert re.search(r" · (filter |/)sele", title)
        assert re.search(r" 1 (reviewed|✓) ", title)
        assert re.search(r" 2 (marked|•)( |$)", title)
        assert cell_len(title) <= width
        assert re.search(r"(marked|•|ranges|\(what fits\))$", title)
        assert ("number < 30" in title) == (width == 150)


# ---- leaving and coming back --------------------------------------------------------------


async def test_a_run_opens_where_one_left_off_with_the_units_listed_as_they_were() -> None:
    reviews, run = FakeReviews(), FakeRun()
    async with opened(run, size=SIZE, reviews=reviews) as (app, pilot):
        await press(pilot, "enter")
        await sort_by(pilot, "mean")
        await press(pilot, "L")
        await filter_by(pilot, "number > 3")
        await press(pilot, "j", "Q")
        left_at = app.session.unit
        app.leave()
    async with opened(run, size=SIZE, reviews=FakeReviews(book=reviews.book)) as (app, pilot):
        assert app.session.layer.path == "classifier.1"
        await press(pilot, "enter")
        assert "filter number > 3 · 4 of 8" in text_of(app)[0]
        assert app.session.unit == left_at
        await press(pilot, "H")
        assert "sort mean ↓" in text_of(app)[0]


async def test_an_address_opens_the_layer_by_number() -> None:
    book = FakeReviews().book
    book.standings.append(Standing("features.0:7", Listing(sort="mean")))
    async with opened(start="features.0", reviews=FakeReviews(book=book)) as (app, _):
        assert "sort" not in text_of(app)[0]
        assert app.session.unit == 0


async def test_a_listing_that_no_longer_works_is_said_and_left() -> None:
    book = FakeReviews().book
    book.standings.append(Standing("features.0:7", Listing("colour = 3")))
    async with opened(size=SIZE, reviews=FakeReviews(book=book)) as (app, pilot):
        await press(pilot, "enter")
        assert isinstance(app.screen, LayerScreen)
        assert "There is no column 'colour'." in str(next(iter(app._notifications)).message)
        assert "filter" not in text_of(app)[0]
        assert app.session.unit == 7


# ---- while something is read --------------------------------------------------------------


async def test_rows_that_come_late_are_of_the_layer_and_the_order_that_one_has_gone_on_to() -> None:
    async with slow("features.0", first_read=True) as person:
        person.run.gate.set()
        await sort_by(person.pilot, "lo")
        await press(person.pilot, "L")
        await filter_by(person.pilot, "number % 2 = 1")
        person.run.gate.clear()
        for key in "HLHLLHJGkH":
            await person.type_quickly(key)
        await person.see_all()
        text = person.text()
        assert text[0].startswith(" features.0   sort lo ↑") or text[0].startswith(" features.0   sort lo ↓")
        person.check_rows(text)
        rows = person.app.screen.query_one(FootprintList)
        assert person.app.session.listed[rows.cursor] == person.app.session.unit


async def test_a_run_that_grows_stays_listed_as_it_was() -> None:
    run = FakeRun(finished=False)
    async with opened(run, "features.0", SIZE) as (app, pilot):
        await sort_by(pilot, "mean")
        await press(pilot, "3", "j")
        unit = app.session.unit
        run.matrices[1][:, unit] += 100
        app._take_growth()
        await settled(pilot)
        assert "sort mean ↓" in text_of(app)[0]
        assert app.session.unit == unit
        assert app.screen.query_one(FootprintList).cursor == 0


async def test_the_next_layer_is_filtered_as_this_one_until_it_has_a_filter_of_its_own() -> None:
    async with opened(start="features.0") as (app, pilot):
        await press(pilot, "slash", *"hi > 1", "enter", "L")
        assert app.session.layer.path == "classifier.1"
        assert app.session.listing.where == "hi > 1"
        assert "filter hi > 1" in text_of(app)[0]
        await press(pilot, "slash", "ctrl+u", "enter", "H")
        assert app.session.listing.where == "hi > 1"
        await press(pilot, "L")
        assert app.session.listing.is_plain, "it was taken off there"
