"""What a person sees and can do on the three screens, with a run made up in memory."""

from __future__ import annotations

import numpy as np
import pytest

from nastui.app import NastuiApp
from nastui.errors import AddressNotFound
from nastui.records import Address
from nastui.screens.help import HelpScreen, key_rows
from nastui.screens.layer import LayerScreen
from nastui.screens.layers import LayersScreen
from nastui.screens.unit import UnitScreen
from nastui.terminal import Terminal
from nastui.widgets.footprint_list import FootprintList
from nastui.widgets.image_grid import ImageGrid
from tests.fake_run import FakeRun
from tests.opened_app import opened, press, settled, text_of


async def test_layers_are_listed_with_what_one_needs_to_choose() -> None:
    async with opened() as (app, _):
        assert isinstance(app.screen, LayersScreen)
        text = "\n".join(text_of(app))
        for words in ("features.0", "Conv2d", "40×8×8", "classifier.1", "200 images", "4 classes", "top-1 0.750"):
            assert words in text


async def test_enter_goes_down_and_q_goes_up_without_losing_the_place() -> None:
    async with opened() as (app, pilot):
        await press(pilot, "enter", "5", "j", "enter")
        assert isinstance(app.screen, UnitScreen)
        assert app.session.unit == 5
        await press(pilot, "J", "J", "q")
        assert isinstance(app.screen, LayerScreen)
        assert app.screen.query_one(FootprintList).cursor == 7
        await press(pilot, "q")
        assert isinstance(app.screen, LayersScreen)


async def test_every_unit_of_a_layer_has_a_row_with_lo_and_hi_at_its_ends() -> None:
    run = FakeRun()
    async with opened(run, "features.0") as (app, _):
        units = run.unit_table(run.layers()[0])
        first = next(line for line in text_of(app) if line.strip("▌ ").startswith("0 "))
        assert "−1.4" in first.split("┃")[0]
        assert "2.4" in first.split("┃")[1]
        assert units.lo[0] == pytest.approx(-1.4)


async def test_the_zero_line_stands_in_one_column() -> None:
    async with opened(start="features.0") as (app, _):
        columns = {line.index("┃") for line in text_of(app) if "┃" in line}
        assert len(columns) == 1


@pytest.mark.parametrize(
    ("keys", "row"), [("G", 39), ("1 2 G", 12), ("G g g", 0), ("3 j", 3), ("3 j 2 k", 1), ("end", 39)]
)
async def test_vim_keys_move_the_cursor(keys: str, row: int) -> None:
    async with opened(start="features.0") as (app, pilot):
        await press(pilot, *keys.split())
        assert app.screen.query_one(FootprintList).cursor == row


async def test_a_count_is_shown_while_it_is_typed_and_escape_drops_it() -> None:
    async with opened(start="features.0") as (app, pilot):
        await press(pilot, "1", "7")
        assert "17" in text_of(app)[0].split("layer 1 of 2")[1]
        await press(pilot, "escape")
        assert "17" not in text_of(app)[0].split("layer 1 of 2")[1]
        assert isinstance(app.screen, LayerScreen)
        await press(pilot, "j")
        assert app.screen.query_one(FootprintList).cursor == 1


async def test_the_next_layer_opens_in_place() -> None:
    async with opened(start="features.0") as (app, pilot):
        await press(pilot, "L")
        assert text_of(app)[0].startswith(" classifier.1")
        await press(pilot, "H")
        assert text_of(app)[0].startswith(" features.0")


async def test_row_height_and_number_of_ranges_are_live() -> None:
    async with opened(start="features.0") as (app, pilot):
        rows = app.screen.query_one(FootprintList).row_lines
        await press(pilot, "equals_sign")
        assert app.screen.query_one(FootprintList).row_lines == rows + 1
        await press(pilot, "1", "2", "right_square_bracket")
        assert "12 ranges" in text_of(app)[0]


async def test_the_thresholds_of_the_widths_are_live() -> None:
    async with opened(start="features.0", size=(200, 40)) as (app, pilot):
        assert "4–11" in text_of(app)[1]
        await press(pilot, "full_stop", "greater_than_sign")
        assert "5–12" in text_of(app)[1]


async def test_a_unit_shows_its_measures_its_counts_and_an_axis() -> None:
    async with opened(start="features.0:0") as (app, _):
        text = "\n".join(text_of(app))
        for words in ("features.0:0", "lo −1.4", "hi 2.4", "n 200", "range 31 of 31", "image 1 of", "◆"):
            assert words in text


