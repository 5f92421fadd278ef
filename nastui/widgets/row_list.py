"""A long list of rows with one cursor, painted line by line: the base of all lists."""

from __future__ import annotations

import string
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from nastui.views.plain import printable
from nastui.widgets.count_prefix import CountPrefix
from nastui.widgets.paint import Paint


class RowList(ScrollView, can_focus=True):
    """Rows of equal height under one cursor.

    Keys are vim's and the arrows, with count prefixes. The list scrolls by jumps: a cursor that leaves the screen is
    brought back to a third of it, because Textual repaints the whole viewport for every scrolled line (101 KB at
    150×60, TERMINAL.md §3.2), and so pays once for two thirds of a screen of rows; one that goes far, to the middle.
    """

    DEFAULT_CSS = """
    RowList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next row", show=False),
        Binding("k,up", "move(-1)", "Previous row", show=False),
        Binding("ctrl+d", "move_page(0.5)", "Half a page down", show=False),
        Binding("ctrl+u", "move_page(-0.5)", "Half a page up", show=False),
        Binding("ctrl+f,pagedown", "move_page(1)", "Page down", show=False),
        Binding("ctrl+b,pageup", "move_page(-1)", "Page up", show=False),
        Binding("g", "first_key", "First row: gg", show=False),
        Binding("home", "go_to(0)", "First row", show=False),
        Binding("G,end", "last", "Last row, or row N after a number: 300G", show=False),
        Binding("enter,l", "open", "Open", show=True, key_display="⏎"),
        *(Binding(digit, f"digit('{digit}')", "A count", show=False, system=True) for digit in string.digits),
        Binding("escape", "drop_prefix", "Drop the count", show=False, system=True),
    ]

    cursor: reactive[int] = reactive(0, repaint=False, init=False)

    class Opened(Message):
        """The row under the cursor is to be opened."""

        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows
            self.row = rows.cursor

        @property
        def control(self) -> RowList:
            return self.rows

    class PrefixTyped(Message):
        """A count or the first `g` waits for its key; empty once it is used up."""

        def __init__(self, prefix: str) -> None:
            super().__init__()
            self.prefix = prefix

    def __init__(self, n_rows: int = 0, *, row_lines: int = 1, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.n_rows = n_rows
        self.row_lines = row_lines
        self._prefix = CountPrefix()

    # ---- what a subclass paints -----------------------------------------------------------

    def row_strip(self, row: int, line: int, width: int) -> Strip:
        """Line `line` (0 at the top) of `row` as a strip of `width` cells; every Segment has a Style."""
        raise NotImplementedError

    def cursor_regions(self, y: int) -> tuple[Region, ...]:
        """The parts of a row at line `y` of the widget that look different under the cursor."""
        return (Region(0, y, self.size.width, self.row_lines),)

    def text_row(self, row: int, text: str, width: int, paint: Paint) -> Strip:
        """A row that is one piece of text from data, marked where the cursor is."""
        mark, style = ("▌ ", paint.cursor) if row == self.cursor else ("  ", paint.text)
        return Strip([Segment(mark + printable(text), style)]).adjust_cell_length(width, style)

    def row_numbered(self, number: int) -> int | None:
        """The row that a person means by a number, None where there is none."""
        return number

    # ---- painting -------------------------------------------------------------------------

    def resize_rows(self, n_rows: int, row_lines: int) -> None:
        """Show another number of rows, or rows of another height; the cursor stays on its row."""
        self.n_rows, self.row_lines = n_rows, row_lines
        self.virtual_size = Size(self.size.width, n_rows * row_lines)
        self.cursor = min(self.cursor, max(n_rows - 1, 0))
        self.call_after_refresh(self._bring_cursor_into_view)
        self.refresh()

    def on_mount(self) -> None:
        self.virtual_size = Size(self.size.width, self.n_rows * self.row_lines)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.n_rows * self.row_lines)
        self._bring_cursor_into_view()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        row, line = divmod(y + self.scroll_offset.y, self.row_lines)
        if row >= self.n_rows:
            return Strip.blank(width, self.rich_style)
        return self.row_strip(row, line, width)

    @property
    def visible_rows(self) -> range:
        """The rows that are on the screen, at least in part."""
        first = self.scroll_offset.y // self.row_lines
        last = -(-(self.scroll_offset.y + self.size.height) // self.row_lines)
        return range(min(first, self.n_rows), min(last, self.n_rows))

    # ---- the cursor -----------------------------------------------------------------------

    def validate_cursor(self, cursor: int) -> int:
        return min(max(cursor, 0), max(self.n_rows - 1, 0))

    def watch_cursor(self, before: int, now: int) -> None:
        for row in (before, now):
            y = row * self.row_lines - self.scroll_offset.y
            if -self.row_lines < y < self.size.height:
                self.refresh(*self.cursor_regions(y))
        self._bring_cursor_into_view()

    def _bring_cursor_into_view(self) -> None:
        height = self.size.height
        top = self.cursor * self.row_lines
        if height == 0 or self.scroll_offset.y <= top <= self.scroll_offset.y + height - self.row_lines:
            return
        others = max(height // self.row_lines - 1, 0)
        first = self.scroll_offset.y // self.row_lines
        if first <= self.cursor <= first + 2 * others:  # just below the screen: two thirds of it are new
            rows_above = others // 3
        elif first - others <= self.cursor < first:
            rows_above = others - others // 3
        else:
            rows_above = others // 2
        target = max(self.cursor - rows_above, 0) * self.row_lines
        self.scroll_to(y=target, animate=False, force=True)

    # ---- keys -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Digits are bindings, so that they are for whatever has the focus when the keys before them have been run."""
        if action == "drop_prefix":
            return bool(self._prefix.text)
        return action != "digit" or parameters != ("0",) or bool(self._prefix.text)

    def action_digit(self, digit: str) -> None:
        self._feed(digit)

    def action_drop_prefix(self) -> None:
        self._feed("escape")

    def _feed(self, key: str) -> None:
        """Collect a count prefix."""
        self._prefix.feed(key)
        self.post_message(self.PrefixTyped(self._prefix.text))

    @property
    def count_typed(self) -> int | None:
        """The count typed before the key, which still waits for one."""
        text = self._prefix.text
        return int(text) if text.isdecimal() else None

    def take_count(self) -> int | None:
        """The count typed before a key, which uses it up; None where there was none."""
        if self._prefix.text:
            self.post_message(self.PrefixTyped(""))
        return self._prefix.take()

    def action_move(self, rows: int) -> None:
        self.cursor += rows * (self.take_count() or 1)

    def action_move_page(self, pages: float) -> None:
        on_screen = max(self.size.height // self.row_lines, 1)
        self.cursor += round(pages * on_screen) * (self.take_count() or 1)

    def action_go_to(self, row: int) -> None:
        self.take_count()
        self.cursor = row

    def action_first_key(self) -> None:
        if self._prefix.take_g():
            self._go_to_number(self.take_count(), 0)
        else:
            self.post_message(self.PrefixTyped(self._prefix.text))

    def action_last(self) -> None:
        self._go_to_number(self.take_count(), self.n_rows - 1)

    def _go_to_number(self, number: int | None, default: int) -> None:
        row = default if number is None else self.row_numbered(number)
        if row is not None:
            self.cursor = row

    def action_open(self) -> None:
        self.take_count()
        if self.n_rows:
            self.post_message(self.Opened(self))
