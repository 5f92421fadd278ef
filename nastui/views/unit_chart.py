"""The large footprint of the neuron screen: counts, bars, the chosen range and an axis of real values."""

from __future__ import annotations

from dataclasses import dataclass

from nastui.palette import BLANK
from nastui.views.bars import EMPTY, Bar, Cell, bar_step, bar_width, paint_bar, paint_letters
from nastui.views.classes import ClassSlots
from nastui.views.ink import DIM, STRONG, TEXT, ZERO
from nastui.views.look import Look
from nastui.views.numbers import compact_count, short_number
from nastui.views.probe_marks import UnitProbes, put_marks
from nastui.views.unit_view import UnitView, no_value_words

_MAX_PITCH = 9
_LIST_PITCH = 4  # up to here a range is drawn as on the layer screen
_ZERO_WIDTH = 2
_WITH_MARKS = 6  # lines: from here on the marks of probes have one of their own


@dataclass(frozen=True, slots=True)
class ChartGeometry:
    """Where the ranges stand: `pitch` characters each, the zero line before range `n_left` where there is one."""

    n_ranges: int
    n_left: int
    pitch: int

    @classmethod
    def fit(cls, view: UnitView, width: int) -> ChartGeometry:
        """The widest pitch, from two up to nine characters, that shows all ranges of a unit in `width` characters."""
        pitch = (width - _ZERO_WIDTH) // max(view.n_ranges, 1)
        return cls(view.n_ranges, view.n_left, min(max(pitch, 2), _MAX_PITCH))

    @property
    def has_zero_line(self) -> bool:
        """Whether zero is an edge; it is not where all values lie on one side of it."""
        return 0 < self.n_left < self.n_ranges

    def x(self, position: int) -> int:
        """Where range `position` starts; position n_ranges is the right end."""
        return position * self.pitch + (_ZERO_WIDTH if self.has_zero_line and position >= self.n_left else 0)

    def bar_width(self, count: int, look: Look) -> float:
        """The width of the bar of a range with `count` images, in characters and halves; white space stays."""
        if self.pitch <= _LIST_PITCH:
            return bar_width(count, look.medium, look.full, self.pitch)
        return round(2 * (self.pitch - 1) * bar_step(count, look.medium, look.full) / 3) / 2


def paint_chart(
    view: UnitView,
    chosen: int,
    slots: ClassSlots,
    look: Look,
    value: float | None = None,
    probes: UnitProbes | None = None,
    *,
    size: tuple[int, int],
    in_letters: bool = False,
) -> list[list[Cell]]:
    """The chart as `size` (width, height) cells: two lines of counts where there is room, the bars, the marks of probes
    if any, a line that points at the chosen range and in it at `value`, and the axis. The height is at least 3; up to 5
    the marks stand in the line that points.

    Where not all ranges fit, the part around the chosen one is shown, with an arrow at each end that has more.
    """
    width, height = size
    geometry = ChartGeometry.fit(view, width)
    full_width = max(geometry.x(view.n_ranges), width)
    count_lines = 2 if height >= 8 else 0
    mark_line = -3 if probes is not None and height >= _WITH_MARKS else -2
    bar_lines = height - count_lines + mark_line
    lines = [[EMPTY] * full_width for _ in range(height)]
    for position, total in enumerate(view.totals):
        if total:
            _place_count(lines[:count_lines], geometry, position, total, position == chosen)
            counts = tuple(slots.slot_counts(view.footprints.counts[0, position]).tolist())
            bar = (paint_letters if in_letters else paint_bar)(counts, geometry.bar_width(total, look), bar_lines)
            _place_bar(lines[count_lines : count_lines + bar_lines], bar, geometry.x(position))
    if geometry.has_zero_line:
        for line in lines[count_lines:-1]:
            _put(line, geometry.x(geometry.n_left) - _ZERO_WIDTH, "┃", ZERO)
    if probes is not None:
        starts = [geometry.x(position) for position in range(view.n_ranges)]
        put_marks(lines[mark_line], probes.marks_within(geometry.pitch), starts, geometry.pitch)
    if 0 <= chosen < view.n_ranges:
        _point(lines[-2], geometry.x(chosen), "▲" * max(geometry.pitch - 1, 1), DIM if value is not None else STRONG)
        if value is not None:
            low, high = view.edges[chosen : chosen + 2]
            within = int((value - low) / (high - low) * (geometry.pitch - 1)) if high > low else 0
            _point(lines[-2], geometry.x(chosen) + min(within, geometry.pitch - 2), "◆", STRONG)
    _place_axis(lines[-1], view, geometry, chosen)
    return _window(lines, geometry.x(max(chosen, 0)), width)


def _window(lines: list[list[Cell]], x: int, width: int) -> list[list[Cell]]:
    """The `width` columns around column `x`."""
    full_width = len(lines[0])
    first = min(max(x - width // 2, 0), full_width - width)
    shown = [line[first : first + width] for line in lines]
    if first > 0:
        _put(shown[-2], 0, "←", DIM)
    if first + width < full_width:
        _put(shown[-2], width - 1, "→", DIM)
    return shown


def _put(line: list[Cell], x: int, text: str, ink: int) -> None:
    for offset, glyph in enumerate(text):
        if 0 <= x + offset < len(line):
            line[x + offset] = Cell(glyph, ink, BLANK)


def _point(line: list[Cell], x: int, text: str, ink: int) -> None:
    """Put what points at a place, beside the marks that may stand there."""
    for offset, glyph in enumerate(text):
        if 0 <= x + offset < len(line) and line[x + offset].glyph in " ▲":
            line[x + offset] = Cell(glyph, ink, BLANK)


def _place_count(lines: list[list[Cell]], geometry: ChartGeometry, position: int, total: int, is_chosen: bool) -> None:
    """Counts stand on two lines in turn, so that each has the width of two ranges."""
    if not lines:
        return
    text = compact_count(total, max(geometry.pitch * 2 - 1, geometry.pitch))
    _put(lines[1 - position % 2], geometry.x(position), text, STRONG if is_chosen else DIM)


def _place_bar(lines: list[list[Cell]], bar: Bar, x: int) -> None:
    for line, cells in zip(lines, bar.lines, strict=True):
        line[x : x + len(cells)] = cells


def _place_axis(line: list[Cell], view: UnitView, geometry: ChartGeometry, chosen: int) -> None:
    """lo and hi at the ends, zero under its line, and the two edges of the chosen range where they do not collide."""
    edges = view.edges
    if not edges:
        _put(line, 0, no_value_words(int(view.is_ok.sum())), DIM)
        return
    wanted = [(geometry.x(0), 0, TEXT), (geometry.x(len(edges) - 1), len(edges) - 1, TEXT)]
    if geometry.has_zero_line:
        wanted.append((geometry.x(geometry.n_left) - _ZERO_WIDTH, geometry.n_left, TEXT))
    if 0 <= chosen < view.n_ranges:
        wanted += [(geometry.x(chosen), chosen, STRONG), (geometry.x(chosen + 1), chosen + 1, STRONG)]
    taken: list[range] = []
    for x, edge, ink in wanted:
        text = short_number(edges[edge], 8)
        start = min(max(x - len(text) // 2, 0), max(len(line) - len(text), 0))
        place = range(start - 1, start + len(text) + 1)
        if not any(place.start < other.stop and other.start < place.stop for other in taken):
            taken.append(place)
            _put(line, start, text, ink)
