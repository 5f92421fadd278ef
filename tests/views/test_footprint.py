"""A layer's rows: every range in its column, the zero line in one place, and the number of images in the width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from nastui.palette import BLANK
from nastui.records import ClassInfo, Footprints
from nastui.stats.ranges import count_ranges, range_edges
from nastui.views.bars import EMPTY, bar_width
from nastui.views.classes import ClassSlots
from nastui.views.footprint import ZERO_LINE, Geometry, columns_needed, fit_geometry, paint_row
from nastui.views.look import PITCHES, ROW_HEIGHTS, Look

N_CLASSES = 4
SLOTS = ClassSlots.choose([ClassInfo(k, f"class {k}", k, 1) for k in range(N_CLASSES)])

finite = st.floats(min_value=-1e6, max_value=1e6, width=32)
units = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 60)), elements=finite)


def footprints_of(values: NDArray[np.float32], m: int = 30) -> Footprints:
    classes = np.arange(values.shape[1]) % N_CLASSES
    return count_ranges(values, classes, N_CLASSES, m)


@given(units, st.integers(1, 40))
def test_columns_needed_are_those_of_the_widest_units(values: NDArray[np.float32], m: int) -> None:
    lo, hi = values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)
    _, n_ranges, n_left = range_edges(lo, hi, m)
    assert columns_needed(lo, hi, m) == (max(n_left.tolist()), max((n_ranges - n_left).tolist()))


@given(units, st.integers(30, 220))
def test_a_layer_fits_the_screen_and_has_all_its_ranges_wherever_they_fit(
    values: NDArray[np.float32], width: int
) -> None:
    lo, hi = values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)
    geometry = fit_geometry(lo, hi, Look(), width)
    left, right = columns_needed(lo, hi, 30)
    fits = (left + right) * PITCHES[-1] + 2 <= geometry.bars_width
    assert (geometry.m == 30) == fits
    if fits:
        wider = geometry.pitch + 1
        assert wider not in PITCHES or (left + right) * wider + 2 > geometry.bars_width
    assert geometry.full_width <= geometry.bars_width or geometry.m == 6


@settings(max_examples=60)
@example(np.array([[0, -1], [1e-30, -1]], np.float32), 1, 4)  # a range of its own, however near to zero
@given(units, st.sampled_from(ROW_HEIGHTS), st.sampled_from(PITCHES))
def test_every_bar_stands_in_its_column_with_white_space_after_it(
    values: NDArray[np.float32], height: int, pitch: int
) -> None:
    footprints = footprints_of(values)
    look = Look(row_height=height, pitch=pitch)
    lo, hi = values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)
    geometry = fit_geometry(lo, hi, look, 400)
    for row in range(footprints.n_units):
        painted = paint_row(footprints, row, SLOTS, look, geometry)
        assert all(len(line) == geometry.full_width for line in painted.lines)
        assert {line[geometry.zero_x] for line in painted.lines} == {ZERO_LINE}
        _check_row(footprints, row, painted.lines, look, geometry)


def _check_row(footprints: Footprints, row: int, lines: Any, look: Look, geometry: Geometry) -> None:
    expected_ink = set()
    for place in range(int(footprints.n_ranges[row])):
        total = int(footprints.counts[row, place].sum())
        x = geometry.column_x(place - int(footprints.n_left[row]))
        width = bar_width(total, look.medium, look.full, geometry.pitch)
        cells = -(-int(2 * width) // 2)
        expected_ink |= set(range(x, x + cells))
        for line in lines[: look.row_height]:
            assert all(cell != EMPTY for cell in line[x : x + cells])
            last = line[x + geometry.pitch - 1]
            assert last == EMPTY or (last.glyph == "▌" and last.bg == BLANK)
    inked = {x for line in lines[: look.row_height] for x, cell in enumerate(line) if cell != EMPTY}
    assert inked - {geometry.zero_x} == expected_ink


@pytest.mark.parametrize(("count", "step"), [(1, 0), (3, 0), (4, 1), (11, 1), (12, 2), (5000, 2)])
@pytest.mark.parametrize("pitch", PITCHES)
def test_the_width_says_the_number_of_images_in_three_steps(count: int, step: int, pitch: int) -> None:
    widths = sorted({bar_width(n, pitch=pitch) for n in range(1, 100)})
    assert len(widths) == 3
    assert bar_width(count, pitch=pitch) == widths[step]
    assert widths[-1] < pitch


def test_letters_stand_in_for_colours() -> None:
    values = np.linspace(-1, 1, 40, dtype=np.float32)[None]
    footprints = footprints_of(values, 10)
    geometry = fit_geometry(np.array([-1.0]), np.array([1.0]), Look(ranges=10), 120)
    painted = paint_row(footprints, 0, SLOTS, Look(ranges=10), geometry, in_letters=True)
    glyphs = {cell.glyph for line in painted.lines for cell in line} - {" ", "┃"}
    assert glyphs == set("ABCD")


def test_an_all_positive_unit_starts_at_the_zero_line_of_its_neighbours() -> None:
    values = np.array([[-2, -1, 1, 2], [5, 6, 7, 8], [-8, -7, -6, -5]], dtype=np.float32)
    footprints = footprints_of(values, 4)
    geometry = fit_geometry(np.array([-2.0, 5, -8]), np.array([2.0, 8, -5]), Look(ranges=4), 120)
    starts = [geometry.column_x(-int(left)) for left in footprints.n_left]
    assert starts[1] == geometry.zero_x + 2
    assert starts[2] == 0
    assert starts[0] == geometry.column_x(-2)
