"""Text from data as it may be written to a terminal: shown, never obeyed."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, chop_cells, set_cell_size

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """`text` with a `·` for every control and formatting character: escape codes, line ends, direction overrides."""
    return "".join("·" if unicodedata.category(char) in _UNPRINTABLE else char for char in text)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells, with an ellipsis where something is missing."""
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken between words, and within those that are longer than a line."""
    lines, line = [], ""
    for word in text.split(" "):
        for part in chop_cells(word, max(width, 2)) or [""]:
            joined = f"{line} {part}" if line else part
            if line and cell_len(joined) > width:
                lines.append(line)
                joined = part
            line = joined
    return [*lines, line]


def right_aligned(text: str, width: int) -> str:
    """`text` at the right end of exactly `width` cells, cut where it is longer."""
    shown = cut(text, width)
    return " " * (width - cell_len(shown)) + shown