async def test_all_images_are_reached_range_by_range() -> None:
    run = FakeRun()
    async with opened(run, "features.0:3") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, UnitScreen)
        seen: list[int] = []
        await press(pilot, "circumflex_accent")
        while True:
            seen += [tile.id for tile in list(screen.query_one(ImageGrid)._tiles)]  # type: ignore[misc]
            before = screen.walk.stop
            await press(pilot, "l")
            if screen.walk.stop == before:
                break
        ids = [i[1] if isinstance(i, tuple) else i for i in seen]
        assert sorted(ids) == list(range(200))


async def test_the_images_of_a_range_have_values_inside_its_edges() -> None:
    run = FakeRun()
    async with opened(run, "features.0:3") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, UnitScreen)
        await press(pilot, "m")
        assert screen._shown is not None
        facts = screen._shown.view.facts(screen.walk.stop)
        ids = screen.walk.tiles.ids
        values = run.values(run.layers()[0], 3)[ids].tolist()
        assert facts.low <= min(values)
        assert max(values) < facts.high
        assert values == sorted(values, reverse=True)
        assert f"image 1 of {len(ids)}" in "\n".join(text_of(app))


async def test_the_order_key_sorts_the_images_by_class() -> None:
    run = FakeRun()
    async with opened(run, "features.0:3") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, UnitScreen)
        await press(pilot, "m", "s", "s")
        shown = [int(tile.id) for tile in screen.query_one(ImageGrid)._page]  # type: ignore[call-overload]
        assert list(run.class_id[shown]) == sorted(run.class_id[shown])
        assert "by class" in "\n".join(text_of(app))


async def test_values_that_are_no_numbers_are_counted_and_can_be_looked_at() -> None:
    run = FakeRun()
    run.matrices[1][[3, 8], 2] = np.nan
    async with opened(run, "features.0:2") as (app, pilot):
        assert "NaN or infinite 2" in "\n".join(text_of(app))
        await press(pilot, "end", "l")
        text = "\n".join(text_of(app))
        assert "image 1 of 2 in the run's order" in text
        assert "#3" in text
        assert "#8" in text


async def test_a_unit_without_numbers_says_so() -> None:
    run = FakeRun()
    run.matrices[1][:, 2] = np.nan
    async with opened(run, "features.0") as (app, pilot):
        await press(pilot, "2", "j")
        assert "no finite value" in text_of(app)[-2]
        await press(pilot, "enter")
        assert "no finite value" in "\n".join(text_of(app))


@pytest.mark.parametrize("start", [None, "features.0", "features.0:3"])
async def test_question_mark_shows_every_key_of_the_screen(start: str | None) -> None:
    async with opened(start=start, size=(120, 80)) as (app, pilot):
        rows = key_rows(app.screen)
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = "\n".join(text_of(app))
        for _, description in rows:
            assert description in text
        await press(pilot, "escape")
        assert not isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize("start", [None, "features.0", "features.0:3"])
async def test_every_binding_has_a_description(start: str | None) -> None:
    async with opened(start=start) as (app, _):
        for _, binding, _, _ in app.screen.active_bindings.values():
            assert binding.description or binding.system, binding.key


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60), (20, 6)])
@pytest.mark.parametrize("start", [None, "features.0", "features.0:3"])
async def test_nothing_wraps_or_breaks_at_any_size(start: str | None, size: tuple[int, int]) -> None:
    async with opened(start=start, size=size) as (app, pilot):
        assert len(text_of(app)) == size[1]
        await press(pilot, "j", "l", "h", "k")
        assert len(text_of(app)) == size[1]


@pytest.mark.parametrize("size", [(40, 12), (80, 24)])
async def test_the_images_are_seen_on_a_small_screen_too(size: tuple[int, int]) -> None:
    async with opened(start="features.0:3", size=size) as (app, pilot):
        await press(pilot, "m")
        grid = app.screen.query_one(ImageGrid)
        assert grid.region.bottom == size[1] - 1
        assert grid.size.height >= 5
        assert grid._page


async def test_class_names_are_text_and_no_commands() -> None:
    names = ("[bold]ant[/bold]", "\x1b[2Jbee", "c\nat", "n01443537_goldfish")
    async with opened(FakeRun(class_names=names), "features.0", size=(160, 40)) as (app, _):
        legend = text_of(app)[1]
        assert "[bold]ant[/bold]" in legend
        assert "·[2Jbee" in legend
        assert "c·at" in legend
        assert "D goldfish" in legend


async def test_an_address_that_is_not_there_is_refused_before_anything_is_painted() -> None:
    with pytest.raises(AddressNotFound, match="no unit 40"):
        NastuiApp(FakeRun(), Address.parse("features.0:40"), Terminal())
    with pytest.raises(AddressNotFound, match=r"no layer 'features\.1'"):
        NastuiApp(FakeRun(), Address.parse("features.1"), Terminal())


