"""The list of a layer's footprints: one row a unit, its ranges as stacked bars aligned at zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from nastui.records import Footprints, UnitTable
from nastui.views.classes import ClassSlots
from nastui.views.footprint import Geometry, PaintedRow, paint_row, row_label, row_number
from nastui.views.look import Look
from nastui.widgets.paint import Paint
from nastui.widgets.row_list import RowList

BLOCK = 64  # units that are read and kept together; the store keeps their counts together too
_MAX_BLOCKS = 64


class FootprintList(RowList):
    """One row a unit. Ranges are read for the rows on the screen only: the list asks with `Wanted`, and whoever
    listens answers with `add`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "pan(-1)", "Columns to the left", show=False),
        Binding("right", "pan(1)", "Columns to the right", show=False),
    ]

    first_column: reactive[int] = reactive(0, repaint=False)

    class Wanted(Message):
        """The footprints of `count` units from `first` on are on the screen and not known."""

        def __init__(self, first: int, count: int, m: int) -> None:
            super().__init__()
            self.first = first
            self.count = count
            self.m = m

    def __init__(self, paint: Paint, slots: ClassSlots, look: Look, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, row_lines=lines_per_row(look))
        self._paint = paint
        self._slots = slots
        self._look = look
        self._units: UnitTable | None = None
        self._geometry: Geometry | None = None
        self._blocks: dict[int, Footprints] = {}
        self._asked: set[int] = set()
        self._rows: dict[int, PaintedRow] = {}

    # ---- what is shown --------------------------------------------------------------------

    def show(self, units: UnitTable, slots: ClassSlots, look: Look, geometry: Geometry) -> None:
        """Show a layer, or the same layer in another look. What was read for the same m is kept."""
        if units is not self._units or self._geometry is None or geometry.m != self._geometry.m:
            self._blocks.clear()
            self._asked.clear()
        self._units, self._slots, self._look, self._geometry = units, slots, look, geometry
        self._rows.clear()
        self.first_column = min(self.first_column, self._last_pan())
        self.resize_rows(len(units.n), lines_per_row(look))

    def add(self, blocks: Sequence[Footprints]) -> None:
        """Take the footprints that were asked for; those of another m are late and dropped."""
        for footprints in blocks:
            if self._geometry is not None and footprints.m == self._geometry.m:
                self._blocks[footprints.first_unit // BLOCK] = footprints
        while len(self._blocks) > _MAX_BLOCKS:
            dropped = next(iter(self._blocks))
            del self._blocks[dropped]
            self._asked.discard(dropped)
        self.refresh()

    def painted(self, row: int) -> PaintedRow | None:
        """The bars of a row, None while its footprint is being read."""
        if self._geometry is None:
            return None
        block = self._blocks.get(row // BLOCK)
        if block is None:
            self._want(row // BLOCK)
            return None
        known = self._rows.get(row)
        if known is None:
            in_letters = not self._paint.has_colour
            place = row - block.first_unit
            known = paint_row(block, place, self._slots, self._look, self._geometry, in_letters=in_letters)
            if len(self._rows) > 4 * BLOCK:
                self._rows.clear()
            self._rows[row] = known
        return known

    def _want(self, block: int) -> None:
        if block in self._asked or self._units is None or self._geometry is None:
            return
        self._asked.add(block)
        first = block * BLOCK
        self.post_message(self.Wanted(first, min(BLOCK, len(self._units.n) - first), self._geometry.m))

    # ---- painting -------------------------------------------------------------------------

    def row_strip(self, row: int, line: int, width: int) -> Strip:
        geometry, units, paint = self._geometry, self._units, self._paint
        painted = self.painted(row)
        if geometry is None or units is None:
            return Strip.blank(width, paint.text)
        is_cursor = row == self.cursor
        end = paint.cursor if is_cursor else paint.dim
        segments = [self._label(row, line, is_cursor)]
        is_number_line = line == (self._look.row_height - 1) // 2
        lo = row_number(float(units.lo[row]), to_right=True) if is_number_line else " " * 8
        hi = row_number(float(units.hi[row]), to_right=False) if is_number_line else " " * 8
        segments.append(Segment(lo + " ", end))
        segments.append(Segment(" ", paint.text))
        shown = min(geometry.full_width, geometry.bars_width)
        if painted is None:
            segments.append(Segment(" " * shown, paint.text))
        else:
            first = self.first_column
            segments.extend(paint.segments(painted.lines[line][first : first + shown]))
        segments.append(Segment(" " + hi, end))
        return Strip(segments).adjust_cell_length(width, paint.text)

    def _label(self, row: int, line: int, is_cursor: bool) -> Segment:
        assert self._geometry is not None
        assert self._units is not None
        width = self._geometry.label_width
        mark = "▌" if is_cursor else " "
        is_number_line = line == (self._look.row_height - 1) // 2
        label = row_label(row, bool(self._units.is_reviewed[row]), width - 1) if is_number_line else " " * (width - 1)
        return Segment(mark + label, self._paint.cursor if is_cursor else self._paint.text)

    def cursor_regions(self, y: int) -> tuple[Region, ...]:
        if self._geometry is None:
            return ()
        ends = self._geometry.bars_x
        shown = min(self._geometry.full_width, self._geometry.bars_width)
        return (Region(0, y, ends - 1, self.row_lines), Region(ends + shown, y, 9, self.row_lines))

    # ---- a layer that does not fit --------------------------------------------------------

    def _last_pan(self) -> int:
        if self._geometry is None:
            return 0
        return max(self._geometry.full_width - self._geometry.bars_width, 0)

    def validate_first_column(self, column: int) -> int:
        return min(max(column, 0), self._last_pan())

    def watch_first_column(self) -> None:
        self.refresh()

    def action_pan(self, columns: int) -> None:
        pitch = self._geometry.pitch if self._geometry else 1
        self.first_column += columns * pitch * 4 * (self.take_count() or 1)


def lines_per_row(look: Look) -> int:
    """The lines of a row with the white space under it: bars of more than one line would run into the next row's."""
    return look.row_height + (look.row_height > 1)
