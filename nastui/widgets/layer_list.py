"""The list of a run's layers."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from nastui.records import LayerInfo
from nastui.views.layer_rows import HEADINGS, column_widths, layer_cells, table_line
from nastui.widgets.paint import Paint
from nastui.widgets.row_list import RowList


class LayerList(RowList):
    """One row a layer: path, type, units, shape, dead share, reviewed units. The headings scroll with nothing: they
    are the screen's own line, from `heading`."""

    def __init__(self, paint: Paint, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._paint = paint
        self._rows: list[tuple[str, ...]] = []

    def show(self, layers: Sequence[LayerInfo]) -> None:
        """Show these layers instead of the ones before."""
        self._rows = [layer_cells(layer) for layer in layers]
        self.resize_rows(len(self._rows), 1)

    def heading(self, width: int) -> str:
        """The column headings above the rows."""
        return "  " + table_line(HEADINGS, column_widths(self._rows, width - 3))

    def row_strip(self, row: int, line: int, width: int) -> Strip:
        return self.text_row(row, table_line(self._rows[row], column_widths(self._rows, width - 3)), width, self._paint)
