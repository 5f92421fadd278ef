"""The segments of a layer's rows and of the lines around them, made without Textual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from nastui.probe_records import ProbeValues
from nastui.records import Footprints, UnitTable
from nastui.stats.probe_places import find_places
from nastui.views.classes import ClassSlots
from nastui.views.footprint import (
    NUMBER_WIDTH,
    Geometry,
    Signs,
    paint_row,
    paint_words,
    row_label,
    row_number,
    row_value,
    words_instead,
)
from nastui.views.legend import LegendPiece
from nastui.views.look import Look
from nastui.views.plain import printable, right_aligned
from nastui.views.probe_marks import ProbeMarks
from nastui.widgets.paint import Paint


@dataclass(frozen=True, slots=True)
class BarRow:
    """A painted row: the segments of each line's bars, and how many classes are too rare to be drawn. `marks`: where
    probes fall; `ends`: of these marks the ones that stand beside lo and hi."""

    lines: tuple[list[Segment], ...]
    n_hidden: int
    hides_much: bool
    ends: tuple[str, str] = ("", "")
    marks: ProbeMarks | None = None


@dataclass(frozen=True, slots=True)
class RowPainter:
    """Paints the rows of a layer in one look and geometry; `units` are those from unit 0 on. `probes`: those that are
    marked in the rows."""

    paint: Paint
    units: UnitTable
    slots: ClassSlots
    look: Look
    geometry: Geometry
    probes: ProbeValues | None = None

    def bars(self, unit: int, block: Footprints, place: int, first_column: int = 0) -> BarRow:
        """The bars of a unit, whose footprint has this place in `block`; what is left of `first_column` is out of
        sight."""
        geometry, in_letters = self.geometry, not self.paint.has_colour
        units = self.units
        n_images = int(units.n[unit] + units.non_finite[unit])
        words = words_instead(float(units.lo[unit]), float(units.hi[unit]), n_images)
        probes = None if self.probes is None else self._marks(self.probes, unit, block, place)
        if words:
            painted = paint_words(words, self.look, geometry, probes, int(block.n_left[place]))
        else:
            ends = self._free_ends(unit)
            painted = paint_row(block, place, self.slots, self.look, geometry, probes, in_letters=in_letters, ends=ends)
        shown = min(geometry.full_width, geometry.bars_width)
        lines = tuple(self.paint.segments(line[first_column : first_column + shown]) for line in painted.lines)
        return BarRow(lines, painted.n_hidden, painted.hides_much, painted.ends, probes)

    def _free_ends(self, unit: int) -> tuple[int, int]:
        """The cells for marks beside lo and hi: in a row of one line these stand there too."""
        if self.look.row_height > 1:
            return NUMBER_WIDTH, NUMBER_WIDTH
        lo, hi = (row_number(float(of[unit]), to_right=False).rstrip() for of in (self.units.lo, self.units.hi))
        return NUMBER_WIDTH - len(lo), NUMBER_WIDTH - len(hi)

    def _marks(self, probes: ProbeValues, unit: int, block: Footprints, place: int) -> ProbeMarks:
        values = probes.values[:, unit]
        places = find_places(values, block.edges[place], int(block.n_ranges[place]))
        return ProbeMarks.of(probes.marks, values, places)

    def line(
        self, unit: int, line: int, bars: BarRow | None, *, is_cursor: bool, signs: Signs | None = None, value: str = ""
    ) -> list[Segment]:
        """One line of a unit's row; blank where its bars are not known yet. `value`: by which the rows are sorted; it
        stands below the number, in a row of one line behind it where the geometry has room for that."""
        geometry, paint = self.geometry, self.paint
        start, end = (paint.cursor, paint.cursor) if is_cursor else (paint.text, paint.dim)
        label, lo, hi = " " * (geometry.label_width - 1 + geometry.value_width), " " * 8, " " * 8
        middle = (self.look.row_height - 1) // 2
        if line == middle:
            label, lo, hi = self._numbers(unit, bars, signs, printable(value))
        elif line == middle + 1 and value:
            label, lo = row_value(printable(value), geometry.label_width - 1, len(lo)), ""
        below, above = bars.ends if bars is not None and line == len(bars.lines) - 1 else ("", "")
        blank = [Segment(" " * min(geometry.full_width, geometry.bars_width), paint.text)]
        return [
            Segment(("▌" if is_cursor else " ") + label, start),
            *self._end(lo[: len(lo) - len(lo.lstrip())], below, lo.lstrip(), end),
            Segment(" ", paint.text),
            *(blank if bars is None else bars.lines[line]),
            *self._end(f" {hi.rstrip()}", above, hi[len(hi.rstrip()) :], end),
        ]

    def _end(self, before: str, marks: str, behind: str, style: Style) -> list[Segment]:
        """One end of a row, in as few segments as it takes: `marks` of probes stand in the white space next to them."""
        if not marks:
            return [Segment(before + behind, style)] if before or behind else []
        is_left = marks.endswith("<")
        before, behind = (before[len(marks) :], behind) if is_left else (before, behind[len(marks) :])
        mark = self.paint.strong + Style(bgcolor=style.bgcolor)
        found = [Segment(before, style), Segment(marks, mark), Segment(behind, style)]
        return [segment for segment in found if segment.text]

    def _numbers(self, unit: int, bars: BarRow | None, signs: Signs | None, value: str) -> tuple[str, str, str]:
        """The line with the unit's number, lo and hi."""
        geometry, units = self.geometry, self.units
        signs = signs or Signs(is_reviewed=bool(units.is_reviewed[unit]))
        label = row_label(unit, geometry.label_width - 1, signs, hides_much=bars is not None and bars.hides_much)
        if geometry.value_width:
            label += right_aligned(value, geometry.value_width - 1) + " "
        lo = row_number(float(units.lo[unit]), to_right=True)
        return label, lo, row_number(float(units.hi[unit]), to_right=False)


def piece_segments(pieces: Iterable[LegendPiece], paint: Paint) -> list[Segment]:
    """Pieces as segments; text from data is drawn as it is, never read as markup."""
    return [
        Segment(*paint.swatch(piece.ink)) if piece.is_swatch else Segment(printable(piece.text), paint.ink(piece.ink))
        for piece in pieces
    ]


def lines_per_row(look: Look) -> int:
    """The lines of a row with the white space under it: bars of more than one line would run into the next row's."""
    return look.row_height + (look.row_height > 1)
