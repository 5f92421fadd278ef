"""All keys of the screen below, made from the same bindings that the keys run."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static


class HelpScreen(ModalScreen[None], inherit_bindings=False):
    """Lists every key that works on the screen it was opened from."""

    DEFAULT_CSS = """
    HelpScreen { align: right top; }
    HelpScreen > VerticalScroll {
        width: 72; max-width: 100%; height: auto; max-height: 100%;
        background: $panel; padding: 1 2; border: round $primary;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q,escape", "dismiss", "Close", key_display="?"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._rows = key_rows(screen)

    def compose(self) -> ComposeResult:
        table = Table.grid(padding=(0, 3))
        for keys, description in self._rows:
            table.add_row(Text(keys, style="bold"), Text(description))
        with VerticalScroll():
            yield Static(table)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def key_rows(screen: Screen[Any]) -> list[tuple[str, str]]:
    """(keys, what they do) for every binding that is active on `screen`, its focused widget's first."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for _, binding, enabled, _ in screen.active_bindings.values():
        if enabled and binding.description and not binding.system:
            words = binding.tooltip or binding.description
            grouped.setdefault((binding.action, words), []).append(key_name(binding))
    return [("  ".join(dict.fromkeys(keys)), description) for (_, description), keys in grouped.items()]


_NAMES = {
    "question_mark": "?",
    "escape": "esc",
    "enter": "⏎",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "minus": "-",
    "equals_sign": "=",
    "plus": "+",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "dollar_sign": "$",
    "circumflex_accent": "^",
    "space": "space",
}


def key_name(binding: Binding) -> str:
    """A key as people write it: `ctrl+d` is ^d, `G` is G."""
    key = binding.key
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return _NAMES.get(key, key)
