"""Probes in the app: asked for by a key, marked in footprints, listed and seen on the neuron screen."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from textual.pilot import Pilot

from nastui.app import NastuiApp
from nastui.screens import child_job
from nastui.screens.layer import LayerScreen
from nastui.screens.unit_probes import ProbeGrid
from nastui.stats.probe_places import find_places
from nastui.widgets.footprint_list import FootprintList
from tests.fake_bases import BasedRun
from tests.fake_reviews import FakeReviews
from tests.opened_app import opened, press, settled, text_of, type_keys
from tests.probed_run import ProbedRun, probe


def marks_of(app: NastuiApp) -> dict[int, str]:
    """What is marked below the rows of a layer, by unit; rows are three lines high."""
    found, unit = {}, -1
    for line in text_of(app):
        if match := re.match(r"[▌ ]\s+(\d+) +[−\d.]+ ", line):
            unit = int(match[1])
        marks = re.sub(r"[┃▌\s]", "", line)
        if unit >= 0 and marks and set(marks) <= set("123456789+<>"):
            found[unit] = marks
    return found


async def test_the_rows_of_a_layer_mark_them_and_a_key_takes_them_away() -> None:
    async with opened(ProbedRun(), "features.0") as (app, pilot):
        marks = marks_of(app)
        assert len(marks) >= 5
        assert all(set("123") >= set(found) - set("+<>") for found in marks.values())
        assert any(set(found) == set("123") for found in marks.values())
        await press(pilot, "W")
        assert marks_of(app) == {}
        assert "3 probes not marked: W marks them" in text_of(app)[0]
        await press(pilot, "W")
        assert marks_of(app) == marks


async def test_rows_of_every_height_and_pitch_mark_them_in_their_range() -> None:
    run = ProbedRun((7,), (0.0,))
    async with opened(run, "features.0", (150, 44)) as (app, pilot):
        assert isinstance(app.screen, LayerScreen)
        for height, pitch in product((1, 2, 3, 4), (2, 3, 4)):
            app.screen.set_look(replace(app.session.look, row_height=height, pitch=pitch))
            await pilot.pause()
            assert n_in_their_range(run, app.screen.footprints, pitch) >= 3


def n_in_their_range(run: ProbedRun, footprints: FootprintList, pitch: int) -> int:
    """Of the first five rows: how many have the column of the first probe on the screen, where it must be marked."""
    geometry, layer, n_seen = footprints.geometry, run.layers()[0], 0
    assert geometry is not None
    for unit in range(5):
        block = run.footprints(layer, unit, 1, geometry.m)
        value = run.values(layer, unit)[run.images_shown]
        stop = int(find_places(value, block.edges[0], int(block.n_ranges[0])).stops[0])
        start = geometry.column_x(stop - int(block.n_left[0])) - footprints.first_column
        line = footprints.row_strip(unit, footprints.row_lines - 1, 150).text
        if 0 <= start <= geometry.bars_width - pitch:
            n_seen += 1
            assert "1" in line[geometry.bars_x + start :][:pitch]
    return n_seen


async def test_beyond_the_ends_is_marked_as_such() -> None:
    async with opened(ProbedRun((0, 5), (99.0, -99.0)), "features.0") as (app, _):
        found = marks_of(app)
        assert found
        assert all("<" in marks and ">" in marks for marks in found.values())


async def test_a_mark_beyond_an_end_says_of_which_probe_at_every_width() -> None:
    """Rows of one line and of three, where the bars leave no room for it beside the range too."""
    for width in (80, 100, 140):
        async with opened(ProbedRun((0, 5, 9), (0.0, 99.0, -99.0)), "features.0", (width, 30)) as (app, pilot):
            assert isinstance(app.screen, LayerScreen)
            for height, pitch in product((1, 3), (None, 2)):
                app.screen.set_look(replace(app.session.look, row_height=height, pitch=pitch))
                await pilot.pause()
                rows = app.screen.footprints
                for row in range(4):
                    line = rows.row_strip(row, rows.row_lines - 1, width).text
                    assert ">2" in line
                    assert "3<" in line


async def test_the_line_of_facts_names_the_probes_of_the_row_that_one_stands_on() -> None:
    async with opened(ProbedRun((0, 0, 9), (0.0, 0.0, 99.0)), "features.0", (140, 30)) as (app, pilot):
        assert re.search(r"features.0:0  probe 1 2 in range \d+, 3 above hi  ", text_of(app)[-2])
        await press(pilot, "j")
        assert re.search(r"features.0:1  probe 1 2 in range \d+, 3 above hi  ", text_of(app)[-2])
        await press(pilot, "W")
        assert "probe" not in text_of(app)[-2]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (140, 40)])
async def test_two_probes_of_a_range_are_both_seen_beside_its_images(size: tuple[int, int]) -> None:
    async with opened(ProbedRun((0, 5, 9), (99.0, 99.0, 0.0)), "features.0:3", size) as (app, pilot):
        grid = app.screen.query_one(ProbeGrid)
        assert [tile.caption[0] for tile in grid._page] == ["1 grey.png", "2 mirrored.png"]
        assert app.screen.query_one("#images").size.width >= size[0] // 2
        width = grid.size.width
        await press(pilot, "h")
        assert not grid.display
        await press(pilot, "l")
        assert (grid.display, grid.size.width) == (True, width)


async def test_without_probes_nothing_is_read_and_the_key_says_how() -> None:
    run = ProbedRun((), ())
    async with opened(run, "features.0") as (app, pilot):
        assert run.n_value_reads == 0
        await press(pilot, "W")
        assert "this run has no probes yet: I shows the model an image of yours" in text_of(app)[0]
        await press(pilot, "enter")
        assert run.n_value_reads == 0
        assert not app.screen.query_one("#probes").display


async def test_the_neuron_screen_lists_them_and_shows_those_of_the_range() -> None:
    run = ProbedRun((0, 5, 9), (0.0, 0.0, 500.0))
    async with opened(run, "features.0:3", (110, 36)) as (app, pilot):
        lines = text_of(app)
        listed = [line for line in lines if ".png" in line and "of the images" in line]
        assert [line.split()[:2] for line in listed] == [
            ["1", "grey.png"],
            ["2", "mirrored.png"],
            ["3", "stripes.png"],
        ]
        assert "above the highest   above 100 % of the images" in listed[2]
        assert any(">3" in line for line in lines)
        grid = app.screen.query_one(ProbeGrid)
        assert [tile.caption[0] for tile in grid._page] == ["3 stripes.png"], "the highest range, and beyond"
        layer = run.layers()[0]
        stop = int(re.search(r"range (\d+)", listed[0])[1])  # type: ignore[index]
        for _ in range(40):
            if f"range {stop} of" in "\n".join(text_of(app)):
                break
            await press(pilot, "h")
        assert "1 grey.png" in [tile.caption[0] for tile in grid._page]
        assert grid.display
        value = float(run.values(layer, 3)[0])
        assert grid._page[0].caption[1].replace("−", "-").startswith(f"{value:.2f}"[:4])
        await press(pilot, "W")
        assert not grid.display
        assert not app.screen.query_one("#probes").display
        await press(pilot, "W", "J")
        assert [line.split()[:2] for line in text_of(app) if "of the images" in line and ".png" in line]


@pytest.mark.parametrize(("size", "n_lines"), [((80, 24), 1), ((80, 18), 0), ((110, 36), 3)])
async def test_short_screens_have_fewer_lines_of_them(size: tuple[int, int], n_lines: int) -> None:
    async with opened(ProbedRun(), "features.0:3", size) as (app, _):
        assert sum(".png" in line for line in text_of(app) if re.match(r" \d [a-z]", line)) == n_lines


async def test_another_window_adds_and_removes_one() -> None:
    run = ProbedRun((0, 5), (0.0, 0.0))
    hidden = run.known.pop()
    async with opened(run, "features.0") as (app, pilot):
        assert "2" not in "".join(marks_of(app).values())
        run.known.append(hidden)
        await asyncio.sleep(1.2)
        await settled(pilot)
        assert "2" in "".join(marks_of(app).values())
        run.known.clear()
        await asyncio.sleep(1.2)
        await settled(pilot)
        assert marks_of(app) == {}


async def test_other_layers_and_bases_have_their_own() -> None:
    class Both(ProbedRun, BasedRun):
        pass

    async with opened(Both(), "classifier.1") as (app, pilot):
        before = marks_of(app)
        await press(pilot, "B")
        assert "classifier.1/pca" in text_of(app)[0]
        assert marks_of(app)
        assert marks_of(app) != before
        await press(pilot, "B")
        assert marks_of(app) == before


# What stands in for nastui: it says its arguments and adds nothing.
SCRIPT = "import sys\nopen({made!r}, 'w').write('\\n'.join(sys.argv[1:]))\nprint('done', file=sys.stderr)\n"


async def test_a_key_asks_for_a_path_and_a_process_does_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, script = tmp_path / "made", tmp_path / "script.py"
    script.write_text(SCRIPT.format(made=str(made)))
    (tmp_path / "my stripes.png").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(child_job, "_COMMAND", (sys.executable, str(script)))
    run = ProbedRun((0,), (0.0,))
    hidden = run.known.pop()
    async with opened(run, "features.0:3", reviews=FakeReviews()) as (app, pilot):
        await type_keys(pilot, "I", "my", "tab", " wide ones")
        assert "⏎ shows my stripes.png to the model, noted: wide ones" in "\n".join(text_of(app))
        run.known.append(hidden)
        await type_keys(pilot, "enter")
        await until_done(app, pilot)
        assert made.read_text().split("\n") == [
            *("probe", "fake.nas.db", "--note", "wide ones", "--", str(tmp_path / "my stripes.png"))
        ]
        assert "my stripes.png is marked where it falls" in text_of(app)[0]
        assert any(line.startswith(" 1 grey.png") for line in text_of(app))


async def until_done(app: NastuiApp, pilot: Pilot[None]) -> None:
    for _ in range(200):
        await pilot.pause(0.05)
        if app.session.job is None:
            break
    await settled(pilot)


async def test_what_is_not_there_is_said_and_escape_leaves_all_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(ProbedRun(), "features.0", reviews=FakeReviews()) as (app, pilot):
        await type_keys(pilot, "I", "nowhere.png", "enter")
        assert "There is no nowhere.png." in "\n".join(text_of(app))
        assert app.session.job is None
        await type_keys(pilot, "escape")
        assert "nowhere" not in "\n".join(text_of(app))


async def test_names_and_notes_are_text() -> None:
    run = ProbedRun((0,), (0.0,))
    run.known = [probe(1, "[b]x\x1b[31m.png", note="[red]n\x07")]
    async with opened(run, "features.0:3", (150, 40)) as (app, _):
        line = next(line for line in text_of(app) if "of the images" in line and ".png" in line)
        assert line.startswith(" 1 [b]x·[31m.png")
        assert line.rstrip().endswith("[red]n·")


async def test_help_names_the_keys() -> None:
    async with opened(ProbedRun(), "features.0", (120, 100)) as (app, pilot):
        await press(pilot, "question_mark")
        text = "\n".join(text_of(app))
        assert re.search(r"I +Image of your own: show it to the model as a probe", text)
        assert re.search(r"W +Where probes fall: marked, or not", text)
        assert re.search(r"1  2  …  <  > +Where probes fall", text)
