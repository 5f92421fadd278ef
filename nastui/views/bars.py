"""The bar of one range as character cells: its class shares as a stack, full height, in the order of the slots.

A cell holds two colours and one boundary between them, in eighths. The stack is cut into cells along one axis:

- height 1: along the row, left to right, in left eighths;
- height 2, width 2 and more: along the lower row, then along the upper one;
- else upwards, in lower eighths, the same glyph over the whole width.

With R cells along the axis the shares become 8R eighths by largest remainder, after classes below half an eighth have
been counted as *other*; views/stack.py says which ones a cell shows. So no class is drawn that is not in the range, the
largest one always is, and what is left out is said.

Where ranges stand so close that there is no room for three whole widths, a bar may end in half a character, which has
one colour: that of the longer run beside it. A bar of half a character only is so many of them, one class each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nastui.palette import BLANK, OTHER, slot_letter
from nastui.views.apportion import Counts, apportion, fold_rare
from nastui.views.stack import CELL, Runs, fill

_LOWER = "▁▂▃▄▅▆▇"
_LEFT = "▏▎▍▌▋▊▉"
_WIDTHS = {2: (0.5, 1, 1.5), 3: (1, 1.5, 2)}
_WIDE = (1, 2, 3)
_BARS_KEPT = 1 << 15


class Cell(NamedTuple):
    """One character. `fg`, `bg`: a slot 0 to OTHER, or BLANK for the background of the screen."""

    glyph: str
    fg: int
    bg: int


EMPTY = Cell(" ", BLANK, BLANK)

Line = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A painted range: `lines` from top to bottom, and the slots that are in the range but not in the picture.

    `hidden_share`: the share of the range's images that these slots have.
    """

    lines: tuple[Line, ...]
    hidden: tuple[int, ...]
    hidden_share: float


def bar_step(count: int, medium: int = 4, full: int = 12) -> int:
    """What the width of a bar says: 0 no image, 1 thin, 2 medium (from `medium` images on), 3 full (from `full`)."""
    return 1 + (count >= medium) + (count >= full) if count else 0


def bar_width(count: int, medium: int = 4, full: int = 12, pitch: int = 4) -> float:
    """The width of a bar in characters, halves among them, of `pitch` that a range has; some of it stays white."""
    step = bar_step(count, medium, full)
    return _WIDTHS.get(pitch, _WIDE)[step - 1] if step else 0


def paint_bars(counts: Counts, widths: Sequence[float], height: int) -> list[Bar]:
    """The bars of ranges that stand in one row. `counts`: (ranges, OTHER + 1), images per slot; `widths`: characters.

    A range without images gives blank cells.
    """
    eighths = np.array([sum(_rooms(width, height)) for width in widths], dtype=np.int64)
    is_whole = np.array(widths)[:, None] >= 1
    units = apportion(np.where(is_whole, fold_rare(counts, eighths, OTHER), counts), eighths)
    return [
        _finish(_picture(tuple(unit), count.index(max(count)), width, height), count)
        for unit, count, width in zip(units.tolist(), counts.tolist(), widths, strict=True)
    ]


@lru_cache(maxsize=_BARS_KEPT)
def paint_bar(counts: tuple[int, ...], width: float, height: int) -> Bar:
    """The bar of one range; `counts`: images per slot, OTHER + 1 of them."""
    return paint_bars(np.array([counts]), [width], height)[0]


def paint_letter_bars(counts: Counts, widths: Sequence[float], height: int) -> list[Bar]:
    """The bars of ranges in letters, for terminals without enough colours; as `paint_bars`, half a character as a small
    letter.

    Every letter is one class; they are shared out by largest remainder and filled from the lower left, row by row.
    """
    cells = [math.ceil(width) for width in widths]
    letters = apportion(counts, np.array(cells, dtype=np.int64) * height)
    return [
        _finish(_letters(tuple(letter), width, height), count)
        for letter, count, width in zip(letters.tolist(), counts.tolist(), widths, strict=True)
    ]


@lru_cache(maxsize=_BARS_KEPT)
def paint_letters(counts: tuple[int, ...], width: float, height: int) -> Bar:
    """The bar of one range in letters."""
    return paint_letter_bars(np.array([counts]), [width], height)[0]


def _finish(lines: tuple[Line, ...], counts: Sequence[int]) -> Bar:
    shown = {slot for line in lines for cell in line for slot in (cell.fg, cell.bg)}
    hidden = tuple(slot for slot, count in enumerate(counts) if count and slot not in shown)
    return Bar(lines, hidden, sum(counts[slot] for slot in hidden) / max(sum(counts), 1))


def _is_along_the_row(width: float, height: int) -> bool:
    return height == 1 or (height == 2 and width >= 2)


def _lane(width: float) -> tuple[int, ...]:
    """The eighths of every cell of one text row."""
    whole, half = divmod(round(2 * width), 2)
    return (CELL,) * whole + (CELL // 2,) * half


def _rooms(width: float, height: int) -> tuple[int, ...]:
    """The eighths of every cell along the axis; one for each cell of a bar that is half a character wide."""
    if width < 1:
        return (1,) * height
    return _lane(width) * height if _is_along_the_row(width, height) else (CELL,) * height


@lru_cache(maxsize=_BARS_KEPT)
def _picture(units: tuple[int, ...], largest: int, width: float, height: int) -> tuple[Line, ...]:
    """The lines of a bar from its eighths per slot; `largest`: the slot that must be seen."""
    lane = _lane(width)
    if not any(units):
        return ((EMPTY,) * len(lane),) * height
    cells = fill(units, _rooms(width, height), largest)
    if _is_along_the_row(width, height):
        rows = [cells[start : start + len(lane)] for start in range(0, len(cells), len(lane))]
        lines = [tuple(_cell(runs, room, _LEFT) for runs, room in zip(row, lane, strict=True)) for row in rows]
    else:
        lines = [tuple(_cell(runs, room, _LOWER) for room in lane) for runs in cells]
    return tuple(reversed(lines))


def _cell(runs: Runs, room: int, glyphs: str) -> Cell:
    if room < CELL:
        return Cell("▌", max(runs, key=lambda run: run.length).slot, BLANK)
    if len(runs) == 1:
        return Cell(" ", BLANK, runs[0].slot)  # no glyph: the cheapest, and no seam between cells
    return Cell(glyphs[runs[0].length - 1], runs[0].slot, runs[1].slot)


@lru_cache(maxsize=_BARS_KEPT)
def _letters(letters: tuple[int, ...], width: float, height: int) -> tuple[Line, ...]:
    """The lines of a bar from its characters per slot."""
    n_cells = math.ceil(width)
    cells = [Cell(slot_letter(slot), slot, BLANK) for slot, n in enumerate(letters) for _ in range(n)]
    cells = cells or [EMPTY] * (n_cells * height)
    if width < n_cells:
        halves = slice(n_cells - 1, None, n_cells)
        cells[halves] = [cell._replace(glyph=cell.glyph.lower()) for cell in cells[halves]]
    return tuple(tuple(cells[start : start + n_cells]) for start in range((height - 1) * n_cells, -1, -n_cells or -1))
