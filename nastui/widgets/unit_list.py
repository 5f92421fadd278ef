"""A short list of units in words, to open one."""

from __future__ import annotations

from collections.abc import Sequence

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
        return self.text_row(row, self.units[row].words(), width, self._paint)
