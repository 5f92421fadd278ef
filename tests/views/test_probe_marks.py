"""Marks of probes in lines of cells: in the right range, and without taking a colour from a bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nastui.palette import BLANK
from nastui.records import Float64
from nastui.stats.probe_places import find_places
from nastui.stats.ranges import count_ranges
from nastui.views.bars import EMPTY, Cell
from nastui.views.classes import ClassSlots
from nastui.views.footprint import ZERO_LINE, Geometry, fit_geometry, paint_row, paint_words
from nastui.views.ink import ON_BAR
from nastui.views.look import Look
from nastui.views.probe_marks import ProbeMarks, put_marks
from tests.fake_run import FakeRun

BAR = Cell(" ", BLANK, 3)
HALF = Cell("▌", 3, BLANK)


def text(line: list[Cell]) -> str:
    return "".join("█" if cell == BAR else cell.glyph for cell in line)


@pytest.mark.parametrize(
    ("marks", "line", "expected"),
    [
        (ProbeMarks({1: "2"}), "            ", "    2       "),
        (ProbeMarks({1: "213"}), "            ", "    213     "),
        (ProbeMarks({1: "2134"}), "            ", "    2134    "),
        (ProbeMarks({1: "2134", 2: "5"}), "            ", "    21+ 5   "),
        (ProbeMarks({1: "2134"}), "        █   ", "    21+ █   "),
        (ProbeMarks({1: "2"}), "    █       ", "    █2      "),
        (ProbeMarks({1: "213"}), "    ██      ", "    ██2+    "),
        (ProbeMarks({1: "21"}), "    ███     ", "    ███+    "),
        (ProbeMarks(above="1"), "            ", "        >1  "),
        (ProbeMarks({2: "3"}, above="12"), "        █   ", "        █3>+"),
        (ProbeMarks({2: "3"}, above="1"), "            ", "        3>1 "),
        (ProbeMarks({2: "3"}, above="1"), "        ███ ", "        ███+"),
        (ProbeMarks(above="1"), "        ███ ", "        ███1"),
        (ProbeMarks(above="12"), "        ███ ", "        ███+"),
        (ProbeMarks({0: "3"}, below="12"), "█           ", "█+<3        "),
        (ProbeMarks(below="1"), "███         ", "███1        "),
        (ProbeMarks({}), "███         ", "███         "),
    ],
)
def test_marks_stand_in_the_white_space_of_their_range(marks: ProbeMarks, line: str, expected: str) -> None:
    cells = [BAR if glyph == "█" else EMPTY for glyph in line]
    put_marks(cells, marks, [0, 4, 8], 4)
    before = sum(glyph == "█" for glyph in line)
    assert cells.count(BAR) == before
    assert text(cells) == expected


def test_left_of_the_lowest_range_there_may_be_room() -> None:
    cells = [EMPTY] * 4 + [BAR, EMPTY] + [ZERO_LINE] + [EMPTY] * 5
    put_marks(cells, ProbeMarks({0: "3"}, below="12"), [4], 2)
    assert text(cells) == " 12<█3┃     "
    cells = [EMPTY, ZERO_LINE, EMPTY, BAR, EMPTY, EMPTY]
    put_marks(cells, ProbeMarks(below="12"), [3], 3)
    assert text(cells) == " ┃ █+<", "the zero line stays"


def test_behind_the_zero_line_there_may_be_room() -> None:
    cells = [*[EMPTY] * 3, ZERO_LINE, EMPTY, BAR, EMPTY, EMPTY]
    put_marks(cells, ProbeMarks(below="12"), [5], 3)
    assert text(cells) == "12<┃ █  "
    cells = [BAR, EMPTY, ZERO_LINE, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY]
    put_marks(cells, ProbeMarks({0: "3"}, above="1"), [0], 2)
    assert text(cells) == "█3┃>1   "


@pytest.mark.parametrize(
    ("marks", "ends", "expected", "at_ends"),
    [
        (ProbeMarks({0: "5"}, above="2"), (8, 8), "█5", ("", ">2")),
        (ProbeMarks({0: "5"}, below="2"), (8, 8), "█5", ("2<", "")),
        (ProbeMarks({0: "5"}, below="1", above="2"), (8, 8), "█5", ("1<", ">2")),
        (ProbeMarks({0: "5"}, above="2134"), (8, 4), "█5", ("", ">+")),
        (ProbeMarks({0: "5"}, above="2"), (8, 1), "█+", ("", "")),
    ],
)
def test_what_the_line_has_no_room_for_stands_beside_lo_and_hi(
    marks: ProbeMarks, ends: tuple[int, int], expected: str, at_ends: tuple[str, str]
) -> None:
    cells = [BAR, EMPTY]
    assert put_marks(cells, marks, [0], 2, ends) == at_ends
    assert text(cells) == expected


def test_which_probes_fall_where_is_said_in_words() -> None:
    marks = ProbeMarks({12: "2", 3: "14"}, below="5", above="36")
    assert marks.said == "5 below lo, 1 4 in range 4, 2 in 13, 3 6 above hi"


def test_a_full_bar_without_white_space_gives_its_half_cell() -> None:
    cells = [BAR, HALF, BAR, HALF]
    put_marks(cells, ProbeMarks({0: "7", 1: "12"}), [0, 2], 2)
    assert cells == [BAR, Cell("7", ON_BAR, 3), BAR, Cell("+", ON_BAR, 3)]


def test_marks_are_in_order_of_their_values() -> None:
    edges = np.array([0.0, 1, 2])
    values = np.array([0.9, 0.1, 1.5, -1, 9, 8, np.nan], np.float32)
    marks = ProbeMarks.of("1234567", values, find_places(values, edges, 2))
    assert (dict(marks.inside), marks.below, marks.above) == ({0: "21", 1: "3"}, "4", "65")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 39),
    st.sampled_from([1, 2, 3, 4]),
    st.sampled_from([None, 4, 3, 2]),
    st.integers(40, 160),
    st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=6),
    st.booleans(),
)
def test_colours_stay_and_each_mark_is_in_its_range(
    unit: int, height: int, pitch: int | None, width: int, given_values: list[float], in_letters: bool
) -> None:
    run = FakeRun()
    layer = run.layers()[0]
    table, slots, look = run.unit_table(layer), ClassSlots.choose(run.classes()), Look(row_height=height, pitch=pitch)
    geometry = fit_geometry(table.lo, table.hi, look, width)
    block = count_ranges(run.matrices[layer.basis_id].T[unit : unit + 1], run.class_id, 4, geometry.m)
    values = np.array(given_values, np.float32)
    places = find_places(values, block.edges[0], int(block.n_ranges[0]))
    marks = ProbeMarks.of("123456"[: len(values)], values, places)
    plain = paint_row(block, 0, slots, look, geometry, in_letters=in_letters)
    marked = paint_row(block, 0, slots, look, geometry, marks, in_letters=in_letters)
    assert [len(line) for line in plain.lines] == [len(line) for line in marked.lines]
    assert plain.lines[:-1] == marked.lines[:-1]
    starts = starts_of(geometry, int(block.n_left[0]), int(block.n_ranges[0]))
    for x, (before, after) in enumerate(zip(plain.lines[-1], marked.lines[-1], strict=True)):
        if before == after:
            continue
        assert after.glyph in "123456+<>"
        is_half = before.glyph == "▌" or (in_letters and (before.glyph.islower() or before.glyph == "·"))
        assert before == EMPTY or (is_half and after == Cell(after.glyph, ON_BAR, before.fg))
        if after.glyph.isdecimal() and not marks.below and not marks.above:
            stop = int(np.searchsorted(starts, x, "right")) - 1
            assert stop == places.stops[int(after.glyph) - 1]
    if not (marks.below or marks.above):
        n_marked = sum(a != b for a, b in zip(plain.lines[-1], marked.lines[-1], strict=True))
        seen = [starts[stop] >= 0 and starts[stop] + geometry.pitch <= geometry.full_width for stop in marks.inside]
        assert n_marked >= sum(seen)


def starts_of(geometry: Geometry, n_left: int, n_ranges: int) -> Float64:
    return np.array([geometry.column_x(place - n_left) for place in range(n_ranges)], dtype=np.float64)


@pytest.mark.parametrize("height", [1, 2, 3, 4])
def test_a_dead_unit_that_answers_says_so_beside_its_words(height: int) -> None:
    look = Look(row_height=height)
    geometry = Geometry(30, 2, 10, 20, 9, 62)
    painted = paint_words("dead: always 0", look, geometry, ProbeMarks({0: "1"}, above="2"), 0)
    lines = ["".join(cell.glyph for cell in line) for line in painted.lines]
    if height == 1:
        assert lines == [" " * 20 + "┃ dead: always 0  1>2" + " " * 21]
    else:
        assert lines[-1] == " " * 20 + "┃ 1>2" + " " * 37
        assert any("dead: always 0" in line for line in lines)