async def test_a_large_layer_reads_only_what_is_on_the_screen() -> None:
    run = FakeRun(n_images=50, layers=(("fc", 25_088),))
    async with opened(run, "fc") as (app, pilot):
        rows = app.screen.query_one(FootprintList)
        assert sum(block.n_units for block in rows._blocks.values()) <= 128
        await press(pilot, "G")
        assert rows.cursor == 25_087
        assert "25087" in "\n".join(text_of(app))


async def test_the_next_layer_starts_at_its_first_unit_however_many_it_has() -> None:
    async with opened(start="features.0") as (app, pilot):
        await press(pilot, *"30j", "L")
        assert (app.session.layer.path, app.session.unit) == ("classifier.1", 0)
        await press(pilot, "2", "j", "enter", "q")
        assert app.session.unit == 2
        assert app.screen.query_one(FootprintList).cursor == 2


async def test_there_is_nothing_beyond_the_first_and_the_last_layer() -> None:
    async with opened(start="features.0:5") as (app, pilot):
        await press(pilot, "H")
        assert app.session.unit == 5
        await press(pilot, "q", "H")
        assert app.session.unit == 5


async def test_help_leaves_the_cursor_of_the_layers_where_it_is() -> None:
    async with opened() as (app, pilot):
        await press(pilot, "j", "question_mark", "q", "enter")
        assert text_of(app)[0].startswith(" classifier.1")


async def test_a_unit_of_no_numbers_at_all_still_shows_its_images() -> None:
    run = FakeRun()
    run.matrices[1][:, 4] = np.inf
    async with opened(run, "features.0:4") as (app, pilot):
        assert "image 1 of 200 in the run's order" in "\n".join(text_of(app))
        await press(pilot, "h", "l", "end")
        assert "image 1 of 200" in "\n".join(text_of(app))


async def test_another_number_of_ranges_stays_with_the_image() -> None:
    async with opened(start="features.0:3") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, UnitScreen)
        await press(pilot, "m", "j", "j")
        image = screen.walk.image_id
        await press(pilot, "1", "0", "right_square_bracket")
        assert screen.walk.image_id == image
        assert "10 ranges" in text_of(app)[0]
        await press(pilot, "full_stop")
        await pilot.resize_terminal(100, 44)
        await settled(pilot)
        assert screen.walk.image_id == image


async def test_coming_back_from_an_image_stands_on_the_one_left() -> None:
    async with opened(start="features.0:3") as (app, pilot):
        await press(pilot, "m", "enter", "2", "J")
        assert "image 3 of" in text_of(app)[0]
        await press(pilot, "q")
        assert "image 3 of" in "\n".join(text_of(app))


async def test_units_are_reached_by_number_from_the_first_to_the_last() -> None:
    async with opened(start="features.0:3") as (app, pilot):
        await press(pilot, "G")
        assert app.session.unit == 39
        await press(pilot, "g", "g")
        assert app.session.unit == 0
        await press(pilot, *"17G")
        assert app.session.unit == 17


async def test_names_from_the_file_never_reach_the_terminal_as_commands() -> None:
    run = FakeRun(layers=(("fc\x1b[5m", 8),))
    async with opened(run) as (app, pilot):
        assert "fc·[5m" in "\n".join(text_of(app))
        await press(pilot, "enter")
        assert text_of(app)[0].startswith(" fc·[5m")


async def test_the_focus_outlives_the_next_layer() -> None:
    names = [f"class {number:03}" for number in range(30)]
    async with opened(FakeRun(n_images=900, class_names=names), "features.0") as (app, pilot):
        await press(pilot, "c", *"006", "enter", "L")
        assert app.session.slots.focus == 6


async def test_a_run_that_is_being_written_shows_what_it_has_gained() -> None:
    run = FakeRun(finished=False)
    grown = FakeRun(n_images=300)
    async with opened(run, "features.0", size=(240, 40)) as (app, pilot):
        assert "200 images, to be measured" in text_of(app)[0]
        for name in ("info", "layers", "image_table", "unit_table", "footprints", "matrices", "class_id"):
            setattr(run, name, getattr(grown, name))
        app.look_for_growth()
        await settled(pilot)
        assert app.session.info.n_done == 300
        assert "to be measured" not in text_of(app)[0]
        assert "n 300" in text_of(app)[-2]


async def test_walking_through_a_list_repaints_it_once_for_two_thirds_of_a_screen() -> None:
    async with opened(FakeRun(layers=[("features.0", 200)]), "features.0", (120, 40)) as (app, pilot):
        rows = app.screen.query_one(FootprintList)
        on_screen = rows.size.height // rows.row_lines
        for key, n_presses in (("j", 60), ("k", 60)):
            seen = set()
            for _ in range(n_presses):
                await pilot.press(key)
                seen.add(rows.scroll_offset.y)
                assert rows.cursor in rows.visible_rows
            assert len(seen) - 1 <= n_presses / (on_screen - 1 - (on_screen - 1) // 3) + 1
