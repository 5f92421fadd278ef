"""The list of a layer's footprints: one row a unit, its ranges as stacked bars aligned at zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from nastui.probe_records import ProbeValues
from nastui.records import Footprints
from nastui.views.classes import ClassSlots
from nastui.views.footprint import Geometry, Signs
from nastui.views.listing import Rows
from nastui.views.look import Look
from nastui.widgets.footprint_row import BarRow, RowPainter, lines_per_row
from nastui.widgets.paint import Paint
from nastui.widgets.row_list import RowList

BLOCK = 64  # units that are read and kept together; the store keeps their counts together too
_SCATTERED = 16  # rows that are read together where they are not neighbours in the file
_MAX_BYTES = 64_000_000  # of counts: 800 blocks of 10 classes, 8 of 1,000
_MAX_ROWS = 4 * BLOCK
_AHEAD_DELAY = 0.03  # seconds of rest before rows are painted ahead
_AHEAD_SLICE = 0.006  # seconds at a time, so that no key waits


class FootprintList(RowList):
    """One row a unit. Ranges are read for the rows on the screen only: the list asks with `Wanted`, and whoever
    listens answers with `add`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "pan(-1)", "Columns to the left", show=False),
        Binding("right", "pan(1)", "Columns to the right", show=False),
    ]

    first_column: reactive[int] = reactive(0, repaint=False)

    class Wanted(Message):
        """The footprints of `wanted` of the `rows` shown are on the screen and not known."""

        def __init__(self, rows: Rows, wanted: range, m: int) -> None:
            super().__init__()
            self.rows = rows
            self.wanted = wanted
            self.m = m

    class NotListed(Message):
        """A unit was asked for by its number that has no row."""

        def __init__(self, unit: int) -> None:
            super().__init__()
            self.unit = unit

    def __init__(self, paint: Paint, look: Look, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, row_lines=lines_per_row(look))
        self._paint = paint
        self._painter: RowPainter | None = None
        self._shown: Rows | None = None
        self._signs: Callable[[int], Signs] | None = None
        self._probes: ProbeValues | None = None
        self._geometry: Geometry | None = None
        self._blocks: dict[int, Footprints] = {}
        self._asked: set[int] = set()
        self._ahead: Timer | None = None
        self._rows: dict[int, BarRow] = {}
        self._before: dict[int, BarRow] = {}  # by unit: what stands until the footprints have been read anew

    # ---- what is shown --------------------------------------------------------------------

    def show(
        self, rows: Rows, slots: ClassSlots, look: Look, geometry: Geometry, signs: Callable[[int], Signs] | None = None
    ) -> None:
        """Show the units of a layer, or the same in another look. What was read for the same rows and m is kept;
        what is on the screen of other rows of the layer stays until theirs has come.

        `signs`: what is said of a unit beside its number; it is asked whenever a row is painted.
        """
        is_same_look = self._geometry is not None and geometry.m == self._geometry.m
        if not rows.has_rows_of(self._shown) or not is_same_look:
            self._before = self._seen() if is_same_look else {}
            self._blocks.clear()
            self._asked.clear()
        else:
            self._before.clear()
        self._shown, self._signs, self._geometry = rows, signs, geometry
        self._painter = RowPainter(self._paint, rows.units, slots, look, geometry, self._probes)
        self._rows.clear()
        self.first_column = min(self.first_column, self._last_pan())
        self.resize_rows(len(rows), lines_per_row(look))

    def _seen(self) -> dict[int, BarRow]:
        """The bars on the screen by their units."""
        if self._shown is None:
            return {}
        units = {row: self._shown.unit_at(row) for row in self.visible_rows if row < len(self._shown)}
        seen = {unit: self._rows.get(row) or self._before.get(unit) for row, unit in units.items()}
        return {unit: bars for unit, bars in seen.items() if bars is not None}

    def clear(self) -> None:
        """Show nothing until another layer has been read."""
        self._shown = self._painter = self._probes = None
        self._before.clear()
        self._blocks.clear()
        self._asked.clear()
        self._rows.clear()
        self.resize_rows(0, self.row_lines)

    def add(self, rows: Rows, first: int, footprints: Footprints) -> None:
        """Take the footprints of `rows` from row `first` on that were asked for; late ones are dropped."""
        if self._geometry is None or not rows.has_rows_of(self._shown) or footprints.m != self._geometry.m:
            return
        self._blocks[first // self._step] = footprints
        while sum(block.counts.nbytes for block in self._blocks.values()) > _MAX_BYTES and len(self._blocks) > 2:
            dropped = next(iter(self._blocks))
            del self._blocks[dropped]
            self._asked.discard(dropped)
        self.refresh()
        self._paint_ahead_soon()

    def show_signs(self) -> None:
        """Paint anew what is said of the units on the screen beside their numbers."""
        if self._geometry is not None:
            self.refresh(Region(0, 0, self._geometry.label_width, self.size.height))

    def show_probes(self, probes: ProbeValues | None) -> None:
        """Mark these probes in the rows of the layer, or none."""
        if probes is self._probes:
            return
        self._probes = probes
        if self._painter is not None:
            self._painter = replace(self._painter, probes=probes)
            self._rows.clear()
            self.refresh()

    def show_values(self, rows: Rows) -> None:
        """Show other values by which the same rows were sorted."""
        if rows is not self._shown:
            self._shown = rows
            self.refresh()

    @property
    def geometry(self) -> Geometry | None:
        """Where things stand in a row, None while there is none."""
        return None if self._shown is None else self._geometry

    @property
    def _step(self) -> int:
        """How many rows are read together."""
        return BLOCK if self._shown is None or self._shown.listed is None else _SCATTERED

    @property
    def is_whole(self) -> bool:
        """Whether the footprints of all rows on the screen are known."""
        return self.n_rows > 0 and all(row // self._step in self._blocks for row in self.visible_rows)

    def n_hidden(self, row: int) -> int:
        """How many classes are in some range of a row but too rare there to be drawn."""
        painted = self._painted(row)
        return 0 if painted is None else painted.n_hidden

    def probes_said(self, row: int) -> str:
        """Which probes fall where in a row, in words; nothing where none are marked."""
        painted = self._painted(row)
        return "" if painted is None or painted.marks is None else painted.marks.said

    def _painted(self, row: int) -> BarRow | None:
        """The bars of a row, None while its footprint is being read and nothing of it is on the screen."""
        if self._painter is None or self._shown is None:
            return None
        place, offset = divmod(row, self._step)
        block = self._blocks.get(place)
        if block is None:
            self._want(place)
            return self._before.get(self._shown.unit_at(row))
        known = self._rows.get(row)
        if known is None:
            if len(self._rows) > _MAX_ROWS:
                self._rows.clear()
            known = self._rows[row] = self._painter.bars(self._shown.unit_at(row), block, offset, self.first_column)
        return known

    def _paint_ahead_soon(self) -> None:
        if self._ahead is None:
            self._ahead = self.set_timer(_AHEAD_DELAY, self._paint_ahead)

    def _paint_ahead(self) -> None:
        """Paint rows of the next and the last page while nothing else is to do, so that a page down is only sent."""
        self._ahead = None
        visible = self.visible_rows
        ahead = [*range(visible.stop, visible.stop + len(visible)), *range(visible.start - len(visible), visible.start)]
        stop_at = monotonic() + _AHEAD_SLICE
        for row in ahead:
            if 0 <= row < self.n_rows and row not in self._rows and row // self._step in self._blocks:
                if monotonic() > stop_at:
                    self._paint_ahead_soon()
                    return
                self._painted(row)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._paint_ahead_soon()

    def _want(self, block: int) -> None:
        if block in self._asked or self._shown is None or self._geometry is None:
            return
        self._asked.add(block)
        first = block * self._step
        wanted = range(first, min(first + self._step, len(self._shown)))
        self.post_message(self.Wanted(self._shown, wanted, self._geometry.m))

    # ---- painting -------------------------------------------------------------------------

    def row_strip(self, row: int, line: int, width: int) -> Strip:
        painted = self._painted(row)
        if self._painter is None or self._shown is None:
            return Strip.blank(width, self._paint.text)
        unit = self._shown.unit_at(row)
        signs = None if self._signs is None else self._signs(unit)
        value, is_cursor = self._shown.value(row), row == self.cursor
        segments = self._painter.line(unit, line, painted, is_cursor=is_cursor, signs=signs, value=value)
        return Strip(segments).adjust_cell_length(width, self._paint.text)

    def cursor_regions(self, y: int) -> tuple[Region, ...]:
        if self._geometry is None:
            return ()
        ends = self._geometry.bars_x
        shown = min(self._geometry.full_width, self._geometry.bars_width)
        return (Region(0, y, ends - 1, self.row_lines), Region(ends + shown, y, 9, self.row_lines))

    # ---- units by their numbers -----------------------------------------------------------

    def row_numbered(self, number: int) -> int | None:
        row = None if self._shown is None else self._shown.row_of(number)
        if row is None and self._shown is not None:
            self.post_message(self.NotListed(number))
        return row

    # ---- a layer that does not fit --------------------------------------------------------

    def _last_pan(self) -> int:
        if self._geometry is None:
            return 0
        return max(self._geometry.full_width - self._geometry.bars_width, 0)

    def validate_first_column(self, column: int) -> int:
        return min(max(column, 0), self._last_pan())

    def watch_first_column(self) -> None:
        self._rows.clear()
        self.refresh()

    def action_pan(self, columns: int) -> None:
        pitch = self._geometry.pitch if self._geometry else 1
        self.first_column += columns * pitch * 4 * (self.take_count() or 1)
