"""A short list of units in words, to open one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip

from nastui.views.image_units import ExtremeUnit
from nastui.widgets.paint import Paint
from nastui.widgets.row_list import RowList


class UnitList(RowList):
    """One row a unit."""

    def __init__(self, paint: Paint, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._paint = paint
        self.units: Sequence[ExtremeUnit] = ()

    def show(self, units: Sequence[ExtremeUnit]) -> None:
        """Show these units."""
        self.units = units
        self.resize_rows(len(units), 1)

    def row_strip(self, row: int, line: int, width: int) -> Strip:
        style = self._paint.cursor if row == self.cursor else self._paint.text
        mark = "▌ " if row == self.cursor else "  "
        return Strip([Segment((mark + self.units[row].words()).ljust(width)[:width], style)], width)
