"""The cells of one tile of a grid, line by line. Pure: styles and pictures are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from nastui.views.grid import CAPTION_LINES, GridTile, plain_text
from nastui.widgets.graphics import Row
from nastui.widgets.graphics_kitty import NumberStyle

CURSOR = "▶"
WRONG = "✗"


@dataclass(frozen=True, slots=True)
class TileStyles:
    """`base` is the widget's, `blank` only its background; the others are complete styles, not additions to it."""

    base: Style
    blank: Style
    cursor: Style
    note: Style
    wrong: Style


def picture_cells(
    rows: Sequence[Row], columns: int, line: int, width: int, height: int, styles: TileStyles
) -> list[Segment]:
    """Line `line` of a room of `width` × `height` cells with a picture in the middle at its bottom.

    `rows` are the picture's, `columns` wide; none for blanks.
    """
    at = line - (height - len(rows))
    if not 0 <= at < len(rows):
        return [Segment(" " * width, styles.blank)]
    left = (width - columns) // 2
    right = width - columns - left
    if len(rows[at]) == 1 and isinstance(rows[at][0].style, NumberStyle):  # one style for all of it: fewer bytes
        return [Segment(" " * left + rows[at][0].text + " " * right, rows[at][0].style)]
    cells = [segment if segment.style is not None else Segment(segment.text, styles.base) for segment in rows[at]]
    return [Segment(" " * left, styles.blank), *cells, Segment(" " * right, styles.blank)]


def note_cells(note: str, line: int, width: int, height: int, styles: TileStyles) -> list[Segment]:
    """Line `line` of the same room where there is no picture: why, as far as it fits, word by word."""
    lines = _wrapped(note, width, height)
    at = line - (height - len(lines)) // 2
    if not 0 <= at < len(lines):
        return [Segment(" " * width, styles.blank)]
    return [Segment(plain_text(lines[at], width), styles.note)]


def caption_cells(tile: GridTile, line: int, width: int, styles: TileStyles, *, is_cursor: bool) -> list[Segment]:
    """Line `line` (0, 1) of a tile's caption; the class's mark before the first, a cross before the second."""
    if line >= CAPTION_LINES:
        return [Segment(" " * width, styles.blank)]
    text_style = styles.cursor if is_cursor else styles.base
    marks: list[Segment] = []
    if line == 0 and (tile.letter or tile.colour):
        mark = styles.base + Style(color=tile.colour) if tile.colour else text_style
        marks = [Segment((tile.letter or "█")[:1], mark), Segment(" ", text_style)]
    elif line == 1 and tile.is_wrong:
        marks = [Segment(WRONG, styles.wrong), Segment(" ", text_style)]
    text = Segment(plain_text(tile.caption[line], max(0, width - 2 if marks else width)), text_style)
    return list(Strip([*marks, text]).crop(0, width))


def _wrapped(text: str, width: int, height: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines[:height]
