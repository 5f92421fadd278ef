"""The large footprint of a unit, read back: its axis, its counts, the chosen range and where a value lies in it."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nastui.records import ClassInfo, ImageTable
from nastui.views.classes import ClassSlots
from nastui.views.look import Look
from nastui.views.numbers import compact_count, short_number
from nastui.views.unit_chart import ChartGeometry, paint_chart
from nastui.views.unit_view import UnitView

N_CLASSES = 3
SLOTS = ClassSlots.choose([ClassInfo(k, f"class {k}", k, 1) for k in range(N_CLASSES)])

magnitudes = st.builds(
    lambda mantissa, exponent, sign: sign * mantissa * 10.0**exponent,
    st.floats(1, 9.9999),
    st.integers(-30, 30),
    st.sampled_from([-1, 1]),
)
units = st.lists(st.floats(-50, 50, width=32) | magnitudes, min_size=1, max_size=80)
widths = st.integers(40, 240)
heights = st.integers(3, 20)
ranges_asked = st.integers(1, 40)


def view_of(values: list[float], m: int) -> UnitView:
    n = len(values)
    class_id = (np.arange(n) % N_CLASSES).astype(np.int32)
    table = ImageTable(class_id, class_id, np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_))
    return UnitView.build(np.array(values, dtype=np.float32), table, N_CLASSES, m)


def chart(view: UnitView, chosen: int, size: tuple[int, int], value: float | None = None) -> list[str]:
    cells = paint_chart(view, chosen, SLOTS, Look(), value, size=size)
    return ["".join(cell.glyph for cell in line) for line in cells]


def fits(view: UnitView, width: int) -> bool:
    return ChartGeometry.fit(view, width).x(view.n_ranges) <= width


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@settings(max_examples=200)
@given(units, ranges_asked, widths, heights, st.data())
@example([5.0], 30, 80, 10, None)
def test_a_chart_is_as_large_as_asked_for_with_one_zero_line(
    values: list[float], m: int, width: int, height: int, data: st.DataObject | None
) -> None:
    view = view_of(values, m)
    stops = view.stops()
    chosen = data.draw(st.sampled_from(stops)) if data is not None else stops[0]
    lines = chart(view, chosen, (width, height))
    assert [len(line) for line in lines] == [width] * height
    columns = {line.index("┃") for line in lines if "┃" in line}
    assert len(columns) <= 1
    if fits(view, width):
        assert bool(columns) == (0 < view.n_left < view.n_ranges)
        assert "←" not in lines[-2]
        assert "→" not in lines[-2]


@settings(max_examples=200)
@given(units, ranges_asked, widths, heights)
def test_the_axis_begins_with_lo_and_ends_with_hi(values: list[float], m: int, width: int, height: int) -> None:
    view = view_of(values, m)
    geometry = ChartGeometry.fit(view, width)
    if not fits(view, width):
        return
    axis = chart(view, view.stops()[-1], (width, height))[-1].split()
    assert axis[0] == short_number(view.edges[0])
    if geometry.x(view.n_ranges) >= 20:
        assert axis[-1] == short_number(view.edges[-1])
    read = [number(text) for text in axis]
    assert read == sorted(read), "numbers rise along the axis"
    assert all(any(text == short_number(edge) for edge in view.edges) for text in axis)


@settings(max_examples=200)
@given(units, ranges_asked, widths, st.integers(8, 20))
def test_counts_stand_above_their_ranges(values: list[float], m: int, width: int, height: int) -> None:
    view = view_of(values, m)
    geometry = ChartGeometry.fit(view, width)
    if not fits(view, width):
        return
    lines = chart(view, view.stops()[0], (width, height))[:2]
    expected: dict[tuple[int, int], str] = {}
    for position, total in enumerate(view.totals):
        text = compact_count(total, 2 * geometry.pitch - 1)
        if total and text:
            expected[1 - position % 2, geometry.x(position)] = text
    read = {(y, match.start()): match[0] for y, line in enumerate(lines) for match in re.finditer(r"\S+", line)}
    assert read == expected
    assert sum(int(text) for text in read.values()) == len(values)


@settings(max_examples=200)
@given(units, ranges_asked, widths, heights, st.data())
def test_the_chosen_range_is_pointed_at(
    values: list[float], m: int, width: int, height: int, data: st.DataObject
) -> None:
    view = view_of(values, m)
    geometry = ChartGeometry.fit(view, width)
    chosen = data.draw(st.sampled_from(view.stops()))
    marks = chart(view, chosen, (width, height))[-2]
    if fits(view, width):
        start = geometry.x(chosen)
        assert [x for x, glyph in enumerate(marks) if glyph == "▲"] == list(range(start, start + geometry.pitch - 1))
    else:
        assert "▲" in marks, "the part that is shown is the one around the chosen range"


@settings(max_examples=200)
@given(units, ranges_asked, widths, heights, st.data())
def test_the_mark_of_a_value_lies_within_its_range(
    values: list[float], m: int, width: int, height: int, data: st.DataObject
) -> None:
    view = view_of(values, m)
    geometry = ChartGeometry.fit(view, width)
    image = data.draw(st.integers(0, len(values) - 1))
    chosen, value = int(view.range_of[image]), float(view.values[image])
    marks = chart(view, chosen, (width, height), value)[-2]
    assert marks.count("◆") == 1
    if fits(view, width):
        x = marks.index("◆") - geometry.x(chosen)
        assert 0 <= x < geometry.pitch - 1 or geometry.pitch == 2
        low, high = view.edges[chosen : chosen + 2]
        if high > low and geometry.pitch > 2:
            assert abs(x - (value - low) / (high - low) * (geometry.pitch - 2)) <= 1


def test_what_does_not_fit_is_shown_around_the_chosen_range_with_arrows() -> None:
    view = view_of(np.linspace(-1, 1, 200).tolist(), 60)
    first, middle, last = (chart(view, chosen, (60, 12)) for chosen in (0, 30, view.n_ranges - 1))
    assert "←" not in first[-2]
    assert first[-2].endswith("→")
    assert middle[-2].startswith("←")
    assert middle[-2].endswith("→")
    assert last[-2].startswith("←")
    assert "→" not in last[-2]
    assert last[-1].split()[-1] == "1"
