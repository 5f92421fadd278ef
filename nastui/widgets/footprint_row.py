"""The segments of a layer's rows and of the lines around them, made without Textual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.segment import Segment

from nastui.records import Footprints, UnitTable
from nastui.views.classes import ClassSlots
from nastui.views.footprint import Geometry, paint_row, row_label, row_number
from nastui.views.legend import LegendPiece
from nastui.views.look import Look
from nastui.views.plain import printable
from nastui.widgets.paint import Paint


@dataclass(frozen=True, slots=True)
class BarRow:
    """A painted row: the segments of each line's bars, and how many classes are too rare to be drawn."""

    lines: tuple[list[Segment], ...]
    n_hidden: int
    hides_much: bool


@dataclass(frozen=True, slots=True)
class RowPainter:
    """Paints the rows of a layer in one look and geometry; `units` are those from unit 0 on."""

    paint: Paint
    units: UnitTable
    slots: ClassSlots
    look: Look
    geometry: Geometry

    def bars(self, block: Footprints, row: int, first_column: int = 0) -> BarRow:
        """The bars of a unit from its footprint; what is left of `first_column` is out of sight."""
        geometry, in_letters = self.geometry, not self.paint.has_colour
        place = row - block.first_unit
        painted = paint_row(block, place, self.slots, self.look, geometry, in_letters=in_letters)
        shown = min(geometry.full_width, geometry.bars_width)
        lines = tuple(self.paint.segments(line[first_column : first_column + shown]) for line in painted.lines)
        return BarRow(lines, painted.n_hidden, painted.hides_much)

    def line(self, row: int, line: int, bars: BarRow | None, *, is_cursor: bool) -> list[Segment]:
        """One line of a row; blank where its bars are not known yet."""
        geometry, units, paint = self.geometry, self.units, self.paint
        end = paint.cursor if is_cursor else paint.dim
        label, lo, hi = " " * (geometry.label_width - 1), " " * 8, " " * 8
        if line == (self.look.row_height - 1) // 2:
            hides_much = bars is not None and bars.hides_much
            label = row_label(row, len(label), is_reviewed=bool(units.is_reviewed[row]), hides_much=hides_much)
            lo = row_number(float(units.lo[row]), to_right=True)
            hi = row_number(float(units.hi[row]), to_right=False)
        blank = [Segment(" " * min(geometry.full_width, geometry.bars_width), paint.text)]
        return [
            Segment(("▌" if is_cursor else " ") + label, paint.cursor if is_cursor else paint.text),
            Segment(lo + " ", end),
            Segment(" ", paint.text),
            *(blank if bars is None else bars.lines[line]),
            Segment(" " + hi, end),
        ]


def piece_segments(pieces: Iterable[LegendPiece], paint: Paint) -> list[Segment]:
    """Pieces as segments; text from data is drawn as it is, never read as markup."""
    return [
        Segment(*paint.swatch(piece.ink)) if piece.is_swatch else Segment(printable(piece.text), paint.ink(piece.ink))
        for piece in pieces
    ]


def lines_per_row(look: Look) -> int:
    """The lines of a row with the white space under it: bars of more than one line would run into the next row's."""
    return look.row_height + (look.row_height > 1)
