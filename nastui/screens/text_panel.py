"""A panel of rows of text over the screen, to be read and put away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from nastui.views.plain import printable, wrapped

_GAP = 3
_FRAME = 7  # columns: border and white space at both sides, and the scrollbar
_LINES = 2  # border
_NARROWEST = 16  # cells of the last column


class TextRows(ScrollView, can_focus=False):
    """Rows of as many columns each, painted line by line; the first column is bold, the last is broken into lines."""

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        super().__init__()
        self._rows = [[printable(text) for text in row] for row in rows]
        *self._widths, self._last = (max(map(cell_len, column)) + _GAP for column in zip(*self._rows, strict=True))
        self._lines: list[tuple[str, str]] = []
        self._fitted_to = 0

    def fit(self, width: int) -> None:
        """Be as wide as the rows are, up to `width` cells, and as high as they come to then."""
        if width == self._fitted_to:
            return
        self._fitted_to = width
        room = max(min(self._last - _GAP, width - _FRAME - sum(self._widths)), _NARROWEST)
        self._lines = []
        for *cells, last in self._rows:
            first, *others = [set_cell_size(text, size) for text, size in zip(cells, self._widths, strict=True)]
            for line in wrapped(last, room):
                self._lines.append((first, "".join(others) + line))
                first, others = " " * len(first), [" " * len(text) for text in others]
        self.styles.width = sum(self._widths) + room + _FRAME
        self.styles.height = len(self._lines) + _LINES
        self.virtual_size = Size(sum(self._widths) + room, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        style, width = self.rich_style, self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        if row >= len(self._lines):
            return Strip.blank(width, style)
        first, others = self._lines[row]
        segments = [Segment(first, style + Style(bold=True)), Segment(others, style)]
        return Strip(segments).adjust_cell_length(width, style)


class TextPanel(ModalScreen[None], inherit_bindings=False):
    """Shows `rows`, each of as many columns; longer than the screen, it scrolls."""

    DEFAULT_CSS = """
    TextPanel { align: right top; }
    TextRows {
        max-width: 100%; max-height: 100%; background: $panel; padding: 0 2; border: round $primary;
        overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,M,R,q,escape", "dismiss", "Close", key_display="?"),
        Binding("Q", "app.quit", "Quit nastui", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("space,ctrl+f,pagedown", "page(1)", "Page down", show=False),
        Binding("b,ctrl+b,pageup", "page(-1)", "Page up", show=False),
        Binding("g,home", "to_first", "First line", show=False),
        Binding("G,end", "to_last", "Last line", show=False),
    ]

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        super().__init__()
        self._rows = TextRows(rows)
        self._rows.border_subtitle = "j k scroll  q close"

    def compose(self) -> ComposeResult:
        self._rows.fit(self.app.size.width)  # before the first frame: it would be painted twice else
        yield self._rows

    def on_resize(self) -> None:
        self._rows.fit(self.size.width)

    def action_scroll(self, lines: int) -> None:
        self._rows.scroll_relative(y=lines, animate=False)

    def action_to_first(self) -> None:
        self._rows.scroll_home(animate=False)

    def action_to_last(self) -> None:
        self._rows.scroll_end(animate=False)

    def action_page(self, pages: int) -> None:
        self._rows.scroll_relative(y=pages * self._rows.size.height, animate=False)
