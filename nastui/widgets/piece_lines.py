"""A few lines of text in the inks of the views, with class swatches."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from nastui.views.legend import LegendPiece
from nastui.widgets.footprint_row import piece_segments
from nastui.widgets.paint import Paint


class PieceLines(Widget):
    """Shows lines of pieces; text from data is drawn as it is, never read as markup."""

    DEFAULT_CSS = """
    PieceLines { height: auto; }
    """

    def __init__(self, paint: Paint, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._paint = paint
        self._lines: list[list[LegendPiece]] = []

    def show(self, lines: Sequence[Sequence[LegendPiece]]) -> None:
        """Show these lines; the widget is as high as they are many."""
        shown = [list(line) for line in lines]
        if shown == self._lines:
            return
        is_same_height = len(shown) == len(self._lines)
        self._lines = shown
        if is_same_height:
            self.refresh()
        else:
            self.styles.height = max(len(shown), 1)
            self.refresh(layout=True)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self._paint.text)
        segments = piece_segments(self._lines[y], self._paint)
        return Strip(segments).adjust_cell_length(width, self._paint.text)
